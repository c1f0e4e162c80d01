/* See requirements.h. docs/REFERENCES.md lists the sources. */
#include "report/requirements.h"

#include "cpu/cpuid.h"
#include "virt/record.h"
#include "x86/msr.h"
#include "x86/vmx_capabilities.h"
#include "x86/vt_d.h"

#define HYPERVISOR_FACTS(id, ...) {__VA_ARGS__},
const struct hypervisor_facts hypervisors[] = {HYPERVISORS(HYPERVISOR_FACTS)};

/* ---- Conditions -------------------------------------------------------------------- */

/* Ranges. */
#define IS(value)       (value), (value)
#define IS_NOT(value)   (value) + UINT64_C(1), (value)-UINT64_C(1)
#define AT_LEAST(value) (value), UINT64_MAX
#define AT_MOST(value)  0, (value)

#define CAN(in, bits)        READ_MAY_BE_1, GROUP_##in, bits, IS(bits)
#define CANNOT(in, bits)     READ_MAY_BE_1, GROUP_##in, bits, IS(0)
#define CAN_ANY(in, bits)    READ_MAY_BE_1, GROUP_##in, bits, IS_NOT(0)
#define CPUID(reg)           READ_CPUID, offsetof(struct cpuid_snapshot, reg)
#define CPUID_HAS(reg, bits) CPUID(reg), bits, IS(bits)
#define CPUID_NX             CPUID_HAS(leaf_80000001.edx, CPUID_80000001_EDX_NX)
#define VERDICT_IS(words)    READ_VERDICT, 0, words, IS_NOT(0)
#define VERDICT_NOT(words)   READ_VERDICT, 0, words, IS(0)

#define USABLE (BIT(VERDICT_READY) | BIT(VERDICT_UNLOCKED))

/* ---- Premises ---------------------------------------------------------------------- */

#define PREMISE(name, words, ...) \
    static const struct premise name = {words, {.reading = __VA_ARGS__}}
#define EPT_OF_KVM (EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT_ALL)

PREMISE(rdtscp, "for RDTSCP", CPUID_HAS(leaf_80000001.edx, CPUID_80000001_EDX_RDTSCP));
PREMISE(invpcid, "for INVPCID", CPUID_HAS(leaf_7.ebx, CPUID_7_EBX_INVPCID));
PREMISE(xsaves, "for XSAVES", CPUID_HAS(leaf_d_1.eax, CPUID_D_1_EAX_XSAVES));
PREMISE(waitpkg, "for UMWAIT", CPUID_HAS(leaf_7.ecx, CPUID_7_ECX_WAITPKG));
PREMISE(ept, "for EPT", CAN(SECONDARY, SECONDARY_ENABLE_EPT));
PREMISE(no_ept, "without EPT", CANNOT(SECONDARY, SECONDARY_ENABLE_EPT));
PREMISE(no_ept_for_kvm, "without EPT", READ_MAY_BE_1, GROUP_EPT_VPID, EPT_OF_KVM,
        IS_NOT(EPT_OF_KVM));
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
PREMISE(unlocked, "", VERDICT_IS(BIT(VERDICT_UNLOCKED)));
PREMISE(mixed, "", VERDICT_IS(BIT(VERDICT_MIXED)));
PREMISE(not_mixed, "", VERDICT_NOT(BIT(VERDICT_MIXED)));
PREMISE(not_mixed_or_unlocked, "",
        VERDICT_NOT(BIT(VERDICT_MIXED) | BIT(VERDICT_UNLOCKED)));

/* ---- Requirements ------------------------------------------------------------------ */

#define ROW(name, kind, premise, ...)                 \
    {                                                 \
        {.reading = __VA_ARGS__}, name, kind, premise \
    }
#define NAMED(name, ...)   ROW(name, "", NULL, __VA_ARGS__)
#define BITS(premise, ...) ROW(NULL, "", premise, __VA_ARGS__)

/* Bits that must support 1, 0 or both, or of which at least one must support 1. */
#define ONE(in, bits)           BITS(NULL, CAN(in, bits))
#define ZERO(in, bits)          BITS(NULL, READ_MUST_BE_1, GROUP_##in, bits, IS(0))
#define EITHER(in, bits)        ONE(in, bits), ZERO(in, bits)
#define ANY(premise, in, bits)  BITS(premise, CAN_ANY(in, bits))
#define IF(premise, in, bits)   BITS(&(premise), CAN(in, bits))
#define VCPU(in)                BITS(NULL, READ_VCPU, GROUP_##in, UINT64_MAX, IS(UINT64_MAX))
#define PAIR(of_entry, of_exit) BITS(NULL, READ_PAIR, of_exit, of_entry, IS_NOT(0))

