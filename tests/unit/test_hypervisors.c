/* src/report/hypervisors.c: which hypervisors can run, and what is missing. */
#include "hypervisors.h"

static void count_one(const struct requirement_answer *answer, void *context)
{
    size_t *count = context;
    (void)answer;
    ++*count;
}

/* Every source has requirements, and its name is reported, once for its technology. */
static void test_sources(void **state)
{
    (void)state;
    struct hypervisor_question question;

    for (size_t i = 0; i < REQUIREMENT_TABLES; i++) {
        const struct requirement_table *table = requirement_tables[i];
        enum hypervisor last                  = HYPERVISOR_HYMIR;
        for (size_t j = 0; j < table->count; j++) {
            const struct requirement_source *source = &table->sources[j];
            size_t count                            = 0;
            bool is_for_old = strstr(source->name, "vmx_hardware_setup()") != NULL;
            records_load(is_for_old ? &core2_x6800 : &core_i7_6700k);
            if (table == &amd_v_requirement_table)
                records_load_amd();
            hypervisor_question_prepare(&facts, &question);
            hypervisor_visit(source->hypervisor, source, &question, count_one, &count);
            assert_true(count > 0);
            assert_true(strlen(source->name) > 0);
            assert_true(source->hypervisor >= last);
            last = source->hypervisor;
        }
        assert_int_equal(last, HYPERVISOR_COUNT - 1);
    }
}

static void test_modern(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    for (enum hypervisor i = HYPERVISOR_HYMIR; i < HYPERVISOR_COUNT; i++) {
        if (i == HYPERVISOR_ESXI) /* only VMware lists the supported processors */
            assert_open(i,
                        "the processor in VMware's compatibility guide (look it up); ");
        else
            assert_runs(i);
        assert_true(strlen(hypervisors[i].version) > 0);
    }
}

/* Asserts that Hymir's guests are reported as missing something if they are refused. */
static void assert_own_guests_agree(void)
{
    struct vcpu_controls controls;
    TEXT_DECLARE(names, 1024);
    bool does_fit = vcpu_controls_fit(&vmx_record_of(&records[0])->capabilities,
                                      &controls, &names) == STATUS_OK;

    assert_state(HYPERVISOR_HYMIR, does_fit ? REQUIREMENT_MET : REQUIREMENT_MISSING);
}

/* Changes a bit of an MSR on both CPUs. */
static void change_bit(uint32_t msr, unsigned int bit, bool is_set)
{
    for (size_t i = 0; i < 2; i++) {
        uint64_t value = record_msr(&records[i], msr).value;
        set_msr(&records[i], msr, is_set ? value | BIT(bit) : value & ~BIT(bit));
    }
}

/*
 * The reported requirements of Hymir's guests are those without which they are refused:
 * on all machines, and on one for each bit of its MSRs that is changed.
 */
static void test_own_guests(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_machines); i++) {
        records_load(all_machines[i]);
        assert_own_guests_agree();
    }
    static const uint32_t msrs[] = {
        MSR_IA32_VMX_TRUE_PINBASED_CTLS, MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
        MSR_IA32_VMX_PROCBASED_CTLS2,    MSR_IA32_VMX_TRUE_EXIT_CTLS,
        MSR_IA32_VMX_TRUE_ENTRY_CTLS,    MSR_IA32_VMX_MISC,
        MSR_IA32_VMX_EPT_VPID_CAP};
    for (size_t i = 0; i < ARRAY_SIZE(msrs); i++) {
        for (unsigned int bit = 0; bit < 64; bit++) {
            bool is_control = i < 5;
            records_load(&core_i7_6700k);
            change_bit(msrs[i], bit, is_control && bit < 32);
            if (is_control) /* what must be 1 may be 1 */
                change_bit(msrs[i], bit ^ 32, bit < 32);
            assert_own_guests_agree();
        }
    }
    records_load(&core_i7_6700k);
    change_bit(MSR_IA32_VMX_MISC, 6, false);
    assert_lacks(HYPERVISOR_HYMIR, "\"activity state HLT\" (IA32_VMX_MISC)");
    records_load(&core_i7_6700k);
    change_bit(MSR_IA32_VMX_EPT_VPID_CAP, 26, false);
    assert_lacks(HYPERVISOR_HYMIR, "\"INVEPT: all-context\" (IA32_VMX_EPT_VPID_CAP)");
    records_load(&core_i7_6700k);
    change_bit(MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 15, true);
    change_bit(MSR_IA32_VMX_TRUE_PINBASED_CTLS, 17, true);
    assert_lacks(HYPERVISOR_HYMIR, "0 for \"CR3-load exiting\" (primary control)");
    assert_named(REQUIREMENT_MISSING, "0 for \"bit 17\" (pin-based control)");
    assert_named(REQUIREMENT_MET, "0 for all other controls (secondary controls)");
}

