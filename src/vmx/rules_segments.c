/*
 * The rules for the guest's segment registers: see rules.h. A rule is judged for each of
 * ES, CS, SS, DS, FS and GS; those of LDTR and TR are in rules_tables.c.
 */
#include "vmx/rules.h"

#include "virt/segment.h"

#define CODE_SEGMENTS 6 /* ES to GS */

/* Applies to CS, and to another register if it is usable. */
static enum entry_verdict require_if_usable(struct entry_query *query, uint64_t mask,
                                            uint64_t bits)
{
    if (!rule_is_usable(query, query->instance))
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, (entry_read_own(query) & ~mask) | bits);
}

static enum entry_verdict test_usable_equal(struct entry_query *query)
{
    return require_if_usable(query, query->rule->mask, query->rule->expected);
}

/* Real-address mode computes the base in the same way, but is not checked. */
static enum entry_verdict test_v8086_base(struct entry_query *query)
{
    return entry_require(
        query, entry_read(query, VALUE_GUEST_ES_SELECTOR + query->instance) << 4);
}

static enum entry_verdict test_cs_type(struct entry_query *query)
{
    uint64_t rights = entry_read_own(query);
    uint64_t type   = rights & SEGMENT_TYPE;

    if ((type & TYPE_CODE_ACCESSED) == TYPE_CODE_ACCESSED)
        return ENTRY_HOLDS;
    bool is_unrestricted =
        rule_is_on(query, VALUE_SECONDARY, SECONDARY_UNRESTRICTED_GUEST);
    return type == TYPE_DATA_WRITABLE_ACCESSED && is_unrestricted
               ? ENTRY_HOLDS
               : entry_require(query, rights | TYPE_CODE_ACCESSED);
}

/* 3 and 7 are read/write, accessed; bit 2 is the direction of expansion. */
static enum entry_verdict test_ss_type(struct entry_query *query)
{
    uint64_t rights = entry_read_own(query);

    if ((rights & ACCESS_RIGHTS_UNUSABLE) != 0)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, (rights & ~TYPE_CODE) | TYPE_DATA_WRITABLE_ACCESSED);
}

/* Returns whether the register is ES, DS, FS or GS, and usable. */
static bool is_usable_data(struct entry_query *query)
{
    if (query->instance == SEGMENT_CS || query->instance == SEGMENT_SS)
        return false;
    return rule_is_usable(query, query->instance);
}

static enum entry_verdict test_accessed(struct entry_query *query)
{
    if (!is_usable_data(query))
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) | TYPE_ACCESSED);
}

static enum entry_verdict test_readable(struct entry_query *query)
{
    uint64_t rights = entry_read_own(query);

    if (!is_usable_data(query) || (rights & TYPE_CODE) == 0)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, rights | TYPE_READABLE);
}

/* ---- Privilege levels */

static enum entry_verdict test_cs_dpl(struct entry_query *query)
{
    uint64_t rights = entry_read_own(query);
    uint64_t ss_dpl = rule_access_rights(query, SEGMENT_SS) & SEGMENT_DPL;
    uint64_t others = rights & ~SEGMENT_DPL;

    if ((rights & SEGMENT_TYPE) == TYPE_DATA_WRITABLE_ACCESSED)
        return entry_require(query, others);
    if ((rights & TYPE_CODE) == 0)
        return ENTRY_NOT_APPLICABLE;
    if ((rights & TYPE_CONFORMING) != 0 && (rights & SEGMENT_DPL) <= ss_dpl)
        return ENTRY_HOLDS;
    return entry_require(query, others | ss_dpl);
}

static enum entry_verdict test_ss_dpl_rpl(struct entry_query *query)
{
    uint64_t rpl = entry_read(query, VALUE_GUEST_SS_SELECTOR) & SELECTOR_RPL;
    return entry_require(query, (entry_read_own(query) & ~SEGMENT_DPL) | rpl << 5);
}

static enum entry_verdict test_ss_dpl_zero(struct entry_query *query)
{
    uint64_t cs_type = rule_access_rights(query, SEGMENT_CS) & SEGMENT_TYPE;

    if (cs_type != TYPE_DATA_WRITABLE_ACCESSED &&
        rule_is_on(query, VALUE_GUEST_CR0, CR0_PE))
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) & ~SEGMENT_DPL);
}

static enum entry_verdict test_cs_rpl(struct entry_query *query)
{
    uint64_t rpl = entry_read(query, VALUE_GUEST_SS_SELECTOR) & SELECTOR_RPL;
    return entry_require(query, (entry_read_own(query) & ~(uint64_t)SELECTOR_RPL) | rpl);
}

/* Conforming code segments are exempt. */
static enum entry_verdict test_data_dpl(struct entry_query *query)
{
    uint64_t rights = entry_read_own(query);
    uint64_t type   = rights & SEGMENT_TYPE;

