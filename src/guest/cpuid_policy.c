/* See cpuid_policy.h. The bits' names: SDM 2, "CPUID - CPU Identification". */
#include "guest/cpuid_policy.h"

#include "guest/hypercall.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "virt/control_register_rules.h"

#define LEAF_1_ECX_OSXSAVE    BIT(27)
#define LEAF_1_ECX_HYPERVISOR BIT(31)
#define CR4_OSXSAVE_BIT       BIT(18)
#define LEAF_CACHES           4U
#define LEAF_FEATURES         7U
#define LEAF_XSAVE            0xDU
#define LEAF_TSC              0x15U
#define LEAF_FREQUENCY        0x16U
#define LEAF_EXTENDED         0x80000000U
#define XSAVE_LEGACY_SIZE     576U /* x87, SSE and the header */
#define XSAVE_FIRST           2U   /* state component behind those */
#define XSAVE_COMPONENTS      64U
#define XSAVE_SHOWN           0x5U /* of subleaf 1, EAX: XSAVEOPT, XGETBV with ECX = 1 */

/* The TSC's frequency as leaf 0x15 gives it: a crystal, and how much faster. */
#define TSC_RATIO     100U
#define TSC_TOLERANCE 50U /* the machine's own leaf is right within a fiftieth */

/* "HymirHymir\0\0" in EBX, ECX, EDX. */
#define SIGNATURE_EBX 0x696D7948U
#define SIGNATURE_ECX 0x6D794872U
#define SIGNATURE_EDX 0x00007269U

