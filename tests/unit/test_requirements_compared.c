/* src/report/vt_x_requirements.c: what KVM, Xen and Jailhouse compare between CPUs. */
#include "hypervisors.h"

/*
 * The bits of each VMX MSR in which two CPUs may not differ, typed from the sources in
 * docs/REFERENCES.md, for the processor of records_load, which has a TPR shadow, SGX and
 * VMWRITE to all fields, and lacks virtual-interrupt delivery. A control that must be 1
 * is set even if it is not used; whether it also may be 1, or one that is set must be,
 * does not matter.
 */
static const struct {
    const char *name;
    enum vmx_msr msr;
    uint64_t kvm, xen, jailhouse;
} cases[] = {
    {"IA32_VMX_BASIC", 0x480, UINT64_MAX, 0x00401FFF7FFFFFFF, 0},
    {"IA32_VMX_PINBASED_CTLS", 0x481, 0x00000069FFFFFF16, 0x00000029FFFFFF56, 0},
    {"IA32_VMX_PROCBASED_CTLS", 0x482, 0xFBFA1E8C04066173, 0xBABA068C45467973, 0},
    {"IA32_VMX_EXIT_CTLS", 0x483, 0x03FC9200FE036DFB, 0x00AC8200FF537DFF, 0},
    {"IA32_VMX_ENTRY_CTLS", 0x484, 0x0007E200FFFC1DFB, 0x0001C000FFFE3FFF, 0},
    {"IA32_VMX_MISC", 0x485, UINT64_MAX, 0, 0},
    {"IA32_VMX_CR0_FIXED0", 0x486, 0, 0, 0xFFFFFFFF7FFFFFFE},
    {"IA32_VMX_CR0_FIXED1", 0x487, UINT64_MAX, 0, 0xFFFFFFFF9FFFFFFF},
    {"IA32_VMX_CR4_FIXED0", 0x488, 0, 0, UINT64_MAX},
    {"IA32_VMX_CR4_FIXED1", 0x489, UINT64_MAX, 0, UINT64_MAX},
    {"IA32_VMX_VMCS_ENUM", 0x48A, 0, 0, 0},
    {"IA32_VMX_PROCBASED_CTLS2", 0x48B, 0xC71BFFFFFFE40300, 0xC21477FFFFEB8B00, 0},
    {"IA32_VMX_EPT_VPID_CAP", 0x48C, 0x00000000001040C1, UINT64_MAX, 0},
    {"IA32_VMX_TRUE_PINBASED_CTLS", 0x48D, 0, 0, 0},
    {"IA32_VMX_TRUE_PROCBASED_CTLS", 0x48E, 0, 0, 0},
    {"IA32_VMX_TRUE_EXIT_CTLS", 0x48F, 0, 0, 0},
    {"IA32_VMX_TRUE_ENTRY_CTLS", 0x490, 0, 0, 0},
    {"IA32_VMX_VMFUNC", 0x491, 0, UINT64_MAX, 0},
    {"IA32_VMX_PROCBASED_CTLS3", 0x492, 0x10, 0x84, 0},
    {"IA32_VMX_EXIT_CTLS2", 0x493, 0, 0, 0},
};

/* Returns whether a hypervisor finds that the CPUs differ in an MSR. */
static bool does_compare(enum hypervisor hypervisor, const char *msr)
{
    struct hypervisor_question question;
    TEXT_DECLARE(name, 80);

    memset(named, 0, sizeof(named));
    hypervisor_question_prepare(&facts, &question);
    (void)hypervisor_visit(hypervisor, NULL, &question, answer_append, NULL);
    text_append(&name, "%s (the same on all CPUs", msr);
    return strstr(named[REQUIREMENT_MISSING], name.buffer) != NULL;
}

/* Inverts bits of an MSR of one CPU. */
static void invert(size_t cpu, enum vmx_msr msr, uint64_t bits)
{
    set_msr(&records[cpu], msr, record_msr(&records[cpu], msr).value ^ bits);
}

