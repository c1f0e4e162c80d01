/* What CPUID decides, on the real processors of tests/recordings. */
#include "recordings.h"

#include "guest_cpuid.h"
#include "svm/guest_policy.h"
#include "svm/svm.h"
#include "vmx/guest_policy.h"
#include "vmx/vmx.h"

static const struct virtualization *const vendors[] = {&vt_x, &amd_v};

enum in_guest { HIDDEN, AS_ON_PROCESSOR, ALWAYS };

/* A flag of Linux's /proc/cpuinfo: where it is in CPUID, and whether guests see it. */
static const struct {
    const char *flag;
    uint32_t leaf;
    char reg;
    uint8_t bit;
    enum in_guest in_guest;
} flags[] = {
    {"svm", 0x80000001, 'c', 2, HIDDEN}, /* of AMD's processors */
    {"lm", 0x80000001, 'd', 29, AS_ON_PROCESSOR},
    {"nx", 0x80000001, 'd', 20, AS_ON_PROCESSOR},
    {"rdtscp", 0x80000001, 'd', 27, AS_ON_PROCESSOR},
    {"pdpe1gb", 0x80000001, 'd', 26, AS_ON_PROCESSOR},
    {"nonstop_tsc", 0x80000007, 'd', 8, AS_ON_PROCESSOR},
    {"vmx", 1, 'c', 5, HIDDEN},
    {"smx", 1, 'c', 6, HIDDEN},
    {"pcid", 1, 'c', 17, AS_ON_PROCESSOR},
    {"x2apic", 1, 'c', 21, ALWAYS},
    {"tsc_deadline_timer", 1, 'c', 24, ALWAYS},
    {"xsave", 1, 'c', 26, AS_ON_PROCESSOR},
    {"fsgsbase", 7, 'b', 0, AS_ON_PROCESSOR},
    {"sgx", 7, 'b', 2, HIDDEN},
    {"smep", 7, 'b', 7, AS_ON_PROCESSOR},
    {"invpcid", 7, 'b', 10, AS_ON_PROCESSOR},
    {"smap", 7, 'b', 20, AS_ON_PROCESSOR},
    {"umip", 7, 'c', 2, AS_ON_PROCESSOR},
    {"pku", 7, 'c', 3, AS_ON_PROCESSOR},
    {"waitpkg", 7, 'c', 5, AS_ON_PROCESSOR},
    {"la57", 7, 'c', 16, HIDDEN},
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

/* A guest sees what the processor has and what is emulated, and no hidden flag. */
static void check_guest(void)
{
    static struct cpuid_answers answers;
    const struct cpuid_state state = {0, 1};

    guest_cpuid_init(
        &answers, cpuid_is_amd(&recording.snapshot) ? &svm_guest_cpuid : &vmx_guest_cpuid,
        0, recording_cpuid);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        bool is_seen =
            flag_of(i, cpuid_policy_answer(&answers, flags[i].leaf, 0, &state));
        if (flags[i].in_guest == AS_ON_PROCESSOR && !recording_mentions(flags[i].flag))
            continue;
        if (is_seen !=
            (flags[i].in_guest == ALWAYS ||
             (flags[i].in_guest == AS_ON_PROCESSOR && recording_has(flags[i].flag))))
            fail_msg("%s: %s in a guest", recording.path, flags[i].flag);
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