/* A Core 2: hypervisors with shadow paging run; the others report what is missing. */
static void test_old(void **state)
{
    (void)state;
    records_load(&core2_x6800);
    assert_runs(HYPERVISOR_KVM);
    assert_runs(HYPERVISOR_XEN);
    assert_lacks(HYPERVISOR_HYPER_V, "\"enable EPT\" (secondary control)");
    assert_lacks(HYPERVISOR_BHYVE, "0 for \"CR3-load exiting\" (primary control)");
    assert_lacks(HYPERVISOR_JAILHOUSE,
                 "\"default1 controls may be 0 (TRUE)\" (IA32_VMX_BASIC)");
    assert_lacks(HYPERVISOR_JAILHOUSE,
                 "one of \"INVEPT: single-context\", \"INVEPT: all-context\"");
    assert_lacks(HYPERVISOR_NOVA, "\"unrestricted guest\" (secondary control)");
    assert_lacks(HYPERVISOR_HYMIR, "\"unrestricted guest\" (secondary control)");
}

/* Controls that KVM requires in pairs, and those that depend on IA32_VMX_EPT_VPID_CAP. */
static void test_pairs(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    for (size_t i = 0; i < 2; i++)
        set_msr(&records[i], MSR_IA32_VMX_TRUE_EXIT_CTLS,
                0x01FFFFFF00036DFB & ~((BIT(12) | BIT(19)) << 32));
    assert_lacks(HYPERVISOR_KVM,
                 "both or neither of \"load IA32_PERF_GLOBAL_CTRL\" and "
                 "\"load IA32_PERF_GLOBAL_CTRL\" (VM-entry and VM-exit control)");
    assert_named(REQUIREMENT_MISSING, "both or neither of \"load IA32_PAT\"");
    assert_named(REQUIREMENT_MET, "both or neither of \"load IA32_EFER\"");
    for (size_t i = 0; i < 2; i++)
        set_msr(&records[i], MSR_IA32_VMX_TRUE_ENTRY_CTLS,
                0x0003FFFF000011FB & ~((BIT(13) | BIT(14)) << 32));
    assert_runs(HYPERVISOR_KVM);
    for (size_t i = 0; i < 2; i++)
        set_msr(&records[i], MSR_IA32_VMX_PROCBASED_CTLS2, 0x005FBCDD00000000);
    assert_lacks(HYPERVISOR_KVM,
                 "\"enable EPT\" (secondary control, as IA32_VMX_EPT_VPID_CAP has EPT)");
    assert_named(
        REQUIREMENT_MISSING,
        "\"enable VPID\" (secondary control, as IA32_VMX_EPT_VPID_CAP has VPID)");
    /* Without suitable EPT, KVM requires NX. */
    records_load(&core_i7_6700k);
    records[0].cpuid.leaf_80000001.edx &= ~(uint32_t)BIT(20);
    assert_runs(HYPERVISOR_KVM);
    set_msr(&records[0], MSR_IA32_VMX_EPT_VPID_CAP, 0x00000F0102734141);
    set_msr(&records[1], MSR_IA32_VMX_EPT_VPID_CAP, 0x00000F0102734141);
    assert_lacks(HYPERVISOR_KVM, "NX (execute disable) (without EPT)");
}

