/*
 * What CPUID decides of AMD-V, on the processors of tests/recordings that AMD and Hygon
 * made. The expectations are Linux's, and statements of vendors.
 */
#include "recorded_machine.h"
#include "snapshots_amd.h"

#include "svm/capabilities.h"

#define VM_CR_AS_FIRMWARE_LEAVES_IT 8 /* locked, SVM enabled */

/* Returns whether the processor has nested paging: all since Barcelona of 2007. */
static bool has_nested_paging(void)
{
    return recording_mentions("npt") ? recording_has("npt")
                                     : cpuid_signature(&recording.snapshot).family > 15;
}

/*
 * Makes a machine on which every step of the trial passed, but for nested paging where
 * the processor lacks it. Returns false on other vendors' processors, and on those
 * without SVM.
 */
static bool machine_start(void)
{
    static const struct recorded_amd firmware = {.vm_cr = VM_CR_AS_FIRMWARE_LEAVES_IT};

    if (!cpuid_is_amd(&recording.snapshot) ||
        (recording_mentions("svm") && !recording_has("svm")))
        return false;
    struct cpu_record record = record_ready(&firmware);
    record.cpuid             = recording.snapshot;
    if (!has_nested_paging())
        memset(&svm_record_of(&record)->steps.nested, 0, sizeof(struct guest_trial));
    verdict_judge_cpu(&record);
    machine_make(&record);
    return true;
}

/* Linux's names of features, in the flags of /proc/cpuinfo. */
static const struct {
    const char *flag;
    uint64_t feature;
} flags[] = {
    {"npt", SVM_FEATURE_NESTED_PAGING},
    {"lbrv", SVM_FEATURE_LBR_VIRTUALIZATION},
    {"svm_lock", SVM_FEATURE_SVM_LOCK},
    {"nrip_save", SVM_FEATURE_NRIP_SAVE},
    {"tsc_scale", SVM_FEATURE_TSC_RATE_MSR},
    {"vmcb_clean", SVM_FEATURE_VMCB_CLEAN},
    {"flushbyasid", SVM_FEATURE_FLUSH_BY_ASID},
    {"decodeassists", SVM_FEATURE_DECODE_ASSISTS},
    {"pausefilter", SVM_FEATURE_PAUSE_FILTER},
    {"pfthreshold", SVM_FEATURE_PAUSE_FILTER_THRESHOLD},
    {"avic", SVM_FEATURE_AVIC},
    {"v_vmsave_vmload", SVM_FEATURE_VIRTUAL_VMSAVE_VMLOAD},
    {"vgif", SVM_FEATURE_VIRTUAL_GIF},
};

static size_t flags_compared;

static void check_flags(void)
{
    if (!machine_start())
        return;
    uint64_t features = svm_capability_bits(&recording.snapshot, GROUP_FEATURES).may_be_1;
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (!recording_mentions(flags[i].flag))
            continue;
        flags_compared++;
        if (recording_has(flags[i].flag) != ((features & flags[i].feature) != 0))
            fail_msg("%s: %s", recording.path, flags[i].flag);
    }
}

static void test_flags(void **state)
{
    (void)state;
    flags_compared = 0;
    recordings_visit(check_flags);
    assert_in_range(flags_compared, 200, SIZE_MAX);
}

/*
 * The number of ASIDs by family, in the description of CPUID.8000000AH:EBX in AMD's BIOS
 * and Kernel Developer's Guides (publications 32559, 31116, 41131, 43170, 42301, 48751)
 * and, from family 17H on, Processor Programming References (such as 54945).
 */
static uint64_t asids_of_family(uint32_t family)
{
    switch (family) {
    case 0x0F:
    case 0x10:
    case 0x12:
        return 0x40;
    case 0x14:
    case 0x16:
        return 8;
    case 0x15:
        return 0x10000;
    default:
        return 0x8000;
    }
}

#define MODEL_OF_EXCAVATOR 0x60 /* not among those guides */

static void check_asids(void)
{
    struct cpuid_signature signature = cpuid_signature(&recording.snapshot);

    if (!machine_start() ||
        (signature.family == 0x15 && signature.model >= MODEL_OF_EXCAVATOR))
        return;
    if (svm_capability_bits(&recording.snapshot, GROUP_ASIDS).may_be_1 !=
        asids_of_family(signature.family))
        fail_msg("%s: ASIDs", recording.path);
}

static void test_asids(void **state)
{
    (void)state;
    recordings_visit(check_asids);
}

/* The verdict where every step passes, and where Linux finds no AMD-V. */
static void check_verdict(void)
{
    static const struct recorded_amd firmware = {.vm_cr = NONE};
    bool is_made                              = machine_start();
    struct cpu_record before                  = record_before(&firmware);

    assert_verdict(is_made, "svm", &before);
}

static void test_verdict(void **state)
{
    (void)state;
    recordings_visit(check_verdict);
}

/* Guests need nested paging that works. */
static void check_guests(void)
{
    TEXT_DECLARE(missing, 64);

    if (!machine_start())
        return;
    bool can_run = amd_v.find_missing(&records[0], &missing) == STATUS_OK;
    if (can_run != has_nested_paging())
        fail_msg("%s: guests", recording.path);
    assert_string_equal(missing.buffer, can_run ? "" : "nested paging");
}

static void test_guests(void **state)
{
    (void)state;
    recordings_visit(check_guests);
}

/*
 * Microsoft requires SLAT, VMware RVI and XSAVE, FreeBSD RVI and NRIP save, NOVA nested
 * paging; the others run with any AMD-V.
 */
static void check_hypervisors(void)
{
    if (!machine_start())
        return;
    bool has_npt   = has_nested_paging();
    bool has_xsave = (recording.snapshot.leaf_1.ecx & CPUID_1_ECX_XSAVE) != 0;
    bool has_nrip  = !recording_mentions("nrip_save") || recording_has("nrip_save");

    assert_runs(HYPERVISOR_KVM, true);
    assert_runs(HYPERVISOR_XEN, true);
    assert_runs(HYPERVISOR_VIRTUALBOX, true);
    assert_runs(HYPERVISOR_HYPER_V, has_npt);
    assert_runs(HYPERVISOR_ESXI, has_npt && has_xsave);
    assert_runs(HYPERVISOR_BHYVE, has_npt && has_nrip);
    assert_runs(HYPERVISOR_HYMIR, has_npt);
    assert_runs(HYPERVISOR_NOVA, has_npt);
    assert_runs(HYPERVISOR_ACRN, false);
}

static void test_hypervisors(void **state)
{
    (void)state;
    recordings_visit(check_hypervisors);
}

static void check_recorded_errata(void)
{
    if (!machine_start())
        return;
    check_errata();
    if ((amd_v.largest_page(&records[0]) == PAGE_SIZE) !=
        recording_lists(recording.errata, "tlb_multihit"))
        fail_msg("%s: TLB multihit", recording.path);
}

static void test_errata(void **state)
{
    (void)state;
    recordings_visit(check_recorded_errata);
}

static void check_form(void)
{
    if (machine_start())
        check_short_form("HYMIR2:AMD-V:READY:");
}

static void test_short_form(void **state)
{
    (void)state;
    recordings_visit(check_form);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),       cmocka_unit_test(test_asids),
        cmocka_unit_test(test_verdict),     cmocka_unit_test(test_guests),
        cmocka_unit_test(test_hypervisors), cmocka_unit_test(test_errata),
        cmocka_unit_test(test_short_form),
    };
    return cmocka_run_group_tests_name("recordings of AMD-V", tests, NULL, NULL);
}
