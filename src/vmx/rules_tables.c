/* The rules for the guest's LDTR, TR, GDTR and IDTR: see rules.h. */
#include "virt/segment.h"
#include "vmx/rules.h"

/* Judges LDTR, if usable, and TR. */
static enum entry_verdict test_equal(struct entry_query *query)
{
    return rule_is_usable(query, SEGMENT_LDTR + query->instance) ? entry_test_equal(query)
                                                                 : ENTRY_NOT_APPLICABLE;
}

static enum entry_verdict test_canonical(struct entry_query *query)
{
    return rule_is_usable(query, SEGMENT_LDTR + query->instance)
               ? entry_test_canonical(query)
               : ENTRY_NOT_APPLICABLE;
}

/* Outside IA-32e mode, a 16-bit busy TSS is valid too. */
static enum entry_verdict test_tr_type(struct entry_query *query)
{
    uint64_t rights = entry_read_own(query);
    uint64_t type   = rights & SEGMENT_TYPE;

    if (type == TYPE_TSS_BUSY)
        return ENTRY_HOLDS;
    if (type == TSS_16_BIT_BUSY &&
        !rule_is_on(query, VALUE_ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST))
        return ENTRY_HOLDS;
    return entry_require(query, (rights & ~SEGMENT_TYPE) | TYPE_TSS_BUSY);
}

#define RIGHTS VALUE_GUEST_LDTR_ACCESS_RIGHTS

static const struct entry_rule rows[] = {
    {"tr-usable", "TR is not unusable.",
     "the guest has no TSS yet: after reset, TR has access rights 0x8B and limit 0xFFFF",
     MUST_CLEAR(GUEST_TR_ACCESS_RIGHTS, ACCESS_RIGHTS_UNUSABLE)},
    {"tr-type",
     "The type of TR is 11 (busy TSS), or 3 (16-bit busy TSS) outside IA-32e mode.",
     "the type of the descriptor before LTR, 9, is that of an available TSS",
     test_tr_type, .value = VALUE_GUEST_TR_ACCESS_RIGHTS, .root = "tr-usable"},
    {"ldtr-type", "The type of a usable LDTR is 2 (LDT).",
     "LDTR was to be unusable, which is access rights 0x10000", test_equal,
     .mask = SEGMENT_TYPE, .expected = TYPE_LDT, .value = RIGHTS},
    {"system-segment-table", "TI of TR, and of a usable LDTR, is 0.",
     "the selector was not initialized", test_equal, SELECTOR_TI, 0,
     VALUE_GUEST_LDTR_SELECTOR, .count = 2},
    {"system-segment-base", "The base of TR, and of a usable LDTR, is canonical.",
     "the upper half of a 16-byte descriptor was not read", test_canonical, 0, 0,
     VALUE_GUEST_LDTR_BASE, VALUE_LINEAR_WIDTH, .count = 2},
    {"system-segment-is-system", "Bit 4 (S) of TR, and of a usable LDTR, is 0.",
     "the access rights of a data segment", test_equal, SEGMENT_S, 0, RIGHTS, .count = 2},
    {"system-segment-present", "Bit 7 (P) of TR, and of a usable LDTR, is 1.",
     "access rights of 0 instead of \"unusable\", 0x10000", test_equal, SEGMENT_PRESENT,
     SEGMENT_PRESENT, RIGHTS, .count = 2, .root = "tr-usable"},
    {"system-segment-reserved", "Bits 11:8 and 31:17 of TR, and of a usable LDTR, are 0.",
     "access rights copied from a descriptor with bits 19:16 of the limit", test_equal,
     ACCESS_RIGHTS_RESERVED, 0, RIGHTS, .count = 2},
    {"system-segment-granularity-byte",
     "If bits 11:0 of the limit are not all 1, G is 0 in TR and a usable LDTR.",
     "a limit in units of 4 KiB was not extended to bytes", rule_test_granularity_byte,
     .value = RIGHTS, .count = 2},
    {"system-segment-granularity-page",
     "If bits 31:20 of the limit are not all 0, G is 1 in TR and a usable LDTR.",
     "the limit was not initialized", rule_test_granularity_page, .value = RIGHTS,
     .count = 2},
};

VMX_SECTION(vmx_rules_system_segments, "\"Checks on Guest Segment Registers\"",
            ENTRY_GUEST_STATE, rows);

static const struct entry_rule table_rows[] = {
    {"table-base-canonical", "The bases of GDTR and IDTR are canonical.",
     "a base of 32 bits was extended with its sign", CANONICAL(GUEST_GDTR_BASE),
     .count = 2},
    {"table-limit", "Bits 31:16 of the limits of GDTR and IDTR are 0.",
     "the limit of a segment, 0xFFFFFFFF, was written",
     MUST_CLEAR(GUEST_GDTR_LIMIT, BITS_MASK(31, 16)), .count = 2},
};

VMX_SECTION(vmx_rules_tables, "\"Checks on Guest Descriptor-Table Registers\"",
            ENTRY_GUEST_STATE, table_rows);
