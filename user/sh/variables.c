/* The shell's variables: user/sh/variables.h. One list, sorted by name; values are owned by it. */
#include "user/sh/variables.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/program.h"

struct variable {
	struct variable *next;
	char *name;
	char *value; /* NULL: exported before it was set */
	bool exported;
};

static struct variable *variables;

extern char **environ;

static char *copy_text(const char *text)
{
	return strcpy(allocate(strlen(text) + 1, 1), text);
}

/* The place of the first variable whose name is not before name. */
static struct variable **find(const char *name)
{
	struct variable **place = &variables;

	while (*place && strcmp((*place)->name, name) < 0) {
		place = &(*place)->next;
	}
	return place;
}

static bool is_at(struct variable *const *place, const char *name)
{
	return *place && strcmp((*place)->name, name) == 0;
}

static struct variable *find_or_add(const char *name)
{
	struct variable **place = find(name);

	if (!is_at(place, name)) {
		struct variable *variable = allocate(1, sizeof(*variable));
		*variable = (struct variable) {.next = *place, .name = copy_text(name)};
		*place = variable;
	}
	return *place;
}

const char *variable_get(const char *name)
{
	struct variable **place = find(name);

	return is_at(place, name) ? (*place)->value : NULL;
}

void variable_set(const char *name, const char *value)
{
	struct variable *variable = find_or_add(name);
	char *copy = copy_text(value);

	free(variable->value);
	variable->value = copy;
}

void variable_unset(const char *name)
{
	struct variable **place = find(name);

	if (is_at(place, name)) {
		struct variable *variable = *place;
		*place = variable->next;
		free(variable->name);
		free(variable->value);
		free(variable);
	}
}

void variable_export(const char *name)
{
	find_or_add(name)->exported = true;
}

bool is_name(const char *text, size_t length)
{
	if (length == 0 || isdigit((unsigned char)*text)) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_') {
			return false;
		}
	}
	return true;
}

void variables_init(void)
{
	for (char **entry = environ; entry && *entry; entry++) {
		size_t length = strcspn(*entry, "=");
		if ((*entry)[length] != '=' || !is_name(*entry, length)) {
			continue;
		}
		char *name = copy_text(*entry);
		name[length] = '\0';
		variable_set(name, *entry + length + 1);
		variable_export(name);
		free(name);
	}
}

char **variables_environment(struct arena *arena)
{
	size_t count = 0;

	for (const struct variable *variable = variables; variable; variable = variable->next) {
		count++;
	}
	char **environment = arena_alloc(arena, (count + 1) * sizeof(*environment));
	count = 0;
	for (const struct variable *variable = variables; variable; variable = variable->next) {
		if (variable->exported && variable->value) {
			size_t size = strlen(variable->name) + strlen(variable->value) + 2;
			environment[count] = arena_alloc(arena, size);
			snprintf(environment[count++], size, "%s=%s", variable->name,
				 variable->value);
		}
	}
	return environment;
}

/* In single quotes, each of its own as '\''. */
static void print_quoted(const char *value)
{
	putchar('\'');
	for (; *value; value++) {
		if (*value == '\'') {
			fputs("'\\''", stdout);
		} else {
			putchar(*value);
		}
	}
	putchar('\'');
}

void variables_print(bool only_exported)
{
	for (const struct variable *variable = variables; variable; variable = variable->next) {
		if (only_exported ? !variable->exported : !variable->value) {
			continue;
		}
		printf("%s%s", only_exported ? "export " : "", variable->name);
		if (variable->value) {
			putchar('=');
			print_quoted(variable->value);
		}
		putchar('\n');
	}
}
