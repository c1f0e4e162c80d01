/*
 * The part of a guest's CPUID and MSRs that only one vendor's processors have.
 *
 * The backend provides it as tables; guest/cpuid_policy.c and guest/msr_policy.c add the
 * architectural part.
 */
#ifndef HYMIR_VIRT_VENDOR_POLICY_H
#define HYMIR_VIRT_VENDOR_POLICY_H

#include "x86/cpuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of basic leaves that a guest may have. */
#define CPUID_BASIC_LEAVES 0x20U

/* Features of leaves 01H and 80000001H that guests of both vendors see. */
#define GUEST_FEATURES_EDX                                                         \
    (CPUID_1_EDX_FPU | CPUID_1_EDX_VME | CPUID_1_EDX_DE | CPUID_1_EDX_PSE |        \
     CPUID_1_EDX_TSC | CPUID_1_EDX_MSR | CPUID_1_EDX_PAE | CPUID_1_EDX_CX8 |       \
     CPUID_1_EDX_SEP | CPUID_1_EDX_PGE | CPUID_1_EDX_CMOV | CPUID_1_EDX_PAT |      \
     CPUID_1_EDX_PSE_36 | CPUID_1_EDX_CLFSH | CPUID_1_EDX_MMX | CPUID_1_EDX_FXSR | \
     CPUID_1_EDX_SSE | CPUID_1_EDX_SSE2 | CPUID_1_EDX_SS)
#define GUEST_EXTENDED_FEATURES_ECX \
    (CPUID_80000001_ECX_LAHF | CPUID_80000001_ECX_LZCNT | CPUID_80000001_ECX_PREFETCHW)
#define GUEST_EXTENDED_FEATURES_EDX                               \
    (CPUID_80000001_EDX_SYSCALL | CPUID_80000001_EDX_NX |         \
     CPUID_80000001_EDX_PAGES_1_GIB | CPUID_80000001_EDX_RDTSCP | \
     CPUID_80000001_EDX_LONG_MODE)

/* A leaf, and the bits of it that a guest sees. */
struct cpuid_row {
    uint32_t leaf;
    struct cpuid_result mask;
    bool has_subleaves; /* all with this mask; else each reads as subleaf 0 */
};

struct vendor_cpuid {
    const struct cpuid_row *rows;
    size_t row_count;
    bool repeats_last_leaf; /* a leaf out of range reads as the last basic one */
    bool
        counts_processors; /* where others count APIC IDs; and in leaves from 80000001H */

    /*
     * Adds the exact frequency of the TSC, in Hz, to the basic leaves of a guest, or
     * removes it if exact_hz is 0. Returns the last basic leaf. NULL: no leaf has it.
     */
    uint32_t (*add_frequency)(struct cpuid_result leaves[CPUID_BASIC_LEAVES],
                              uint32_t last, uint64_t exact_hz);
};

enum msr_kind {
    MSR_SHADOW,            /* reads return what was written */
    MSR_CONSTANT,          /* reads return the value; writes raise #GP */
    MSR_WRITABLE_CONSTANT, /* the same, but writes are ignored */
};

struct msr_row {
    uint32_t msr;
    enum msr_kind kind;
    uint64_t value; /* after reset, or always */
    uint64_t mask;  /* of a shadow: the writable bits; setting another raises #GP */
};

#define VENDOR_MSRS_MAX 12
struct vendor_msrs {
    const struct msr_row *row;
    size_t count; /* at most VENDOR_MSRS_MAX */
};

#endif
