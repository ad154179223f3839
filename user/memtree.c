/*
 * memtree: draws the page-table tree of a process, or of all processes as one forest, from
 * /proc/PID/memtree: a line for each table, the root first, depth first,
 *
 *	LEVEL START REFS USED PRESENT SHARED OWNED PHYS
 *
 * level 4 to 1, first address mapped, pointers to the table, entries in use, and of a level 1 table
 *pages present and those with more than one pointer; 1 if nothing from the root down to it is
 *shared; the table's physical address.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/lib/procfs.h"
#include "user/lib/program.h"
#include "user/lib/units.h"

#define ROOT_LEVEL  4
#define PAGE_BYTES  4096ul
#define TABLE_BYTES 4096ul
#define TREE_WIDTH  41 /* of the column with branches, names and addresses */

/* A table of page tables, however many trees it appears in; told from others by its physical
 * address. */
struct table {
	unsigned long at;
	unsigned appearances; /* in the trees read */
	unsigned name;        /* 3 for T3; 0: not shown yet, or needs no name */
};

/* A table as it appears in one tree. */
struct node {
	unsigned long start, refs, used, present, shared, at;
	unsigned level;
	bool owned;
	bool has_next; /* another one follows below the same parent */
};

struct tree {
	pid_t pid;
	char name[32];
	struct node *nodes;
	size_t count;
};

struct forest {
	struct tree *trees;
	size_t count;
	struct table *tables; /* sorted by at */
	size_t table_count;
	unsigned names; /* given so far */
};

struct totals {
	unsigned long tables, private_tables;
	unsigned long pages, private_pages;
};

static bool parse_node(const char *line, struct node *node)
{
	unsigned owned;

	int fields =
		sscanf(line, "%u %lx %lu %lu %lu %lu %u %lx", &node->level, &node->start,
		       &node->refs, &node->used, &node->present, &node->shared, &owned, &node->at);
	node->owned = owned != 0;
	return fields == 8 && node->level >= 1 && node->level <= ROOT_LEVEL;
}

/* From the last node up: a node has a next one if its level was seen since the last node of a
 * higher level. */
static void link_siblings(struct tree *tree)
{
	bool seen[ROOT_LEVEL + 1] = {false};

	for (size_t i = tree->count; i-- > 0;) {
		unsigned level = tree->nodes[i].level;
		tree->nodes[i].has_next = seen[level];
		seen[level] = true;
		for (unsigned below = 1; below < level; below++) {
			seen[below] = false;
		}
	}
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++) {
		lines++;
	}
	return lines;
}

static void parse_tree(const char *text, struct tree *tree)
{
	tree->nodes = allocate(count_lines(text) + 1, sizeof(*tree->nodes));
	tree->count = 0;
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		if (!parse_node(line, &tree->nodes[tree->count++])) {
			die(1, "line %lu of process %ld's memtree is not as expected: %.*s",
			    (unsigned long)tree->count, (long)tree->pid, (int)strcspn(line, "\n"),
			    line);
		}
		if (line[strcspn(line, "\n")] == '\0') {
			break;
		}
	}
	link_siblings(tree);
}

/* Reads the tree of a process; false and errno if it cannot be read, ESRCH if it has none (any
 * more). */
static bool read_tree(pid_t pid, struct tree *tree)
{
	struct text text = {0};

	tree->pid = pid;
	bool done = proc_read(pid, "memtree", &text);
	if (done && text.length == 0) {
		errno = ESRCH;
		done = false;
	}
	if (done) {
		parse_tree(text.data, tree);
		proc_name(pid, tree->name, sizeof(tree->name));
	}
	int error = errno;
	text_free(&text);
	errno = error;
	return done;
}

static int compare_tables(const void *a, const void *b)
{
	unsigned long left = ((const struct table *)a)->at, right = ((const struct table *)b)->at;

	return (left > right) - (left < right);
}

/* Collects the tables of all trees, each once, with the number of trees it appears in. */
static void collect_tables(struct forest *forest)
{
	size_t nodes = 0, kept = 0;

	for (size_t i = 0; i < forest->count; i++) {
		nodes += forest->trees[i].count;
	}
	struct table *tables = allocate(nodes, sizeof(*tables));
	nodes = 0;
	for (size_t i = 0; i < forest->count; i++) {
		for (size_t j = 0; j < forest->trees[i].count; j++) {
			tables[nodes++] = (struct table) {.at = forest->trees[i].nodes[j].at};
		}
	}
	if (nodes > 0) {
		qsort(tables, nodes, sizeof(*tables), compare_tables);
	}
	for (size_t i = 0; i < nodes; i++) {
		if (kept == 0 || tables[kept - 1].at != tables[i].at) {
			tables[kept++] = tables[i];
		}
		tables[kept - 1].appearances++;
	}
	forest->tables = tables;
	forest->table_count = kept;
}