    if (!is_usable_data(query) ||
        (type & (TYPE_CODE | TYPE_CONFORMING)) == (TYPE_CODE | TYPE_CONFORMING))
        return ENTRY_NOT_APPLICABLE;
    uint64_t rpl =
        entry_read(query, VALUE_GUEST_ES_SELECTOR + query->instance) & SELECTOR_RPL;
    return BITS_GET(rights, 6, 5) >= rpl
               ? ENTRY_HOLDS
               : entry_require(query, (rights & ~SEGMENT_DPL) | rpl << 5);
}

/* ---- Code in IA-32e mode, and FRED */

static enum entry_verdict test_cs_d(struct entry_query *query)
{
    uint64_t rights = entry_read_own(query);

    if ((rights & CODE_SEGMENT_L) == 0)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, rights & ~(uint64_t)SEGMENT_BIG);
}

static enum entry_verdict test_fred_dpl(struct entry_query *query)
{
    uint64_t rights = entry_read_own(query);
    uint64_t dpl    = rights & SEGMENT_DPL;

    return dpl == 0 || dpl == SEGMENT_DPL ? ENTRY_HOLDS
                                          : entry_require(query, rights | SEGMENT_DPL);
}

static enum entry_verdict test_fred_code(struct entry_query *query)
{
    if ((rule_access_rights(query, SEGMENT_SS) & SEGMENT_DPL) != 0)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) | CODE_SEGMENT_L);
}

#define WHEN_V8086                  \
    {                               \
        ON(GUEST_RFLAGS, RFLAGS_VM) \
    }
#define WHEN_NOT_V8086               \
    {                                \
        OFF(GUEST_RFLAGS, RFLAGS_VM) \
    }
#define WHEN_RESTRICTED                                                            \
    {                                                                              \
        OFF(GUEST_RFLAGS, RFLAGS_VM), OFF(SECONDARY, SECONDARY_UNRESTRICTED_GUEST) \
    }
#define RIGHTS VALUE_GUEST_ES_ACCESS_RIGHTS

