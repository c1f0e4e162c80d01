/* src/svm/guest_policy.c, with src/guest/cpuid_policy.c and msr_policy.c. */
#include "unit.h"

#include "guest/msr_policy.h"
#include "guest_cpuid.h"
#include "svm/guest_policy.h"
#include "virt/control_register_rules.h"

/*
 * CPUID of an EPYC 9654, all leaves that are not zero: github.com/InstLatx64/InstLatx64
 * 087af2c7d7, AuthenticAMD0A10F11_K19_Genoa_01_CPUID.txt.
 */
static const struct {
    uint32_t leaf, subleaf;
    struct cpuid_result values;
} genoa[] = {
    {0x00000000, 0, {0x00000010, 0x68747541, 0x444D4163, 0x69746E65}},
    {0x00000001, 0, {0x00A10F11, 0x00C00800, 0x7EFA320B, 0x178BFBFF}},
    {0x00000005, 0, {0x00000040, 0x00000040, 0x00000003, 0x00000011}},
    {0x00000006, 0, {0x00000004, 0, 0x00000001, 0}},
    {0x00000007, 0, {0x00000001, 0xF1BF97A9, 0x00415FCE, 0x10000010}},
    {0x00000007, 1, {0x00000020, 0, 0, 0}},
    {0x0000000B, 0, {0x00000001, 0x00000002, 0x00000100, 0}},
    {0x0000000B, 1, {0x00000008, 0x000000C0, 0x00000201, 0}},
    {0x0000000D, 0, {0x000002E7, 0x00000980, 0x00000988, 0}},
    {0x0000000D, 1, {0x0000000F, 0x00000990, 0x00001800, 0}},
    {0x0000000D, 2, {0x00000100, 0x00000240, 0, 0}},
    {0x0000000D, 5, {0x00000040, 0x00000340, 0, 0}},
    {0x0000000D, 6, {0x00000200, 0x00000380, 0, 0}},
    {0x0000000D, 7, {0x00000400, 0x00000580, 0, 0}},
    {0x0000000D, 9, {0x00000008, 0x00000980, 0, 0}},
    {0x0000000D, 11, {0x00000010, 0, 0x00000001, 0}},
    {0x0000000D, 12, {0x00000018, 0, 0x00000001, 0}},
    {0x0000000F, 0, {0, 0x000000FF, 0, 0x00000002}},
    {0x0000000F, 1, {0x00000014, 0x00000040, 0x000000FF, 0x00000007}},
    {0x00000010, 0, {0, 0x00000002, 0, 0}},
    {0x00000010, 1, {0x0000000F, 0, 0x00000004, 0x0000000F}},
    {0x80000000, 0, {0x80000028, 0x68747541, 0x444D4163, 0x69746E65}},
    {0x80000001, 0, {0x00A10F11, 0x40000000, 0x75C237FF, 0x2FD3FBFF}},
    {0x80000002, 0, {0x20444D41, 0x43595045, 0x35363920, 0x36392034}},
    {0x80000003, 0, {0x726F432D, 0x72502065, 0x7365636F, 0x20726F73}},
    {0x80000004, 0, {0x20202020, 0x20202020, 0x20202020, 0x00202020}},
    {0x80000005, 0, {0xFF48FF40, 0xFF48FF40, 0x20080140, 0x20080140}},
    {0x80000006, 0, {0x5C002200, 0x6C004200, 0x04006140, 0x0C009140}},
    {0x80000007, 0, {0, 0x0000003B, 0, 0x00006799}},
    {0x80000008, 0, {0x00003934, 0x79BEF25F, 0x000080BF, 0x00010007}},
    {0x8000000A, 0, {0x00000001, 0x00008000, 0, 0x1FBFBCFF}},
    {0x80000019, 0, {0xF048F040, 0xF0400000, 0, 0}},
    {0x8000001A, 0, {0x00000006, 0, 0, 0}},
    {0x8000001B, 0, {0x00000BFF, 0, 0, 0}},
    {0x8000001D, 0, {0x00004121, 0x01C0003F, 0x0000003F, 0}},
    {0x8000001D, 1, {0x00004122, 0x01C0003F, 0x0000003F, 0}},
    {0x8000001D, 2, {0x00004143, 0x01C0003F, 0x000007FF, 0x00000002}},
    {0x8000001D, 3, {0x0003C163, 0x03C0003F, 0x00007FFF, 0x00000001}},
    {0x8000001E, 0, {0, 0x00000100, 0, 0}},
    {0x8000001F, 0, {0x030FFFEB, 0x000041B3, 0x000003EE, 0x00000001}},
    {0x80000020, 0, {0, 0x0000001E, 0, 0}},
    {0x80000020, 1, {0x0000000B, 0, 0, 0x0000000F}},
    {0x80000020, 2, {0x0000000B, 0, 0, 0x0000000F}},
    {0x80000020, 3, {0, 0x00000002, 0x0000007F, 0}},
    {0x80000021, 0, {0x00062FCF, 0x0000015C, 0, 0}},
    {0x80000022, 0, {0x00000007, 0x00304106, 0x00000FFF, 0}},
    {0x80000023, 0, {0x00000001, 0x0000003F, 0, 0}},
    {0x80000026, 0, {0x00000001, 0x00000002, 0x00000100, 0}},
    {0x80000026, 1, {0x00000004, 0x00000010, 0x00000201, 0}},
    {0x80000026, 2, {0x00000004, 0x00000010, 0x00000302, 0}},
    {0x80000026, 3, {0x00000008, 0x000000C0, 0x00000403, 0}},
};

