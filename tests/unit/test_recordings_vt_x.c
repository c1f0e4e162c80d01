/*
 * What CPUID and the VMX MSRs decide, on the processors of tests/recordings that Intel
 * and Zhaoxin made. The expectations are Linux's, and statements of vendors.
 */
#include "recorded_machine.h"
#include "snapshots.h"

/* Returns the recorded registers; firmware usually enables VMX and locks that. */
static struct recorded registers_of_recording(void)
{
    struct recorded recorded = {
        .name            = recording.name,
        .feature_control = recording_msr(MSR_IA32_FEATURE_CONTROL),
        .rtit_control    = NONE,
    };
    if (recorded.feature_control == NONE)
        recorded.feature_control = FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUTSIDE_SMX;
    for (uint32_t i = 0; i < VMX_MSR_COUNT; i++)
        recorded.msr[i] = recording_msr(VMX_MSR_FIRST + i);
    return recorded;
}

/*
 * Makes a machine on which every step of the trial passed, if there are VMX MSRs. Many
 * sources read CPUID in 32-bit mode, where Intel's processors do not report SYSCALL.
 */
static bool machine_start(void)
{
    struct recorded recorded = registers_of_recording();

    if (recorded.msr[0] == NONE)
        return false;
    struct cpu_record record = record_ready(&recorded);
    record.cpuid             = recording.snapshot;
    record.cpuid.leaf_80000001.edx |= (uint32_t)CPUID_80000001_EDX_SYSCALL;
    record.arch_capabilities = reading_of(recording_msr(MSR_IA32_ARCH_CAPABILITIES));
    vmx_record_of(&record)->misc_enable = reading_of(recording_msr(MSR_IA32_MISC_ENABLE));
    verdict_judge_cpu(&record);
    machine_make(&record);
    return true;
}

static bool can_be_1(enum vmx_capability_group group, uint64_t bit)
{
    return (vmx_capability_bits(&vmx_record(&records[0])->capabilities, group).may_be_1 &
            bit) != 0;
}

/* Linux's names of capabilities, in the flags and the VMX flags of /proc/cpuinfo. */
static const struct {
    const char *flag;
    enum vmx_capability_group group;
    uint64_t bit;
} flags[] = {
    {"vnmi", GROUP_PIN_BASED, PIN_BASED_VIRTUAL_NMIS},
    {"preemption_timer", GROUP_PIN_BASED, PIN_BASED_ACTIVATE_PREEMPTION_TIMER},
    {"posted_intr", GROUP_PIN_BASED, PIN_BASED_PROCESS_POSTED_INTERRUPTS},
    {"tpr_shadow", GROUP_PRIMARY, PRIMARY_USE_TPR_SHADOW},
    {"mtf", GROUP_PRIMARY, PRIMARY_MONITOR_TRAP_FLAG},
    {"flexpriority", GROUP_SECONDARY, SECONDARY_VIRTUALIZE_APIC_ACCESSES},
    {"ept", GROUP_SECONDARY, SECONDARY_ENABLE_EPT},
    {"vpid", GROUP_SECONDARY, SECONDARY_ENABLE_VPID},
    {"unrestricted_guest", GROUP_SECONDARY, SECONDARY_UNRESTRICTED_GUEST},
    {"vapic_reg", GROUP_SECONDARY, SECONDARY_APIC_REGISTER_VIRTUALIZATION},
    {"vid", GROUP_SECONDARY, SECONDARY_VIRTUAL_INTERRUPT_DELIVERY},
    {"ple", GROUP_SECONDARY, SECONDARY_PAUSE_LOOP_EXITING},
    {"shadow_vmcs", GROUP_SECONDARY, SECONDARY_VMCS_SHADOWING},
    {"pml", GROUP_SECONDARY, SECONDARY_ENABLE_PML},
    {"tsc_scaling", GROUP_SECONDARY, SECONDARY_USE_TSC_SCALING},
    {"usr_wait_pause", GROUP_SECONDARY, SECONDARY_ENABLE_USER_WAIT_PAUSE},
    {"ept_x_only", GROUP_EPT_VPID, EPT_CAP_EXECUTE_ONLY},
    {"ept_1gb", GROUP_EPT_VPID, EPT_CAP_PAGES_1_GIB},
    {"ept_ad", GROUP_EPT_VPID, EPT_CAP_ACCESSED},
    {"invvpid", GROUP_EPT_VPID, VPID_CAP_INVVPID},
};

