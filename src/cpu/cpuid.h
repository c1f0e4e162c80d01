/*
 * What CPUID says, as a snapshot that can be recorded, and what Hymir reads out of it.
 *
 * SDM 2, "CPUID - CPU Identification". cpuid_snapshot_take executes the instruction, all
 * else is pure.
 */
#ifndef HYMIR_CPU_CPUID_H
#define HYMIR_CPU_CPUID_H

#include "cpu/instructions.h"
#include "lib/bits.h"
#include "x86/cpuid.h"

#include <stdbool.h>
#include <stdint.h>

/* The leaves that Hymir looks at, as executed; a leaf beyond its maximum is all zero. */
struct cpuid_snapshot {
    struct cpuid_result leaf_0;           /* maximum basic leaf; vendor */
    struct cpuid_result leaf_1;           /* signature, features */
    struct cpuid_result leaf_7;           /* subleaf 0: features */
    struct cpuid_result leaf_d_1;         /* leaf 0DH, subleaf 1: kinds of XSAVE */
    struct cpuid_result leaf_15;          /* TSC and crystal clock */
    struct cpuid_result leaf_16;          /* frequencies in MHz */
    struct cpuid_result leaf_1a;          /* core type */
    struct cpuid_result leaf_40000000;    /* outer hypervisor; zero without one */
    struct cpuid_result leaf_hypervisor;  /* cpuid_find_hypervisor's */
    struct cpuid_result leaf_40000010;    /* outer hypervisor's timing, in kHz */
    struct cpuid_result leaf_80000000;    /* maximum extended leaf */
    struct cpuid_result leaf_80000001;    /* extended features */
    struct cpuid_result leaf_80000002[3]; /* brand */
    struct cpuid_result leaf_80000007;    /* invariant TSC */
    struct cpuid_result leaf_80000008;    /* address widths */
};

/* Executes CPUID on this CPU. */
void cpuid_snapshot_take(struct cpuid_snapshot *snapshot);

/* The 12 characters of a vendor, or of a hypervisor's signature, and a NUL. */
#define CPUID_VENDOR_SIZE 13

/* The vendor from leaf 0, with anything that is not printable ASCII as '?'. */
void cpuid_vendor(const struct cpuid_snapshot *snapshot, char vendor[CPUID_VENDOR_SIZE]);

bool cpuid_has_hypervisor(const struct cpuid_snapshot *snapshot);

/* Executes CPUID, or looks it up. */
typedef struct cpuid_result cpuid_reader(uint32_t leaf, uint32_t subleaf);

/*
 * The leaf with the outer hypervisor's signature. One that poses as another (KVM and Xen
 * as Hyper-V, for Windows) has the other's in leaf 0x40000000 and its own at a later
 * multiple of 0x100: the last one counts.
 */
struct cpuid_result cpuid_find_hypervisor(cpuid_reader *read);

/* The outer hypervisor's signature; NULs in it end it. */
void cpuid_hypervisor(const struct cpuid_snapshot *snapshot,
                      char name[CPUID_VENDOR_SIZE]);

#define CPUID_BRAND_SIZE 49

/* The brand string without blanks in front and behind, or "unknown". */
void cpuid_brand(const struct cpuid_snapshot *snapshot, char brand[CPUID_BRAND_SIZE]);

/*
 * Family, model and stepping as displayed, extended parts included: SDM 2, "CPUID",
 * figure on version information returned by EAX.
 */
struct cpuid_signature {
    uint32_t family, model, stepping;
};
struct cpuid_signature cpuid_signature(const struct cpuid_snapshot *snapshot);

/*
 * The type of core that the CPU is, of a processor that has several: 0 of one that has
 * not, or does not say. SDM 2, "CPUID", leaf 1AH.
 */
#define CPUID_CORE_TYPES 256
uint8_t cpuid_core_type(const struct cpuid_snapshot *snapshot);

/* "performance", "efficient", "uniform" if the CPU does not say, or "other". */
const char *cpuid_core_type_name(const struct cpuid_snapshot *snapshot);

/*
 * The width of physical addresses in bits, from 32 to 52; 36 where CPUID does not tell.
 */
unsigned int cpuid_physical_address_width(const struct cpuid_snapshot *snapshot);

#endif