static struct cpuid_result read_genoa(uint32_t leaf, uint32_t subleaf)
{
    bool has_subleaves = leaf == 7 || leaf == 0xD || leaf == 0x10;

    for (size_t i = 0; i < ARRAY_SIZE(genoa); i++) {
        if (genoa[i].leaf == leaf && genoa[i].subleaf == (has_subleaves ? subleaf : 0))
            return genoa[i].values;
    }
    return (struct cpuid_result){0};
}

static uint32_t last_basic;

/* The same with fewer leaves; those beyond the last ones still have values. */
static struct cpuid_result read_older(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result values = read_genoa(leaf, subleaf);

    if (leaf == 0)
        values.eax = last_basic;
    if (leaf == 0x80000000)
        values.eax = 0x8000001B;
    return values;
}

static struct cpuid_answers answers;

static int start_genoa(void **state)
{
    (void)state;
    guest_cpuid_init(&answers, &svm_guest_cpuid, 2400000000, read_genoa);
    return 0;
}

static void expect(uint32_t leaf, uint32_t subleaf, struct cpuid_result expected)
{
    struct cpuid_result values =
        cpuid_policy_answer(&answers, leaf, subleaf, &(struct cpuid_state){0, 7});
    if (memcmp(&values, &expected, sizeof(values)) != 0)
        fail_msg("CPUID 0x%x.%u = %08x %08x %08x %08x", leaf, subleaf, values.eax,
                 values.ebx, values.ecx, values.edx);
}

static const struct cpuid_result zero;

/* A guest sees the processor, without SVM and what it cannot use, and a hypervisor. */
static void test_features(void **state)
{
    (void)state;
    expect(0, 0, (struct cpuid_result){0x10, 0x68747541, 0x444D4163, 0x69746E65});
    /* One processor; not: MONITOR; MCE, MTRR, MCA, HTT. With the TSC deadline. */
    expect(1, 0, (struct cpuid_result){0x00A10F11, 0x10800, 0xF7FA3203, 0x078BA97F});
    /* Not: RDT, CET, LA57. With L1D_FLUSH. */
    expect(7, 0, (struct cpuid_result){0, 0xF1BF07A9, 0x00405F4E, 0x10000010});
    expect(7, 1, zero);
    /* With the bits of leaf 1 that it repeats. */
    expect(0x80000001, 0,
           (struct cpuid_result){0x00A10F11, 0x40000000, 0x4001E1, 0x2DD3A97F});
    expect(6, 0, (struct cpuid_result){4, 0, 0, 0}); /* ARAT */
    expect(0x80000008, 0, (struct cpuid_result){0x3034, 0x710ED000, 0, 0});
    expect(0x80000007, 0, (struct cpuid_result){0, 0, 0, 0x100});
    expect(0x80000021, 0, (struct cpuid_result){0x145, 0, 0, 0});
    expect(0x40000000, 0,
           (struct cpuid_result){0x40000001, 0x696D7948, 0x6D794872, 0x7269});
}

/* An enabled APIC is shown twice. */
static void test_apic(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        uint32_t apic = i == 1 ? 1 << 9 : 0;
        cpuid_policy_set_apic(&answers, i == 1);
        expect(1, 0,
               (struct cpuid_result){0x00A10F11, 0x10800, 0xF7FA3203, 0x078BA97F | apic});
        expect(
            0x80000001, 0,
            (struct cpuid_result){0x00A10F11, 0x40000000, 0x4001E1, 0x2DD3A97F | apic});
    }
}

