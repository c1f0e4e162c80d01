/* See cpuid_policy.h. */
#include "guest/cpuid_policy.h"

#include "guest/hypercall.h"
#include "guest/speculation_policy.h"
#include "lib/bits.h"
#include "lib/clamp.h"
#include "lib/string.h"
#include "virt/control_register_rules.h"
#include "virt/vcpu.h"
#include "x86/control_registers.h"
#include "x86/msr.h"

#define FEATURES_ECX                                                                  \
    (CPUID_1_ECX_SSE3 | CPUID_1_ECX_PCLMULQDQ | CPUID_1_ECX_SSSE3 | CPUID_1_ECX_FMA | \
     CPUID_1_ECX_CMPXCHG16B | CPUID_1_ECX_PCID | CPUID_1_ECX_SSE4_1 |                 \
     CPUID_1_ECX_SSE4_2 | CPUID_1_ECX_MOVBE | CPUID_1_ECX_POPCNT | CPUID_1_ECX_AES |  \
     CPUID_1_ECX_XSAVE | CPUID_1_ECX_AVX | CPUID_1_ECX_F16C | CPUID_1_ECX_RDRAND)
#define AVX2_FEATURES_EBX                                                   \
    (CPUID_7_EBX_AVX2 | CPUID_7_EBX_AVX512F | CPUID_7_EBX_AVX512DQ |        \
     CPUID_7_EBX_AVX512IFMA | CPUID_7_EBX_AVX512ER | CPUID_7_EBX_AVX512CD | \
     CPUID_7_EBX_AVX512BW | CPUID_7_EBX_AVX512VL)
#define AVX2_FEATURES_ECX                                                           \
    (CPUID_7_ECX_AVX512_VBMI | CPUID_7_ECX_AVX512_VBMI2 | CPUID_7_ECX_VAES |        \
     CPUID_7_ECX_VPCLMULQDQ | CPUID_7_ECX_AVX512_VNNI | CPUID_7_ECX_AVX512_BITALG | \
     CPUID_7_ECX_AVX512_VPOPCNTDQ)
#define STRUCTURED_FEATURES_EBX                                                       \
    (CPUID_7_EBX_FDP_EXCPTN |                                                         \
     CPUID_7_EBX_NO_FPU_CS | /* absences, which a guest shares */                     \
     CPUID_7_EBX_FSGSBASE | CPUID_7_EBX_BMI1 | CPUID_7_EBX_SMEP | CPUID_7_EBX_BMI2 |  \
     CPUID_7_EBX_ERMS | CPUID_7_EBX_INVPCID | CPUID_7_EBX_RDSEED | CPUID_7_EBX_ADX |  \
     CPUID_7_EBX_SMAP | CPUID_7_EBX_CLFLUSHOPT | CPUID_7_EBX_CLWB | CPUID_7_EBX_SHA | \
     AVX2_FEATURES_EBX)
#define STRUCTURED_FEATURES_ECX                                                    \
    (CPUID_7_ECX_UMIP | CPUID_7_ECX_PKU | CPUID_7_ECX_WAITPKG | CPUID_7_ECX_GFNI | \
     CPUID_7_ECX_RDPID | CPUID_7_ECX_CLDEMOTE | CPUID_7_ECX_MOVDIRI |              \
     CPUID_7_ECX_MOVDIR64B | AVX2_FEATURES_ECX)
#define LINEAR_ADDRESS_WIDTH 48U /* of four-level paging */

static const struct cpuid_row rows[] = {
    {CPUID_LEAF_BASIC, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, false},
    {CPUID_LEAF_FEATURES,
     {.eax = UINT32_MAX,
      .ebx = CPUID_1_EBX_BRAND_INDEX | CPUID_1_EBX_CLFLUSH,
      .ecx = FEATURES_ECX,
      .edx = GUEST_FEATURES_EDX},
     false},
    {CPUID_LEAF_STRUCTURED_FEATURES,
     {.ebx = STRUCTURED_FEATURES_EBX,
      .ecx = STRUCTURED_FEATURES_ECX,
      .edx = CPUID_7_EDX_FSRM | SPECULATION_EDX},
     true},
    {CPUID_LEAF_TOPOLOGY, {0}, true}, /* the guest's */
    {CPUID_LEAF_EXTENDED_STATE, {.eax = GUEST_XCR0_ALLOWED, .ebx = UINT32_MAX}, true},
    {CPUID_LEAF_TOPOLOGY_V2, {0}, true},
    {CPUID_LEAF_EXTENDED, {.eax = UINT32_MAX}, false},
    {CPUID_LEAF_EXTENDED_FEATURES,
     {.ecx = GUEST_EXTENDED_FEATURES_ECX, .edx = GUEST_EXTENDED_FEATURES_EDX},
     false},
    {CPUID_LEAF_BRAND_1, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, false},
    {CPUID_LEAF_BRAND_2, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, false},
    {CPUID_LEAF_BRAND_3, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, false},
    {CPUID_LEAF_L2_CACHE, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, false},
    {CPUID_LEAF_POWER_MANAGEMENT, {.edx = CPUID_80000007_EDX_INVARIANT_TSC}, false},
    {CPUID_LEAF_ADDRESS_SIZES, {.eax = CPUID_80000008_EAX_WIDTHS}, false},
};

