/*
 * The requirements on machines with VT-x. See requirements.h; docs/REFERENCES.md lists
 * the sources.
 */
#include "report/requirement_rows.h"

#include "x86/vmx_capabilities.h"

/* ---- Premises ---------------------------------------------------------------------- */

#define EPT_OF_KVM_AND_XEN \
    (EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT_ALL)

PREMISE(rdtscp, "for RDTSCP", CPUID_HAS(leaf_80000001.edx, CPUID_80000001_EDX_RDTSCP));
PREMISE(invpcid, "for INVPCID", CPUID_HAS(leaf_7.ebx, CPUID_7_EBX_INVPCID));
PREMISE(xsaves, "for XSAVES", CPUID_HAS(leaf_d_1.eax, CPUID_D_1_EAX_XSAVES));
PREMISE(waitpkg, "for UMWAIT", CPUID_HAS(leaf_7.ecx, CPUID_7_ECX_WAITPKG));
PREMISE(ept, "for EPT", CAN(SECONDARY, SECONDARY_ENABLE_EPT));
PREMISE(no_ept, "without EPT", CANNOT(SECONDARY, SECONDARY_ENABLE_EPT));
PREMISE(no_ept_for_kvm, "without EPT", READ_MAY_BE_1, GROUP_EPT_VPID, EPT_OF_KVM_AND_XEN,
        IS_NOT(EPT_OF_KVM_AND_XEN));
PREMISE(no_tpr_shadow, "without TPR shadow", CANNOT(PRIMARY, PRIMARY_USE_TPR_SHADOW));
PREMISE(ept_described, "as IA32_VMX_EPT_VPID_CAP has EPT",
        CAN_ANY(EPT_VPID, BITS_MASK(31, 0)));
PREMISE(vpid_described, "as IA32_VMX_EPT_VPID_CAP has VPID",
        CAN_ANY(EPT_VPID, BITS_MASK(63, 32)));
PREMISE(wide_addresses, "for addresses of more than 39 bits", CPUID(leaf_80000008.eax),
        CPUID_80000008_EAX_PHYSICAL_WIDTH, AT_LEAST(40));
PREMISE(dmar, "", READ_DMAR, 0, 1, IS(1));
PREMISE(no_dmar, "", READ_DMAR, 0, 1, IS(0));
PREMISE(vt_d_units, "", READ_UNIT, 0, 0, IS(0));
PREMISE(unlocked, "", MSR_LACKS(FEATURE_CONTROL, FEATURE_CONTROL_LOCK));

/* ---- What KVM and Xen use ---------------------------------------------------------- */

/* Both compare what they would use between CPUs; these controls if they may be 1. */
#define OPTIONAL_PIN_BASED (PIN_BASED_VIRTUAL_NMIS | PIN_BASED_PROCESS_POSTED_INTERRUPTS)
#define OPTIONAL_PRIMARY                                                            \
    (PRIMARY_USE_TPR_SHADOW | PRIMARY_MONITOR_TRAP_FLAG | PRIMARY_USE_MSR_BITMAPS | \
     PRIMARY_ACTIVATE_SECONDARY_CONTROLS | PRIMARY_ACTIVATE_TERTIARY_CONTROLS)
#define OPTIONAL_SECONDARY                                                             \
    (SECONDARY_VIRTUALIZE_APIC_ACCESSES | SECONDARY_ENABLE_EPT |                       \
     SECONDARY_DESCRIPTOR_TABLE_EXITING | SECONDARY_ENABLE_RDTSCP |                    \
     SECONDARY_ENABLE_VPID | SECONDARY_WBINVD_EXITING | SECONDARY_UNRESTRICTED_GUEST | \
     APIC_VIRTUALIZATION | SECONDARY_PAUSE_LOOP_EXITING | SECONDARY_ENABLE_INVPCID |   \
     SECONDARY_ENABLE_VM_FUNCTIONS | SECONDARY_VMCS_SHADOWING |                        \
     SECONDARY_ENABLE_XSAVES | SECONDARY_USE_TSC_SCALING |                             \
     SECONDARY_VMM_BUS_LOCK_DETECTION | SECONDARY_INSTRUCTION_TIMEOUT)
#define APIC_VIRTUALIZATION                                                      \
    (SECONDARY_VIRTUALIZE_X2APIC_MODE | SECONDARY_APIC_REGISTER_VIRTUALIZATION | \
     SECONDARY_VIRTUAL_INTERRUPT_DELIVERY)