/* Leaves that are the same on the machine and in the guest. */
static void test_same(void **state)
{
    (void)state;
    static const uint32_t leaves[] = {0x80000002, 0x80000003, 0x80000004, 0x80000005,
                                      0x80000006, 0x80000019, 0x8000001A};
    for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
        for (uint32_t subleaf = 0; subleaf < 3; subleaf++)
            expect(leaves[i], subleaf, read_genoa(leaves[i], 0));
    }
}

static void test_absent(void **state)
{
    (void)state;
    /* 5: MONITOR. 8000_000A: SVM. 8000_001B: IBS. 8000_001F: SEV. 8000_0022: counters. */
    static const uint32_t leaves[] = {
        2,          4,          5,          0xA,        0xF,
        0x10,       0x11,       0x17,       0x1F,       0x3FFFFFFF,
        0x40000002, 0x400000FF, 0x40000101, 0x40000102, 0x40000200,
        0x8000000A, 0x8000001B, 0x8000001F, 0x80000020, 0x80000022,
        0x80000023, 0x80000026, 0x80000029, 0xC0000000, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
        for (uint32_t subleaf = 0; subleaf < 3; subleaf++)
            expect(leaves[i], subleaf, zero);
    }
}

/* As on the machine, leaf 8000_0000 repeats the vendor. */
static void test_ranges(void **state)
{
    (void)state;
    expect(0x80000000, 0,
           (struct cpuid_result){0x80000000 + CPUID_EXTENDED_LEAVES - 1, 0x68747541,
                                 0x444D4163, 0x69746E65});
    assert_true(0x80000000 + CPUID_EXTENDED_LEAVES > 0x80000021);
    last_basic = 5; /* a K10 */
    guest_cpuid_init(&answers, &svm_guest_cpuid, 2400000000, read_older);
    /* The leaf of an x2APIC's topology is the last one. */
    expect(0, 0, (struct cpuid_result){0xB, 0x68747541, 0x444D4163, 0x69746E65});
    expect(0x80000000, 0,
           (struct cpuid_result){0x8000001B, 0x68747541, 0x444D4163, 0x69746E65});
    expect(7, 0, zero);
    expect(0xD, 0, zero);
    expect(0x80000021, 0, zero);
    expect(0x80000019, 0, read_genoa(0x80000019, 0));
    last_basic = 1; /* a leaf out of range is 0, not the last one */
    guest_cpuid_init(&answers, &svm_guest_cpuid, 2400000000, read_older);
    expect(2, 0, zero);
    expect(0xC, 0, zero);
    expect(0x80000022, 0, zero);
}

/* The components of XCR0 with their sizes, but none of supervisor state. */
static void test_extended_state(void **state)
{
    (void)state;
    expect(0xD, 0, (struct cpuid_result){0x2E7, 0x340, 0x988, 0});
    expect(0xD, 1, (struct cpuid_result){5, 0, 0, 0});
    static const uint32_t shown[] = {2, 5, 6, 7, 9};
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        expect(0xD, shown[i], read_genoa(0xD, shown[i]));
    expect(0xD, 11, zero); /* CET */
    expect(0xD, 12, zero);
}

static struct cpuid_result read_without_xsave(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result values = read_genoa(leaf, subleaf);

    if (leaf == 1)
        values.ecx &= ~(uint32_t)BIT(26);
    if (leaf == 0x80000001)
        values.ecx |= BIT(11) | BIT(16); /* XOP, FMA4 */
    return values;
}

/* Where XSAVE does not work, all is hidden that needs it. */
static void test_without_xsave(void **state)
{
    (void)state;
    guest_cpuid_init(&answers, &svm_guest_cpuid, 2400000000, read_without_xsave);
    expect(1, 0, (struct cpuid_result){0x00A10F11, 0x10800, 0xC3FA2203, 0x078BA97F});
    expect(7, 0, (struct cpuid_result){0, 0x219C0789, 0x0040010C, 0x10000010});
    expect(0xD, 0, zero);
    expect(0xD, 2, zero);
    expect(0x80000001, 0,
           (struct cpuid_result){0x00A10F11, 0x40000000, 0x4001E1, 0x2DD3A97F});
}

static struct guest_msrs msrs;

static int start_msrs(void **state)
{
    (void)state;
    msr_policy_reset(&msrs, &svm_guest_msrs, NULL);
    return 0;
}