/* VirtualBox's requirements without EPT and without a TPR shadow. */
static void test_substitutes(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    assert_runs(HYPERVISOR_VIRTUALBOX);
    assert_null(strstr(named[REQUIREMENT_MET], "without EPT"));
    assert_named(REQUIREMENT_MET, "\"INVEPT\" (IA32_VMX_EPT_VPID_CAP, for EPT)");
    for (size_t i = 0; i < 2; i++) {
        set_msr(&records[i], MSR_IA32_VMX_PROCBASED_CTLS2, 0);
        set_msr(&records[i], MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
                0xFFF9FFFE04006172 & ~((BIT(9) | BIT(20) | BIT(21)) << 32));
    }
    assert_lacks(HYPERVISOR_VIRTUALBOX,
                 "\"INVLPG exiting\" (primary control, without EPT)");
    assert_named(REQUIREMENT_MISSING,
                 "\"CR8-store exiting\" (primary control, without TPR shadow)");
    assert_named(REQUIREMENT_MET, "\"CR3-load exiting\" (primary control, without EPT)");
}

/* Requirements only for processors with the instruction, or with wide addresses. */
static void test_conditional(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    records[0].cpuid.leaf_7.ecx = records[1].cpuid.leaf_7.ecx = 0;
    assert_runs(HYPERVISOR_JAILHOUSE);
    records[0].cpuid.leaf_7.ecx = BIT(5); /* on any CPU */
    assert_lacks(HYPERVISOR_JAILHOUSE,
                 "\"enable user wait and pause\" (secondary control, for UMWAIT)");
    records[0].cpuid.leaf_d_1.eax = records[1].cpuid.leaf_d_1.eax = 0xF;
    assert_lacks(HYPERVISOR_JAILHOUSE, "\"enable user wait and pause\"");
    assert_named(REQUIREMENT_MET,
                 "\"enable XSAVES/XRSTORS\" (secondary control, for XSAVES)");
    set_msr(&records[1], MSR_IA32_VMX_EXIT_CTLS, 0x01FFFFFF00036FFF);
    set_msr(&records[1], MSR_IA32_VMX_TRUE_EXIT_CTLS, 0x01FFFFFF00036FFB);
    assert_lacks(HYPERVISOR_ACRN, "0 for \"host address-space size\" (VM-exit control)");
    records_load(&core_i7_6700k);
    vmx_record_of(&records[1])->misc_enable = reading_of(0x850088);
    assert_lacks(HYPERVISOR_ACRN, "fast strings");
    vmx_record_of(&records[1])->misc_enable = (struct msr_reading){.state = MSR_FAULTED};
    assert_open(HYPERVISOR_ACRN, "fast strings (IA32_MISC_ENABLE)");
    records_load(&core_i7_6700k);
    for (size_t i = 0; i < 2; i++)
        records[i].cpuid.leaf_80000001.edx &= ~(uint32_t)BIT(26);
    records[1].cpuid.leaf_80000008.eax = 39;
    assert_runs(HYPERVISOR_ACRN);
    records[1].cpuid.leaf_80000008.eax = 40; /* on any CPU */
    assert_lacks(HYPERVISOR_ACRN, "1-GByte pages (for addresses of more than 39 bits)");
}

