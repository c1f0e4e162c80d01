/* src/report/hypervisors.c: requirements other than VT-x. */
#include "hypervisors.h"

/* Requirements besides VT-x. */
static void test_machine(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    iommus.vt_d = (struct iommu_table){0};
    assert_lacks(HYPERVISOR_JAILHOUSE, "VT-d (an ACPI table DMAR)");
    assert_lacks(HYPERVISOR_ACRN, "VT-d");
    assert_runs(HYPERVISOR_KVM);
    facts.has_acpi = false;
    assert_open(HYPERVISOR_JAILHOUSE, "VT-d");
    facts.ram_bytes = (UINT64_C(7680) << 20) - 1;
    assert_lacks(HYPERVISOR_ESXI, "8 GiB of memory");
    facts.ram_bytes = 0;
    assert_open(HYPERVISOR_ESXI, "8 GiB of memory");
    records_load(&core_i7_6700k);
    facts.count = 1;
    assert_lacks(HYPERVISOR_ESXI, "two CPUs");
    facts.unseen = "other CPUs were not checked (nosmp)";
    assert_open(HYPERVISOR_ESXI, "two CPUs (other CPUs were not checked (nosmp))");
    assert_open(HYPERVISOR_KVM, "IA32_VMX_BASIC (the same on all CPUs)");
    assert_named(REQUIREMENT_UNKNOWN,
                 "VT-x that works on all CPUs (other CPUs were not checked (nosmp))");
    assert_open(HYPERVISOR_HYPER_V, "CPUID.00H:EBX (the same on all CPUs)");
    assert_runs(HYPERVISOR_HYMIR); /* on the boot CPU */
    facts.count  = 2;
    facts.unseen = NULL;
    assert_runs(HYPERVISOR_KVM);
    facts.unseen = "other CPUs were not checked (nosmp)";
    assert_open(HYPERVISOR_XEN, "IA32_VMX_BASIC (the same on all CPUs, else");
    records[1].cpuid.leaf_1.ecx = 0;
    assert_lacks(HYPERVISOR_ESXI, "XSAVE");
    assert_lacks(HYPERVISOR_ACRN, "TSC deadline");
    records[1].cpuid.leaf_80000001.edx = 0;
    assert_lacks(HYPERVISOR_XEN, "long mode");
    assert_lacks(HYPERVISOR_NOVA, "NX");
}

/* A CPU that never answered is unknown, one that hung in the check is not. */
static void test_unanswered(void **state)
{
    static const enum cpu_answer silent[] = {CPU_NO_ANSWER, CPU_NOT_ADDRESSED};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
        records_load(&core_i7_6700k);
        records[1] = (struct cpu_record){.virtualization = &vt_x, .answer = silent[i]};
        verdict_judge_cpu(&records[1]);
        facts.verdict = VERDICT_MIXED;
        for (enum hypervisor j = HYPERVISOR_KVM; j < HYPERVISOR_COUNT; j++)
            assert_open(j, "VT-x that works on all CPUs (a CPU did not answer)");
        assert_named(REQUIREMENT_MET, "\"enable EPT\"");
        assert_runs(HYPERVISOR_HYMIR);
    }
    records[1].answer = CPU_DID_NOT_FINISH;
    assert_lacks(HYPERVISOR_KVM, "VT-x that works on all CPUs (the verdict)");
    assert_runs(HYPERVISOR_HYMIR);
}

