/*
 * What the VMX capability MSRs say, bit by bit, with the SDM's names: one table.
 *
 * The report prints it, refusals and requirements name their bits by it, the unit tests
 * walk it. A group is what one control field, control register or MSR has; a row is a bit
 * of it, or a field of several. Pure.
 */
#ifndef HYMIR_VMX_CAPABILITY_ROWS_H
#define HYMIR_VMX_CAPABILITY_ROWS_H

#include "vmx/capabilities.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum capability_group {
    GROUP_BASIC,
    GROUP_PIN_BASED,
    GROUP_PRIMARY,
    GROUP_SECONDARY,
    GROUP_TERTIARY,
    GROUP_EXIT,
    GROUP_SECONDARY_EXIT,
    GROUP_ENTRY,
    GROUP_MISC,
    GROUP_CR0,
    GROUP_CR4,
    GROUP_VMCS_ENUM,
    GROUP_EPT_VPID,
    GROUP_VMFUNC,
    GROUP_COUNT,
};

struct capability_group_facts {
    const char *name;     /* the SDM's, in the plural */
    const char *singular; /* of one row of it, short */
    const char *source;   /* the section of SDM 3D that lists the bits */
    bool has_settings;    /* its bits are set by software: fixed 0, fixed 1 or optional */
};
const struct capability_group_facts *capability_group_facts(enum capability_group group);

/* The group of a kind of control. */
enum capability_group capability_group_of(enum vmx_control control);

struct capability_row {
    enum capability_group group;
    uint64_t mask; /* one bit, or a field of several in a row */
    const char *name;
};

/* The rows, in the order of the groups and of the bits. */
extern const struct capability_row capability_rows[];
extern const size_t capability_row_count;

/* The SDM's name of a bit, or NULL if Hymir knows none. */
const char *capability_name(enum capability_group group, uint64_t bit);

/*
 * What a processor says of a group. Of one with settings, a bit of must_be_1 cannot be 0
 * and one that is not in may_be_1 cannot be 1; of another, may_be_1 is the MSR's value,
 * and must_be_1 is 0.
 */
struct capability_bits {
    uint64_t must_be_1, may_be_1;
    enum vmx_msr msr; /* where it says so; for CR0 and CR4 the first of two */
    bool exists;      /* false: the processor does not have the MSR; both are 0 */
};
struct capability_bits capability_bits_of(const struct vmx_capabilities *capabilities,
                                          enum capability_group group);

enum capability_state {
    CAPABILITY_NO, /* of groups without settings */
    CAPABILITY_YES,
    CAPABILITY_FIXED_0, /* of groups with settings */
    CAPABILITY_FIXED_1,
    CAPABILITY_OPTIONAL,
    CAPABILITY_NUMBER, /* a field of several bits: capability_number */
};

enum capability_state capability_state_of(const struct capability_row *row,
                                          const struct capability_bits *bits);

/* "no", "yes", "fixed 0", "fixed 1" or "optional"; "number" for a field. */
const char *capability_state_name(enum capability_state state);

/* The value of a field of several bits. */
uint64_t capability_number(const struct capability_row *row,
                           const struct capability_bits *bits);

/*
 * The bits that are 1, or may be, and have no name here: of a processor newer than Hymir,
 * or, where they are in must_be_1, reserved ones that are always 1.
 */
uint64_t capability_unknown_bits(enum capability_group group,
                                 const struct capability_bits *bits);

/*
 * What both *usable and other say, into *usable: the set that software can use on both
 * processors. An MSR that one of them lacks is then MSR_NOT_READ; of numbers the smaller
 * one counts, but of the region's size and the timer's shift the larger; addresses
 * limited on one are limited.
 */
void capabilities_intersect(struct vmx_capabilities *usable,
                            const struct vmx_capabilities *other);

#endif
