/*
 * SQLite from three processes: all write one database, with its own locks between them, and each
 * checks what the others wrote. Prints one line a step; its status is 0 when all held.
 *
 * sqlite [threads]: with this word it is threads that write, by a connection of each, and then all by
 * the same.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS        2000
#define ROUNDS      20
#define PATH        "/tmp/test.db"
#define BUSY_MILLIS 20000

static void fail(sqlite3 *database, const char *what)
{
	printf("process %d: %s: %s\n", (int)getpid(), what, sqlite3_errmsg(database));
	exit(1);
}

static sqlite3 *open_database(void)
{
	sqlite3 *database;

	if (sqlite3_open(PATH, &database) != SQLITE_OK)
		fail(database, "open");
	sqlite3_busy_timeout(database, BUSY_MILLIS);
	return database;
}

static void run(sqlite3 *database, const char *sql)
{
	if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(database, sql);
}

static long long number(sqlite3 *database, const char *sql)
{
	sqlite3_stmt *statement;
	long long value;

	if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		fail(database, sql);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

static void check_integrity(sqlite3 *database)
{
	if (number(database, "SELECT integrity_check = 'ok' FROM pragma_integrity_check") != 1)
		fail(database, "integrity_check");
}

static void fill(sqlite3 *database)
{
	sqlite3_stmt *statement;

	run(database, "CREATE TABLE numbers(n INTEGER PRIMARY KEY, square INTEGER, text TEXT)");
	run(database, "CREATE TABLE counter(value INTEGER)");
	run(database, "INSERT INTO counter VALUES(0)");
	run(database, "BEGIN");
	if (sqlite3_prepare_v2(database,
			       "INSERT INTO numbers VALUES(?1, ?1 * ?1, printf('row %d', ?1))", -1,
			       &statement, NULL) != SQLITE_OK)
		fail(database, "prepare");
	for (int i = 1; i <= ROWS; i++) {
		sqlite3_bind_int(statement, 1, i);
		if (sqlite3_step(statement) != SQLITE_DONE)
			fail(database, "insert");
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
	run(database, "COMMIT");
	run(database, "CREATE INDEX by_text ON numbers(text)");
	run(database, "BEGIN; DELETE FROM numbers; ROLLBACK");
	printf("rows %lld\n",
	       number(database, "SELECT count(*) FROM numbers WHERE square = n * n"));
}

/* Read, then write, in one transaction: an increment that another process makes between the two is
 * lost, unless the lock keeps it out. */
static void increment(void)
{
	sqlite3 *database = open_database();

	for (int i = 0; i < ROUNDS; i++) {
		char sql[80];

		run(database, "BEGIN IMMEDIATE");
		snprintf(sql, sizeof(sql), "UPDATE counter SET value = %lld",
			 number(database, "SELECT value FROM counter") + 1);
		run(database, sql);
		snprintf(sql, sizeof(sql), "DELETE FROM numbers WHERE n = %d",
			 (int)number(database, "SELECT max(n) FROM numbers"));
		run(database, sql);
		run(database, "COMMIT");
	}
	check_integrity(database);
	sqlite3_close(database);
}

static void share(const char *journal)
{
	sqlite3 *database = open_database();
	char sql[80];
	int status;

	snprintf(sql, sizeof(sql), "PRAGMA journal_mode = %s", journal);
	run(database, sql);
	run(database, "UPDATE counter SET value = 0");
	sqlite3_close(database);
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			increment();
			_exit(0);
		}
	}
	increment();
	for (int i = 0; i < 2; i++)
		if (wait(&status) < 0 || status != 0)
			exit(1);
	database = open_database();
	check_integrity(database);
	printf("%s: counter %lld, rows %lld\n", journal,
	       number(database, "SELECT value FROM counter"),
	       number(database, "SELECT count(*) FROM numbers"));
	sqlite3_close(database);
}

/* ---- Threads ---- */

#define THREADS 4

static void *increment_in_thread(void *context)
{
	increment();
	return context;
}

/* One connection, which SQLite lets one thread use at a time. */
static void *increment_shared(void *context)
{
	for (int i = 0; i < ROUNDS; i++) {
		run(context, "UPDATE counter SET value = value + 1");
		run(context, "DELETE FROM numbers WHERE n = (SELECT max(n) FROM numbers)");
	}
	return context;
}

static void run_threads(void *(*body)(void *), void *context, const char *name)
{
	pthread_t threads[THREADS];
	sqlite3 *database = open_database();

	run(database, "UPDATE counter SET value = 0");
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, body, context) != 0)
			exit(1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	check_integrity(database);
	printf("%s: counter %lld, rows %lld\n", name, number(database, "SELECT value FROM counter"),
	       number(database, "SELECT count(*) FROM numbers"));
	sqlite3_close(database);
}

static void use_threads(void)
{
	sqlite3 *database;

	if (sqlite3_threadsafe() != 1)
		exit(1);
	run_threads(increment_in_thread, NULL, "a connection each");
	database = open_database();
	run(database, "PRAGMA journal_mode = wal");
	run_threads(increment_shared, database, "one connection");
	sqlite3_close(database);
}

/* ---- Processes ---- */

static void use_processes(void)
{
	sqlite3 *database;

	share("delete");
	share("wal");
	database = open_database();
	run(database, "CREATE TEMP TABLE t AS SELECT * FROM numbers");
	printf("temporary %lld\n", number(database, "SELECT count(*) FROM t"));
	sqlite3_close(database);
}

int main(int argc, char **argv)
{
	sqlite3 *database;

	setvbuf(stdout, NULL, _IOLBF, 0);
	remove(PATH);
	database = open_database();
	fill(database);
	check_integrity(database);
	sqlite3_close(database);
	if (argc > 1 && strcmp(argv[1], "threads") == 0)
		use_threads();
	else
		use_processes();
	return 0;
}