/* Hyper-V compares parts of CPUID; steppings may differ. */
static void test_hyper_v(void **state)
{
    static const struct {
        size_t reg;
        uint32_t bits;
        const char *name; /* or NULL: not compared */
    } cases[] = {
        {offsetof(struct cpuid_snapshot, leaf_1.eax), 0xF000C00F, NULL},
        {offsetof(struct cpuid_snapshot, leaf_1.eax), 0x0FFF3FF0,
         "family, model and type (CPUID.01H:EAX) (the same on all CPUs)"},
        {offsetof(struct cpuid_snapshot, leaf_0.ebx), 0xFFFFFFFF, "CPUID.00H:EBX"},
        {offsetof(struct cpuid_snapshot, leaf_0.ecx), 0xFFFFFFFF, "CPUID.00H:ECX"},
        {offsetof(struct cpuid_snapshot, leaf_0.edx), 0xFFFFFFFF, "CPUID.00H:EDX"},
        {offsetof(struct cpuid_snapshot, leaf_1.ebx), 0xFF0000FF, NULL},
        {offsetof(struct cpuid_snapshot, leaf_1.ebx), 0x0000FF00, "CLFLUSH line size"},
        {offsetof(struct cpuid_snapshot, leaf_1.ebx), 0x00FF0000,
         "logical processors in a package"},
        {offsetof(struct cpuid_snapshot, leaf_1.ecx), 0x7BFFFFDF, NULL},
        {offsetof(struct cpuid_snapshot, leaf_1.ecx), 0x04000000, "XSAVE"},
        {offsetof(struct cpuid_snapshot, leaf_80000001.eax), 0xF000C00F, NULL},
        {offsetof(struct cpuid_snapshot, leaf_80000001.eax), 0x0FFF3FF0,
         "CPUID.80000001H:EAX"},
        {offsetof(struct cpuid_snapshot, leaf_80000001.ebx), 0x0FFF0000, NULL},
        {offsetof(struct cpuid_snapshot, leaf_80000001.ebx), 0xF000FFFF,
         "CPUID.80000001H:EBX"},
        {offsetof(struct cpuid_snapshot, leaf_1.edx), 0xF8740400, NULL},
        {offsetof(struct cpuid_snapshot, leaf_1.edx), 0x078BFBFF,
         "VME, DE, PSE and the like (CPUID.01H:EDX)"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (uint32_t bits = cases[i].bits; bits != 0; bits &= bits - 1) {
            records_load(&core_i7_6700k);
            *(uint32_t *)(void *)((char *)&records[1].cpuid + cases[i].reg) ^=
                bits & -bits;
            if (cases[i].name == NULL)
                assert_runs(HYPERVISOR_HYPER_V);
            else
                assert_lacks(HYPERVISOR_HYPER_V, cases[i].name);
        }
    }
    records_load(&core_i7_6700k);
    records[1].cpuid.leaf_80000008.eax = 0x3930;
    assert_runs(HYPERVISOR_HYPER_V);
    records[1].cpuid.leaf_80000008.eax = 0x3931;
    assert_open(HYPERVISOR_HYPER_V, "physical addresses of 48 bits at most");
    records_load(&core_i7_6700k);
    set_hypervisor(&records[0], "Microsoft Hv");
    assert_open(HYPERVISOR_HYPER_V, "no hypervisor below (the document is of 2013)");
}

/* Requirements for each VT-d unit. */
static void test_vt_d(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    iommus.vt_d.unit[1].extended_capability &= ~VT_D_ECAP_INTERRUPT_REMAPPING;
    assert_lacks(HYPERVISOR_JAILHOUSE, "interrupt remapping (VT-d)");
    assert_lacks(HYPERVISOR_ACRN, "interrupt remapping (VT-d)");
    records_load(&core_i7_6700k);
    iommus.vt_d.unit[0].extended_capability &= ~VT_D_ECAP_EXTENDED_INTERRUPT_MODE;
    iommus.vt_d.unit[0].capability &= ~VT_D_CAP_PAGES_1_GIB;
    assert_runs(HYPERVISOR_JAILHOUSE);
    assert_lacks(HYPERVISOR_ACRN, "extended interrupt mode (VT-d)");
    assert_named(REQUIREMENT_MISSING, "1-GByte pages (VT-d)");
    iommus.vt_d.unit[0].version = 0x0F;
    assert_lacks(HYPERVISOR_JAILHOUSE, "version 1.0 (VT-d)");
}

/* Jailhouse uses 39 bits of each unit or, without them, 48, and all must be alike. */
static void test_vt_d_width(void **state)
{
    static const uint64_t narrow = VT_D_CAP_39_BITS, wide = VT_D_CAP_48_BITS;
    const struct {
        uint64_t first, second;
        bool is_met;
    } cases[] = {
        {narrow, narrow, true},
        {wide, wide, true},
        {narrow | wide, narrow, true},
        {narrow, narrow | wide, true},
        {wide, narrow, false},
        {narrow | wide, wide, false},
        {0, 0, false},
        {0, wide, false},
        {wide, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        records_load(&core_i7_6700k);
        iommus.vt_d.unit[0].capability = cases[i].first;
        iommus.vt_d.unit[1].capability = cases[i].second;
        if (cases[i].is_met)
            assert_runs(HYPERVISOR_JAILHOUSE);
        else
            assert_lacks(HYPERVISOR_JAILHOUSE, "39 bits of address or else 48");
    }
}

/* Units that do not respond, or that were not examined. */
static void test_vt_d_silent(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    iommus.vt_d.unit[0] = (struct iommu_unit){.address = 0xFED90000};
    assert_lacks(HYPERVISOR_JAILHOUSE, "VT-d units that answer (an ACPI table DMAR)");
    assert_named(REQUIREMENT_UNKNOWN, "queued invalidation (VT-d)");
    assert_named(REQUIREMENT_UNKNOWN, "39 bits of address or else 48");
    iommus.vt_d.unit[1].extended_capability = 0; /* of the one that responds */
    assert_lacks(HYPERVISOR_JAILHOUSE, "queued invalidation (VT-d)");
    records_load(&core_i7_6700k);
    iommus.vt_d.dropped = 1;
    assert_open(HYPERVISOR_JAILHOUSE, "VT-d units that answer");
    assert_named(REQUIREMENT_UNKNOWN, "queued invalidation (VT-d)");
    iommus.vt_d.dropped   = 0;
    iommus.vt_d.is_broken = true;
    assert_open(HYPERVISOR_ACRN, "VT-d units that answer");
    iommus.vt_d = (struct iommu_table){.exists = true};
    assert_lacks(HYPERVISOR_JAILHOUSE, "VT-d units that answer");
    assert_null(strstr(named[REQUIREMENT_MET], "queued"));
    assert_null(strstr(named[REQUIREMENT_UNKNOWN], "queued"));
}

/* IA32_FEATURE_CONTROL left unlocked by nolock: some hypervisors lock it themselves. */
static void test_unlocked(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    records[1].judgement.word                   = VERDICT_UNLOCKED;
    vmx_record_of(&records[1])->feature_control = reading_of(0);
    facts.verdict                               = VERDICT_MIXED;
    assert_runs(HYPERVISOR_KVM); /* which locks each CPU itself, as Xen does */
    assert_runs(HYPERVISOR_XEN);
    assert_runs(HYPERVISOR_HYMIR);
    records[0].judgement.word                   = VERDICT_UNLOCKED;
    vmx_record_of(&records[0])->feature_control = reading_of(0);
    facts.verdict                               = VERDICT_UNLOCKED;
    assert_runs(HYPERVISOR_KVM);
    assert_lacks(HYPERVISOR_HYMIR, "VT-x that works on a CPU (the verdict)");
    assert_open(HYPERVISOR_HYPER_V, "IA32_FEATURE_CONTROL locked by firmware");
    assert_open(HYPERVISOR_ESXI,
                "IA32_FEATURE_CONTROL locked by firmware (its document does not say)");
    assert_lacks(HYPERVISOR_NOVA, "IA32_FEATURE_CONTROL set and locked by firmware");
    assert_runs(HYPERVISOR_JAILHOUSE);
    vmx_record_of(&records[1])->feature_control = reading_of(1);
    assert_lacks(HYPERVISOR_JAILHOUSE, "IA32_FEATURE_CONTROL set or unlocked");
    vmx_record_of(&records[0])->feature_control = reading_of(5);
    vmx_record_of(&records[1])->feature_control = reading_of(NONE);
    assert_open(HYPERVISOR_NOVA, "IA32_FEATURE_CONTROL set and locked by firmware");
    assert_open(HYPERVISOR_JAILHOUSE, "IA32_FEATURE_CONTROL set or unlocked");
    /* The known facts are sufficient. */
    vmx_record_of(&records[0])->feature_control = reading_of(1);
    assert_lacks(HYPERVISOR_JAILHOUSE, "IA32_FEATURE_CONTROL set or unlocked");
    records[1].judgement.word = VERDICT_LOCKED_OFF;
    assert_lacks(HYPERVISOR_KVM, "VT-x that works on all CPUs");
    records_load(&core_i7_6700k);
    records[0].cpuid.leaf_0.eax = 0xD;
    assert_lacks(HYPERVISOR_ACRN, "CPUID leaf 0x15");
    assert_runs(HYPERVISOR_HYPER_V);
    records[0].cpuid.leaf_0.eax = records[1].cpuid.leaf_0.eax = 4;
    assert_runs(HYPERVISOR_HYPER_V);
    records[0].cpuid.leaf_0.eax = 3;
    assert_lacks(HYPERVISOR_HYPER_V, "CPUID leaf 0x4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine),    cmocka_unit_test(test_vt_d),
        cmocka_unit_test(test_unanswered), cmocka_unit_test(test_hyper_v),
        cmocka_unit_test(test_vt_d_width), cmocka_unit_test(test_vt_d_silent),
        cmocka_unit_test(test_unlocked),
    };
    return cmocka_run_group_tests_name("hypervisors_machine", tests, NULL, NULL);
}
