/*
 * The requirements that do not depend on the technology, and the tables of those that do.
 * See requirements.h; docs/REFERENCES.md lists the sources.
 */
#include "report/requirement_rows.h"

#define HYPERVISOR_FACTS(id, ...) {__VA_ARGS__},
const struct hypervisor_facts hypervisors[] = {HYPERVISORS(HYPERVISOR_FACTS)};

PREMISE(nested, "", CPUID_HAS(leaf_1.ecx, CPUID_1_ECX_HYPERVISOR));
PREMISE(addresses_beyond_48_bits, "", CPUID(leaf_80000008.eax),
        CPUID_80000008_EAX_PHYSICAL_WIDTH, AT_LEAST(49));
PREMISE(wide_addresses, "for addresses of more than 39 bits", CPUID(leaf_80000008.eax),
        CPUID_80000008_EAX_PHYSICAL_WIDTH, AT_LEAST(40));

#define VT_X ROW("VT-x", "CPUID.01H:ECX", NULL, CPUID_HAS(leaf_1.ecx, CPUID_1_ECX_VMX))

#define OF_2013 "the document is of 2013"
#define HYPER_V_EDX                                                                \
    (CPUID_1_EDX_FPU | CPUID_1_EDX_VME | CPUID_1_EDX_DE | CPUID_1_EDX_PSE |        \
     CPUID_1_EDX_TSC | CPUID_1_EDX_MSR | CPUID_1_EDX_PAE | CPUID_1_EDX_MCE |       \
     CPUID_1_EDX_CX8 | CPUID_1_EDX_APIC | CPUID_1_EDX_SEP | CPUID_1_EDX_MTRR |     \
     CPUID_1_EDX_PGE | CPUID_1_EDX_MCA | CPUID_1_EDX_CMOV | CPUID_1_EDX_PAT |      \
     CPUID_1_EDX_PSE_36 | CPUID_1_EDX_CLFSH | CPUID_1_EDX_MMX | CPUID_1_EDX_FXSR | \
     CPUID_1_EDX_SSE | CPUID_1_EDX_SSE2)

static const struct requirement_source sources[] = {
    SOURCE(KVM, "arch/x86/kvm/x86.c __kvm_x86_vendor_init()",
           HAS(leaf_1.edx, CPUID_1_EDX_FPU, "x87 FPU"), FXSAVE),

    SOURCE(XEN, "xen/arch/x86/boot/head.S", LONG_MODE),

    SOURCE(HYPER_V, "System requirements for Hyper-V on Windows and Windows Server",
           LONG_MODE, NX(NULL)),
    SOURCE(HYPER_V, "Hypervisor Boot-time CPUID Feature Requirements",

           EQUAL("CPUID.00H:EBX", leaf_0.ebx, UINT32_MAX),
           EQUAL("CPUID.00H:ECX", leaf_0.ecx, UINT32_MAX),
           EQUAL("CPUID.00H:EDX", leaf_0.edx, UINT32_MAX),
           EQUAL("family, model and type (CPUID.01H:EAX)", leaf_1.eax, CPUID_1_EAX_MODEL),
           EQUAL("CLFLUSH line size", leaf_1.ebx, CPUID_1_EBX_CLFLUSH),
           EQUAL("logical processors in a package", leaf_1.ebx, CPUID_1_EBX_PROCESSORS),
           EQUAL("XSAVE", leaf_1.ecx, CPUID_1_ECX_XSAVE),
           EQUAL("CPUID.80000001H:EAX", leaf_80000001.eax, CPUID_1_EAX_MODEL),
           EQUAL("CPUID.80000001H:EBX", leaf_80000001.ebx, CPUID_80000001_EBX_TYPE),
           NAMED("VME, DE, PSE and the like (CPUID.01H:EDX)",
                 CPUID_HAS(leaf_1.edx, HYPER_V_EDX)),
           HAS(leaf_80000001.edx, CPUID_80000001_EDX_SYSCALL, "SYSCALL"),
           ROW("physical addresses of 48 bits at most", OF_2013,
               &addresses_beyond_48_bits, READ_NOTHING),
           ROW("no hypervisor below", OF_2013, &nested, READ_NOTHING)),

    SOURCE(ESXI, "ESXi Hardware Requirements", LONG_MODE, NX(NULL),
           ROW("the processor in VMware's compatibility guide", "look it up", NULL,
               READ_NOTHING),
           TWO_CPUS,
           NAMED("8 GiB of memory", READ_RAM, 0, UINT64_MAX, AT_LEAST(ESXI_RAM))),
    SOURCE(ESXI, "ESXi 8.0 Update 2 requires XSAVE (williamlam.com)",
           HAS(leaf_1.ecx, CPUID_1_ECX_XSAVE, "XSAVE")),

    SOURCE(VIRTUALBOX, "VMMR3/CPUM.cpp CPUMR3Init()",
           HAS(leaf_1.edx, CPUID_1_EDX_TSC, "TSC"),
           HAS(leaf_1.edx, CPUID_1_EDX_MMX, "MMX"), FXSAVE),

    SOURCE(JAILHOUSE, "tools/jailhouse-hardware-check", TWO_CPUS, LONG_MODE),

    SOURCE(ACRN, "hypervisor/arch/x86/cpu_caps.c detect_hardware_support()", VT_X,
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
           NAMED("address widths in CPUID", CPUID(leaf_80000008.eax),
                 CPUID_80000008_EAX_PHYSICAL_WIDTH, AT_LEAST(1)),
           ROW("1-GByte pages", "", &wide_addresses,
               CPUID_HAS(leaf_80000001.edx, CPUID_80000001_EDX_PAGES_1_GIB))),

    SOURCE(NOVA, "src/x86_64/start.S", LONG_MODE, NX(NULL),
           HAS(leaf_1.edx, CPUID_1_EDX_PGE, "PGE"),
           HAS(leaf_1.edx, CPUID_1_EDX_PAT, "PAT"), FXSAVE, SSE),
};

const struct requirement_table requirement_table = TABLE(NULL);

const struct requirement_table *const requirement_tables[REQUIREMENT_TABLES] = {
    &requirement_table, &vt_x_requirement_table, &amd_v_requirement_table};