/* A leaf, and what of its registers a guest sees. A leaf without a row is all zero. */
static const struct row {
    uint32_t leaf;
    uint32_t eax, ebx, ecx, edx;
} rows[] = {
    {0, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
    /*
     * EBX: brand and CLFLUSH size, not the APIC ID. ECX: SSE3 PCLMULQDQ SSSE3 FMA CX16
     * PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND. EDX: FPU VME DE PSE TSC
     * MSR PAE CX8 SEP PGE CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 SS.
     */
    {1, UINT32_MAX, 0x0000FFFF, 0x76DA3203, 0x0F8BA97F},
    {2, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
    {LEAF_CACHES, 0x3FF, UINT32_MAX, UINT32_MAX, UINT32_MAX}, /* not how many share it */
    /*
     * EBX: FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS INVPCID AVX512F DQ RDSEED ADX SMAP IFMA
     * CLFLUSHOPT CLWB ER CD SHA BW VL. ECX: VBMI UMIP VBMI2 GFNI VAES VPCLMULQDQ VNNI
     * BITALG VPOPCNTDQ RDPID WAITPKG CLDEMOTE MOVDIRI MOVDIR64B. EDX: FSRM.
     */
    {LEAF_FEATURES, 0, 0xF9BF07A9, 0x1A405F66, 0x00000010},
    {LEAF_XSAVE, GUEST_XCR0_ALLOWED, UINT32_MAX, 0, 0}, /* ECX is computed */
    {LEAF_TSC, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0},
    {LEAF_FREQUENCY, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0},
    {0x80000000, UINT32_MAX, 0, 0, 0},
    /* ECX: LAHF LZCNT PREFETCHW. EDX: SYSCALL NX 1-GByte pages RDTSCP Intel 64. */
    {0x80000001, 0, 0, 0x00000121, 0x2C100800},
    {0x80000002, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
    {0x80000003, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
    {0x80000004, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
    {0x80000006, 0, 0, UINT32_MAX, 0},
    {0x80000007, 0, 0, 0, 0x00000100}, /* invariant TSC */
    {0x80000008, 0x0000FFFF, 0, 0, 0}, /* address widths */
};

static const struct cpuid_values nothing;

static struct cpuid_values masked(const struct row *row, struct cpuid_values values)
{
    return (struct cpuid_values){.eax = values.eax & row->eax,
                                 .ebx = values.ebx & row->ebx,
                                 .ecx = values.ecx & row->ecx,
                                 .edx = values.edx & row->edx};
}

static const struct row *find_row(uint32_t leaf)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].leaf == leaf)
            return &rows[i];
    }
    return NULL;
}

/* Fills count answers from first on, as far as the processor has such leaves. */
static void fill(struct cpuid_values *answers, uint32_t first, uint32_t last,
                 cpuid_source *read)
{
    for (uint32_t leaf = first; leaf <= last; leaf++) {
        const struct row *row = find_row(leaf);
        answers[leaf - first] = row == NULL ? nothing : masked(row, read(leaf, 0));
    }
}

/* What the machine's leaf 0x15 says, in Hz, or 0. SDM 2, "CPUID". */
static uint64_t told_frequency(const struct cpuid_answers *answers)
{
    const struct cpuid_values *leaf = &answers->basic[LEAF_TSC];

    if (answers->last_basic < LEAF_TSC || leaf->eax == 0)
        return 0;
    return (uint64_t)leaf->ecx * leaf->ebx / leaf->eax;
}

/*
 * A guest that is told how fast its TSC is need not measure it. The machine's own words
 * are the most precise, if they are true: an emulator's are not.
 */
static void tell_frequency(struct cpuid_answers *answers, uint64_t hz)
{
    uint64_t told  = told_frequency(answers);
    uint64_t error = told > hz ? told - hz : hz - told;
    uint32_t mhz   = (uint32_t)(hz / 1000000);

    if (error <= hz / TSC_TOLERANCE)
        return;
    if (answers->last_basic < LEAF_FREQUENCY)
        answers->last_basic = LEAF_FREQUENCY;
    answers->basic[LEAF_TSC] = (struct cpuid_values){
        .eax = 1, .ebx = TSC_RATIO, .ecx = (uint32_t)(hz / TSC_RATIO)};
    answers->basic[LEAF_FREQUENCY] = (struct cpuid_values){.eax = mhz, .ebx = mhz};
}

/* What a guest speaks with, and its version as text in EBX, ECX, EDX. */
static void tell_version(struct cpuid_values *values)
{
    static const char version[] = HYMIR_VERSION;
    uint32_t text[3]            = {0};

    _Static_assert(sizeof(version) - 1 <= sizeof(text), "three registers");
    memcpy(text, version, sizeof(version) - 1);
    *values = (struct cpuid_values){
        .eax = HYPERCALL_INTERFACE, .ebx = text[0], .ecx = text[1], .edx = text[2]};
}

void cpuid_policy_make(struct cpuid_answers *answers, uint64_t tsc_hz, cpuid_source *read)
{
    uint32_t basic    = read(0, 0).eax;
    uint32_t extended = read(LEAF_EXTENDED, 0).eax;

    *answers               = (struct cpuid_answers){0};
    answers->last_basic    = basic < CPUID_BASIC_LEAVES ? basic : CPUID_BASIC_LEAVES - 1;
    answers->last_extended = extended < LEAF_EXTENDED ? LEAF_EXTENDED
                             : extended < LEAF_EXTENDED + CPUID_EXTENDED_LEAVES
                                 ? extended
                                 : LEAF_EXTENDED + CPUID_EXTENDED_LEAVES - 1;
    fill(answers->basic, 0, answers->last_basic, read);
    fill(answers->extended, LEAF_EXTENDED, answers->last_extended, read);
    tell_frequency(answers, tsc_hz);
    answers->basic[0].eax    = answers->last_basic;
    answers->extended[0].eax = answers->last_extended;
    if (answers->last_basic >= 1)
        answers->basic[1].ecx |= (uint32_t)LEAF_1_ECX_HYPERVISOR;
    for (uint32_t leaf = 0; leaf <= answers->last_basic; leaf++) {
        if (leaf != 1 && leaf != LEAF_CACHES && leaf != LEAF_FEATURES &&
            leaf != LEAF_XSAVE)
            answers->plain[leaf] = &answers->basic[leaf];
    }
    answers->hypervisor[0] =
        (struct cpuid_values){.eax = CPUID_HYPERVISOR_FIRST + CPUID_HYPERVISOR_LEAVES - 1,
                              .ebx = SIGNATURE_EBX,
                              .ecx = SIGNATURE_ECX,
                              .edx = SIGNATURE_EDX};
    tell_version(&answers->hypervisor[1]);
}

/* The size of an XSAVE area with the components in mask, in the standard format. */
static uint32_t standard_size(uint64_t mask, cpuid_source *read)
{
    uint32_t size = XSAVE_LEGACY_SIZE;

    for (uint32_t i = XSAVE_FIRST; i < XSAVE_COMPONENTS; i++) {
        if ((mask & BIT(i)) == 0)
            continue;
        struct cpuid_values component = read(LEAF_XSAVE, i);
        if (component.ebx + component.eax > size)
            size = component.ebx + component.eax;
    }
    return size;
}

/*
 * Leaf 0xD, of the components that a guest may have: SDM 1, "Enumeration of CPU Support
 * for XSAVE Instructions and XSAVE-Supported Features". XSAVEC and XSAVES are hidden: a
 * guest has no supervisor state, so that XSAVEOPT does all it needs, and their compacted
 * format is wrong in Bochs 2.7, which saves AVX state where it does not look for it.
 */
static struct cpuid_values answer_xsave(uint32_t subleaf, const struct cpuid_state *state,
                                        cpuid_source *read)
{
    struct cpuid_values values = read(LEAF_XSAVE, subleaf);
    uint32_t allowed           = read(LEAF_XSAVE, 0).eax & GUEST_XCR0_ALLOWED;

    if (subleaf == 0)
        return (struct cpuid_values){.eax = allowed,
                                     .ebx = standard_size(state->xcr0, read),
                                     .ecx = standard_size(allowed, read)};
    if (subleaf == 1)
        return (struct cpuid_values){.eax = values.eax & XSAVE_SHOWN};
    if (subleaf >= XSAVE_COMPONENTS || (allowed & BIT(subleaf)) == 0)
        return nothing;
    return values;
}

/* The subleaves of the leaves that have any. */
static struct cpuid_values answer_subleaf(const struct cpuid_answers *answers,
                                          uint32_t leaf, uint32_t subleaf,
                                          const struct cpuid_state *state,
                                          cpuid_source *read)
{
    if (answers->basic[leaf].eax == 0 && leaf != LEAF_FEATURES)
        return nothing; /* the machine has no such leaf */
    if (leaf == LEAF_XSAVE)
        return answer_xsave(subleaf, state, read);
    if (leaf == LEAF_CACHES)
        return masked(find_row(leaf), read(leaf, subleaf));
    return subleaf == 0 ? answers->basic[leaf] : nothing;
}

struct cpuid_values cpuid_policy_answer(const struct cpuid_answers *answers,
                                        uint32_t leaf, uint32_t subleaf,
                                        const struct cpuid_state *state,
                                        cpuid_source *read)
{
    if (leaf - CPUID_HYPERVISOR_FIRST < CPUID_HYPERVISOR_LEAVES)
        return answers->hypervisor[leaf - CPUID_HYPERVISOR_FIRST];
    if (leaf - LEAF_EXTENDED < CPUID_EXTENDED_LEAVES)
        return leaf <= answers->last_extended ? answers->extended[leaf - LEAF_EXTENDED]
                                              : answers->basic[answers->last_basic];
    if (leaf > answers->last_basic) /* as Intel's processors answer */
        return answers->basic[answers->last_basic];
    if (leaf == LEAF_CACHES || leaf == LEAF_FEATURES || leaf == LEAF_XSAVE)
        return answer_subleaf(answers, leaf, subleaf, state, read);
    struct cpuid_values values = answers->basic[leaf];
    if (leaf == 1 && (state->cr4 & CR4_OSXSAVE_BIT) != 0)
        values.ecx |= (uint32_t)LEAF_1_ECX_OSXSAVE;
    return values;
}