#define OPTIONAL_VM_EXIT                                                      \
    (VM_EXIT_HOST_ADDRESS_SPACE_SIZE | VM_EXIT_ACKNOWLEDGE_INTERRUPT |        \
     VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT | VM_EXIT_LOAD_IA32_EFER | \
     VM_EXIT_CLEAR_IA32_BNDCFGS)
#define OPTIONAL_VM_ENTRY \
    (VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_LOAD_IA32_BNDCFGS)

#define DROP(msr, bits, ...)       \
    {                              \
        MSR_IA32_VMX_##msr, bits,  \
        {                          \
            .reading = __VA_ARGS__ \
        }                          \
    }
#define DROPS_OF_KVM_AND_XEN                                                      \
    DROP(PINBASED_CTLS, PIN_BASED_PROCESS_POSTED_INTERRUPTS,                      \
         ALLOWED(VMX_PROCBASED_CTLS, PRIMARY_USE_TPR_SHADOW)),                    \
        DROP(PINBASED_CTLS, PIN_BASED_PROCESS_POSTED_INTERRUPTS,                  \
             ALLOWED(VMX_PROCBASED_CTLS2, SECONDARY_VIRTUAL_INTERRUPT_DELIVERY)), \
        DROP(PROCBASED_CTLS2, APIC_VIRTUALIZATION,                                \
             ALLOWED(VMX_PROCBASED_CTLS, PRIMARY_USE_TPR_SHADOW))

static const struct drop drops_of_kvm[] = {
    DROPS_OF_KVM_AND_XEN,
    DROP(PROCBASED_CTLS2, SECONDARY_ENABLE_ENCLS_EXITING,
         CPUID_HAS(leaf_7.ebx, CPUID_7_EBX_SGX)),
    {0},
};

#define EPT_AND_GUEST (SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST)
static const struct drop drops_of_xen[] = {
    DROPS_OF_KVM_AND_XEN,
    DROP(PROCBASED_CTLS2, SECONDARY_VMCS_SHADOWING,
         MSR_HAS(VMX_MISC, VMX_MISC_VMWRITE_ALL)),
    DROP(PROCBASED_CTLS2, SECONDARY_ENABLE_EPT | SECONDARY_ENABLE_PML,
         MSR_HAS(VMX_EPT_VPID_CAP, EPT_OF_KVM_AND_XEN)),
    DROP(PROCBASED_CTLS2, SECONDARY_ENABLE_PML,
         MSR_HAS(VMX_EPT_VPID_CAP, EPT_CAP_ACCESSED)),
    DROP(PROCBASED_CTLS2, EPT_AND_GUEST | SECONDARY_ENABLE_PML,
         MSR_HAS(VMX_BASIC, VMX_BASIC_TRUE_CONTROLS)),
    DROP(PROCBASED_CTLS2, EPT_AND_GUEST | SECONDARY_ENABLE_PML,
         MSR_LACKS(VMX_TRUE_PROCBASED_CTLS, PRIMARY_INVLPG_EXITING | MOV_CR3)),
    DROP(PROCBASED_CTLS2, SECONDARY_ENABLE_VPID,
         MSR_HAS(VMX_EPT_VPID_CAP, VPID_CAP_INVVPID_ALL)),
    DROP(PROCBASED_CTLS2, SECONDARY_ENABLE_VM_FUNCTIONS | SECONDARY_EPT_VIOLATION_VE,
         MSR_HAS(VMX_VMFUNC, VMFUNC_EPTP_SWITCHING)),
    {0},
};

#define OFFLINE              "the same on all CPUs, else offline"
#define KVM_USES(name, bits) IN_USE(ON_ALL, drops_of_kvm, name, bits)
#define XEN_USES(name, bits) IN_USE(OFFLINE, drops_of_xen, name, bits)
#define XEN_USES_IF_FIRST(bit, name, bits)                                       \
    ROW(bit, "on all CPUs if on the boot CPU, else offline", NULL, READ_IN_USE,  \
        MSR_IA32_VMX_##name, bits, AT_LEAST(0), .agreement = AGREEMENT_AS_FIRST, \
        .drops = drops_of_xen)

/* ---- Sources ----------------------------------------------------------------------- */

