/* A circular doubly linked list; the list's head is a node too, and an empty list's head points at
 * itself. */
#pragma once

#include "mm/types.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_push_front(struct list *head, struct list *node)
{
	node->next = head->next;
	node->prev = head;
	head->next->prev = node;
	head->next = node;
}

static inline void list_push_back(struct list *head, struct list *node)
{
	list_push_front(head->prev, node);
}

/* Takes node out and leaves it an empty list of its own, so that a second removal is harmless. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_first(head, type, member) container_of((head)->next, type, member)

/* The body may not remove the node it stands on. */
#define list_for_each(pos, head, member)                                           \
	for (pos = list_first(head, typeof(*pos), member); &pos->member != (head); \
	     pos = container_of(pos->member.next, typeof(*pos), member))