static void test_msrs(void **state)
{
    (void)state;
    static const struct {
        uint32_t msr;
        uint64_t value;
        bool ignores_writes;
    } rows[] = {
        {0x8B, 0, false},            /* PATCH_LEVEL */
        {0xC0010010, 0, true},       /* SYSCFG */
        {0xC0010015, BIT(24), true}, /* HWCR: TscFreqSel */
        {0xC001001F, 0, true},       /* NB_CFG */
        {0xC0010055, 0, false},      /* INT_PENDING */
        {0x1DB, 0, false},           /* the last branch */
        {0x1DE, 0, false},           /* and exception */
        {0xC0011029, 2, true},       /* DE_CFG: LFENCE serializes */
        {0xC0010114, 0x18, false},   /* VM_CR: SVMDIS and LOCK */
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct msr_row *row = msr_policy_find(&msrs, rows[i].msr);
        assert_non_null(row);
        assert_int_equal(row->value, rows[i].value);
        assert_int_equal(msr_row_write(row, 5), rows[i].ignores_writes);
        assert_int_equal(row->value, rows[i].value);
    }
}

/* Other MSRs raise #GP, such as SVM's and Intel's. */
static void test_unknown_msrs(void **state)
{
    (void)state;
    static const uint32_t unknown[] = {0x1B,       0x3A,       0x480,      0xC0000080,
                                       0xC0000081, 0xC0010117, 0xC0010115, 0xC0010118,
                                       0xC0010131, 0xC0010058, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        assert_null(msr_policy_find(&msrs, unknown[i]));
}

/* Returns the two bits of an MSR, for reads and for writes: APM 2, "MSR Intercepts". */
static unsigned int permissions_of(const uint8_t *map, uint32_t msr)
{
    uint32_t bit = msr >= 0xC0010000   ? 0x1000 * 8 + (msr - 0xC0010000) * 2
                   : msr >= 0xC0000000 ? 0x800 * 8 + (msr - 0xC0000000) * 2
                                       : msr * 2;
    assert_true(bit < 0x1800 * 8);
    return map[bit / 8] >> bit % 8 & 3;
}

/* Only MSRs that VMLOAD and VMSAVE switch, or that only the guest uses, do not exit. */
static void test_msr_permissions(void **state)
{
    (void)state;
    static const uint32_t passed[] = {
        0x174,      0x175,      0x176,                  /* SYSENTER */
        0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084, /* SYSCALL */
        0xC0000100, 0xC0000101, 0xC0000102,             /* bases of FS and GS */
        0xC0000103,                                     /* TSC_AUX */
    };
    static uint8_t map[SVM_MSR_PERMISSIONS_SIZE + 1];
    unsigned int clear_bits = 0;

    map[SVM_MSR_PERMISSIONS_SIZE] = 0xA5;
    svm_msr_permissions_fill(map, true);
    for (uint32_t msr = 0x1DA; msr <= 0x1DF; msr++) /* the last branch */
        assert_int_equal(permissions_of(map, msr), msr >= 0x1DB && msr <= 0x1DE ? 0 : 3);
    svm_msr_permissions_fill(map, false);
    assert_int_equal(SVM_MSR_PERMISSIONS_SIZE, 0x2000);
    assert_int_equal(map[SVM_MSR_PERMISSIONS_SIZE], 0xA5);
    for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
        assert_int_equal(permissions_of(map, passed[i]), 0);
    for (size_t i = 0; i < SVM_MSR_PERMISSIONS_SIZE; i++)
        clear_bits += 8 - (unsigned int)__builtin_popcount(map[i]);
    assert_int_equal(clear_bits, 2 * ARRAY_SIZE(passed));
    assert_int_equal(permissions_of(map, 0xC0010114), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_features, start_genoa),
        cmocka_unit_test_setup(test_apic, start_genoa),
        cmocka_unit_test_setup(test_same, start_genoa),
        cmocka_unit_test_setup(test_absent, start_genoa),
        cmocka_unit_test_setup(test_ranges, start_genoa),
        cmocka_unit_test_setup(test_extended_state, start_genoa),
        cmocka_unit_test_setup(test_without_xsave, start_genoa),
        cmocka_unit_test_setup(test_msrs, start_msrs),
        cmocka_unit_test_setup(test_unknown_msrs, start_msrs),
        cmocka_unit_test(test_msr_permissions),
    };
    return cmocka_run_group_tests_name("svm_policy", tests, NULL, NULL);
}