static const struct cpuid_result nothing;

static struct cpuid_result apply_mask(const struct cpuid_result *mask,
                                      struct cpuid_result values)
{
    return (struct cpuid_result){.eax = values.eax & mask->eax,
                                 .ebx = values.ebx & mask->ebx,
                                 .ecx = values.ecx & mask->ecx,
                                 .edx = values.edx & mask->edx};
}

/* Returns the vendor's row of a leaf, the architectural one, or NULL. */
static const struct cpuid_row *find_row(const struct vendor_cpuid *vendor, uint32_t leaf)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows) + vendor->row_count; i++) {
        const struct cpuid_row *row =
            i < vendor->row_count ? &vendor->rows[i] : &rows[i - vendor->row_count];
        if (row->leaf == leaf)
            return row;
    }
    return NULL;
}

/* Fills in the results of the leaves from first to last. */
static void fill_leaves(const struct cpuid_answers *answers, struct cpuid_result *results,
                        uint32_t first, uint32_t last)
{
    for (uint32_t leaf = first; leaf <= last; leaf++) {
        const struct cpuid_row *row = find_row(answers->setup.vendor, leaf);
        if (row != NULL)
            results[leaf - first] = apply_mask(&row->mask, answers->setup.read(leaf, 0));
    }
}

/* Returns the processor's last leaf of a range, limited to its first count leaves. */
static uint32_t read_last_leaf(uint32_t first, uint32_t count, cpuid_source *read)
{
    uint32_t last = read(first, 0).eax;

    if (last < first)
        return first;
    return last - first < count ? last : first + count - 1;
}

/* Returns a hypervisor's first leaf, with the last one and 12 bytes of text. */
static struct cpuid_result signature_leaf(uint32_t first, const char *signature)
{
    uint32_t text[3];

    memcpy(text, signature, sizeof(text));
    return (struct cpuid_result){first + CPUID_HYPERVISOR_LEAVES - 1, text[0], text[1],
                                 text[2]};
}

/*
 * Hymir's own leaves, and KVM's signature, without which Linux uses no x2APIC. None of
 * KVM's features is offered: all leave their leaf 0.
 */
static void fill_hypervisor(struct cpuid_answers *answers)
{
    static const char version[12] = HYMIR_VERSION;

    _Static_assert(sizeof(HYMIR_VERSION) <= sizeof(version) + 1, "three registers");
    answers->hypervisor[0]     = signature_leaf(CPUID_LEAF_HYPERVISOR, "HymirHymir\0\0");
    answers->hypervisor[1]     = signature_leaf(0, version);
    answers->hypervisor[1].eax = HYPERCALL_INTERFACE;
    if (answers->setup.has_pv)
        answers->kvm[0] = signature_leaf(CPUID_LEAF_KVM, "KVMKVMKVM\0\0\0");
    else
        answers->kvm[0] = answers->kvm[1] = answers->out_of_range;
}

/* Notes the leaves that depend neither on the subleaf nor on the guest's state. */
static void mark_plain_leaves(struct cpuid_answers *answers)
{
    for (uint32_t leaf = 0; leaf <= answers->last_basic; leaf++) {
        const struct cpuid_row *row = find_row(answers->setup.vendor, leaf);
        if (leaf != CPUID_LEAF_FEATURES && (row == NULL || !row->has_subleaves))
            answers->plain[leaf] = &answers->basic[leaf];
    }
}

