/* Commands that the shell does itself, since they change the shell. */
#pragma once

/* argv as main() gets it; returns the exit status. */
typedef int builtin_function(int argc, char **argv);

/* NULL when name is not a builtin command. */
builtin_function *builtin_find(const char *name);
