/* The kernel's command line: words, some of the form key=value. */
#pragma once

#include "mm/types.h"

/* Boot: keeps a copy of the line, cut off after CMDLINE_MAX - 1 bytes. */
#define CMDLINE_MAX 1024
void cmdline_init(const char *line);

/* The value of the last word key=value, "" for a plain word key, NULL when there is none. */
const char *cmdline_word(const char *key);

/* The whole line as it was given. */
const char *cmdline_text(void);