static const struct requirement_source sources[] = {
    SOURCE(HYMIR, "src/vmx/checks.c vmx_checks[]", WORKS_ON_ONE("VT-x")),
    SOURCE(HYMIR, "src/vmx/vcpu_controls.c vcpu_controls_fit()",
           VCPU_CONTROLS(PIN_BASED, "pin-based controls"),
           VCPU_CONTROLS(PRIMARY, "primary controls"),
           VCPU_CONTROLS(SECONDARY, "secondary controls"),
           VCPU_CONTROLS(VM_EXIT, "VM-exit controls"),
           VCPU_CONTROLS(VM_ENTRY, "VM-entry controls"), VCPU(MISC), VCPU(EPT_VPID)),

    SOURCE(KVM, "arch/x86/kvm/vmx/vmx.c __kvm_is_vmx_supported()", WORKS("VT-x")),
    SOURCE(KVM, "arch/x86/kvm/vmx/vmx.c setup_vmcs_config()", ONE(PIN_BASED, INTERRUPTS),
           ONE(PRIMARY,
               KVM_AND_XEN | PRIMARY_RDPMC_EXITING | PRIMARY_UNCONDITIONAL_IO_EXITING),
           ONE(VM_EXIT, VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_HOST_ADDRESS_SPACE_SIZE |
                            VM_EXIT_ACKNOWLEDGE_INTERRUPT),
           ONE(VM_ENTRY, VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_IA32E_MODE_GUEST),
           NO_32_BIT_ADDRESSES, WRITE_BACK, REGION_4_KIB,
           IF(ept_described, SECONDARY, SECONDARY_ENABLE_EPT),
           IF(vpid_described, SECONDARY, SECONDARY_ENABLE_VPID),
           PAIR(VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL, VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL),
           PAIR(VM_ENTRY_LOAD_IA32_PAT, VM_EXIT_LOAD_IA32_PAT),
           PAIR(VM_ENTRY_LOAD_IA32_EFER, VM_EXIT_LOAD_IA32_EFER),
           PAIR(VM_ENTRY_LOAD_IA32_BNDCFGS, VM_EXIT_CLEAR_IA32_BNDCFGS),
           PAIR(VM_ENTRY_LOAD_IA32_RTIT_CTL, VM_EXIT_CLEAR_IA32_RTIT_CTL)),
    SOURCE(
        KVM, "arch/x86/kvm/vmx/vmx.c vmx_check_processor_compat()",
        KVM_USES(BASIC, ALL_BITS),
        KVM_USES(PINBASED_CTLS,
                 INTERRUPTS | OPTIONAL_PIN_BASED | PIN_BASED_ACTIVATE_PREEMPTION_TIMER),
        KVM_USES(PROCBASED_CTLS, KVM_AND_XEN | OPTIONAL_PRIMARY | PRIMARY_RDPMC_EXITING |
                                     PRIMARY_UNCONDITIONAL_IO_EXITING |
                                     PRIMARY_RDTSC_EXITING | PRIMARY_USE_IO_BITMAPS |
                                     PRIMARY_NMI_WINDOW_EXITING | PRIMARY_PAUSE_EXITING),
        KVM_USES(PROCBASED_CTLS2,
                 OPTIONAL_SECONDARY | SECONDARY_ENABLE_PML | SECONDARY_RDRAND_EXITING |
                     SECONDARY_RDSEED_EXITING | SECONDARY_ENABLE_ENCLS_EXITING |
                     SECONDARY_CONCEAL_VMX_FROM_PT | SECONDARY_PT_USES_GUEST_PHYSICAL |
                     SECONDARY_ENABLE_USER_WAIT_PAUSE),
        KVM_USES(PROCBASED_CTLS3, TERTIARY_IPI_VIRTUALIZATION),
        KVM_USES(EXIT_CTLS, OPTIONAL_VM_EXIT | VM_EXIT_SAVE_DEBUG_CONTROLS |
                                VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL |
                                VM_EXIT_SAVE_IA32_EFER | VM_EXIT_SAVE_PREEMPTION_TIMER |
                                VM_EXIT_CONCEAL_VMX_FROM_PT |
                                VM_EXIT_CLEAR_IA32_RTIT_CTL),
        KVM_USES(ENTRY_CTLS,
                 OPTIONAL_VM_ENTRY | VM_ENTRY_LOAD_DEBUG_CONTROLS |
                     VM_ENTRY_IA32E_MODE_GUEST | VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL |
                     VM_ENTRY_CONCEAL_VMX_FROM_PT | VM_ENTRY_LOAD_IA32_RTIT_CTL),
        KVM_USES(MISC, ALL_BITS)),
    SOURCE(KVM, "arch/x86/kvm/vmx/nested.c nested_vmx_setup_ctls_msrs()",
           KVM_USES(CR0_FIXED1, ALL_BITS), KVM_USES(CR4_FIXED1, ALL_BITS),
           KVM_USES(EPT_VPID_CAP, EPT_CAP_EXECUTE_ONLY | EPT_CAP_WALK_LENGTH_4 |
                                      EPT_CAP_WALK_LENGTH_5 | EPT_CAP_WRITE_BACK |
                                      EPT_CAP_INVEPT)),
    SOURCE(KVM, "arch/x86/kvm/vmx/vmx.c vmx_hardware_setup()", NX(&no_ept_for_kvm)),

    SOURCE(XEN, "xen/arch/x86/hvm/vmx/vmcs.c _vmx_cpu_up()", WORKS("VT-x")),
    SOURCE(
        XEN, "xen/arch/x86/hvm/vmx/vmcs.c vmx_init_vmcs_config()",
        ONE(PIN_BASED, INTERRUPTS),
        ONE(PRIMARY, KVM_AND_XEN | PRIMARY_RDTSC_EXITING | PRIMARY_USE_IO_BITMAPS),
        ONE(VM_EXIT, VM_EXIT_HOST_ADDRESS_SPACE_SIZE | VM_EXIT_ACKNOWLEDGE_INTERRUPT),
        NO_32_BIT_ADDRESSES, WRITE_BACK, REGION_4_KIB,
        XEN_USES(BASIC,
                 BITS_MASK(30, 0) | BITS_MASK(44, 32) | VMX_BASIC_INS_OUTS_INFORMATION),
        XEN_USES(PINBASED_CTLS, INTERRUPTS | OPTIONAL_PIN_BASED),
        XEN_USES(PROCBASED_CTLS, KVM_AND_XEN | OPTIONAL_PRIMARY | PRIMARY_USE_IO_BITMAPS),
        XEN_USES(PROCBASED_CTLS2, OPTIONAL_SECONDARY | SECONDARY_EPT_VIOLATION_VE),
        XEN_USES(PROCBASED_CTLS3,
                 TERTIARY_EPT_PAGING_WRITE_CONTROL | TERTIARY_VIRTUALIZE_SPEC_CTRL),
        XEN_USES(EXIT_CTLS, OPTIONAL_VM_EXIT), XEN_USES(ENTRY_CTLS, OPTIONAL_VM_ENTRY),
        XEN_USES(EPT_VPID_CAP, ALL_BITS), XEN_USES(VMFUNC, ALL_BITS),
        XEN_USES_IF_FIRST("enable PML", PROCBASED_CTLS2, SECONDARY_ENABLE_PML),
        XEN_USES_IF_FIRST("Intel PT in VMX operation", MISC, VMX_MISC_INTEL_PT)),

    SOURCE(HYPER_V, "System requirements for Hyper-V on Windows and Windows Server: VT-x",
           WORKS("VT-x"), LOCKED_BY_FIRMWARE, ONE(SECONDARY, SECONDARY_ENABLE_EPT)),
    SOURCE(HYPER_V, "Hypervisor Boot-time CPUID Feature Requirements: VT-x",
           LEAF(CPUID_LEAF_CACHES, "CPUID leaf 0x4")),

    SOURCE(ESXI, "ESXi Hardware Requirements: VT-x", WORKS("VT-x"), LOCKED_BY_FIRMWARE),

    SOURCE(VIRTUALBOX, "VMMR0/HMR0.cpp hmR0InitIntel()", WORKS("VT-x")),
    SOURCE(VIRTUALBOX, "VMMR0/HMVMXR0.cpp hmR0VmxStructsAlloc()", REGION_4_KIB),
    SOURCE(VIRTUALBOX, "VMMR0/HMVMXR0.cpp hmR0VmxSetupVmcsPinCtls()",
           ONE(PIN_BASED, INTERRUPTS)),
    SOURCE(VIRTUALBOX, "VMMR0/HMVMXR0.cpp hmR0VmxSetupVmcsProcCtls()",
           ONE(PRIMARY, PRIMARY_USE_TSC_OFFSETTING | PRIMARY_HLT_EXITING |
                            PRIMARY_MWAIT_EXITING | PRIMARY_RDPMC_EXITING |
                            PRIMARY_UNCONDITIONAL_IO_EXITING | PRIMARY_MOV_DR_EXITING |
                            PRIMARY_MONITOR_EXITING),
           ZERO(PRIMARY, PRIMARY_MOV_DR_EXITING), IF(no_tpr_shadow, PRIMARY, MOV_CR8),
           IF(no_ept, PRIMARY, PRIMARY_INVLPG_EXITING | MOV_CR3)),
    SOURCE(VIRTUALBOX, "VMMR0/HMVMXR0.cpp hmR0VmxSetupTaggedTlb()",
           IF(ept, EPT_VPID, EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT),
           ANY(&ept, EPT_VPID, EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL)),
    SOURCE(VIRTUALBOX, "VMMAll/VMXAllTemplate.cpp.h vmxHCExportGuestEntryExitCtls()",
           ONE(VM_EXIT, VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_HOST_ADDRESS_SPACE_SIZE),
           ONE(VM_ENTRY, VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_IA32E_MODE_GUEST)),

    SOURCE(BHYVE, "sys/amd64/vmm/intel/vmx.c vmx_modinit()", WORKS("VT-x"),
           ONE(BASIC, VMX_BASIC_INS_OUTS_INFORMATION),
           ONE(PIN_BASED, INTERRUPTS | PIN_BASED_VIRTUAL_NMIS),
           ONE(PRIMARY, PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_MWAIT_EXITING |
                            PRIMARY_NMI_WINDOW_EXITING |
                            PRIMARY_UNCONDITIONAL_IO_EXITING | MOV_CR8 |
                            PRIMARY_USE_MSR_BITMAPS | PRIMARY_MONITOR_EXITING |
                            PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
           ZERO(PRIMARY, MOV_CR3 | PRIMARY_USE_IO_BITMAPS),
           ONE(SECONDARY, SECONDARY_ENABLE_EPT),
           ONE(VM_EXIT, VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_HOST_ADDRESS_SPACE_SIZE |
                            VM_EXIT_ACKNOWLEDGE_INTERRUPT | VM_EXIT_SAVE_IA32_EFER |
                            VM_EXIT_LOAD_IA32_EFER),
           ONE(VM_ENTRY, VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_LOAD_IA32_EFER),
           ZERO(VM_ENTRY, VM_ENTRY_TO_SMM | VM_ENTRY_DEACTIVATE_DUAL_MONITOR)),
    SOURCE(BHYVE, "sys/amd64/vmm/intel/ept.c ept_init()",
           ONE(EPT_VPID, EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT |
                             EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL |
                             VPID_CAP_INVVPID | VPID_CAP_INVVPID_ADDRESS |
                             VPID_CAP_INVVPID_SINGLE | VPID_CAP_INVVPID_ALL |
                             VPID_CAP_INVVPID_KEEP_GLOBAL)),

    SOURCE(JAILHOUSE, "driver/main.c jailhouse_cmd_enable()",
           FEATURE_CONTROL("IA32_FEATURE_CONTROL set or unlocked",
                           IS_NOT(FEATURE_CONTROL_LOCK))),
    SOURCE(JAILHOUSE, "hypervisor/arch/x86/vmx.c vmx_check_features()", WORKS("VT-x"),
           ONE(BASIC, VMX_BASIC_TRUE_CONTROLS), WRITE_BACK, REGION_4_KIB,
           ONE(PIN_BASED, PIN_BASED_NMI_EXITING | PIN_BASED_ACTIVATE_PREEMPTION_TIMER),
           ONE(PRIMARY, PRIMARY_USE_IO_BITMAPS | PRIMARY_USE_MSR_BITMAPS |
                            PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
           ZERO(PRIMARY, MOV_CR3),
           ONE(SECONDARY, SECONDARY_VIRTUALIZE_APIC_ACCESSES | SECONDARY_ENABLE_EPT |
                              SECONDARY_UNRESTRICTED_GUEST),
           IF(rdtscp, SECONDARY, SECONDARY_ENABLE_RDTSCP),
           IF(invpcid, SECONDARY, SECONDARY_ENABLE_INVPCID),
           IF(xsaves, SECONDARY, SECONDARY_ENABLE_XSAVES),
           IF(waitpkg, SECONDARY, SECONDARY_ENABLE_USER_WAIT_PAUSE),
           ONE(EPT_VPID, EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT),
           ANY(NULL, EPT_VPID, EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL),
           ONE(VM_EXIT, VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT |
                            VM_EXIT_SAVE_IA32_EFER | VM_EXIT_LOAD_IA32_EFER),
           ONE(VM_ENTRY, VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_IA32_EFER),
           ONE(MISC, VMX_MISC_ACTIVITY_HLT),
           IN_USE(ON_ALL, NULL, CR0_FIXED0, ~(uint64_t)(CR0_PE | CR0_PG)),
           IN_USE(ON_ALL, NULL, CR0_FIXED1, ~(uint64_t)(CR0_NW | CR0_CD)),
           IN_USE(ON_ALL, NULL, CR4_FIXED0, ALL_BITS),
           IN_USE(ON_ALL, NULL, CR4_FIXED1, ALL_BITS)),
    SOURCE(JAILHOUSE, "hypervisor/arch/x86/vtd.c vtd_init()", UNITS,
           UNIT("version 1.0", UNIT_READ(version), VT_D_VERSION_MASK,
                AT_LEAST(VT_D_VERSION_1_0)),
           UNIT("39 bits of address or else 48, of all units", READ_UNIT_WIDTH, 0,
                UINT64_MAX, AT_LEAST(1), .agreement = AGREEMENT_SAME),
           REMAPPING),

    SOURCE(ACRN, "hypervisor/arch/x86/cpu_caps.c detect_hardware_support(): VT-x",
           WORKS("VT-x"), IF(wide_addresses, EPT_VPID, EPT_CAP_PAGES_1_GIB)),
    SOURCE(ACRN, "hypervisor/arch/x86/cpu_caps.c check_essential_vmx_caps()",
           EITHER(PIN_BASED, PIN_BASED_EXTERNAL_INTERRUPT_EXITING),
           EITHER(PRIMARY, PRIMARY_USE_TSC_OFFSETTING | PRIMARY_HLT_EXITING |
                               PRIMARY_USE_TPR_SHADOW | PRIMARY_USE_IO_BITMAPS |
                               PRIMARY_USE_MSR_BITMAPS |
                               PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
           EITHER(SECONDARY, SECONDARY_VIRTUALIZE_APIC_ACCESSES | SECONDARY_ENABLE_EPT |
                                 SECONDARY_ENABLE_RDTSCP | SECONDARY_ENABLE_VPID |
                                 SECONDARY_UNRESTRICTED_GUEST),
           EITHER(VM_EXIT, VM_EXIT_HOST_ADDRESS_SPACE_SIZE |
                               VM_EXIT_ACKNOWLEDGE_INTERRUPT | VM_EXIT_SAVE_IA32_PAT |
                               VM_EXIT_LOAD_IA32_PAT),
           EITHER(VM_ENTRY, VM_ENTRY_IA32E_MODE_GUEST | VM_ENTRY_LOAD_IA32_PAT)),
    SOURCE(ACRN, "hypervisor/arch/x86/cpu_caps.c is_apicv_basic_feature_supported()",
           ONE(SECONDARY, SECONDARY_VIRTUALIZE_X2APIC_MODE)),
    SOURCE(ACRN, "hypervisor/arch/x86/cpu_caps.c check_vmx_mmu_cap()",
           ONE(EPT_VPID, EPT_CAP_INVEPT | EPT_CAP_PAGES_2_MIB | VPID_CAP_INVVPID |
                             VPID_CAP_INVVPID_SINGLE | VPID_CAP_INVVPID_ALL),
           ONE(MISC, VMX_MISC_SAVES_EFER_LMA)),
    SOURCE(ACRN, "hypervisor/arch/x86/cpu_caps.c pcpu_vmx_set_32bit_addr_width()",
           NO_32_BIT_ADDRESSES),
    SOURCE(ACRN, "hypervisor/arch/x86/vtd.c init_iommu()", UNITS,
           UNIT_HAS(capability, VT_D_CAP_PAGES_2_MIB, "2-MByte pages"),
           UNIT_HAS(capability, VT_D_CAP_PAGES_1_GIB, "1-GByte pages"), REMAPPING,
           UNIT_HAS(extended_capability, VT_D_ECAP_EXTENDED_INTERRUPT_MODE,
                    "extended interrupt mode")),

    SOURCE(
        NOVA, "src/x86_64/vmx.cpp Vmcs::init()", WORKS("VT-x"),
        FEATURE_CONTROL("IA32_FEATURE_CONTROL set and locked by firmware", IS(LOCKED_ON)),
        ONE(PRIMARY, PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
        ONE(SECONDARY, SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST),
        ONE(EPT_VPID, EPT_CAP_INVEPT)),
};

const struct requirement_table vt_x_requirement_table = TABLE("VT-x");