static struct table *find_table(const struct forest *forest, unsigned long at)
{
	struct table key = {.at = at};

	return bsearch(&key, forest->tables, forest->table_count, sizeof(key), compare_tables);
}

/* Branches, the kind of table and the addresses it maps, padded to TREE_WIDTH. open[l]: level l
 * goes on further down. */
static void print_branch(const struct node *node, const bool *open, const char *name)
{
	static const char *const kinds[] = {"page", "PT", "PD", "PDPT", "PML4"};
	unsigned long bytes = PAGE_BYTES << 9 * node->level;
	int width = 0;

	for (unsigned level = ROOT_LEVEL - 1; level > node->level; level--) {
		width += printf("%s", open[level] ? "|  " : "   ");
	}
	if (node->level < ROOT_LEVEL) {
		width += printf("%s", node->has_next ? "|- " : "`- ");
	}
	width += printf("%s %012lx-%012lx%s%s", kinds[node->level], node->start,
			node->start + bytes, *name ? " " : "", name);
	printf("%*s", width < TREE_WIDTH ? TREE_WIDTH - width : 0, "");
}

/* "shared" where sharing begins: more than one pointer; "below" for what is shared only since it
 * hangs from that. */
static const char *sharing_words(const struct node *node)
{
	return node->owned ? "" : node->refs > 1 ? " shared" : " below";
}

static void print_node(const struct node *node, const bool *open, const char *name)
{
	char span[SIZE_TEXT];

	print_branch(node, open, name);
	printf(" %6s %5lu %4lu", size_text(span, PAGE_BYTES << 9 * node->level), node->refs,
	       node->used);
	if (node->level == 1) {
		printf(" %5lu %6lu", node->present, node->shared);
	} else if (!node->owned) {
		printf(" %5s %6s", "", "");
	}
	printf("%s\n", sharing_words(node));
}

static void count_node(const struct node *node, struct totals *totals)
{
	totals->tables++;
	totals->private_tables += node->owned;
	totals->pages += node->present;
	totals->private_pages += node->owned ? node->present - node->shared : 0;
}

/*
 * In a forest: the name of a table that more than one tree shows, in name[SIZE_TEXT], else "".
 * Returns true if it was shown before, so that the name stands for all below it.
 */
static bool name_node(struct forest *forest, const struct node *node, char *name)
{
	struct table *table = find_table(forest, node->at);

	*name = '\0';
	if (!table || node->refs < 2 || table->appearances < 2) {
		return false;
	}
	bool shown = table->name != 0;
	if (!shown) {
		table->name = ++forest->names;
	}
	snprintf(name, SIZE_TEXT, "%sT%u", shown ? "= " : "", table->name);
	return shown;
}

/* Prints a tree. forest: also name the tables it shares with others, and skip what was shown
 * before; or NULL. */
static void print_tree(const struct tree *tree, struct forest *forest, struct totals *totals)
{
	bool open[ROOT_LEVEL + 1] = {false};
	char name[SIZE_TEXT] = "";
	unsigned skip_below =
		0; /* a level: nodes under it belong to a table that was shown before */

	for (size_t i = 0; i < tree->count; i++) {
		const struct node *node = &tree->nodes[i];
		count_node(node, totals);
		if (node->level < skip_below) {
			continue;
		}
		bool shown = forest && name_node(forest, node, name);
		skip_below = shown ? node->level : 0;
		open[node->level] = node->has_next;
		print_node(node, open, name);
	}
}

static void print_heading(const struct tree *tree)
{
	printf("process %ld (%s)\n", (long)tree->pid, tree->name);
	printf("%-*s %6s %5s %4s %5s %6s\n", TREE_WIDTH, "TABLE", "SPAN", "REFS", "USED", "PAGES",
	       "SHARED");
}

static void print_amount(const char *what, unsigned long all, unsigned long private_part,
			 unsigned long unit)
{
	char size[SIZE_TEXT], private_size[SIZE_TEXT], shared_size[SIZE_TEXT];

	printf("%lu %s, %s: %lu private (%s), %lu shared (%s)\n", all, what,
	       size_text(size, all * unit), private_part,
	       size_text(private_size, private_part * unit), all - private_part,
	       size_text(shared_size, (all - private_part) * unit));
}