/* Five-level paging is hidden, so that linear addresses have 48 bits. */
static void limit_linear_addresses(struct cpuid_answers *answers)
{
    uint32_t *widths =
        &answers->extended[CPUID_LEAF_ADDRESS_SIZES - CPUID_LEAF_EXTENDED].eax;

    if (CPUID_80000008_EAX_LINEAR(*widths) > LINEAR_ADDRESS_WIDTH)
        *widths = CPUID_80000008_EAX_PHYSICAL(*widths) | LINEAR_ADDRESS_WIDTH << 8;
}

/* Without XSAVE, nothing works that has its state. */
static void hide_extended_state(struct cpuid_answers *answers)
{
    struct cpuid_result *basic = answers->basic;
    struct cpuid_result *extended =
        &answers->extended[CPUID_LEAF_EXTENDED_FEATURES - CPUID_LEAF_EXTENDED];

    if ((basic[CPUID_LEAF_FEATURES].ecx & CPUID_1_ECX_XSAVE) != 0)
        return;
    basic[CPUID_LEAF_FEATURES].ecx &=
        ~(uint32_t)(CPUID_1_ECX_FMA | CPUID_1_ECX_AVX | CPUID_1_ECX_F16C);
    basic[CPUID_LEAF_STRUCTURED_FEATURES].ebx &= ~(uint32_t)AVX2_FEATURES_EBX;
    basic[CPUID_LEAF_STRUCTURED_FEATURES].ecx &= ~(uint32_t)AVX2_FEATURES_ECX;
    basic[CPUID_LEAF_EXTENDED_STATE] = nothing;
    extended->ecx &= ~(uint32_t)(CPUID_80000001_ECX_XOP | CPUID_80000001_ECX_FMA4);
}

/* Adds what only processors that count them report of the guest's processors. */
static void add_processor_count(struct cpuid_answers *answers)
{
    const struct guest_topology *topology = answers->setup.topology;
    struct cpuid_result *extended         = answers->extended;

    if (topology->processors > 1)
        extended[CPUID_LEAF_EXTENDED_FEATURES - CPUID_LEAF_EXTENDED].ecx |=
            (uint32_t)CPUID_80000001_ECX_CMP_LEGACY;
    extended[CPUID_LEAF_ADDRESS_SIZES - CPUID_LEAF_EXTENDED].ecx =
        topology->package_bits << CPUID_80000008_ECX_APIC_ID_SIZE_LOW |
        (topology->processors - 1);
    extended[CPUID_LEAF_PROCESSOR_TOPOLOGY - CPUID_LEAF_EXTENDED] = (struct cpuid_result){
        .eax = answers->apic_id,
        .ebx = (topology->threads - 1) << CPUID_8000001E_EBX_THREADS_LOW |
               answers->apic_id >> topology->thread_bits};
}

/* Adds the local APIC and the topology to the leaves without subleaves. */
static void add_apic(struct cpuid_answers *answers)
{
    const struct guest_topology *topology = answers->setup.topology;
    struct cpuid_result *features         = &answers->basic[CPUID_LEAF_FEATURES];
    uint32_t count                        = 1U << topology->package_bits;

    if (answers->setup.vendor->counts_processors) {
        count = topology->processors;
        add_processor_count(answers);
    }
    if (count > CPUID_1_EBX_COUNT_MAX)
        count = CPUID_1_EBX_COUNT_MAX;
    features->ebx |=
        answers->apic_id << CPUID_1_EBX_APIC_ID_LOW | count << CPUID_1_EBX_COUNT_LOW;
    features->ecx |= (uint32_t)(CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE |
                                CPUID_1_ECX_HYPERVISOR);
    if (topology->processors > 1)
        features->edx |= (uint32_t)CPUID_1_EDX_HTT;
    answers->basic[CPUID_LEAF_POWER].eax = CPUID_6_EAX_ARAT;
    answers->basic[CPUID_LEAF_TOPOLOGY]  = topology_level(topology, answers->apic_id, 0);
    answers->basic[CPUID_LEAF_TOPOLOGY_V2] = answers->basic[CPUID_LEAF_TOPOLOGY];
}

