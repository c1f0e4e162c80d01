/* See hypervisors.h, whose names these are. docs/REFERENCES.md says more of the sources.
 */
#include "report/hypervisors.h"

static const struct {
    const char *name, *version;
} hypervisors[HYPERVISOR_COUNT] = {
    [HYPERVISOR_HYMIR]      = {"Hymir's guests", "of this version"},
    [HYPERVISOR_KVM]        = {"KVM", "Linux 6.16"},
    [HYPERVISOR_XEN]        = {"Xen HVM", "Xen 4.20"},
    [HYPERVISOR_HYPER_V]    = {"Hyper-V", "Windows Server 2016 and later"},
    [HYPERVISOR_ESXI]       = {"ESXi 8", "VMware ESXi 8.0"},
    [HYPERVISOR_VIRTUALBOX] = {"VirtualBox 7", "VirtualBox 7.2"},
    [HYPERVISOR_BHYVE]      = {"bhyve", "FreeBSD 14 and 15"},
    [HYPERVISOR_JAILHOUSE]  = {"Jailhouse", "Jailhouse of January 2023"},
    [HYPERVISOR_ACRN]       = {"ACRN", "ACRN 3.4"},
    [HYPERVISOR_NOVA]       = {"NOVA", "NOVA of January 2024"},
};

