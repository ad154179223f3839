/* Signals by number, by name and in words. */
#pragma once

/* "SEGV" for SIGSEGV; NULL for a number that has no name. */
const char *signal_name(int signal);

/* "Segmentation fault" for SIGSEGV; "Signal 35" for a number that has no name, in a buffer used
 * again. */
const char *signal_words(int signal);

/* The number for "9", "KILL", "kill" or "SIGKILL"; -1 for anything else. 0 is allowed: kill(2) then
 * only checks. */
int signal_parse(const char *text);

/* One more than the largest number with a name. */
int signal_limit(void);