/* Adds the subleaf about speculation, and finds the guest's bits of the MSRs. */
static void add_speculation(struct cpuid_answers *answers)
{
    struct cpuid_result *leaf_7 = &answers->basic[CPUID_LEAF_STRUCTURED_FEATURES];
    cpuid_source *read          = answers->setup.read;
    uint32_t ebx = answers->extended[CPUID_LEAF_ADDRESS_SIZES - CPUID_LEAF_EXTENDED].ebx;

    if (answers->last_basic >= CPUID_LEAF_STRUCTURED_FEATURES &&
        read(CPUID_LEAF_STRUCTURED_FEATURES, 0).eax >= SPECULATION_SUBLEAF) {
        leaf_7->eax              = SPECULATION_SUBLEAF;
        answers->speculation.edx = speculation_policy_subleaf(
            read(CPUID_LEAF_STRUCTURED_FEATURES, SPECULATION_SUBLEAF).edx);
    }
    answers->spec_ctrl =
        speculation_policy_spec_ctrl(leaf_7->edx, answers->speculation.edx, ebx);
    if ((ebx & CPUID_80000008_EBX_VIRT_SSBD) != 0)
        answers->virt_spec_ctrl = SPEC_CTRL_SSBD;
}

void cpuid_policy_init(struct cpuid_answers *answers, const struct cpuid_setup *setup,
                       size_t index)
{
    const struct vendor_cpuid *vendor = setup->vendor;
    cpuid_source *read                = setup->read;
    uint32_t last_basic = read_last_leaf(CPUID_LEAF_BASIC, CPUID_BASIC_LEAVES, read);
    uint32_t last = read_last_leaf(CPUID_LEAF_EXTENDED, CPUID_EXTENDED_LEAVES, read);

    *answers = (struct cpuid_answers){.setup         = *setup,
                                      .apic_id       = setup->topology->apic_id[index],
                                      .last_extended = last};
    fill_leaves(answers, answers->basic, CPUID_LEAF_BASIC, last_basic);
    fill_leaves(answers, answers->extended, CPUID_LEAF_EXTENDED, last);
    if (vendor->add_frequency != NULL)
        last_basic = vendor->add_frequency(answers->basic, last_basic, setup->tsc_hz);
    if (last_basic < CPUID_LEAF_TOPOLOGY)
        last_basic = CPUID_LEAF_TOPOLOGY; /* which an x2APIC implies */
    answers->last_basic                  = last_basic;
    answers->basic[CPUID_LEAF_BASIC].eax = last_basic;
    answers->extended[0].eax             = last;
    limit_linear_addresses(answers);
    hide_extended_state(answers);
    add_speculation(answers);
    add_apic(answers);
    answers->features[0] = answers->features[1] = answers->basic[CPUID_LEAF_FEATURES];
    answers->features[1].ecx |= (uint32_t)CPUID_1_ECX_OSXSAVE;
    if (vendor->repeats_last_leaf)
        answers->out_of_range = answers->basic[last_basic];
    mark_plain_leaves(answers);
    fill_hypervisor(answers);
}

/* AMD's processors repeat the bit in leaf 80000001H. */
void cpuid_policy_set_apic(struct cpuid_answers *answers, bool is_enabled)
{
    uint32_t *const edx[] = {
        &answers->features[0].edx, &answers->features[1].edx,
        &answers->extended[CPUID_LEAF_EXTENDED_FEATURES - CPUID_LEAF_EXTENDED].edx};
    size_t count = answers->setup.vendor->counts_processors ? 3 : 2;

    for (size_t i = 0; i < count; i++)
        *edx[i] = (*edx[i] & ~(uint32_t)CPUID_1_EDX_APIC) |
                  (is_enabled ? (uint32_t)CPUID_1_EDX_APIC : 0);
}

/* Returns the size of an XSAVE area in standard format, with the components in mask. */
static uint32_t standard_size(uint64_t mask, cpuid_source *read)
{
    uint32_t size = XSAVE_LEGACY_SIZE;

    for (uint32_t i = XSAVE_FIRST_EXTENDED; i < XSAVE_COMPONENTS; i++) {
        if ((mask & BIT(i)) == 0)
            continue;
        struct cpuid_result component = read(CPUID_LEAF_EXTENDED_STATE, i);
        if (component.ebx + component.eax > size)
            size = component.ebx + component.eax;
    }
    return size;
}

/*
 * Answers leaf 0DH, for the components that a guest may use: SDM 1, "Enumeration of CPU
 * Support for XSAVE Instructions and XSAVE-Supported Features". XSAVEC and XSAVES are
 * hidden: a guest has no supervisor state, so that XSAVEOPT does all it needs, and Bochs
 * 2.7 saves AVX state at a wrong offset of their compacted format.
 */