#define INTERRUPTS (PIN_BASED_EXTERNAL_INTERRUPT_EXITING | PIN_BASED_NMI_EXITING)
#define MOV_CR3    (PRIMARY_CR3_LOAD_EXITING | PRIMARY_CR3_STORE_EXITING)
#define MOV_CR8    (PRIMARY_CR8_LOAD_EXITING | PRIMARY_CR8_STORE_EXITING)
#define KVM_AND_XEN                                                         \
    (PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_USE_TSC_OFFSETTING |        \
     PRIMARY_HLT_EXITING | PRIMARY_INVLPG_EXITING | PRIMARY_MWAIT_EXITING | \
     PRIMARY_MOV_DR_EXITING | PRIMARY_MONITOR_EXITING | MOV_CR3 | MOV_CR8)

#define BASIC(name, high, low, ...)                                                     \
    ROW(name, "IA32_VMX_BASIC", NULL, READ_MAY_BE_1, GROUP_BASIC, BITS_MASK(high, low), \
        __VA_ARGS__)
#define WRITE_BACK \
    BASIC("write-back VMCSs", 53, 50, IS((uint64_t)VMX_MEMORY_TYPE_WRITE_BACK << 50))
#define REGION_4_KIB \
    BASIC("VMCSs of 4096 bytes at most", 44, 32, AT_MOST(PAGE_SIZE << 32))
#define NO_32_BIT_ADDRESSES BITS(NULL, CANNOT(BASIC, VMX_BASIC_ADDRESSES_32_BIT))

#define ALIKE(msrs) NAMED("the same VMX MSRs on all CPUs", READ_ALIKE, 0, msrs, IS(msrs))
#define MSR_OF(msr) BIT((msr)-VMX_MSR_FIRST)
#define MSRS_OF_KVM_AND_XEN                                                   \
    (MSR_OF(MSR_IA32_VMX_BASIC) | MSR_OF(MSR_IA32_VMX_PINBASED_CTLS) |        \
     MSR_OF(MSR_IA32_VMX_PROCBASED_CTLS) | MSR_OF(MSR_IA32_VMX_EXIT_CTLS) |   \
     MSR_OF(MSR_IA32_VMX_ENTRY_CTLS) | MSR_OF(MSR_IA32_VMX_PROCBASED_CTLS2) | \
     MSR_OF(MSR_IA32_VMX_EPT_VPID_CAP) | MSR_OF(MSR_IA32_VMX_PROCBASED_CTLS3))

/* Only Hymir with nolock requires a locked IA32_FEATURE_CONTROL; the others lock it. */
#define WORKS_ON_ALL \
    ROW("VT-x that works on all CPUs", "the verdict", &mixed, VERDICT_IS(USABLE))
#define WORKS_IF(premise) \
    ROW("VT-x that works", "the verdict", &(premise), VERDICT_IS(USABLE))
#define WORKS     WORKS_ON_ALL, WORKS_IF(not_mixed)
#define LOCKED_ON (FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUTSIDE_SMX)
#define FEATURE_CONTROL(name, ...) \
    NAMED(name, READ_MSR, MSR_IA32_FEATURE_CONTROL, LOCKED_ON, __VA_ARGS__)

#define LEAF(leaf, name)     NAMED(name, CPUID(leaf_0.eax), UINT32_MAX, AT_LEAST(leaf))
#define HAS(reg, bits, name) NAMED(name, CPUID_HAS(reg, bits))
#define LONG_MODE            HAS(leaf_80000001.edx, CPUID_80000001_EDX_LONG_MODE, "long mode")
#define NX(premise)          ROW("NX (execute disable)", "", premise, CPUID_NX)
#define FXSAVE               HAS(leaf_1.edx, CPUID_1_EDX_FXSR, "FXSAVE")
#define SSE                  HAS(leaf_1.edx, CPUID_1_EDX_SSE, "SSE")
#define TWO_CPUS             NAMED("two CPUs", READ_CPUS, 0, UINT64_MAX, AT_LEAST(2))

/* 8 GiB of modules, less what firmware reserves. */
#define ESXI_RAM (UINT64_C(7680) << 20)

#define UNITS_IF(premise, name) \
    ROW(name, "an ACPI table DMAR", &(premise), READ_UNIT_ANSWERS, 0, 1, IS(1))