static size_t flags_compared;

static void check_flags(void)
{
    if (!machine_start())
        return;
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (!recording_mentions(flags[i].flag))
            continue;
        flags_compared++;
        if (recording_has(flags[i].flag) != can_be_1(flags[i].group, flags[i].bit))
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

/* Guests use the VMX-preemption timer if Linux finds one; those here have no erratum. */
static void check_timer(void)
{
    if (machine_start() && recording_mentions("preemption_timer"))
        assert_int_equal(vt_x.needs_apic_timer(&records[0]),
                         !recording_has("preemption_timer"));
}

static void test_timer(void **state)
{
    (void)state;
    recordings_visit(check_timer);
}

/* The verdict where every step passes, and where Linux finds no VT-x. */
static void check_verdict(void)
{
    bool is_made             = machine_start();
    struct recorded recorded = registers_of_recording();
    struct cpu_record before = record_before(&recorded);

    assert_verdict(is_made, "vmx", &before);
}

static void test_verdict(void **state)
{
    (void)state;
    recordings_visit(check_verdict);
}

/*
 * EPT came with Nehalem and Silvermont, unrestricted guest with Westmere and Silvermont:
 * Intel, "Intel Virtualization Technology List"; none of the recorded processors with VMX
 * MSRs is a Nehalem. Zhaoxin's have both.
 */
static bool has_nested_paging(void)
{
    return recording_mentions("ept")
               ? recording_has("ept")
               : strstr(recording.name, "(Dunnington)") == NULL &&
                     strstr(recording.name, "(Tunnel Creek)") == NULL;
}

/* Microsoft requires SLAT, FreeBSD EPT, VMware XSAVE; the others run with any VT-x. */
static void check_hypervisors(void)
{
    if (!machine_start())
        return;
    bool has_ept   = has_nested_paging();
    bool has_xsave = (recording.snapshot.leaf_1.ecx & CPUID_1_ECX_XSAVE) != 0;

    assert_runs(HYPERVISOR_KVM, true);
    assert_runs(HYPERVISOR_XEN, true);
    assert_runs(HYPERVISOR_VIRTUALBOX, true);
    assert_runs(HYPERVISOR_ESXI, has_xsave);
    assert_runs(HYPERVISOR_HYPER_V, has_ept);
    assert_runs(HYPERVISOR_BHYVE, has_ept);
    assert_runs(HYPERVISOR_HYMIR, has_ept);
    assert_runs(HYPERVISOR_NOVA, has_ept);
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
}

static void test_errata(void **state)
{
    (void)state;
    recordings_visit(check_recorded_errata);
}

static void check_form(void)
{
    if (!machine_start())
        return;
    uint32_t present = check_short_form("HYMIR2:VT-X:READY:");
    for (uint32_t i = 0; i < VMX_MSR_COUNT; i++)
        assert_int_equal(present >> (2 + i) & 1,
                         recording_msr(VMX_MSR_FIRST + i) != NONE);
}

static void test_short_form(void **state)
{
    (void)state;
    recordings_visit(check_form);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),       cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_hypervisors), cmocka_unit_test(test_errata),
        cmocka_unit_test(test_short_form),  cmocka_unit_test(test_timer),
    };
    return cmocka_run_group_tests_name("recordings of VT-x", tests, NULL, NULL);
}