static struct cpuid_result answer_extended_state(uint32_t subleaf, uint64_t xcr0,
                                                 cpuid_source *read)
{
    struct cpuid_result values = read(CPUID_LEAF_EXTENDED_STATE, subleaf);
    uint32_t allowed = read(CPUID_LEAF_EXTENDED_STATE, 0).eax & GUEST_XCR0_ALLOWED;

    if (subleaf == 0)
        return (struct cpuid_result){.eax = allowed,
                                     .ebx = standard_size(xcr0, read),
                                     .ecx = standard_size(allowed, read)};
    if (subleaf == 1)
        return (struct cpuid_result){
            .eax = values.eax & (CPUID_D_1_EAX_XSAVEOPT | CPUID_D_1_EAX_XGETBV_1)};
    if (subleaf >= XSAVE_COMPONENTS || (allowed & BIT(subleaf)) == 0)
        return nothing;
    return values;
}

/* Answers leaf 07H. */
static struct cpuid_result answer_structured_features(const struct cpuid_answers *answers,
                                                      uint32_t subleaf, uint64_t cr4)
{
    struct cpuid_result values = answers->basic[CPUID_LEAF_STRUCTURED_FEATURES];

    if (subleaf != 0)
        return subleaf == SPECULATION_SUBLEAF ? answers->speculation : nothing;
    if ((cr4 & CR4_PKE) != 0)
        values.ecx |= (uint32_t)CPUID_7_ECX_OSPKE;
    return values;
}

/* Answers leaf 04H or 8000001DH. */
static struct cpuid_result answer_caches(const struct cpuid_answers *answers,
                                         uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result cache = answers->setup.read(leaf, subleaf);

    if ((cache.eax & CPUID_4_EAX_TYPE) == 0)
        return nothing;
    cache.eax =
        topology_cache(answers->setup.topology, cache.eax, leaf == CPUID_LEAF_CACHES);
    return apply_mask(&find_row(answers->setup.vendor, leaf)->mask, cache);
}

/* Answers a basic leaf that has subleaves. */
static struct cpuid_result answer_subleaf(const struct cpuid_answers *answers,
                                          uint32_t leaf, uint32_t subleaf,
                                          const struct cpuid_state *state)
{
    if (leaf == CPUID_LEAF_STRUCTURED_FEATURES)
        return answer_structured_features(answers, subleaf, state->cr4);
    if (leaf == CPUID_LEAF_TOPOLOGY || leaf == CPUID_LEAF_TOPOLOGY_V2)
        return topology_level(answers->setup.topology, answers->apic_id, subleaf);
    if (answers->basic[leaf].eax == 0)
        return nothing; /* the machine has no such leaf */
    if (leaf == CPUID_LEAF_EXTENDED_STATE)
        return answer_extended_state(subleaf, state->xcr0, answers->setup.read);
    return answer_caches(answers, leaf, subleaf);
}

struct cpuid_result cpuid_policy_answer(const struct cpuid_answers *answers,
                                        uint32_t leaf, uint32_t subleaf,
                                        const struct cpuid_state *state)
{
    if (leaf - CPUID_LEAF_HYPERVISOR < CPUID_HYPERVISOR_LEAVES)
        return answers->hypervisor[clamp_index(leaf - CPUID_LEAF_HYPERVISOR,
                                               CPUID_HYPERVISOR_LEAVES)];
    if (leaf - CPUID_LEAF_KVM < CPUID_HYPERVISOR_LEAVES)
        return answers->kvm[clamp_index(leaf - CPUID_LEAF_KVM, CPUID_HYPERVISOR_LEAVES)];
    if (leaf == CPUID_LEAF_CACHE_PROPERTIES &&
        answers->extended[leaf - CPUID_LEAF_EXTENDED].eax != 0)
        return answer_caches(answers, leaf, subleaf);
    if (leaf >= CPUID_LEAF_EXTENDED && leaf <= answers->last_extended)
        return answers
            ->extended[clamp_index(leaf - CPUID_LEAF_EXTENDED, CPUID_EXTENDED_LEAVES)];
    if (leaf > answers->last_basic)
        return answers->out_of_range;
    leaf = (uint32_t)clamp_index(leaf, CPUID_BASIC_LEAVES);
    if (leaf == CPUID_LEAF_FEATURES)
        return *cpuid_policy_features(answers, state->cr4);
    if (answers->plain[leaf] != NULL)
        return *answers->plain[leaf];
    return answer_subleaf(answers, leaf, subleaf, state);
}
