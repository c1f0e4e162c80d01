/*
 * The capabilities of a processor's virtualization, bit by bit, with the manual's names.
 *
 * A group is one control field, control register or MSR; a row is a bit of it, or a field
 * of several bits. Each vendor has a table of both. Pure.
 */
#ifndef HYMIR_VIRT_CAPABILITY_H
#define HYMIR_VIRT_CAPABILITY_H

#include "lib/bits.h"
#include "lib/format.h"

#define CAPABILITY_GROUPS_MAX 16

struct capability_group {
    const char *name;     /* the manual's, in the plural */
    const char *singular; /* of one of its rows, short */
    bool has_settings;    /* software sets its bits: fixed 0, fixed 1 or optional */
    uint64_t maximized;   /* numbers whose larger value both of two CPUs support */
    uint64_t identities;  /* numbers of which two CPUs with different ones share none */
    const char *source;   /* the register that reports it on every processor */
};

struct capability_row {
    uint32_t group;
    uint64_t mask; /* one bit, or the adjacent bits of a field */
    const char *name;
};

/* A vendor's tables, the rows in the order of the groups and of the bits. */
struct capability_table {
    const struct capability_group *groups;
    const struct capability_row *rows;
    size_t group_count, row_count;
};

/*
 * A group as a processor reports it. In a group with settings, a bit of must_be_1 cannot
 * be 0, and one not in may_be_1 cannot be 1. In any other group, may_be_1 is the
 * register's value, and must_be_1 is 0.
 */
struct capability_bits {
    uint64_t must_be_1, may_be_1;
    uint64_t unlike;    /* identities that differ between processors */
    const char *source; /* the register that reports it */
    bool exists;        /* false: the processor lacks the register; the rest is 0 */
};

/* The bits of a group that software requires: each that must be able to be 1 or 0. */
struct required_capabilities {
    uint64_t ones, zeros;
};

/* The groups of one processor, or those that all processors of a machine have. */
struct capability_set {
    struct capability_bits group[CAPABILITY_GROUPS_MAX];
};

enum capability_state {
    CAPABILITY_NO, /* of groups without settings */
    CAPABILITY_YES,
    CAPABILITY_FIXED_0, /* of groups with settings */
    CAPABILITY_FIXED_1,
    CAPABILITY_OPTIONAL,
    CAPABILITY_NUMBER,  /* a field of several bits: capability_number */
    CAPABILITY_DIFFERS, /* fixed to 0 and to 1 on different CPUs, or unlike */
    CAPABILITY_STATES,
};

/* Returns the manual's name of a bit of a group, or NULL if the table has none. */
const char *capability_name(const struct capability_table *table, uint32_t group,
                            uint64_t bit);

/* Appends the name of a bit in quotes: "NAME", or "bit NUMBER" if it has no row. */
void capability_append_name(const struct capability_table *table, uint32_t group,
                            uint64_t bit, struct text *text);

enum capability_state capability_state_of(const struct capability_table *table,
                                          const struct capability_row *row,
                                          const struct capability_bits *bits);

/* Returns "no", "yes", "fixed 0", "fixed 1", "optional", "number" or "differs". */
const char *capability_state_name(enum capability_state state);

/* Returns the value of a field of several bits. */
uint64_t capability_number(const struct capability_row *row,
                           const struct capability_bits *bits);

/*
 * Returns the bits that are or may be 1 and have no row: those of a processor newer than
 * the table, or, if they are in must_be_1, reserved bits that are always 1.
 */
uint64_t capability_unnamed_bits(const struct capability_table *table, uint32_t group,
                                 const struct capability_bits *bits);

/*
 * Reduces *usable to the capabilities of both processors. A group that one of them lacks
 * no longer exists. The smaller of two numbers remains, or the larger if the group
 * lists it in maximized; identities become unlike. If different registers report them,
 * the source becomes that of the group.
 */
void capability_set_intersect(const struct capability_table *table,
                              struct capability_set *usable,
                              const struct capability_set *other);

#endif