static const struct {
    enum hypervisor hypervisor;
    const char *name;
} sources[SOURCE_COUNT] = {
    [SOURCE_HYMIR_CHECK]    = {HYPERVISOR_HYMIR, "src/vmx/checks.c vmx_checks[]"},
    [SOURCE_HYMIR_CONTROLS] = {HYPERVISOR_HYMIR,
                               "src/vmx/vcpu_controls.c vcpu_controls_fit()"},

    [SOURCE_KVM_SUPPORTED] = {HYPERVISOR_KVM,
                              "arch/x86/kvm/vmx/vmx.c __kvm_is_vmx_supported()"},
    [SOURCE_KVM_CONFIG] = {HYPERVISOR_KVM, "arch/x86/kvm/vmx/vmx.c setup_vmcs_config()"},
    [SOURCE_KVM_COMPATIBLE] = {HYPERVISOR_KVM,
                               "arch/x86/kvm/vmx/vmx.c vmx_check_processor_compat()"},
    [SOURCE_KVM_HARDWARE]   = {HYPERVISOR_KVM,
                               "arch/x86/kvm/vmx/vmx.c vmx_hardware_setup()"},
    [SOURCE_KVM_INIT] = {HYPERVISOR_KVM, "arch/x86/kvm/x86.c __kvm_x86_vendor_init()"},

    [SOURCE_XEN_HEAD]   = {HYPERVISOR_XEN, "xen/arch/x86/boot/head.S"},
    [SOURCE_XEN_CPU]    = {HYPERVISOR_XEN, "xen/arch/x86/hvm/vmx/vmcs.c _vmx_cpu_up()"},
    [SOURCE_XEN_CONFIG] = {HYPERVISOR_XEN,
                           "xen/arch/x86/hvm/vmx/vmcs.c vmx_init_vmcs_config()"},

    [SOURCE_HYPER_V_SYSTEM] =
        {HYPERVISOR_HYPER_V,
         "System requirements for Hyper-V on Windows and Windows Server"},
    [SOURCE_HYPER_V_CPUID] = {HYPERVISOR_HYPER_V,
                              "Hypervisor Boot-time CPUID Feature Requirements"},

    [SOURCE_ESXI_HARDWARE] = {HYPERVISOR_ESXI, "ESXi Hardware Requirements"},
    [SOURCE_ESXI_UPDATE_2] = {HYPERVISOR_ESXI,
                              "ESXi 8.0 Update 2 requires XSAVE (williamlam.com)"},

    [SOURCE_VIRTUALBOX_INIT] = {HYPERVISOR_VIRTUALBOX, "VMMR0/HMR0.cpp hmR0InitIntel()"},
    [SOURCE_VIRTUALBOX_CPU]  = {HYPERVISOR_VIRTUALBOX, "VMMR3/CPUM.cpp CPUMR3Init()"},
    [SOURCE_VIRTUALBOX_REGION]  = {HYPERVISOR_VIRTUALBOX,
                                   "VMMR0/HMVMXR0.cpp hmR0VmxStructsAlloc()"},
    [SOURCE_VIRTUALBOX_PIN]     = {HYPERVISOR_VIRTUALBOX,
                                   "VMMR0/HMVMXR0.cpp hmR0VmxSetupVmcsPinCtls()"},
    [SOURCE_VIRTUALBOX_PRIMARY] = {HYPERVISOR_VIRTUALBOX,
                                   "VMMR0/HMVMXR0.cpp hmR0VmxSetupVmcsProcCtls()"},
    [SOURCE_VIRTUALBOX_EPT]     = {HYPERVISOR_VIRTUALBOX,
                                   "VMMR0/HMVMXR0.cpp hmR0VmxSetupTaggedTlb()"},
    [SOURCE_VIRTUALBOX_ENTRY] =
        {HYPERVISOR_VIRTUALBOX,
         "VMMAll/VMXAllTemplate.cpp.h vmxHCExportGuestEntryExitCtls()"},

    [SOURCE_BHYVE_INIT] = {HYPERVISOR_BHYVE, "sys/amd64/vmm/intel/vmx.c vmx_modinit()"},
    [SOURCE_BHYVE_EPT]  = {HYPERVISOR_BHYVE, "sys/amd64/vmm/intel/ept.c ept_init()"},

    [SOURCE_JAILHOUSE_TOOL]   = {HYPERVISOR_JAILHOUSE, "tools/jailhouse-hardware-check"},
    [SOURCE_JAILHOUSE_DRIVER] = {HYPERVISOR_JAILHOUSE,
                                 "driver/main.c jailhouse_cmd_enable()"},
    [SOURCE_JAILHOUSE_CHECK]  = {HYPERVISOR_JAILHOUSE,
                                 "hypervisor/arch/x86/vmx.c vmx_check_features()"},
    [SOURCE_JAILHOUSE_VT_D]   = {HYPERVISOR_JAILHOUSE,
                                 "hypervisor/arch/x86/vtd.c vtd_init()"},

    [SOURCE_ACRN_DETECT] = {HYPERVISOR_ACRN,
                            "hypervisor/arch/x86/cpu_caps.c detect_hardware_support()"},
    [SOURCE_ACRN_CONTROLS] =
        {HYPERVISOR_ACRN, "hypervisor/arch/x86/cpu_caps.c check_essential_vmx_caps()"},
    [SOURCE_ACRN_APIC] =
        {HYPERVISOR_ACRN,
         "hypervisor/arch/x86/cpu_caps.c is_apicv_basic_feature_supported()"},
    [SOURCE_ACRN_EPT] = {HYPERVISOR_ACRN,
                         "hypervisor/arch/x86/cpu_caps.c check_vmx_mmu_cap()"},
    [SOURCE_ACRN_ADDRESSES] =
        {HYPERVISOR_ACRN,
         "hypervisor/arch/x86/cpu_caps.c pcpu_vmx_set_32bit_addr_width()"},
    [SOURCE_ACRN_VT_D] = {HYPERVISOR_ACRN, "hypervisor/arch/x86/vtd.c init_iommu()"},

    [SOURCE_NOVA_START] = {HYPERVISOR_NOVA, "src/x86_64/start.S"},
    [SOURCE_NOVA_INIT]  = {HYPERVISOR_NOVA, "src/x86_64/vmx.cpp Vmcs::init()"},
};

const char *hypervisor_name(enum hypervisor hypervisor)
{
    return hypervisors[hypervisor].name;
}

const char *hypervisor_version(enum hypervisor hypervisor)
{
    return hypervisors[hypervisor].version;
}

enum hypervisor requirement_source_hypervisor(enum requirement_source source)
{
    return sources[source].hypervisor;
}

const char *requirement_source_name(enum requirement_source source)
{
    return sources[source].name;
}
