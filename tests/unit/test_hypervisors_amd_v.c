/* src/report/amd_v_requirements.c: which hypervisors run on a machine with AMD-V. */
#include "hypervisors.h"

/* All that support AMD-V run, and no requirement of VT-x is named. */
static void test_all(void **state)
{
    (void)state;
    for (enum hypervisor i = HYPERVISOR_HYMIR; i < HYPERVISOR_COUNT; i++) {
        records_load_amd();
        if (i == HYPERVISOR_ACRN)
            assert_lacks(i, "VT-x (CPUID.01H:ECX)");
        else if (i == HYPERVISOR_ESXI)
            assert_open(i, "the processor in VMware's compatibility guide (look it up)");
        else
            assert_runs(i);
        for (size_t j = 0; j < REQUIREMENT_STATES; j++) {
            assert_null(strstr(named[j], "VT-x that works"));
            assert_null(strstr(named[j], "control"));
            assert_null(strstr(named[j], "IA32_VMX"));
            assert_null(strstr(named[j], "IA32_FEATURE"));
        }
    }
}

/* The hypervisors that need a feature, on both CPUs, and those that do not. */
static void test_features(void **state)
{
    static const struct {
        enum svm_capability_group group;
        uint32_t bits;
        const char *name;
        unsigned int needed_by;
    } cases[] = {
        {GROUP_FEATURES, BIT(0), "\"nested paging\" (SVM feature)",
         BIT(HYPERVISOR_HYPER_V) | BIT(HYPERVISOR_ESXI) | BIT(HYPERVISOR_BHYVE) |
             BIT(HYPERVISOR_JAILHOUSE) | BIT(HYPERVISOR_NOVA)},
        {GROUP_FEATURES, BIT(3), "\"NRIP save\" (SVM feature)", BIT(HYPERVISOR_BHYVE)},
        {GROUP_FEATURES, 0x1BCF6, "SVM feature", 0}, /* all others */
        {GROUP_ASIDS, 0x8000, "two ASIDs (CPUID.8000000AH:EBX)", BIT(HYPERVISOR_BHYVE)},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (enum hypervisor j = HYPERVISOR_HYMIR; j < HYPERVISOR_COUNT; j++) {
            records_load_amd();
            svm_values(&records[1])[cases[i].group] &= ~cases[i].bits;
            if (j == HYPERVISOR_ACRN)
                continue;
            if ((cases[i].needed_by & BIT(j)) != 0)
                assert_lacks(j, cases[i].name);
            else if (j == HYPERVISOR_ESXI)
                assert_state(j, REQUIREMENT_UNKNOWN);
            else
                assert_runs(j);
        }
    }
}

/* KVM refuses brands, and requires NX even with nested paging, unlike with VT-x. */
static void test_kvm(void **state)
{
    (void)state;
    records_load_amd();
    set_vendor(&records[0], "HygonGenuine");
    set_vendor(&records[1], "HygonGenuine");
    assert_runs(HYPERVISOR_KVM);
    assert_named(REQUIREMENT_MET, "a processor of AMD or Hygon (CPUID.00H:EBX)");
    set_vendor(&records[1], "GenuineIntel");
    assert_lacks(HYPERVISOR_KVM, "a processor of AMD or Hygon (CPUID.00H:EBX)");
    assert_state(HYPERVISOR_BHYVE, REQUIREMENT_MET);
    records_load_amd();
    records[1].cpuid.leaf_80000001.edx &= ~(uint32_t)BIT(20);
    assert_lacks(HYPERVISOR_KVM, "NX (execute disable)");
}

/* Jailhouse needs AMD-Vi, with an SMI filter in all units; VT-d's units do not count. */
static void test_amd_vi(void **state)
{
    (void)state;
    records_load_amd();
    assert_runs(HYPERVISOR_JAILHOUSE);
    assert_named(REQUIREMENT_MET, "SMI filter (AMD-Vi)");
    iommus.amd_vi.unit[1].extended_features ^= BITS_MASK(17, 16); /* 10b */
    assert_lacks(HYPERVISOR_JAILHOUSE, "SMI filter (AMD-Vi)");
    iommus.amd_vi.is_broken = true;
    iommus.amd_vi.count     = 1;
    assert_open(HYPERVISOR_JAILHOUSE, "AMD-Vi units that answer (an ACPI table IVRS)");
    iommus.amd_vi.is_broken       = false;
    iommus.amd_vi.unit[0].answers = false;
    assert_lacks(HYPERVISOR_JAILHOUSE, "AMD-Vi units that answer (an ACPI table IVRS)");
    iommus = (struct iommus){.vt_d = {.exists = true, .count = 2, .unit = vt_d_units}};
    assert_lacks(HYPERVISOR_JAILHOUSE, "AMD-Vi (an ACPI table IVRS)");
    facts.has_acpi = false;
    assert_open(HYPERVISOR_JAILHOUSE, "AMD-Vi");
}

/* If AMD-V does not work, none runs; if no CPU offers it, its features are unknown. */
static void test_not_working(void **state)
{
    (void)state;
    for (enum hypervisor i = HYPERVISOR_KVM; i < HYPERVISOR_COUNT; i++) {
        records_load_amd();
        records[1].judgement.word = VERDICT_LOCKED_OFF;
        if (i == HYPERVISOR_ACRN)
            continue;
        assert_lacks(i, "AMD-V that works on all CPUs (the verdict)");
    }
    assert_state(HYPERVISOR_HYMIR, REQUIREMENT_MET); /* on the other CPU */
    for (size_t i = 0; i < 2; i++) {
        records[i].cpuid.leaf_80000001.ecx = 0;
        verdict_judge_cpu(&records[i]);
        assert_int_equal(records[i].judgement.word, VERDICT_NO_VIRTUALIZATION);
    }
    assert_lacks(HYPERVISOR_HYMIR, "AMD-V that works on a CPU (the verdict)");
    assert_named(REQUIREMENT_UNKNOWN, "nested paging that works (the trial)");
    assert_lacks(HYPERVISOR_NOVA, "AMD-V that works on all CPUs (the verdict)");
    assert_named(REQUIREMENT_UNKNOWN, "\"nested paging\" (SVM feature)");
}

/* Hymir's guests need a CPU on which nested paging works, whatever CPUID reports. */
static void test_own_guests(void **state)
{
    (void)state;
    records_load_amd();
    svm_values(&records[0])[SVM_NESTED_PAGING] = 0;
    assert_runs(HYPERVISOR_HYMIR);
    svm_values(&records[1])[SVM_NESTED_PAGING] = 0;
    assert_lacks(HYPERVISOR_HYMIR, "nested paging that works (the trial)");
    for (size_t i = 0; i < 2; i++) {
        svm_values(&records[i])[GROUP_FEATURES]    = 0;
        svm_values(&records[i])[SVM_NESTED_PAGING] = 1;
    }
    assert_runs(HYPERVISOR_HYMIR);
    records[1].judgement.word = records[0].judgement.word = VERDICT_LOCKED_OFF;
    assert_lacks(HYPERVISOR_HYMIR, "AMD-V that works on a CPU (the verdict)");
    assert_named(REQUIREMENT_UNKNOWN, "nested paging that works (the trial)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),         cmocka_unit_test(test_features),
        cmocka_unit_test(test_kvm),         cmocka_unit_test(test_amd_vi),
        cmocka_unit_test(test_not_working), cmocka_unit_test(test_own_guests),
    };
    return cmocka_run_group_tests_name("hypervisors_amd_v", tests, NULL, NULL);
}
