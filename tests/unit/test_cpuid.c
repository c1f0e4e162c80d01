/* src/cpu/cpuid.c. */
#include "snapshots.h"

static struct cpuid_snapshot snapshot;

static void set_brand(const char brand[48])
{
    memcpy(snapshot.leaf_80000002, brand, 48);
}

static void test_vendor(void **state)
{
    (void)state;
    char vendor[CPUID_VENDOR_SIZE];
    struct cpu_record record = record_before(&coffee_lake);
    cpuid_vendor(&record.cpuid, vendor);
    assert_string_equal(vendor, "GenuineIntel");
    set_vendor(&record, "  Shanghai  ");
    cpuid_vendor(&record.cpuid, vendor);
    assert_string_equal(vendor, "  Shanghai  ");
    set_vendor(&record, "\x01\x02"
                        "a\xFF"
                        "b\n\t\x1B[2J!");
    cpuid_vendor(&record.cpuid, vendor);
    assert_string_equal(vendor, "??a?b???[2J!");
}

static void test_hypervisor(void **state)
{
    (void)state;
    char name[CPUID_VENDOR_SIZE];
    struct cpu_record record = record_before(&coffee_lake);
    assert_false(cpuid_has_hypervisor(&record.cpuid));
    set_hypervisor(&record, "KVMKVMKVM\0\0\0");
    assert_true(cpuid_has_hypervisor(&record.cpuid));
    cpuid_hypervisor(&record.cpuid, name);
    assert_string_equal(name, "KVMKVMKVM");
}

static struct cpuid_result poses_as_hyper_v(uint32_t leaf, uint32_t subleaf)
{
    assert_int_equal(subleaf, 0);
    switch (leaf) {
    case 0x40000000:
        return (struct cpuid_result){.eax = 0x40000082, .ebx = 0x7263694D};
    case 0x40000100:
        return (struct cpuid_result){.eax = 0x40000101, .ebx = 0x4B4D564B};
    default: /* as Intel's processors return beyond their last leaf */
        return (struct cpuid_result){.eax = 0x00100800, .ebx = 0x12345678};
    }
}

static struct cpuid_result reports_no_last_leaf(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    return leaf == 0x40000000 ? (struct cpuid_result){.eax = 0, .ebx = 0x4B4D564B}
                              : (struct cpuid_result){0};
}

/* A signature in a later range than another's is the hypervisor's own. */
static void test_find_hypervisor(void **state)
{
    (void)state;
    assert_int_equal(cpuid_find_hypervisor(poses_as_hyper_v).ebx, 0x4B4D564B);
    assert_int_equal(cpuid_find_hypervisor(reports_no_last_leaf).ebx, 0x4B4D564B);
}

