/*
 * src/check/outer_hypervisor.c: the hypervisor that hides virtualization, and what it
 * cannot nest.
 */
#include "amd_v.h"
#include "verdict_vt_x.h"

#include "check/outer_hypervisor.h"

/* Each hypervisor, with VT-x and with AMD-V. */
static void test_hidden(void **state)
{
    (void)state;
    static const struct {
        char signature[13];
        const char *vt_x, *amd_v;
    } cases[] = {
        {"KVMKVMKVM\0\0\0",
         "KVM hides VT-x; on the host load kvm_intel with nested=1 and give the guest "
         "-cpu host or +vmx",
         "KVM hides AMD-V; on the host load kvm_amd with nested=1 and give the guest "
         "-cpu host or +svm"},
        {"TCGTCGTCGTCG",
         "TCG hides VT-x; TCG never has VT-x; it has AMD-V with -cpu EPYC or +svm",
         "TCG hides AMD-V; TCG has AMD-V with -cpu EPYC or +svm"},
        {"Microsoft Hv",
         "Hyper-V hides VT-x; on the host run Set-VMProcessor "
         "-ExposeVirtualizationExtensions $true",
         "Hyper-V hides AMD-V; on the host, Windows Server 2022, Windows 11 or later, "
         "run Set-VMProcessor -ExposeVirtualizationExtensions $true"},
        {"VMwareVMware",
         "VMware hides VT-x; in the VM's processor settings enable \"Virtualize Intel "
         "VT-x/EPT or AMD-V/RVI\" (Workstation) or \"Expose hardware assisted "
         "virtualization to the guest OS\" (vSphere)",
         "VMware hides AMD-V; in the VM's processor settings"},
        {"XenVMMXenVMM", "Xen hides VT-x; set nestedhvm=1",
         "Xen hides AMD-V; set nestedhvm=1"},
        {"VBoxVBoxVBox", "--nested-hw-virt on", "VirtualBox hides AMD-V; run VBoxManage"},
        {"bhyve bhyve ", "bhyve hides VT-x; bhyve does not nest; use another hypervisor",
         "bhyve hides AMD-V; bhyve does not nest; use another hypervisor"},
        {"ACRNACRNACRN", "ACRN hides VT-x; set NVMX_ENABLED", "ACRN hides AMD-V; "},
        {"Strange\0\0\0\0\0", "a hypervisor (\"Strange\") hides VT-x; enable nested",
         "a hypervisor (\"Strange\") hides AMD-V; enable nested"},
        {"", "a hypervisor (no signature) hides VT-x", "(no signature) hides AMD-V"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        records[0] = record_ready(&coffee_lake);
        remove_vmx(&records[0]);
        set_hypervisor(&records[0], cases[i].signature);
        assert_decides(1, VERDICT_HIDDEN_BY_HYPERVISOR);
        assert_words(cases[i].vt_x);
        assert_words("ECX = 0xfffafb9f");
        records[0].virtualization = &amd_v_words;
        assert_decides(1, VERDICT_HIDDEN_BY_HYPERVISOR);
        assert_words(cases[i].amd_v);
    }
}

/* SMBIOS identifies a hypervisor that presents another one's signature, or none. */
static void test_hidden_behind_signature(void **state)
{
    (void)state;
    static const struct {
        char signature[13];
        const char *machine, *words;
    } cases[] = {
        {"KVMKVMKVM\0\0\0", "innotek GmbH VirtualBox",
         "VirtualBox hides VT-x; run VBoxManage modifyvm NAME --nested-hw-virt on"},
        {"Microsoft Hv", "QEMU Standard PC (Q35 + ICH9, 2009)", "KVM hides VT-x; on the"},
        {"GenuineIntel", "QEMU Standard PC (Q35 + ICH9, 2009)", "KVM hides VT-x; on the"},
        {"", "QEMU Standard PC (i440FX + PIIX, 1996)", "KVM hides VT-x; on the"},
        {"TCGTCGTCGTCG", "QEMU Standard PC (i440FX + PIIX, 1996)", "TCG hides VT-x; TCG"},
        {"Microsoft Hv", "Microsoft Corporation Virtual Machine", "Hyper-V hides VT-x"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        scope.machine = cases[i].machine;
        remove_vmx(&records[0]);
        set_hypervisor(&records[0], cases[i].signature);
        assert_decides(1, VERDICT_HIDDEN_BY_HYPERVISOR);
        assert_words(cases[i].words);
    }
}

/* The limitations are those of the virtualization that was checked. */
static void test_limits(void **state)
{
    (void)state;
    static const struct {
        char signature[13];
        const struct virtualization *virtualization;
        const char *words;
    } cases[] = {
        {"KVMKVMKVM\0\0\0", &vt_x,
         ": each exit of a nested guest causes several in the host, more without VMCS "
         "shadowing"},
        {"KVMKVMKVM\0\0\0", &amd_v_words,
         ": each exit of a nested guest causes several in the host; not to be migrated "
         "or saved while one runs"},
        {"TCGTCGTCGTCG", &vt_x, ": no VT-x, only AMD-V"},
        {"TCGTCGTCGTCG", &amd_v_words, ": emulated in software"},
        {"bhyve bhyve ", &amd_v_words, ": does not nest"},
        {"Strange\0\0\0\0\0", &amd_v_words, ": limitations unknown"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        TEXT_DECLARE(text, 160);
        records[0].virtualization = cases[i].virtualization;
        set_hypervisor(&records[0], cases[i].signature);
        outer_hypervisor_describe_limits(&records[0], "unknown", &text);
        assert_string_equal(text.buffer, cases[i].words);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, records_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hidden),
        TEST(test_hidden_behind_signature),
        TEST(test_limits),
    };
    return cmocka_run_group_tests_name("outer_hypervisor", tests, NULL, NULL);
}
