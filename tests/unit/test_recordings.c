/* What CPUID decides, on the real processors of tests/recordings. */
#include "recordings.h"

#include "guest/cpuid_policy.h"
#include "svm/guest_policy.h"
#include "svm/svm.h"
#include "vmx/guest_policy.h"
#include "vmx/vmx.h"

static const struct virtualization *const vendors[] = {&vt_x, &amd_v};

/* A flag of Linux's /proc/cpuinfo: where it is in CPUID, and whether guests see it. */
static const struct {
    const char *flag;
    uint32_t leaf;
    char reg;
    uint8_t bit;
    bool is_shown;
} flags[] = {
    {"svm", 0x80000001, 'c', 2, false}, /* of AMD's processors */
    {"lm", 0x80000001, 'd', 29, true},
    {"nx", 0x80000001, 'd', 20, true},
    {"rdtscp", 0x80000001, 'd', 27, true},
    {"pdpe1gb", 0x80000001, 'd', 26, true},
    {"nonstop_tsc", 0x80000007, 'd', 8, true},
    {"vmx", 1, 'c', 5, false},
    {"smx", 1, 'c', 6, false},
    {"pcid", 1, 'c', 17, true},
    {"x2apic", 1, 'c', 21, false},
    {"tsc_deadline_timer", 1, 'c', 24, false},
    {"xsave", 1, 'c', 26, true},
    {"fsgsbase", 7, 'b', 0, true},
    {"sgx", 7, 'b', 2, false},
    {"smep", 7, 'b', 7, true},
    {"invpcid", 7, 'b', 10, true},
    {"smap", 7, 'b', 20, true},
    {"umip", 7, 'c', 2, true},
    {"pku", 7, 'c', 3, true},
    {"waitpkg", 7, 'c', 5, true},
    {"la57", 7, 'c', 16, false},
};

static bool flag_of(size_t i, struct cpuid_result values)
{
    uint32_t reg = flags[i].reg == 'b'   ? values.ebx
                   : flags[i].reg == 'c' ? values.ecx
                                         : values.edx;
    return (reg >> flags[i].bit & 1) != 0;
}

static void check_source(void)
{
    assert_true(strlen(recording.name) > 4);
    assert_int_equal(recording.sources, 1);
    assert_true(recording.snapshot.leaf_1.eax != 0);
    assert_false(cpuid_has_hypervisor(&recording.snapshot));
    char brand[CPUID_BRAND_SIZE];
    cpuid_brand(&recording.snapshot, brand);
    assert_int_equal(strncmp(recording.name, brand, 4), 0);
}

static void test_sources(void **state)
{
    (void)state;
    assert_in_range(recordings_visit(check_source), 70, SIZE_MAX);
}

/* Linux reads the same CPUID, but firmware of AMD's processors may hide x2APIC. */
static void check_flags(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        const char *flag = flags[i].flag;
        bool is_choice = cpuid_is_amd(&recording.snapshot) && strcmp(flag, "x2apic") == 0;
        struct cpuid_result values = recording_cpuid(flags[i].leaf, 0);

        if (recording_mentions(flag) && !is_choice &&
            recording_has(flag) != flag_of(i, values))
            fail_msg("%s: %s", recording.path, flag);
    }
}

static void test_flags(void **state)
{
    (void)state;
    recordings_visit(check_flags);
}

/* The virtualization that Linux finds is the one that is tried. */
static void check_technology(void)
{
    const struct virtualization *found =
        virtualization_find(vendors, ARRAY_SIZE(vendors), &recording.snapshot);
    const char *flag = cpuid_is_amd(&recording.snapshot) ? "svm" : "vmx";

    assert_ptr_equal(found, cpuid_is_amd(&recording.snapshot) ? &amd_v : &vt_x);
    if (recording_mentions(flag))
        assert_int_equal(found->is_offered(&recording.snapshot), recording_has(flag));
}

static void test_technology(void **state)
{
    (void)state;
    recordings_visit(check_technology);
}

/* Linux subtracts the bits that SME takes, if firmware has enabled it. */
static void check_address_width(void)
{
    unsigned int width = cpuid_physical_address_width(&recording.snapshot);
    unsigned int taken =
        (unsigned int)BITS_GET(recording.snapshot.leaf_8000001f.ebx, 11, 6);

    if (recording.address_bits != 0 && recording.address_bits != width &&
        recording.address_bits != width - taken)
        fail_msg("%s: %u bits", recording.path, width);
}

static void test_address_width(void **state)
{
    (void)state;
    recordings_visit(check_address_width);
}

/* A guest sees a shown flag if the processor has it, and no hidden one. */
static void check_guest(void)
{
    static struct cpuid_answers answers;
    bool is_amd = cpuid_is_amd(&recording.snapshot);

    cpuid_policy_init(&answers, is_amd ? &svm_guest_cpuid : &vmx_guest_cpuid, 0,
                      recording_cpuid);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        const char *flag = flags[i].flag;
        struct cpuid_result seen =
            cpuid_policy_answer(&answers, flags[i].leaf, 0, &(struct cpuid_state){0, 1});
        if (!flags[i].is_shown && flag_of(i, seen))
            fail_msg("%s: a guest sees %s", recording.path, flag);
        if (flags[i].is_shown && recording_mentions(flag) &&
            flag_of(i, seen) != recording_has(flag))
            fail_msg("%s: %s in a guest", recording.path, flag);
    }
}

static void test_guests(void **state)
{
    (void)state;
    recordings_visit(check_guest);
}

/* The processors whose VMX-preemption timer is broken according to Intel. */
static void check_preemption_timer(void)
{
    if (cpuid_has_preemption_timer_erratum(&recording.snapshot) !=
        recording_lists(recording.errata, "preemption_timer"))
        fail_msg("%s", recording.path);
}

static void test_preemption_timer(void **state)
{
    (void)state;
    recordings_visit(check_preemption_timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),       cmocka_unit_test(test_flags),
        cmocka_unit_test(test_technology),    cmocka_unit_test(test_guests),
        cmocka_unit_test(test_address_width), cmocka_unit_test(test_preemption_timer),
    };
    return cmocka_run_group_tests_name("recordings", tests, NULL, NULL);
}
