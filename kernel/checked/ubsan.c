/*
 * What gcc's -fsanitize=undefined calls when it meets undefined behaviour: here a panic that says where,
 * of what kind, and with which values. The names and structures are those of libubsan's interface. With
 * -fno-sanitize-recover gcc takes it that no handler returns.
 */
#include "kernel/printk.h"
#include "mm/machine.h"

struct source_place {
	const char *file;
	u32 line, column;
};

#define FOUND(place, format, ...)                                                   \
	panic("undefined behaviour: %s:%u:%u: " format, (place).file, (place).line, \
	      (place).column, ##__VA_ARGS__)

#define KIND_INTEGER 0

struct type {
	u16 kind;
	u16 info;    /* of an integer: bit 0 = it is signed, above that log2 of its bits */
	char name[]; /* in quotes */
};

struct text {
	char at[24];
};

/* A value of at most 64 bits is passed as it is, one with more by its address. */
static struct text text_of(const struct type *type, u64 value)
{
	u32 log_bits = type->kind == KIND_INTEGER ? type->info >> 1 : 7;
	struct text text = {""};

	if (log_bits > 6) {
		snprintf(text.at, sizeof(text.at), "(at %#lx)", value);
		return text;
	}

	u32 unused = 64 - (1u << log_bits);

	if (type->info & 1)
		snprintf(text.at, sizeof(text.at), "%ld", (i64)(value << unused) >> unused);
	else
		snprintf(text.at, sizeof(text.at), "%lu", value << unused >> unused);
	return text;
}

/* Names of handlers end so where they must not return. gcc declares none of them. */
#define HANDLER(name, ...)                                         \
	_Noreturn void __ubsan_handle_##name##_abort(__VA_ARGS__); \
	void __ubsan_handle_##name##_abort(__VA_ARGS__)

/* ---- Arithmetic ---- */

struct overflow {
	struct source_place place;
	const struct type *type;
};

static _Noreturn void overflow(const struct overflow *data, u64 left, const char *sign, u64 right)
{
	FOUND(data->place, "%s %s %s does not fit into %s", text_of(data->type, left).at, sign,
	      text_of(data->type, right).at, data->type->name);
}

HANDLER(add_overflow, const struct overflow *data, u64 left, u64 right)
{
	overflow(data, left, "+", right);
}

HANDLER(sub_overflow, const struct overflow *data, u64 left, u64 right)
{
	overflow(data, left, "-", right);
}

HANDLER(mul_overflow, const struct overflow *data, u64 left, u64 right)
{
	overflow(data, left, "*", right);
}

HANDLER(negate_overflow, const struct overflow *data, u64 value)
{
	overflow(data, 0, "-", value);
}

/* Also a division by zero. */
HANDLER(divrem_overflow, const struct overflow *data, u64 left, u64 right)
{
	overflow(data, left, "/", right);
}

struct shift {
	struct source_place place;
	const struct type *left, *right;
};

HANDLER(shift_out_of_bounds, const struct shift *data, u64 left, u64 right)
{
	FOUND(data->place, "%s of type %s is shifted by %s", text_of(data->left, left).at,
	      data->left->name, text_of(data->right, right).at);
}

/* ---- Pointers ---- */

struct pointer {
	struct source_place place;
	const struct type *type;
	u8 log_alignment;
	u8 access; /* an index of accesses[] */
};

HANDLER(type_mismatch_v1, const struct pointer *data, u64 pointer)
{
	static const char *const accesses[] = {"load", "store", "reference", "member access"};
	const char *access = data->access < ARRAY_SIZE(accesses) ? accesses[data->access] : "use";

	if (!pointer)
		FOUND(data->place, "%s at a null pointer to %s", access, data->type->name);
	if (pointer & ((1ul << data->log_alignment) - 1))
		FOUND(data->place, "%s at %#lx, which is not aligned for %s", access, pointer,
		      data->type->name);
	FOUND(data->place, "%s at %#lx, where there is no room for %s", access, pointer,
	      data->type->name);
}

struct index {
	struct source_place place;
	const struct type *array, *type;
};

HANDLER(out_of_bounds, const struct index *data, u64 index)
{
	FOUND(data->place, "index %s is outside %s", text_of(data->type, index).at,
	      data->array->name);
}

struct bare {
	struct source_place place;
};

HANDLER(pointer_overflow, const struct bare *data, u64 from, u64 to)
{
	FOUND(data->place, "pointer %#lx becomes %#lx", from, to);
}

struct argument {
	struct source_place place, attribute;
	int number;
};

HANDLER(nonnull_arg, const struct argument *data)
{
	FOUND(data->place, "argument %d is null", data->number);
}

HANDLER(nonnull_return_v1, const struct bare *data, const struct source_place *place)
{
	(void)data;
	FOUND(*place, "null is returned");
}

/* ---- Values, and ways of the program ---- */

HANDLER(load_invalid_value, const struct overflow *data, u64 value)
{
	FOUND(data->place, "%s is no value of %s", text_of(data->type, value).at, data->type->name);
}

HANDLER(vla_bound_not_positive, const struct overflow *data, u64 bound)
{
	FOUND(data->place, "an array of %s elements", text_of(data->type, bound).at);
}

HANDLER(invalid_builtin, const struct bare *data)
{
	FOUND(data->place, "the bits of 0 are counted");
}

/* These two never return, so that they have no other name. */
_Noreturn void __ubsan_handle_builtin_unreachable(const struct bare *data);
void __ubsan_handle_builtin_unreachable(const struct bare *data)
{
	FOUND(data->place, "__builtin_unreachable() is reached");
}
