/* See outer_hypervisor.h. */
#include "check/outer_hypervisor.h"

#include "lib/string.h"

#define EXPOSE "run Set-VMProcessor -ExposeVirtualizationExtensions $true for this VM"
#define LIMITS_OF_HYPER_V \
    "memory cannot be resized while it runs; only Hyper-V is supported inside"

/*
 * How to enable nested virtualization in an outer hypervisor, and the limitations, by the
 * signature in CPUID leaf 0x40000000. docs/REFERENCES.md lists the sources.
 */
static const struct hypervisor {
    const char *signature;
    const char *virtualization; /* its name; NULL: any */
    const char *name;
    const char *advice;
    const char *limits;
} hypervisors[] = {
    {"KVMKVMKVM", "VT-x", "KVM",
     "on the host load kvm_intel with nested=1 and give the guest -cpu host or +vmx",
     "each exit of a nested guest causes several in the host, more without VMCS "
     "shadowing"},
    {"KVMKVMKVM", "AMD-V", "KVM",
     "on the host load kvm_amd with nested=1 and give the guest -cpu host or +svm",
     "each exit of a nested guest causes several in the host; not to be migrated or "
     "saved while one runs"},
    {"TCGTCGTCGTCG", "VT-x", "QEMU's TCG",
     "TCG never has VT-x; it has AMD-V with -cpu EPYC or +svm", "no VT-x, only AMD-V"},
    {"TCGTCGTCGTCG", "AMD-V", "QEMU's TCG", "TCG has AMD-V with -cpu EPYC or +svm",
     "emulated in software"},
    {"Microsoft Hv", "VT-x", "Hyper-V", "on the host " EXPOSE, LIMITS_OF_HYPER_V},
    {"Microsoft Hv", "AMD-V", "Hyper-V",
     "on the host, Windows Server 2022, Windows 11 or later, " EXPOSE, LIMITS_OF_HYPER_V},
    {"VMwareVMware", NULL, "VMware",
     "in the VM's processor settings enable \"Virtualize Intel VT-x/EPT or AMD-V/RVI\" "
     "(Workstation) or \"Expose hardware assisted virtualization to the guest OS\" "
     "(vSphere)",
     "not together with PCI passthrough; not for production"},
    {"XenVMMXenVMM", NULL, "Xen",
     "set nestedhvm=1 and hap=1 in the guest's configuration",
     "nested HVM is experimental and has no security support"},
    {"VBoxVBoxVBox", NULL, "VirtualBox",
     "run VBoxManage modifyvm NAME --nested-hw-virt on",
     "not if VirtualBox itself uses Hyper-V or KVM"},
    {"bhyve bhyve ", NULL, "bhyve", "bhyve does not nest; use another hypervisor",
     "does not nest"},
    {"ACRNACRNACRN", NULL, "ACRN",
     "set NVMX_ENABLED in the scenario and boot Hymir in the Service VM",
     "experimental; only KVM is supported inside, in the Service VM"},
};

/* Returns the row for a virtualization, or for any if its name is NULL; NULL: none. */
static const struct hypervisor *find_signature(const char *signature,
                                               const char *virtualization)
{
    for (size_t i = 0; i < ARRAY_SIZE(hypervisors); i++) {
        const struct hypervisor *row = &hypervisors[i];
        if (strcmp(row->signature, signature) == 0 &&
            (virtualization == NULL || row->virtualization == NULL ||
             strcmp(row->virtualization, virtualization) == 0))
            return row;
    }
    return NULL;
}

/*
 * Two hypervisors may present another one's signature or none, but name themselves in
 * SMBIOS: VirtualBox for paravirtualized guests, QEMU with KVM for Windows (Hyper-V's)
 * and with kvm=off.
 */
static const struct hypervisor *find_hypervisor(const struct cpuid_snapshot *cpuid,
                                                const char *machine,
                                                const char *virtualization)
{
    char signature[CPUID_VENDOR_SIZE];

    cpuid_hypervisor(cpuid, signature);
    const struct hypervisor *found = find_signature(signature, virtualization);
    if (string_starts_with(machine, "innotek GmbH"))
        return find_signature("VBoxVBoxVBox", virtualization);
    if (string_starts_with(machine, "QEMU") &&
        (found == NULL || strcmp(signature, "Microsoft Hv") == 0))
        return find_signature("KVMKVMKVM", virtualization);
    return found;
}

/* Appends the signature in brackets, between quotes, or that there is none. */
static void append_signature(const struct cpuid_snapshot *cpuid, const char *quote,
                             struct text *text)
{
    char signature[CPUID_VENDOR_SIZE];

    cpuid_hypervisor(cpuid, signature);
    if (signature[0] != '\0')
        text_append(text, " (%s%s%s)", quote, signature, quote);
    else
        text_append(text, " (no signature)");
}

void outer_hypervisor_describe(const struct cpuid_snapshot *cpuid, const char *machine,
                               struct text *text)
{
    const struct hypervisor *known = find_hypervisor(cpuid, machine, NULL);

    if (!cpuid_has_hypervisor(cpuid)) {
        text_append(text, "none detected");
        return;
    }
    text_append(text, "%s", known != NULL ? known->name : "unknown");
    append_signature(cpuid, known != NULL ? "" : "\"", text);
}

void outer_hypervisor_advise(const struct cpu_record *record, const char *machine,
                             const char *does, struct text *text)
{
    const char *virtualization = record->virtualization->name;
    const struct hypervisor *known =
        find_hypervisor(&record->cpuid, machine, virtualization);

    text_append(text, "%s", known != NULL ? known->name : "a hypervisor");
    if (known == NULL)
        append_signature(&record->cpuid, "\"", text);
    text_append(text, " %s %s; %s", does, virtualization,
                known != NULL ? known->advice
                              : "enable nested virtualization in it or boot Hymir on the "
                                "physical machine");
}

void outer_hypervisor_describe_limits(const struct cpu_record *record,
                                      const char *machine, struct text *text)
{
    const struct hypervisor *known =
        find_hypervisor(&record->cpuid, machine, record->virtualization->name);

    text_append(text, ": %s", known != NULL ? known->limits : "limitations unknown");
}
