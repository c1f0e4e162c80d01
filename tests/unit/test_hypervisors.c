/* src/report/hypervisors.c and surroundings.c: what can run where, and what is missing.
 */
#include "machines.h"

#include "report/hypervisors.h"
#include "report/surroundings.h"

static struct vmx_record records[2];
static struct report_facts facts;
static char missing[2048];

static void use(const struct machine_msrs *machine)
{
    for (size_t i = 0; i < 2; i++) {
        records[i]         = record_of_machine(machine);
        records[i].apic_id = (uint32_t)i;
        /* All that is asked of CPUID. */
        records[i].before.cpuid.leaf_1.ecx |= (uint32_t)(BIT(21) | BIT(24) | BIT(26));
        records[i].before.cpuid.leaf_80000007.edx = 0x100;
    }
    facts = (struct report_facts){
        .machine   = "test",
        .ram_bytes = UINT64_C(16) << 30,
        .has_acpi  = true,
        .has_vt_d  = true,
        .records   = records,
        .count     = 2,
        .verdict   = VERDICT_READY,
    };
}

static void append(const char *name, void *context)
{
    strcat(context, name);
    strcat(context, "; ");
}

static bool can_run(enum hypervisor hypervisor)
{
    struct hypervisor_question question;

    missing[0] = '\0';
    hypervisor_ask(&facts, &question);
    bool result = hypervisor_can_run(hypervisor, &question, append, missing);
    assert_int_equal(result, missing[0] == '\0');
    return result;
}

static void assert_lacks(enum hypervisor hypervisor, const char *what)
{
    assert_false(can_run(hypervisor));
    if (strstr(missing, what) == NULL)
        fail_msg("not among \"%s\": %s", missing, what);
}

static void test_modern(void **state)
{
    (void)state;
    use(&core_i7_6700k);
    for (enum hypervisor i = HYPERVISOR_HYMIR; i < HYPERVISOR_COUNT; i++) {
        if (!can_run(i))
            fail_msg("%s lacks %s", hypervisor_name(i), missing);
        assert_true(strlen(hypervisor_source(i)) > 0);
    }
}

/* A Core 2: those that do with shadow paging run, the others say what they miss. */
static void test_old(void **state)
{
    (void)state;
    use(&core2_x6800);
    assert_true(can_run(HYPERVISOR_KVM));
    assert_true(can_run(HYPERVISOR_XEN));
    assert_lacks(HYPERVISOR_HYPER_V, "\"enable EPT\" (secondary control)");
    assert_lacks(HYPERVISOR_BHYVE, "0 for \"CR3-load exiting\" (primary control)");
    assert_lacks(HYPERVISOR_JAILHOUSE, "\"default1 controls may be 0 (TRUE)\"");
    assert_lacks(HYPERVISOR_JAILHOUSE, "one of \"INVEPT: single-context\"");
    assert_lacks(HYPERVISOR_NOVA, "\"unrestricted guest\" (secondary control)");
    assert_lacks(HYPERVISOR_HYMIR, "\"unrestricted guest\" (secondary control)");
}

/* What each demands beside VT-x. */
static void test_machine(void **state)
{
    (void)state;
    use(&core_i7_6700k);
    facts.has_vt_d = false;
    assert_lacks(HYPERVISOR_JAILHOUSE, "VT-d");
    assert_lacks(HYPERVISOR_ACRN, "VT-d");
    assert_true(can_run(HYPERVISOR_KVM));
    facts.ram_bytes = UINT64_C(4) << 30;
    assert_lacks(HYPERVISOR_ESXI, "8 GiB of memory");
    facts.count = 1;
    assert_lacks(HYPERVISOR_ESXI, "a second CPU that was checked");
    facts.count                        = 2;
    records[1].before.cpuid.leaf_1.ecx = 0;
    assert_lacks(HYPERVISOR_ESXI, "XSAVE");
    assert_lacks(HYPERVISOR_ACRN, "TSC deadline");
    records[1].before.cpuid.leaf_80000001.edx = 0;
    assert_lacks(HYPERVISOR_XEN, "long mode");
    assert_lacks(HYPERVISOR_NOVA, "NX");
}

/* What Jailhouse demands only of a processor that has the instruction. */
static void test_conditional(void **state)
{
    (void)state;
    use(&core_i7_6700k);
    records[0].before.cpuid.leaf_7.ecx = records[1].before.cpuid.leaf_7.ecx = 0;
    assert_true(can_run(HYPERVISOR_JAILHOUSE));
    records[0].before.cpuid.leaf_7.ecx = records[1].before.cpuid.leaf_7.ecx = BIT(5);
    assert_lacks(HYPERVISOR_JAILHOUSE,
                 "\"enable user wait and pause\" (secondary control)");
    set_msr(&records[1], MSR_IA32_VMX_EXIT_CTLS, 0x01FFFFFF00036FFF);
    set_msr(&records[1], MSR_IA32_VMX_TRUE_EXIT_CTLS, 0x01FFFFFF00036FFB);
    assert_lacks(HYPERVISOR_ACRN, "0 for \"host address-space size\" (VM-exit control)");
}

/* Cores that differ: those that want all alike refuse, with the usable set for the
 * others. */