/* Different cores: some hypervisors require equal ones, others use the common set. */
static void test_different_cores(void **state)
{
    (void)state;
    records_load(&lakefield_performance);
    records[1] = record_of_machine(&lakefield_efficient);
    assert_lacks(HYPERVISOR_KVM, /* VMM bus-lock detection */
                 "IA32_VMX_PROCBASED_CTLS2 (the same on all CPUs)");
    assert_runs(HYPERVISOR_NOVA);
    /* Neither KVM nor Xen uses bits 21 to 23 and 27 to 29. */
    set_msr(&records[1], MSR_IA32_VMX_PROCBASED_CTLS2,
            record_msr(&records[0], MSR_IA32_VMX_PROCBASED_CTLS2).value ^
                UINT64_C(0x38E00000) << 32);
    assert_runs(HYPERVISOR_KVM);
    assert_runs(HYPERVISOR_XEN);
    set_msr(&records[1], MSR_IA32_VMX_PROCBASED_CTLS2, 0);
    assert_lacks(HYPERVISOR_KVM, "IA32_VMX_PROCBASED_CTLS2 (the same on all CPUs)");
    assert_lacks(HYPERVISOR_XEN,
                 "IA32_VMX_PROCBASED_CTLS2 (the same on all CPUs, else offline)");
    assert_lacks(HYPERVISOR_NOVA, "\"enable EPT\"");
    set_msr(&records[1], MSR_IA32_VMX_BASIC, 0x00DB050000000013);
    assert_lacks(HYPERVISOR_KVM, "0 for \"addresses limited to 32 bits\"");
    set_msr(&records[1], MSR_IA32_VMX_BASIC, 0x00C2050000000013);
    assert_lacks(HYPERVISOR_KVM, "write-back VMCSs");
    set_msr(&records[0], MSR_IA32_VMX_BASIC, 0x00DA100000000013);
    set_msr(&records[1], MSR_IA32_VMX_BASIC, 0x00DA100000000013);
    assert_runs(HYPERVISOR_VIRTUALBOX);
    set_msr(&records[1], MSR_IA32_VMX_BASIC, 0x00DA140000000013);
    assert_lacks(HYPERVISOR_VIRTUALBOX, "VMCSs of 4096 bytes at most");
}

/* Without VMX's MSRs nothing is known about them; the verdict has the reason. */
static void test_without_vmx(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    facts.verdict = VERDICT_LOCKED_OFF;
    for (size_t i = 0; i < 2; i++)
        records[i].judgement.word = VERDICT_LOCKED_OFF;
    for (enum hypervisor i = HYPERVISOR_HYMIR; i < HYPERVISOR_COUNT; i++)
        assert_lacks(i, i == HYPERVISOR_HYMIR
                            ? "VT-x that works on a CPU (the verdict)"
                            : "VT-x that works on all CPUs (the verdict)");
    facts.verdict = VERDICT_NO_VIRTUALIZATION;
    for (size_t i = 0; i < 2; i++) {
        remove_vmx(&records[i]);
        verdict_judge_cpu(&records[i]);
    }
    assert_lacks(HYPERVISOR_KVM, "VT-x that works on all CPUs (the verdict); ");
    assert_string_equal(named[REQUIREMENT_MISSING],
                        "VT-x that works on all CPUs (the verdict); ");
    assert_named(REQUIREMENT_UNKNOWN, "\"NMI exiting\" (pin-based control)");
    assert_named(REQUIREMENT_MET, "FXSAVE");
    facts.verdict     = VERDICT_FAILED;
    records[0].answer = records[1].answer = CPU_NO_ANSWER;
    assert_open(HYPERVISOR_ACRN, "VT-x that works on all CPUs (a CPU did not answer)");
    assert_named(REQUIREMENT_UNKNOWN, "SMEP");
    assert_named(REQUIREMENT_UNKNOWN, "CPUID leaf 0x15");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),     cmocka_unit_test(test_own_guests),
        cmocka_unit_test(test_pairs),       cmocka_unit_test(test_substitutes),
        cmocka_unit_test(test_modern),      cmocka_unit_test(test_old),
        cmocka_unit_test(test_conditional), cmocka_unit_test(test_different_cores),
        cmocka_unit_test(test_without_vmx),

    };
    return cmocka_run_group_tests_name("hypervisors", tests, NULL, NULL);
}
