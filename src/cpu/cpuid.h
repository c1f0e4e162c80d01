/*
 * A snapshot of CPUID that can be recorded, and what Hymir derives from it.
 *
 * SDM 2, "CPUID - CPU Identification". Pure, except for cpuid_snapshot_read, which
 * executes the instruction.
 */
#ifndef HYMIR_CPU_CPUID_H
#define HYMIR_CPU_CPUID_H

#include "cpu/instructions.h"
#include "lib/bits.h"
#include "x86/cpuid.h"

#include <stdbool.h>
#include <stdint.h>

/* The leaves that Hymir uses, unmodified; a leaf beyond the maximum is all zero. */
struct cpuid_snapshot {
    struct cpuid_result leaf_0;           /* maximum basic leaf; vendor */
    struct cpuid_result leaf_1;           /* signature, features */
    struct cpuid_result leaf_7;           /* subleaf 0: features */
    struct cpuid_result leaf_7_2;         /* subleaf 2: bits of IA32_SPEC_CTRL */
    struct cpuid_result leaf_d_1;         /* leaf 0DH, subleaf 1: XSAVE features */
    struct cpuid_result leaf_15;          /* TSC and crystal clock */
    struct cpuid_result leaf_16;          /* frequencies in MHz */
    struct cpuid_result leaf_1a;          /* core type */
    struct cpuid_result leaf_40000000;    /* outer hypervisor; zero without one */
    struct cpuid_result leaf_hypervisor;  /* from cpuid_find_hypervisor */
    struct cpuid_result leaf_40000010;    /* outer hypervisor's timing, in kHz */
    struct cpuid_result leaf_80000000;    /* maximum extended leaf */
    struct cpuid_result leaf_80000001;    /* extended features */
    struct cpuid_result leaf_80000002[3]; /* brand */
    struct cpuid_result leaf_80000007;    /* invariant TSC */
    struct cpuid_result leaf_80000008;    /* address widths */
    struct cpuid_result leaf_8000000a;    /* SVM features */
    struct cpuid_result leaf_8000001f;    /* encrypted memory capabilities */
    struct cpuid_result leaf_80000021;    /* extended features 2 */
    struct cpuid_result leaf_80000026;    /* subleaf 0: AMD's core type */
};

/* Executes CPUID, or looks up a recorded leaf. */
typedef struct cpuid_result cpuid_reader(uint32_t leaf, uint32_t subleaf);

/*
 * Returns a basic or extended leaf, or zeros if it is beyond the maximum: a processor
 * then returns the data of another leaf.
 */
struct cpuid_result cpuid_read_existing(uint32_t leaf, uint32_t subleaf,
                                        cpuid_reader *read);

/* Fills in all leaves, and reads none beyond the maximum. */
void cpuid_snapshot_fill(struct cpuid_snapshot *snapshot, cpuid_reader *read);

/* Reads all leaves of this CPU. */
void cpuid_snapshot_read(struct cpuid_snapshot *snapshot);

/* The 12 characters of a vendor or of a hypervisor's signature, and a NUL. */
#define CPUID_VENDOR_SIZE 13

/* Copies the vendor from leaf 0, replacing unprintable characters by '?'. */
void cpuid_vendor(const struct cpuid_snapshot *snapshot, char vendor[CPUID_VENDOR_SIZE]);

/*
 * Returns whether the processor is Intel's, and so has the MSRs that only Intel defines.
 * Some report a vendor with a flipped bit.
 */
bool cpuid_is_intel(const struct cpuid_snapshot *snapshot);

/*
 * Returns whether firmware may hide leaves, given leaf 0: Intel's processors end at leaf
 * 2 or 3 if IA32_MISC_ENABLE[22] is set, for operating systems of the 1990s.
 */
bool cpuid_may_be_limited(const struct cpuid_snapshot *snapshot);

/* Returns whether the processor is AMD's, or Hygon's, which has the same design. */
bool cpuid_is_amd(const struct cpuid_snapshot *snapshot);

bool cpuid_has_hypervisor(const struct cpuid_snapshot *snapshot);

/*
 * Returns the leaf with the outer hypervisor's signature. A hypervisor that poses as
 * another (KVM and Xen as Hyper-V, for Windows) has the other's signature in leaf
 * 0x40000000 and its own at a later multiple of 0x100: the last one applies.
 */
struct cpuid_result cpuid_find_hypervisor(cpuid_reader *read);

/* Copies the outer hypervisor's signature, up to its first NUL. */
void cpuid_hypervisor(const struct cpuid_snapshot *snapshot,
                      char name[CPUID_VENDOR_SIZE]);

#define CPUID_BRAND_SIZE 49

/* Copies the brand string without leading and trailing blanks, or "unknown". */
void cpuid_brand(const struct cpuid_snapshot *snapshot, char brand[CPUID_BRAND_SIZE]);

/*
 * Family, model and stepping, including the extended fields: SDM 2, "CPUID", figure
 * "Version Information Returned by CPUID in EAX".
 */
struct cpuid_signature {
    uint32_t family, model, stepping;
};
struct cpuid_signature cpuid_signature(const struct cpuid_snapshot *snapshot);

/*
 * Returns whether the processor's VMX-preemption timer has the erratum by which it does
 * not count at the specified rate, and at times not at all: Nehalem and Westmere, by
 * Intel's specification updates, and a stepping of Ivy Bridge, by Linux 6.16,
 * arch/x86/kvm/vmx/vmx.c vmx_preemption_cpu_tfms[].
 */
bool cpuid_has_preemption_timer_erratum(const struct cpuid_snapshot *snapshot);

/*
 * The core type of a CPU of a hybrid processor, as Intel's leaf 1AH encodes it; 0 if the
 * processor is not hybrid or does not report it. SDM 2, "CPUID", leaf 1AH; APM 3,
 * "Function 8000_0026: Extended CPU Topology".
 */
#define CPUID_CORE_TYPES 256
uint8_t cpuid_core_type(const struct cpuid_snapshot *snapshot);

/* Returns "performance", "efficient", "uniform" for core type 0, or "other". */
const char *cpuid_core_type_name(const struct cpuid_snapshot *snapshot);

/* Returns the width of physical addresses in bits, 32 to 52; 36 if not reported. */
unsigned int cpuid_physical_address_width(const struct cpuid_snapshot *snapshot);

#endif
