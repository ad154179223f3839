/* Address spaces: making, ending, listing them. */
#include "mm/mm.h"
#include "mm/commit.h"
#include "mm/edit.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "mm/tree.h"

static struct spinlock all_lock = SPINLOCK(RANK_LISTS);
/* guarded by all_lock: */
static struct list all_mms = {&all_mms, &all_mms};
static u64 serials;

void mm_init(void)
{
	zero_page = frame_alloc_zeroed();
	ASSERT(zero_page, "no memory for the zero page: %lu frames free", frames_free());
	data_init(zero_page); /* its ref is the kernel's hold: it is never exclusive */
}

static struct page *root_create(void)
{
	struct page *root = frame_alloc(0);

	if (root) {
		table_init(root, ROOT_LEVEL);
		machine_init_root(page_virt(root));
	}
	return root;
}

struct mm *mm_create(void)
{
	struct mm *mm = kmalloc(sizeof(*mm));

	if (!mm)
		return NULL;
	mm->users = 1;
	mm->limits = (struct mm_limits) {MM_UNLIMITED, MM_UNLIMITED, MM_UNLIMITED};
	lock_set_rank(&mm->lock, RANK_MM);
	mm->root = root_create();
	mm->regions = regions_create();
	list_init(&mm->all);
	spin_lock(&all_lock);
	mm->serial = ++serials;
	list_push_back(&all_mms, &mm->all);
	spin_unlock(&all_lock);
	if (!mm->root || !mm->regions) {
		mm_put(mm);
		return NULL;
	}
	return mm;
}

void mm_get(struct mm *mm)
{
	atomic_fetch_add(&mm->users, 1);
}

void mm_put(struct mm *mm)
{
	if (atomic_fetch_sub(&mm->users, 1) > 1)
		return;
	ASSERT(!mm->cpus, "CPUs %lx run an address space that ends", mm->cpus);
	atomic_fetch_add(&mm_stat.endings, 1);
	spin_lock(&all_lock);
	list_remove(&mm->all);
	spin_unlock(&all_lock);
	if (mm->root)
		page_put(mm->root);
	if (mm->regions)
		regions_put(mm->regions);
	commit_give(mm->promised);
	kfree(mm);
	atomic_fetch_add(&mm_stat.ended, 1);
	atomic_fetch_sub(&mm_stat.endings, 1);
}

void mm_reap(struct mm *mm)
{
	/* All tables are covered whole: so none is copied, and no memory is wanted. */
	const struct span all = {0, USER_ENTRIES * entry_span(ROOT_LEVEL)};
	struct edit edit = {.reserve = RESERVE_EMPTY};

	edit.gather = gather_begin(mm, edit.later, EDIT_LATER);
	write_lock(&mm->lock);
	mm->doomed = true;
	edit_zap(&edit, mm, &all);
	if (atomic_load(&mm->regions->refs) == 1)
		regions_cut(mm->regions, all.start, all.end);
	edit_end(&edit);
	write_unlock(&mm->lock);
}

/* A user more, unless the last one is just leaving. locked: all_lock */
static bool try_get(struct mm *mm)
{
	u32 users = atomic_load(&mm->users);

	while (users && !atomic_compare_exchange_weak(&mm->users, &users, users + 1))
		;
	return users;
}

/* The first from `at` on that has users, with one more. locked: all_lock */
static struct mm *get_from(struct list *at)
{
	while (at != &all_mms && !try_get(container_of(at, struct mm, all)))
		at = at->next;
	return at == &all_mms ? NULL : container_of(at, struct mm, all);
}

struct mm *mm_next(struct mm *mm)
{
	spin_lock(&all_lock);
	mm = get_from(mm ? mm->all.next : all_mms.next);
	spin_unlock(&all_lock);
	return mm;
}

struct mm *mm_from(u64 serial)
{
	struct list *at;

	spin_lock(&all_lock);
	at = all_mms.next;
	while (at != &all_mms && container_of(at, struct mm, all)->serial < serial)
		at = at->next;

	struct mm *mm = get_from(at);

	spin_unlock(&all_lock);
	return mm;
}

void mm_set_limits(struct mm *mm, const struct mm_limits *limits)
{
	write_lock(&mm->lock);
	mm->limits = *limits;
	write_unlock(&mm->lock);
}

void mm_each(void (*visit)(void *context, struct mm *mm), void *context)
{
	struct mm *mm;

	list_for_each(mm, &all_mms, all)
		visit(context, mm);
}

bool mm_region_at(struct mm *mm, vaddr_t addr, struct region *region)
{
	read_lock(&mm->lock);

	u32 i = regions_find(mm->regions, addr);
	bool found = i < mm->regions->count;

	if (found) {
		*region = mm->regions->at[i];
		if (region->object)
			object_get(region->object);
	}
	read_unlock(&mm->lock);
	return found;
}
