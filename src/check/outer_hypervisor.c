/* See outer_hypervisor.h. */
#include "check/outer_hypervisor.h"

#include "lib/string.h"

static const char no_vmx[] = "no VMX";

/*
 * How to enable nested virtualization in an outer hypervisor, and the limitations, by the
 * signature in CPUID leaf 0x40000000. docs/REFERENCES.md lists the sources.
 */
static const struct hypervisor {
    const char *signature;
    const char *name;
    const char *advice;
    const char *limits; /* no_vmx: it never nests */
} hypervisors[] = {
    {"KVMKVMKVM", "KVM",
     "on the host load kvm_intel with nested=1 and give the guest -cpu host or +vmx",
     "each exit of a nested guest causes several in the host, more without VMCS "
     "shadowing"},
    {"TCGTCGTCGTCG", "QEMU's TCG",
     "TCG never has VMX; run QEMU with KVM and -cpu host on an Intel host", no_vmx},
    {"Microsoft Hv", "Hyper-V",
     "on the host run Set-VMProcessor -ExposeVirtualizationExtensions $true for this VM",
     "memory cannot be resized while it runs; only Hyper-V is supported inside"},
    {"VMwareVMware", "VMware",
     "in the VM's processor settings enable \"Virtualize Intel VT-x/EPT or AMD-V/RVI\" "
     "(Workstation) or \"Expose hardware assisted virtualization to the guest OS\" "
     "(vSphere)",
     "not together with PCI passthrough; not for production"},
    {"XenVMMXenVMM", "Xen", "set nestedhvm=1 and hap=1 in the guest's configuration",
     "nested HVM is experimental and has no security support"},
    {"VBoxVBoxVBox", "VirtualBox", "run VBoxManage modifyvm NAME --nested-hw-virt on",
     "not if VirtualBox itself uses Hyper-V or KVM"},
    {"bhyve bhyve ", "bhyve", "bhyve does not support nested VMX; use another hypervisor",
     no_vmx},
    {"ACRNACRNACRN", "ACRN",
     "set NVMX_ENABLED in the scenario and boot Hymir in the Service VM",
     "experimental; only KVM is supported inside, in the Service VM"},
};

static const struct hypervisor *find_signature(const char *signature)
{
    for (size_t i = 0; i < ARRAY_SIZE(hypervisors); i++) {
        if (strcmp(hypervisors[i].signature, signature) == 0)
            return &hypervisors[i];
    }
    return NULL;
}

/*
 * Two hypervisors may present another one's signature or none, but name themselves in
 * SMBIOS: VirtualBox for paravirtualized guests, QEMU with KVM for Windows (Hyper-V's)
 * and with kvm=off.
 */
static const struct hypervisor *find_hypervisor(const struct cpuid_snapshot *cpuid,
                                                const char *machine)
{
    char signature[CPUID_VENDOR_SIZE];

    cpuid_hypervisor(cpuid, signature);
    const struct hypervisor *found = find_signature(signature);
    if (string_starts_with(machine, "innotek GmbH"))
        return find_signature("VBoxVBoxVBox");
    if (string_starts_with(machine, "QEMU") &&
        (found == NULL || found == find_signature("Microsoft Hv")))
        return find_signature("KVMKVMKVM");
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
    const struct hypervisor *known = find_hypervisor(cpuid, machine);

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
    const struct hypervisor *known = find_hypervisor(&record->cpuid, machine);

    text_append(text, "%s", known != NULL ? known->name : "a hypervisor");
    if (known == NULL)
        append_signature(&record->cpuid, "\"", text);
    text_append(text, " %s %s; %s", does, record->virtualization->name,
                known != NULL ? known->advice
                              : "enable nested virtualization in it or boot Hymir on the "
                                "physical machine");
}

void outer_hypervisor_describe_limits(const struct cpuid_snapshot *cpuid,
                                      const char *machine, struct text *text)
{
    const struct hypervisor *known = find_hypervisor(cpuid, machine);
    text_append(text, ": %s", known != NULL ? known->limits : "limitations unknown");
}
