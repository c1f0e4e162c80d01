/* src/report/surroundings.c: platform features besides VT-x. */
#include "machines.h"

#include "surroundings.h"
#include "x86/vt_d.h"

static struct cpu_record records[2];
static struct iommus iommus;
static struct iommu_unit vt_d_units[2];

static void records_load(const struct machine_msrs *machine)
{
    for (size_t i = 0; i < 2; i++)
        records[i] = record_of_machine(machine);
    iommus.vt_d   = (struct iommu_table){.exists = true, .count = 2, .unit = vt_d_units};
    vt_d_units[0] = (struct iommu_unit){
        0xFED90000, 0x1C0000C40660462, 0x19E2FF0505E, 0x10, true, 0, 0, 0};
    vt_d_units[1] =
        (struct iommu_unit){0xFED91000, 0xD2008C40660462, 0xF050DA, 0x10, true, 0, 0, 0};
    facts = (struct report_facts){
        .machine  = "test",
        .has_acpi = true,
        .iommus   = &iommus,
        .records  = records,
        .count    = 2,
        .verdict  = VERDICT_READY,
    };
}

static void test_errata(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    assert_surrounded("itlb_multihit", "possible",
                      "possible (IA32_ARCH_CAPABILITIES not read)");
    assert_surrounded("l1tf", "possible", "IA32_FLUSH_CMD: yes");
    assert_surrounded("mds", "possible", "MD_CLEAR: yes");
    records_load(&core_i7_1065g7); /* IA32_ARCH_CAPABILITIES = 0x2b: RDCL_NO, MDS_NO */
    assert_surrounded("l1tf", "not affected",
                      "not affected (IA32_ARCH_CAPABILITIES = 0x2b)");
    assert_surrounded("mds", "not affected", "not affected");
    assert_surrounded("itlb_multihit", "possible",
                      "possible (IA32_ARCH_CAPABILITIES = 0x2b)");
    records_load(&core_i9_12900k); /* 0xd6b: also IF_PSCHANGE_MC_NO */
    assert_surrounded("itlb_multihit", "not affected", "not affected");
    records[1].arch_capabilities = reading_of(0x2B); /* all CPUs must exclude it */
    assert_surrounded("itlb_multihit", "possible", "possible");
    assert_surrounded("mds", "not affected", "not affected");
    records[1].answer = CPU_NO_ANSWER; /* except those that did not answer */
    assert_surrounded("itlb_multihit", "not affected", "not affected");
    records[1].answer            = CPU_ANSWERED;
    records[1].arch_capabilities = reading_of(NONE);
    assert_surrounded("mds", "possible", "possible (IA32_ARCH_CAPABILITIES not read)");
    records_load(&core_i7_6700k);
    records[0].arch_capabilities = records[1].arch_capabilities = reading_of(BIT(3));
    assert_surrounded("l1tf", "possible", "; IA32_FLUSH_CMD: not needed on VM entry");
    assert_true(surrounding_applies(surroundings, &facts));
    records[0] = record_before(&ryzen);
    assert_surrounded("itlb_multihit", "not affected", "not affected (an AMD processor)");
    assert_surrounded("l1tf", "not affected", "an AMD processor");
    assert_surrounded("mds", "not affected", "an AMD processor");
}

static void test_vt_d(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    assert_surrounded("vt_d", "yes",
                      "ACPI's DMAR table lists 2 units; interrupt remapping: yes; "
                      "translation: off");
    iommus.vt_d.unit[1].status = 0x82000000;
    assert_surrounded("vt_d", "yes",
                      "2 units; interrupt remapping: yes (on); "
                      "translation: on");
    iommus.vt_d.unit[1].status              = 0;
    iommus.vt_d.unit[0].extended_capability = 0;
    assert_surrounded("vt_d", "yes", "2 units; interrupt remapping: no");
    iommus.vt_d.unit[0].extended_capability = VT_D_ECAP_INTERRUPT_REMAPPING;
    iommus.vt_d.unit[1].extended_capability = 0;
    assert_surrounded("vt_d", "yes", "2 units; interrupt remapping: no");
    iommus.vt_d.unit[1].answers = false;
    iommus.vt_d.is_broken       = true;
    assert_surrounded("vt_d", "yes",
                      "2 units; the next entry is malformed; responding: 1");
    vt_d_units[0].answers = false;
    iommus.vt_d = (struct iommu_table){.exists = true, .count = 1, .unit = vt_d_units};
    assert_surrounded("vt_d", "no", "lists 1 unit; responding: 0");
    iommus.vt_d.dropped = 3;
    assert_surrounded("vt_d", "no", "lists 1 unit and 3 more; responding: 0");
    iommus.vt_d = (struct iommu_table){.exists = true};
    assert_surrounded("vt_d", "no", "lists 0 units");
    iommus.vt_d = (struct iommu_table){0};
    assert_surrounded("vt_d", "no",
                      "no valid DMAR table; enable VT-d in the firmware setup");
    set_vendor(&records[0], "AuthenticAMD");
    assert_surrounded("vt_d", "no", "ACPI has no valid DMAR table");
    assert_surrounded("amd_vi", "no",
                      "table; enable IOMMU (AMD-Vi) in the firmware setup");
    facts.has_acpi = false;
    assert_surrounded("vt_d", "unknown", "unknown");
}

