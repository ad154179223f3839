/* The shell's variables. Those that are exported go to the programs it runs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/sh/arena.h"

/* Takes over the environment that the shell was started with. */
void variables_init(void);

/* The value, or NULL when it is not set; valid until the variable changes. */
const char *variable_get(const char *name);

void variable_set(const char *name, const char *value);
void variable_unset(const char *name);

/* Marks a variable, or one that is set later, for programs. */
void variable_export(const char *name);

/* True for letters, digits and '_' that do not start with a digit. */
bool is_name(const char *text, size_t length);

/* The exported variables as execve(2) wants them, in arena. */
char **variables_environment(struct arena *arena);

/* Prints all, or the exported ones, sorted, in a form that the shell reads back. */
void variables_print(bool only_exported);