static void print_totals(const struct totals *totals)
{
	print_amount("page tables", totals->tables, totals->private_tables, TABLE_BYTES);
	print_amount("pages present", totals->pages, totals->private_pages, PAGE_BYTES);
}

static void explain_missing(pid_t pid, int error)
{
	struct text status = {0};

	if (error == ESRCH || !proc_read(pid, "status", &status)) {
		complain("there is no process %ld with memory", (long)pid);
	} else if (error == ENOENT) {
		complain("this kernel has no /proc/PID/memtree");
	} else {
		complain("process %ld: memtree: %s", (long)pid, strerror(error));
	}
	text_free(&status);
}

static void show_process(pid_t pid)
{
	struct tree tree = {0};
	struct totals totals = {0};

	if (!read_tree(pid, &tree)) {
		explain_missing(pid, errno);
		return;
	}
	print_heading(&tree);
	print_tree(&tree, NULL, &totals);
	print_totals(&totals);
	free(tree.nodes);
}

static bool read_forest(struct forest *forest, const pid_t *pids, int count)
{
	forest->trees = allocate((size_t)count, sizeof(*forest->trees));
	for (int i = 0; i < count; i++) {
		/* One that has ended meanwhile, or has no memory, has no tree either. */
		if (read_tree(pids[i], &forest->trees[forest->count])) {
			forest->count++;
		}
	}
	if (forest->count == 0) {
		complain("none of these processes has a /proc/PID/memtree");
	}
	return forest->count > 0;
}

static void print_forest_totals(const struct forest *forest, const struct totals *totals)
{
	char in_use[SIZE_TEXT], unshared[SIZE_TEXT], saved[SIZE_TEXT];

	printf("%lu processes: %lu page tables, %s; with none shared %lu, %s: sharing saves %s\n",
	       (unsigned long)forest->count, (unsigned long)forest->table_count,
	       size_text(in_use, forest->table_count * TABLE_BYTES), totals->tables,
	       size_text(unshared, totals->tables * TABLE_BYTES),
	       size_text(saved, (totals->tables - forest->table_count) * TABLE_BYTES));
}

static void show_forest(const pid_t *pids, int count)
{
	struct forest forest = {0};
	struct totals totals = {0};

	if (!read_forest(&forest, pids, count)) {
		free(forest.trees);
		return;
	}
	collect_tables(&forest);
	for (size_t i = 0; i < forest.count; i++) {
		print_heading(&forest.trees[i]);
		print_tree(&forest.trees[i], &forest, &totals);
		putchar('\n');
		free(forest.trees[i].nodes);
	}
	print_forest_totals(&forest, &totals);
	free(forest.tables);
	free(forest.trees);
}

static pid_t parse_pid(const char *text)
{
	char *end;

	if (strcmp(text, "self") == 0) {
		return getpid();
	}
	errno = 0;
	long pid = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || pid <= 0 || pid > 0x7fffffff) {
		die(EXIT_USAGE, "'%s' is not a process id", text);
	}
	return (pid_t)pid;
}

static void show_all(void)
{
	pid_t *pids;
	int count = proc_list(&pids);

	if (count < 0) {
		complain_errno(proc_root);
		return;
	}
	show_forest(pids, count);
	free(pids);
}

static void show_operands(char **operands, int count, bool as_forest)
{
	pid_t *pids = allocate((size_t)count, sizeof(*pids));

	for (int i = 0; i < count; i++) {
		pids[i] = parse_pid(operands[i]);
	}
	if (as_forest) {
		show_forest(pids, count);
	}
	for (int i = 0; !as_forest && i < count; i++) {
		show_process(pids[i]);
	}
	free(pids);
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	bool all = false;
	int letter;

	program_init("memtree",
		     "memtree [PID]...   page tables of processes (without PID: its own)\n"
		     "       memtree -a [PID]...   of these or all, tables that they share shown "
		     "once, by "
		     "name\n"
		     "       (-r DIRECTORY: a copy of /proc to read instead)",
		     argc, argv);
	while ((letter = option_next(&options, "ar:")) != 0) {
		all |= letter == 'a';
		if (letter == 'r') {
			proc_root = options.value;
		}
	}
	if (options.index < argc) {
		show_operands(argv + options.index, argc - options.index, all);
	} else if (all) {
		show_all();
	} else {
		show_process(getpid());
	}
	return program_end();
}
