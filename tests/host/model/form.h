/*
 * The canonical form of a world: what tells two states of the machine apart, and nothing else. Two worlds have
 * the same form when they differ in no more than the order of spaces, which frames the nodes are in, and the
 * values that were written.
 */
#pragma once

#include "tests/host/model/model.h"

/*
 * A hash of 64 bits over all tables with their counts and entries, who shares them, region sets and who shares
 * those, the pages and which of them hold the same, and what the model knows.
 *
 * TLBs are not in it: whoever uses it fills them before each operation with all that they may hold.
 */
u64 world_form(void);