static void test_amd_vi(void **state)
{
    (void)state;
    static struct iommu_unit units[2];
    records_load(&core_i7_6700k);
    for (size_t i = 0; i < 2; i++)
        units[i] = (struct iommu_unit){
            .address = 0xF2600000, .answers = true, .extended_features = BIT(63) | 0x84};
    iommus.amd_vi = (struct iommu_table){.exists = true, .count = 2, .unit = units};
    assert_surrounded("amd_vi", "yes",
                      "ACPI's IVRS table lists 2 units; x2APIC: yes, AVIC: yes, "
                      "SEV-SNP: yes; translation: off");
    units[0].extended_features = BIT(7);
    units[1].extended_features = BIT(2);
    assert_surrounded("amd_vi", "yes", "x2APIC: no, AVIC: no, SEV-SNP: no");
    units[1].control = BIT(0) | BIT(12);
    assert_surrounded("amd_vi", "yes", "; translation: on");
    units[1].answers = false;
    assert_surrounded("amd_vi", "yes", "lists 2 units; responding: 1");
    iommus.amd_vi = (struct iommu_table){0};
    assert_surrounded("amd_vi", "no", "ACPI has no valid IVRS table");
    TEXT_DECLARE(state_word, SURROUNDING_STATE_SIZE);
    TEXT_DECLARE(text, 256);
    surroundings[1].describe(
        &(struct surrounding_query){&surroundings[1], &facts, &state_word, &text});
    assert_null(strstr(text.buffer, "enable"));
    facts.has_acpi = false;
    assert_surrounded("amd_vi", "unknown", "unknown: no ACPI tables");
}

/* The timer of guests: all processors but those with the erratum can use VT-x's. */
static void test_preemption_timer(void **state)
{
    (void)state;
    static const uint32_t broken[] = {0x106A0, 0x106A1, 0x106A4, 0x106A5, 0x106E5,
                                      0x20652, 0x20655, 0x206E6, 0x306A8};
    static const uint32_t others[] = {0x106E4, 0x20651, 0x206C2, 0x206A7, 0x306A9};
    records_load(&core_i7_6700k);
    const struct virtualization *virtualization = records[0].virtualization;
    uint32_t *signature                         = &records[0].cpuid.leaf_1.eax;
    assert_surrounded("preemption_timer", "usable", "usable");
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        *signature = broken[i] | 0xF000C000; /* reserved bits do not matter */
        assert_surrounded("preemption_timer", "erratum", "use the local APIC's timer");
        assert_true(virtualization->needs_apic_timer(&records[0]));
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        *signature = others[i];
        assert_surrounded("preemption_timer", "usable", "usable");
        assert_false(virtualization->needs_apic_timer(&records[0]));
    }
    vmx_record_of(&records[0])->capabilities.msr[1].value &= ~(BIT(6) << 32);
    assert_surrounded("preemption_timer", "absent", "not reported by the processor");
    records[0] = record_before(&ryzen);
    assert_surrounded("preemption_timer", "absent", "not reported by the processor");
}

/* Features that IA32_FEATURE_CONTROL governs. */
static void test_feature_control(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    struct vmx_record *own       = vmx_record_of(&records[0]);
    struct cpuid_snapshot *cpuid = &records[0].cpuid;
    assert_surrounded("sgx", "disabled", "not enabled in IA32_FEATURE_CONTROL (0x5)");
    own->feature_control = reading_of(0x40005);
    cpuid->leaf_7.ecx    = 0;
    assert_surrounded("sgx", "enabled", "(0x40005); no launch control");
    cpuid->leaf_7.ecx = BIT(30);
    assert_surrounded("sgx", "enabled", "launch control: by firmware");
    own->feature_control = reading_of(0x60005);
    assert_surrounded("sgx", "enabled", "launch control: by software");
    own->feature_control = reading_of(NONE);
    assert_surrounded("sgx", "unknown", "was not read");
    cpuid->leaf_7.ebx = ~(uint32_t)BIT(2);
    assert_surrounded("sgx", "absent", "not supported by the processor");

    cpuid->leaf_1.ecx |= (uint32_t)CPUID_1_ECX_SMX;
    own->feature_control = reading_of(0xFF07);
    assert_surrounded("smx", "yes", "yes");
    assert_surrounded("txt", "enabled",
                      "enabled in IA32_FEATURE_CONTROL (0xff07); SENTER functions 0x7f "
                      "of 0x7f enabled");
    cpuid->leaf_1.ecx &= ~(uint32_t)CPUID_1_ECX_SMX;
    assert_surrounded("smx", "no", "no");
    assert_surrounded("txt", "absent", "not supported by the processor");
}

static void test_others(void **state)
{
    (void)state;
    records_load(&core_i7_6700k);
    assert_surrounded("physical_address_width", "39", "39 bits");
    assert_surrounded("la57", "no", "no");
    records[0].cpuid.leaf_7.ecx |= BIT(16);
    assert_surrounded("la57", "yes", "yes");
    assert_surrounded("hypervisor", "none", "none detected");
    set_hypervisor(&records[0], "KVMKVMKVM\0\0");
    assert_surrounded("hypervisor", "KVMKVMKVM", "KVM (KVMKVMKVM): each exit");
    set_hypervisor(&records[0], "\0\0\0\0\0\0\0\0\0\0\0");
    assert_surrounded("hypervisor", "unknown",
                      "unknown (no signature): limitations unknown");
    facts.machine = "QEMU Standard PC (Q35 + ICH9, 2009)";
    assert_surrounded("hypervisor", "unknown", "KVM (no signature): each exit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errata),          cmocka_unit_test(test_vt_d),
        cmocka_unit_test(test_amd_vi),          cmocka_unit_test(test_preemption_timer),
        cmocka_unit_test(test_feature_control), cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests_name("surroundings", tests, NULL, NULL);
}
