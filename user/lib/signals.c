/* Signals by number, by name and in words: user/lib/signals.h. */
#include "user/lib/signals.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define HIGHEST_SIGNAL 64

struct signal_entry {
	int number;
	const char *name, *words;
};

static const struct signal_entry signals[] = {
	{SIGHUP, "HUP", "Hangup"},
	{SIGINT, "INT", "Interrupt"},
	{SIGQUIT, "QUIT", "Quit"},
	{SIGILL, "ILL", "Illegal instruction"},
	{SIGTRAP, "TRAP", "Trace trap"},
	{SIGABRT, "ABRT", "Aborted"},
	{SIGBUS, "BUS", "Bus error"},
	{SIGFPE, "FPE", "Arithmetic exception"},
	{SIGKILL, "KILL", "Killed"},
	{SIGUSR1, "USR1", "User signal 1"},
	{SIGSEGV, "SEGV", "Segmentation fault"},
	{SIGUSR2, "USR2", "User signal 2"},
	{SIGPIPE, "PIPE", "Broken pipe"},
	{SIGALRM, "ALRM", "Alarm clock"},
	{SIGTERM, "TERM", "Terminated"},
	{SIGCHLD, "CHLD", "Child ended"},
	{SIGCONT, "CONT", "Continued"},
	{SIGSTOP, "STOP", "Stopped"},
	{SIGTSTP, "TSTP", "Stopped at the terminal"},
	{SIGTTIN, "TTIN", "Stopped: terminal input"},
	{SIGTTOU, "TTOU", "Stopped: terminal output"},
	{SIGURG, "URG", "Urgent data"},
	{SIGXCPU, "XCPU", "CPU time limit exceeded"},
	{SIGXFSZ, "XFSZ", "File size limit exceeded"},
	{SIGVTALRM, "VTALRM", "Virtual timer"},
	{SIGPROF, "PROF", "Profiling timer"},
	{SIGWINCH, "WINCH", "Window changed"},
	{SIGIO, "IO", "Input or output possible"},
	{SIGSYS, "SYS", "Bad system call"},
};

#define SIGNAL_COUNT (sizeof(signals) / sizeof(signals[0]))

static const struct signal_entry *find(int number)
{
	for (unsigned i = 0; i < SIGNAL_COUNT; i++) {
		if (signals[i].number == number) {
			return &signals[i];
		}
	}
	return NULL;
}

const char *signal_name(int signal)
{
	const struct signal_entry *entry = find(signal);

	return entry ? entry->name : NULL;
}

const char *signal_words(int signal)
{
	static char other[16];
	const struct signal_entry *entry = find(signal);

	if (entry) {
		return entry->words;
	}
	snprintf(other, sizeof(other), "Signal %d", signal);
	return other;
}

int signal_parse(const char *text)
{
	if (isdigit((unsigned char)*text)) {
		char *end;
		long number = strtol(text, &end, 10);
		return *end == '\0' && number <= HIGHEST_SIGNAL ? (int)number : -1;
	}
	if (strncasecmp(text, "SIG", 3) == 0) {
		text += 3;
	}
	for (unsigned i = 0; i < SIGNAL_COUNT; i++) {
		if (strcasecmp(text, signals[i].name) == 0) {
			return signals[i].number;
		}
	}
	return -1;
}

int signal_limit(void)
{
	int limit = 0;

	for (unsigned i = 0; i < SIGNAL_COUNT; i++) {
		limit = signals[i].number >= limit ? signals[i].number + 1 : limit;
	}
	return limit;
}