#define UNITS                    UNITS_IF(dmar, "VT-d units that answer"), UNITS_IF(no_dmar, "VT-d")
#define UNIT(name, ...)          ROW(name, "VT-d", &vt_d_units, __VA_ARGS__)
#define UNIT_READ(reg)           READ_UNIT, offsetof(struct vt_d_unit, reg)
#define UNIT_HAS(reg, bit, name) UNIT(name, UNIT_READ(reg), bit, IS(bit))
#define REMAPPING                                                                        \
    UNIT_HAS(extended_capability, VT_D_ECAP_QUEUED_INVALIDATION, "queued invalidation"), \
        UNIT_HAS(extended_capability, VT_D_ECAP_INTERRUPT_REMAPPING,                     \
                 "interrupt remapping")

#define SOURCE(of, name, ...)                                             \
    {                                                                     \
        HYPERVISOR_##of, name, (const struct requirement[]){__VA_ARGS__}, \
            sizeof((const struct requirement[]){__VA_ARGS__}) /           \
                sizeof(struct requirement)                                \
    }

const struct requirement_source requirement_sources[] = {
    SOURCE(HYMIR, "src/vmx/checks.c vmx_checks[]",
           ROW("VT-x that works", "boot without nolock", &unlocked,
               VERDICT_IS(BIT(VERDICT_READY))),
           WORKS_ON_ALL, WORKS_IF(not_mixed_or_unlocked)),
    SOURCE(HYMIR, "src/vmx/vcpu_controls.c vcpu_controls_fit()", VCPU(PIN_BASED),
           VCPU(PRIMARY), VCPU(SECONDARY), VCPU(VM_EXIT), VCPU(VM_ENTRY),
           ONE(EPT_VPID, EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK),
           ONE(MISC, VMX_MISC_ACTIVITY_HLT)),

    SOURCE(KVM, "arch/x86/kvm/vmx/vmx.c __kvm_is_vmx_supported()", WORKS),
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
    SOURCE(KVM, "arch/x86/kvm/vmx/vmx.c vmx_check_processor_compat()",
           ALIKE(MSRS_OF_KVM_AND_XEN | MSR_OF(MSR_IA32_VMX_MISC) |
                 MSR_OF(MSR_IA32_VMX_CR0_FIXED1) | MSR_OF(MSR_IA32_VMX_CR4_FIXED1))),
    SOURCE(KVM, "arch/x86/kvm/vmx/vmx.c vmx_hardware_setup()", NX(&no_ept_for_kvm)),
    SOURCE(KVM, "arch/x86/kvm/x86.c __kvm_x86_vendor_init()",
           HAS(leaf_1.edx, CPUID_1_EDX_FPU, "x87 FPU"), FXSAVE),

    SOURCE(XEN, "xen/arch/x86/boot/head.S", LONG_MODE),
    SOURCE(XEN, "xen/arch/x86/hvm/vmx/vmcs.c _vmx_cpu_up()", WORKS),
    SOURCE(XEN, "xen/arch/x86/hvm/vmx/vmcs.c vmx_init_vmcs_config()",
           ONE(PIN_BASED, INTERRUPTS),
           ONE(PRIMARY, KVM_AND_XEN | PRIMARY_RDTSC_EXITING | PRIMARY_USE_IO_BITMAPS),
           ONE(VM_EXIT, VM_EXIT_HOST_ADDRESS_SPACE_SIZE | VM_EXIT_ACKNOWLEDGE_INTERRUPT),
           NO_32_BIT_ADDRESSES, WRITE_BACK, REGION_4_KIB,
           ALIKE(MSRS_OF_KVM_AND_XEN | MSR_OF(MSR_IA32_VMX_VMFUNC))),

    SOURCE(HYPER_V, "System requirements for Hyper-V on Windows and Windows Server",
           WORKS, LONG_MODE, NX(NULL), ONE(SECONDARY, SECONDARY_ENABLE_EPT)),
    SOURCE(HYPER_V, "Hypervisor Boot-time CPUID Feature Requirements",
           LEAF(CPUID_LEAF_CACHES, "CPUID leaf 0x4"),
           ROW("the same processor on all CPUs", "CPUID.01H:EAX", NULL, CPUID(leaf_1.eax),
               UINT32_MAX, AT_LEAST(0), .is_same = true)),

    SOURCE(ESXI, "ESXi Hardware Requirements", LONG_MODE, NX(NULL),
           ROW("the processor in VMware's compatibility guide", "look it up", NULL,
               READ_NOTHING),
           TWO_CPUS,
           NAMED("8 GiB of memory", READ_RAM, 0, UINT64_MAX, AT_LEAST(ESXI_RAM)), WORKS),
    SOURCE(ESXI, "ESXi 8.0 Update 2 requires XSAVE (williamlam.com)",
           HAS(leaf_1.ecx, CPUID_1_ECX_XSAVE, "XSAVE")),

    SOURCE(VIRTUALBOX, "VMMR0/HMR0.cpp hmR0InitIntel()", WORKS),
    SOURCE(VIRTUALBOX, "VMMR3/CPUM.cpp CPUMR3Init()",
           HAS(leaf_1.edx, CPUID_1_EDX_TSC, "TSC"),
           HAS(leaf_1.edx, CPUID_1_EDX_MMX, "MMX"), FXSAVE),
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

    SOURCE(BHYVE, "sys/amd64/vmm/intel/vmx.c vmx_modinit()", WORKS,
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

    SOURCE(JAILHOUSE, "tools/jailhouse-hardware-check", TWO_CPUS, LONG_MODE),
    SOURCE(JAILHOUSE, "driver/main.c jailhouse_cmd_enable()",
           FEATURE_CONTROL("IA32_FEATURE_CONTROL set or unlocked",
                           IS_NOT(FEATURE_CONTROL_LOCK))),
    SOURCE(JAILHOUSE, "hypervisor/arch/x86/vmx.c vmx_check_features()", WORKS,
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
           ONE(MISC, VMX_MISC_ACTIVITY_HLT)),
    SOURCE(JAILHOUSE, "hypervisor/arch/x86/vtd.c vtd_init()", UNITS,
           UNIT("version 1.0", UNIT_READ(version), VT_D_VERSION_MASK,
                AT_LEAST(VT_D_VERSION_1_0)),
           UNIT("39 bits of address or else 48, of all units", READ_UNIT_WIDTH, 0,
                UINT64_MAX, AT_LEAST(1), .is_same = true),
           REMAPPING),

    SOURCE(ACRN, "hypervisor/arch/x86/cpu_caps.c detect_hardware_support()", WORKS,
           LEAF(CPUID_LEAF_TSC, "CPUID leaf 0x15"), LONG_MODE, NX(NULL),
           HAS(leaf_1.edx, CPUID_1_EDX_MTRR, "MTRR"), SSE,
           HAS(leaf_1.ecx, CPUID_1_ECX_X2APIC, "x2APIC"),
           HAS(leaf_1.ecx, CPUID_1_ECX_POPCNT, "POPCNT"),
           HAS(leaf_1.ecx, CPUID_1_ECX_TSC_DEADLINE, "TSC deadline"),
           HAS(leaf_1.ecx, CPUID_1_ECX_RDRAND, "RDRAND"),
           HAS(leaf_7.ebx, CPUID_7_EBX_SMEP, "SMEP"),
           HAS(leaf_7.ebx, CPUID_7_EBX_ERMS, "ERMS"),
           HAS(leaf_7.ebx, CPUID_7_EBX_SMAP, "SMAP"),
           HAS(leaf_7.ebx, CPUID_7_EBX_CLFLUSHOPT, "CLFLUSHOPT"),
           HAS(leaf_80000007.edx, CPUID_80000007_EDX_INVARIANT_TSC, "invariant TSC"),
           ROW("fast strings", "IA32_MISC_ENABLE", NULL, READ_MSR, MSR_IA32_MISC_ENABLE,
               MISC_ENABLE_FAST_STRINGS, IS_NOT(0)),
           ROW("1-GByte pages", "", &wide_addresses,
               CPUID_HAS(leaf_80000001.edx, CPUID_80000001_EDX_PAGES_1_GIB)),
           IF(wide_addresses, EPT_VPID, EPT_CAP_PAGES_1_GIB)),
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

    SOURCE(NOVA, "src/x86_64/start.S", LONG_MODE, NX(NULL),
           HAS(leaf_1.edx, CPUID_1_EDX_PGE, "PGE"),
           HAS(leaf_1.edx, CPUID_1_EDX_PAT, "PAT"), FXSAVE, SSE),
    SOURCE(
        NOVA, "src/x86_64/vmx.cpp Vmcs::init()", WORKS,
        FEATURE_CONTROL("IA32_FEATURE_CONTROL set and locked by firmware", IS(LOCKED_ON)),
        ONE(PRIMARY, PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
        ONE(SECONDARY, SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST),
        ONE(EPT_VPID, EPT_CAP_INVEPT)),
};
const size_t requirement_source_count = ARRAY_SIZE(requirement_sources);