static void test_brand(void **state)
{
    (void)state;
    char brand[CPUID_BRAND_SIZE];
    static const struct {
        char raw[49];
        const char *expected;
    } cases[] = {
        {"Intel(R) Core(TM) i7-8750H CPU @ 2.20GHz\0\0\0\0\0\0\0\0",
         "Intel(R) Core(TM) i7-8750H CPU @ 2.20GHz"},
        {"        Intel(R) Xeon(R) CPU      E5-2620 0     ",
         "Intel(R) Xeon(R) CPU      E5-2620 0"},
        {"", "unknown"},
        {"                                                ", "unknown"},
        {"012345678901234567890123456789012345678901234567",
         "012345678901234567890123456789012345678901234567"},
        {"a\x1B[31mred", "a?[31mred"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        set_brand(cases[i].raw);
        cpuid_brand(&snapshot, brand);
        assert_string_equal(brand, cases[i].expected);
    }
}

static void test_signature(void **state)
{
    (void)state;
    static const struct {
        uint32_t eax, family, model, stepping;
    } cases[] = {
        {0x000906EA, 6, 158, 10}, /* Coffee Lake */
        {0x000306A9, 6, 58, 9},   /* Ivy Bridge */
        {0x00000F4A, 15, 4, 10},  /* Prescott */
        {0x00800F11, 23, 1, 1},   /* Zen */
        {0x00000543, 5, 4, 3},    /* Pentium MMX: the extended fields are not used */
        {0x0FF00543, 5, 4, 3},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snapshot.leaf_1.eax              = cases[i].eax;
        struct cpuid_signature signature = cpuid_signature(&snapshot);
        assert_int_equal(signature.family, cases[i].family);
        assert_int_equal(signature.model, cases[i].model);
        assert_int_equal(signature.stepping, cases[i].stepping);
    }
}

static void test_address_width(void **state)
{
    (void)state;
    static const struct {
        uint32_t eax;
        unsigned int width;
    } cases[] = {{0, 36},      {0x3027, 39}, {0x3034, 52},
                 {0x30FF, 52}, {0x3001, 32}, {0x3028, 40}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snapshot.leaf_80000008.eax = cases[i].eax;
        assert_int_equal(cpuid_physical_address_width(&snapshot), cases[i].width);
    }
}

/* Only Intel's processors have the limit, which leaves 2 or 3 leaves. */
static void test_limit(void **state)
{
    (void)state;
    struct cpu_record record = record_before(&coffee_lake);
    assert_false(cpuid_may_be_limited(&record.cpuid));
    record.cpuid.leaf_0.eax = 5; /* Pentium 4 */
    assert_false(cpuid_may_be_limited(&record.cpuid));
    record.cpuid.leaf_0.eax = 3;
    assert_true(cpuid_may_be_limited(&record.cpuid));
    record.cpuid.leaf_0.eax = 2;
    assert_true(cpuid_may_be_limited(&record.cpuid));
    set_vendor(&record, "AuthenticAMD");
    record.cpuid.leaf_0.eax = 1; /* Athlon 64 */
    assert_false(cpuid_may_be_limited(&record.cpuid));
}

/* A processor with three basic leaves and two extended ones, which repeats the third. */
static struct cpuid_result read_few(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == CPUID_LEAF_BASIC || leaf == CPUID_LEAF_EXTENDED)
        return (struct cpuid_result){.eax = leaf + 2};
    return (struct cpuid_result){leaf, subleaf, UINT32_MAX, UINT32_MAX};
}

static void test_existing(void **state)
{
    (void)state;
    const uint32_t existing[] = {2, 0x80000002}, absent[] = {3, 0x80000003};

    for (size_t i = 0; i < ARRAY_SIZE(existing); i++) {
        struct cpuid_result leaf = cpuid_read_existing(existing[i], 5, read_few);
        assert_int_equal(leaf.eax, existing[i]);
        assert_int_equal(leaf.ebx, 5);
        leaf = cpuid_read_existing(absent[i], 5, read_few);
        assert_int_equal(leaf.eax | leaf.ebx | leaf.ecx | leaf.edx, 0);
    }
}

/* On the machine that runs the tests, compared with the compiler's CPUID. */
static void test_read(void **state)
{
    (void)state;
    char vendor[CPUID_VENDOR_SIZE];
    cpuid_snapshot_read(&snapshot);
    cpuid_vendor(&snapshot, vendor);
    __builtin_cpu_init();
    assert_int_equal(strcmp(vendor, "GenuineIntel") == 0, __builtin_cpu_is("intel") != 0);
    assert_int_equal(strcmp(vendor, "AuthenticAMD") == 0, __builtin_cpu_is("amd") != 0);
    assert_true((snapshot.leaf_80000001.edx & CPUID_80000001_EDX_LONG_MODE) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vendor),          cmocka_unit_test(test_hypervisor),
        cmocka_unit_test(test_find_hypervisor), cmocka_unit_test(test_brand),
        cmocka_unit_test(test_signature),       cmocka_unit_test(test_address_width),
        cmocka_unit_test(test_limit),           cmocka_unit_test(test_read),
        cmocka_unit_test(test_existing),
    };
    return cmocka_run_group_tests_name("cpuid", tests, NULL, NULL);
}
