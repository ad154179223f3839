/* Redirections: descriptors opened, duplicated and closed for a command. */
#pragma once

#include <stdbool.h>

#include "user/sh/arena.h"
#include "user/sh/syntax.h"

/* What a descriptor was before it was redirected. */
struct saved_descriptor;

/*
 * Does the redirections in order. saved: where to note what they replace, for redirect_undo(), the
 * list starting with NULL; or NULL when that is not wanted. False after a failure, which has been
 * reported; undo then what was done.
 */
bool redirect(struct arena *arena, const struct redirect *redirects,
	      struct saved_descriptor **saved);

/* Puts the descriptors back as they were. */
void redirect_undo(struct saved_descriptor *saved);