static void test_each_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (unsigned int bit = 0; bit < 64; bit++) {
            records_load(&core_i7_6700k);
            invert(1, cases[i].msr, BIT(bit));
            bool kvm       = does_compare(HYPERVISOR_KVM, cases[i].name);
            bool xen       = does_compare(HYPERVISOR_XEN, cases[i].name);
            bool jailhouse = does_compare(HYPERVISOR_JAILHOUSE, cases[i].name);
            if (kvm != ((cases[i].kvm & BIT(bit)) != 0) ||
                xen != ((cases[i].xen & BIT(bit)) != 0) ||
                jailhouse != ((cases[i].jailhouse & BIT(bit)) != 0))
                fail_msg("%s bit %u: KVM %d, Xen %d, Jailhouse %d", cases[i].name, bit,
                         kvm, xen, jailhouse);
        }
    }
}

/* Bits that are not used because another one is missing do not count. */
static void test_dropped(void **state)
{
    static const struct {
        enum vmx_msr missing_from;
        uint64_t missing;
        const char *name;
        enum vmx_msr msr;
        uint64_t bit;
        bool kvm, xen; /* whether they still compare it */
    } drops[] = {
        /* without a TPR shadow, the virtualization of the APIC */
        {0x482, BIT(53), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(36), false, false},
        {0x482, BIT(53), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(40), false, false},
        {0x482, BIT(53), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(41), false, false},
        /* without VMWRITE to all fields, VMCS shadowing */
        {0x485, BIT(29), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(46), true, false},
        /* without INVEPT of all contexts, write-back or four levels, EPT */
        {0x48C, BIT(26), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(33), true, false},
        {0x48C, BIT(14), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(33), true, false},
        {0x48C, BIT(6), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(33), true, false},
        /* without TRUE controls, EPT and unrestricted guest */
        {0x480, BIT(55), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(33), true, false},
        {0x480, BIT(55), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(39), true, false},
        /* without INVVPID of all contexts, VPID */
        {0x48C, BIT(42), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(37), true, false},
        /* without EPTP switching, VM functions and #VE */
        {0x491, BIT(0), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(45), true, false},
        {0x491, BIT(0), "IA32_VMX_PROCBASED_CTLS2", 0x48B, BIT(50), false, false},
        /* with virtual-interrupt delivery, posted interrupts */
        {0x48B, BIT(41), "IA32_VMX_PINBASED_CTLS", 0x481, BIT(39), true, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(drops); i++) {
        records_load(&core_i7_6700k);
        for (size_t j = 0; j < 2; j++)
            invert(j, drops[i].missing_from, drops[i].missing);
        assert_false(does_compare(HYPERVISOR_KVM, drops[i].name));
        assert_false(does_compare(HYPERVISOR_XEN, drops[i].name));
        invert(1, drops[i].msr, drops[i].bit);
        bool kvm = does_compare(HYPERVISOR_KVM, drops[i].name);
        bool xen = does_compare(HYPERVISOR_XEN, drops[i].name);
        if (kvm != drops[i].kvm || xen != drops[i].xen)
            fail_msg("case %zu: KVM %d, Xen %d", i, kvm, xen);
    }
    /* Without SGX, ENCLS exiting. */
    records_load(&core_i7_6700k);
    invert(1, MSR_IA32_VMX_PROCBASED_CTLS2, BIT(47));
    assert_true(does_compare(HYPERVISOR_KVM, "IA32_VMX_PROCBASED_CTLS2"));
    for (size_t i = 0; i < 2; i++)
        records[i].cpuid.leaf_7.ebx &= ~(uint32_t)BIT(2);
    assert_false(does_compare(HYPERVISOR_KVM, "IA32_VMX_PROCBASED_CTLS2"));
    assert_runs(HYPERVISOR_KVM);
    assert_runs(HYPERVISOR_XEN);
}

/* Xen does not use PML, nor trace, if the boot CPU cannot; the others must if it can. */
static void test_as_first(void **state)
{
    static const struct {
        enum vmx_msr msr;
        uint64_t bit;
        const char *name;
    } bits[] = {
        {0x48B, BIT(17 + 32), "enable PML (on all CPUs if on the boot CPU, else"},
        {0x485, BIT(14), "Intel PT in VMX operation (on all CPUs if on the boot CPU"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        records_load(&core_i7_6700k);
        invert(1, bits[i].msr, bits[i].bit);
        assert_lacks(HYPERVISOR_XEN, bits[i].name);
        invert(0, bits[i].msr, bits[i].bit);
        invert(1, bits[i].msr, bits[i].bit);
        assert_runs(HYPERVISOR_XEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_bit),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_as_first),
    };
    return cmocka_run_group_tests_name("requirements_compared", tests, NULL, NULL);
}