static void test_unlike(void **state)
{
    (void)state;
    use(&lakefield_performance);
    records[1] = record_of_machine(&lakefield_efficient);
    assert_lacks(HYPERVISOR_KVM, "the same VMX MSRs on all CPUs");
    assert_lacks(HYPERVISOR_XEN, "the same VMX MSRs on all CPUs");
    assert_true(can_run(HYPERVISOR_NOVA));
    set_msr(&records[1], MSR_IA32_VMX_PROCBASED_CTLS2, 0);
    assert_lacks(HYPERVISOR_NOVA, "\"enable EPT\"");
    set_msr(&records[1], MSR_IA32_VMX_BASIC, 0x00DB050000000013);
    assert_lacks(HYPERVISOR_KVM, "0 for \"addresses limited to 32 bits\"");
    set_msr(&records[1], MSR_IA32_VMX_BASIC, 0x00C2050000000013);
    assert_lacks(HYPERVISOR_KVM, "write-back VMCSs");
}

static void test_without_vmx(void **state)
{
    (void)state;
    use(&core_i7_6700k);
    facts.verdict = VERDICT_LOCKED_OFF;
    for (enum hypervisor i = HYPERVISOR_HYMIR; i < HYPERVISOR_COUNT; i++)
        assert_lacks(i, "VT-x that works");
}

/* What Hymir is told to leave open, others open themselves, or not. */
static void test_unlocked(void **state)
{
    (void)state;
    use(&core_i7_6700k);
    facts.verdict                     = VERDICT_UNLOCKED;
    records[0].before.feature_control = records[1].before.feature_control = reading_of(0);
    assert_true(can_run(HYPERVISOR_KVM));
    assert_lacks(HYPERVISOR_HYMIR, "nolock");
    assert_lacks(HYPERVISOR_NOVA, "IA32_FEATURE_CONTROL set and locked by firmware");
    assert_lacks(HYPERVISOR_JAILHOUSE, "IA32_FEATURE_CONTROL");
    facts.verdict = VERDICT_MIXED;
    assert_lacks(HYPERVISOR_KVM, "VT-x on all CPUs");
    use(&core_i7_6700k);
    records[0].before.cpuid.leaf_0.eax = 0xD;
    assert_lacks(HYPERVISOR_ACRN, "CPUID has too few leaves");
    assert_true(can_run(HYPERVISOR_HYPER_V));
}

static void assert_surrounded(enum surrounding surrounding, const char *expected)
{
    TEXT_DECLARE(text, 256);
    surrounding_describe(surrounding, &facts, &text);
    if (strstr(text.buffer, expected) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", text.buffer, expected);
}

static void test_surroundings(void **state)
{
    (void)state;
    use(&core_i7_6700k);
    assert_surrounded(SURROUNDING_VT_D, "present");
    assert_surrounded(SURROUNDING_MULTIHIT, "possible: no IA32_ARCH_CAPABILITIES");
    assert_surrounded(SURROUNDING_L1TF, "has IA32_FLUSH_CMD");
    assert_surrounded(SURROUNDING_SGX, "not enabled in IA32_FEATURE_CONTROL (0x5)");
    assert_surrounded(SURROUNDING_ADDRESS_WIDTH, "39 bits");
    assert_surrounded(SURROUNDING_HYPERVISOR, "none around Hymir");
    use(&core_i7_1065g7); /* IA32_ARCH_CAPABILITIES = 0x2b: RDCL_NO, MDS_NO */
    assert_surrounded(SURROUNDING_L1TF, "not affected (IA32_ARCH_CAPABILITIES = 0x2b)");
    assert_surrounded(SURROUNDING_MDS, "not affected");
    assert_surrounded(SURROUNDING_MULTIHIT, "possible (IA32_ARCH_CAPABILITIES = 0x2b)");
    use(&core_i9_12900k); /* 0xd6b: also IF_PSCHANGE_MC_NO */
    assert_surrounded(SURROUNDING_MULTIHIT, "not affected");
    facts.has_vt_d = false;
    assert_surrounded(SURROUNDING_VT_D, "no DMAR table; see VT-d in the firmware setup");
    facts.has_acpi = false;
    assert_surrounded(SURROUNDING_VT_D, "unknown");
    set_hypervisor(&records[0], "KVMKVMKVM\0\0");
    assert_surrounded(SURROUNDING_HYPERVISOR, "KVM (KVMKVMKVM): each exit");
    records[0].before.cpuid.leaf_1.ecx |= (uint32_t)CPUID_1_ECX_SMX;
    records[0].before.feature_control = reading_of(0xFF07);
    assert_surrounded(SURROUNDING_SMX, "yes");
    assert_surrounded(SURROUNDING_TXT, "enabled in IA32_FEATURE_CONTROL (0xff07)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modern),      cmocka_unit_test(test_old),
        cmocka_unit_test(test_machine),     cmocka_unit_test(test_unlocked),
        cmocka_unit_test(test_conditional), cmocka_unit_test(test_unlike),
        cmocka_unit_test(test_without_vmx), cmocka_unit_test(test_surroundings),
    };
    return cmocka_run_group_tests_name("hypervisors", tests, NULL, NULL);
}
