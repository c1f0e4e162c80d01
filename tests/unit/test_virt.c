/*
 * src/virt/segment.c, control_register_rules.c and exception_rules.h: the rules of the
 * architecture, with literals from the SDM; virtualization.c: the choice of a vendor.
 */
#include "unit.h"

#include "virt/control_register_rules.h"
#include "virt/exception_rules.h"
#include "virt/virtualization.h"

/* ---- Segments */

static bool permits(uint32_t rights, uint32_t limit, uint64_t offset, uint8_t size,
                    bool is_write)
{
    const struct vcpu_segment segment = {
        .limit = limit, .access_rights = rights, .base = 0x10000};
    return segment_permits(&segment, segment.base + offset, size, is_write);
}

static void test_segment_limits(void **state)
{
    (void)state;
    assert_true(permits(0x93, 0xFFFF, 0xFFFC, 4, true));
    assert_false(permits(0x93, 0xFFFF, 0xFFFD, 4, true));
    assert_true(permits(0xC093, UINT32_MAX, 0xFFFFFFFC, 4, true));
    assert_false(permits(0xC093, UINT32_MAX, 0xFFFFFFFD, 4, true));
    /* Expand-down: the offsets above the limit. */
    assert_false(permits(0x97, 0xFFF, 0xFFF, 1, true));
    assert_true(permits(0x97, 0xFFF, 0x1000, 1, true));
    assert_true(permits(0x97, 0xFFF, 0xFFFF, 1, true));
    assert_false(permits(0x97, 0xFFF, 0xFFFF, 2, true));
    assert_true(permits(0x4097, 0xFFF, 0xFFFF, 2, true));
}