static const struct entry_rule rows[] = {
    {"v8086-base",
     "In virtual-8086 mode, the base of a segment is its selector times 16.",
     "VM was set in RFLAGS and the segments were not converted", test_v8086_base,
     .value = VALUE_GUEST_ES_BASE, .count = CODE_SEGMENTS, .when = WHEN_V8086,
     .root = "guest-rflags-vm"},
    {"v8086-limit", "In virtual-8086 mode, the limit of a segment is 0xFFFF.",
     "VM was set in RFLAGS and the segments were not converted", entry_test_equal,
     UINT32_MAX, UINT16_MAX, VALUE_GUEST_ES_LIMIT, .count = CODE_SEGMENTS,
     .when = WHEN_V8086, .root = "guest-rflags-vm"},
    {"v8086-access-rights",
     "In virtual-8086 mode, the access rights of a segment are 0xF3.",
     "VM was set in RFLAGS and the segments were not converted", entry_test_equal,
     UINT32_MAX, ACCESS_RIGHTS_V8086, RIGHTS, .count = CODE_SEGMENTS, .when = WHEN_V8086,
     .root = "guest-rflags-vm"},
    {"segment-base-32-bit",
     "Bits 63:32 of the base of CS are 0, and of SS, DS and ES if they are usable.",
     "a base in 64-bit mode, where only FS and GS have one", test_usable_equal, HIGH_HALF,
     0, VALUE_GUEST_ES_BASE, .count = 4},
    {"segment-base-canonical", "The bases of FS and GS are canonical.",
     "a guest's WRMSR was not checked", CANONICAL(GUEST_FS_BASE), .count = 2},
    {"cs-type",
     "The type of CS is 9, 11, 13 or 15 (accessed code), or 3 in an unrestricted guest.",
     "a data segment of real mode, or the accessed bit is clear", test_cs_type,
     .value = VALUE_GUEST_CS_ACCESS_RIGHTS, .when = WHEN_NOT_V8086},
    {"ss-type", "The type of a usable SS is 3 or 7 (writable, accessed data).",
     "the accessed bit is clear, as in a descriptor that was never loaded", test_ss_type,
     .value = VALUE_GUEST_SS_ACCESS_RIGHTS, .when = WHEN_NOT_V8086},
    {"segment-accessed",
     "Bit 0 of the type (accessed) of a usable ES, DS, FS or GS is 1.",
     "access rights copied from a descriptor that was never loaded", test_accessed,
     .value = RIGHTS, .count = CODE_SEGMENTS, .when = WHEN_NOT_V8086},
    {"segment-readable",
     "Bit 1 of the type (readable) of a usable ES, DS, FS or GS is 1 if it is a code "
     "segment.",
     "an execute-only code segment in a data register", test_readable, .value = RIGHTS,
     .count = CODE_SEGMENTS, .when = WHEN_NOT_V8086},
    {"segment-not-system", "Bit 4 (S) of CS is 1, and of another register if usable.",
     "access rights of 0 instead of \"unusable\", 0x10000", test_usable_equal, SEGMENT_S,
     SEGMENT_S, RIGHTS, .count = CODE_SEGMENTS, .when = WHEN_NOT_V8086},
    {"segment-present", "Bit 7 (P) of CS is 1, and of another register if usable.",
     "access rights of 0 instead of \"unusable\", 0x10000", test_usable_equal,
     SEGMENT_PRESENT, SEGMENT_PRESENT, RIGHTS, .count = CODE_SEGMENTS,
     .when = WHEN_NOT_V8086},
    {"segment-reserved",
     "Bits 11:8 and 31:17 of CS are 0, and of another register if usable.",
     "access rights copied from a descriptor with bits 19:16 of the limit",
     test_usable_equal, ACCESS_RIGHTS_RESERVED, 0, RIGHTS, .count = CODE_SEGMENTS,
     .when = WHEN_NOT_V8086},
    {"segment-granularity-byte",
     "If bits 11:0 of the limit are not all 1, G is 0 in CS, and another register if "
     "usable.",
     "a limit in units of 4 KiB, as in the descriptor, was not extended to bytes",
     rule_test_granularity_byte, .value = RIGHTS, .count = CODE_SEGMENTS,
     .when = WHEN_NOT_V8086},
    {"segment-granularity-page",
     "If bits 31:20 of the limit are not all 0, G is 1 in CS, and another register if "
     "usable.",
     "a limit of 4 GiB with the access rights of a small segment",
     rule_test_granularity_page, .value = RIGHTS, .count = CODE_SEGMENTS,
     .when = WHEN_NOT_V8086},
    {"cs-dpl",
     "The DPL of CS equals that of SS; of a conforming CS it is at most that of SS, of a "
     "data segment in CS 0.",
     "SS was left at another privilege level; its DPL is the CPL", test_cs_dpl,
     .value = VALUE_GUEST_CS_ACCESS_RIGHTS, .when = WHEN_NOT_V8086,
     .root = "ss-dpl-zero"},
    {"ss-dpl-equals-rpl", "Without \"unrestricted guest\", the DPL of SS is its RPL.",
     "a segment of real mode in a guest that is not unrestricted", test_ss_dpl_rpl,
     .value = VALUE_GUEST_SS_ACCESS_RIGHTS, .when = WHEN_RESTRICTED},
    {"ss-dpl-zero",
     "The DPL of SS is 0 in real-address mode, and if the type of CS is 3.",
     "the guest left protected mode at another privilege level", test_ss_dpl_zero,
     .value = VALUE_GUEST_SS_ACCESS_RIGHTS, .when = WHEN_NOT_V8086},
    {"cs-rpl-equals-ss-rpl",
     "Without \"unrestricted guest\", the RPL of CS equals that of SS.",
     "a segment of real mode in a guest that is not unrestricted", test_cs_rpl,
     .value = VALUE_GUEST_CS_SELECTOR, .when = WHEN_RESTRICTED},
    {"segment-dpl",
     "Without \"unrestricted guest\", the DPL of a usable ES, DS, FS or GS is at least "
     "its RPL, except of conforming code.",
     "a segment of real mode in a guest that is not unrestricted", test_data_dpl,
     .value = RIGHTS, .count = CODE_SEGMENTS, .when = WHEN_RESTRICTED},
    {"cs-d-and-l", "In IA-32e mode, CS does not have both L and D set.",
     "the access rights of a 32-bit code segment with L added", test_cs_d,
     .value = VALUE_GUEST_CS_ACCESS_RIGHTS,
     .when  = {OFF(GUEST_RFLAGS, RFLAGS_VM),
               ON(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST)}},
    {"fred-ss-dpl", "With GUEST_CR4.FRED, the DPL of SS is 0 or 3.", NULL, test_fred_dpl,
     .value = VALUE_GUEST_SS_ACCESS_RIGHTS, .when = {ON(GUEST_CR4, CR4_FRED)}},
    {"fred-cs-l", "With GUEST_CR4.FRED, CS has L if the DPL of SS is 0.", NULL,
     test_fred_code, .value = VALUE_GUEST_CS_ACCESS_RIGHTS,
     .when = {ON(GUEST_CR4, CR4_FRED)}},
};

VMX_SECTION(vmx_rules_segments, "\"Checks on Guest Segment Registers\"",
            ENTRY_GUEST_STATE, rows);