static void test_segment_types(void **state)
{
    (void)state;
    static const struct {
        uint32_t rights;
        bool reads, writes;
    } rows[] = {
        {0x91, true, false},     {0x93, true, true},   {0x99, false, false},
        {0x9B, true, false},     {0x95, true, false},  {0x97, true, true},
        {0x10093, false, false}, {0x9D, false, false}, {0x9F, true, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_down = (rows[i].rights & 0xC) == 4;
        assert_int_equal(permits(rows[i].rights, is_down ? 0 : 0xFFFF, 16, 1, false),
                         rows[i].reads);
        assert_int_equal(permits(rows[i].rights, is_down ? 0 : 0xFFFF, 16, 1, true),
                         rows[i].writes);
    }
}

/* L counts only in long mode, and excludes D. */
static void test_code_size(void **state)
{
    (void)state;
    assert_int_equal(code_segment_size(0x93, false), CODE_16);
    assert_int_equal(code_segment_size(0xF3, false), CODE_16); /* virtual-8086 mode */
    assert_int_equal(code_segment_size(0xC09B, false), CODE_32);
    assert_int_equal(code_segment_size(0x209B, false), CODE_16);
    assert_int_equal(code_segment_size(0x209B, true), CODE_64);
    assert_int_equal(code_segment_size(0xC09B, true), CODE_32);
    assert_int_equal(code_segment_size(0x809B, true), CODE_16);
}

static void test_canonical_addresses(void **state)
{
    (void)state;
    static const struct {
        uint64_t address;
        bool is_48_bit, is_57_bit;
    } rows[] = {
        {0x7FFFFFFFFFFF, true, true},       {0x800000000000, false, true},
        {0xFFFFFFFFFFFFFF, false, true},    {0x100000000000000, false, false},
        {0x7FFFFFFFFFFFFFFF, false, false}, {0xFEFFFFFFFFFFFFFF, false, false},
        {0xFF00000000000000, false, true},  {0xFFFF7FFFFFFFFFFF, false, true},
        {0xFFFF800000000000, true, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(address_is_canonical(rows[i].address, LINEAR_WIDTH),
                         rows[i].is_48_bit);
        assert_int_equal(address_is_canonical(rows[i].address, LINEAR_WIDTH_5_LEVEL),
                         rows[i].is_57_bit);
    }
}

/* ---- Control registers */

static void test_cr0(void **state)
{
    (void)state;
    static const uint64_t valid[]   = {0, 0x11, 0x80000001, 0x40000000, 0x60000000};
    static const uint64_t invalid[] = {0x80000000, 0x20000000, UINT64_C(0x100000001)};
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
        assert_true(cr0_is_valid(valid[i]));
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
        assert_false(cr0_is_valid(invalid[i]));
    assert_int_equal(cr0_after_lmsw(0x80010011, 0), 0x80010011); /* PE stays */
    assert_int_equal(cr0_after_lmsw(0x1E, 0xFFF1), 0x11);
    assert_int_equal(cr0_after_lmsw(0x10, 0xF), 0x1F);
}

static enum paging_switch effect_of(bool is_on, uint64_t cr4, uint64_t efer, uint32_t cs,
                                    uint32_t tr)
{
    const struct paging_state paging = {
        .cr4 = cr4, .efer = efer, .cs_access_rights = cs, .tr_access_rights = tr};
    return paging_switch_effect(&paging, is_on);
}

static void test_paging_switch(void **state)
{
    (void)state;
    assert_int_equal(effect_of(true, 0, 0, 0xC09B, 0x8B), PAGING_SWITCH_IS_PLAIN);
    assert_int_equal(effect_of(true, 0x20, 0, 0xC09B, 0x8B), PAGING_SWITCH_IS_PLAIN);
    assert_true(cr0_change_loads_pdptes(0x11, 0x80000011, 0x20, 0));       /* PG */
    assert_true(cr0_change_loads_pdptes(0x80000011, 0xC0000011, 0x20, 0)); /* CD */
    assert_true(cr0_change_loads_pdptes(0xE0000011, 0xC0000011, 0x20, 0)); /* NW */
    assert_false(cr0_change_loads_pdptes(0x80000011, 0x80000013, 0x20, 0));
    assert_false(cr0_change_loads_pdptes(0x80000011, 0x00000011, 0x20, 0));
    assert_false(cr0_change_loads_pdptes(0x80000011, 0xC0000011, 0, 0));
    assert_false(cr0_change_loads_pdptes(0x80000011, 0xC0000011, 0x20, 0x100));
    assert_int_equal(effect_of(true, 0x20, 0x100, 0xC09B, 0x8B),
                     PAGING_SWITCH_TO_LONG_MODE);
    assert_int_equal(effect_of(true, 0, 0x100, 0xC09B, 0x8B), PAGING_SWITCH_FAULTS);
    assert_int_equal(effect_of(true, 0x20, 0x100, 0xA09B, 0x8B), PAGING_SWITCH_FAULTS);
    assert_int_equal(effect_of(true, 0x20, 0x100, 0xC09B, 0x83), PAGING_SWITCH_FAULTS);
    assert_int_equal(effect_of(false, 0x20, 0x500, 0xC09B, 0x8B), PAGING_SWITCH_IS_PLAIN);
    assert_int_equal(effect_of(false, 0x20, 0x500, 0xA09B, 0x8B), PAGING_SWITCH_FAULTS);
    assert_int_equal(effect_of(false, 0x20020, 0x500, 0xC09B, 0x8B),
                     PAGING_SWITCH_FAULTS);
}

static void test_pdptes(void **state)
{
    (void)state;
    uint64_t entries[4] = {0x1001, 0x1E6, 0x2019, UINT64_MAX - 1}; /* absent: any bits */
    assert_true(pdptes_are_valid(entries, 36));
    static const uint64_t invalid[] = {0x1003, 0x1021, 0x1101, UINT64_C(1) << 36 | 1};
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        entries[3] = invalid[i];
        assert_false(pdptes_are_valid(entries, 36));
    }
    assert_true(pdptes_are_valid(entries, 39));
}

static void test_xcr(void **state)
{
    (void)state;
    assert_true(xcr_is_valid(0, 0x2E7));
    assert_false(xcr_is_valid(1, 1));
    assert_false(xcr_is_valid(0, 0x19)); /* MPX */
    assert_false(xcr_is_valid(0, UINT64_C(1) << 63 | 1));
}

/* ---- Exceptions */

/* Breakpoint 1, of each type and length, against accesses of 4 bytes around it. */
static void test_data_breakpoints(void **state)
{
    (void)state;
    static const unsigned int lengths[] = {1, 2, 8, 4};
    const uint64_t dr[]                 = {0x1000, 0x1000, 0x1000, 0x1000};
    for (unsigned int code = 0; code < 4; code++) {
        for (unsigned int type = 0; type < 4; type++) {
            uint64_t dr7 = (uint64_t)type << 20 | (uint64_t)code << 22 | 8;
            for (uint64_t at = 0xFF0; at < 0x1010; at++) {
                bool meets = at + 4 > 0x1000 && at < 0x1000 + lengths[code];
                assert_int_equal(data_breakpoints_hit(dr, dr7, at, 4, true),
                                 meets && (type == 1 || type == 3) ? 2 : 0);
                assert_int_equal(data_breakpoints_hit(dr, dr7, at, 4, false),
                                 meets && type == 3 ? 2 : 0);
                assert_int_equal(
                    data_breakpoints_hit(dr, dr7 & ~UINT64_C(8), at, 4, true), 0);
            }
        }
    }
    const uint64_t misaligned[] = {0x1003, 0, 0, 0}; /* the length aligns the address */
    assert_int_equal(data_breakpoints_hit(misaligned, 0xD0001, 0x1000, 1, true), 1);
    assert_int_equal(data_breakpoints_hit(misaligned, 0xD0001, 0x1004, 1, true), 0);
}

static void test_error_codes(void **state)
{
    (void)state;
    const uint32_t with_code = 1 << 8 | 0x1F << 10 | 1 << 17;
    for (uint8_t vector = 0; vector < 32; vector++) {
        assert_int_equal(exception_has_error_code(vector, 0x80000011),
                         (with_code >> vector & 1) != 0);
        assert_false(exception_has_error_code(vector, 0x10));
    }
}

static void test_debug_registers(void **state)
{
    (void)state;
    assert_int_equal(dr6_after_debug_exception(0xFFFF4FF3, 0x2004), 0xFFFF6FF4);
    assert_int_equal(dr7_after_debug_exception(0x2401), 0x401);
    assert_true(instruction_end_traps(0x102, 0));
    assert_true(instruction_end_traps(0x102, 1));  /* LBR */
    assert_false(instruction_end_traps(0x102, 2)); /* BTF: only after branches */
    assert_false(instruction_end_traps(0xFFFFFEFF, 0));
    assert_int_equal(debugctl_after_debug_exception(0xFFFF), 0xFFFC);
}

/* ---- Vendors */

static bool has_leaf_8(const struct cpuid_snapshot *cpuid)
{
    return cpuid->leaf_0.eax >= 8;
}

static bool has_leaf_16(const struct cpuid_snapshot *cpuid)
{
    return cpuid->leaf_0.eax >= 16;
}

static void test_vendors(void **state)
{
    (void)state;
    static const struct virtualization first     = {.is_offered = has_leaf_16};
    static const struct virtualization second    = {.is_offered = has_leaf_8,
                                                    .is_usual   = cpuid_is_amd};
    const struct virtualization *const vendors[] = {&first, &second};
    struct cpuid_snapshot cpuid                  = {.leaf_0 = {.eax = 16}};

    assert_ptr_equal(virtualization_find(vendors, 2, &cpuid), &first);
    cpuid.leaf_0.eax = 15;
    assert_ptr_equal(virtualization_find(vendors, 2, &cpuid), &second);
    cpuid.leaf_0.eax = 7;
    assert_ptr_equal(virtualization_find(vendors, 2, &cpuid), &first);
    memcpy(&cpuid.leaf_0.ebx, "AuthcAMDenti", 12); /* EBX, ECX, EDX */
    assert_ptr_equal(virtualization_find(vendors, 2, &cpuid), &second);
    cpuid.leaf_0.eax = 16; /* an offer counts, not the brand */
    assert_ptr_equal(virtualization_find(vendors, 2, &cpuid), &first);
}

static void test_words_without_offer(void **state)
{
    (void)state;
    struct cpu_record record = {0};
    assert_int_equal(virtualization_word_if_not_offered(&record),
                     VERDICT_NO_VIRTUALIZATION);
    record.cpuid.leaf_1.ecx = UINT32_C(1) << 31;
    assert_int_equal(virtualization_word_if_not_offered(&record),
                     VERDICT_HIDDEN_BY_HYPERVISOR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segment_limits),
        cmocka_unit_test(test_segment_types),
        cmocka_unit_test(test_code_size),
        cmocka_unit_test(test_canonical_addresses),
        cmocka_unit_test(test_cr0),
        cmocka_unit_test(test_paging_switch),
        cmocka_unit_test(test_pdptes),
        cmocka_unit_test(test_xcr),
        cmocka_unit_test(test_error_codes),
        cmocka_unit_test(test_debug_registers),
        cmocka_unit_test(test_data_breakpoints),
        cmocka_unit_test(test_vendors),
        cmocka_unit_test(test_words_without_offer),
    };
    return cmocka_run_group_tests_name("virt", tests, NULL, NULL);
}
