/* The tests that several files of rules use: see rules.h. */
#include "vmx/rules.h"
#include "x86/msr.h"

#include "virt/segment.h"

/* Requires the bits that must be 1, and no others than those that may be 1. */
static enum entry_verdict require_settings(struct entry_query *query, uint64_t must_be_1,
                                           uint64_t may_be_1)
{
    return entry_require(query, (entry_read_own(query) | must_be_1) & may_be_1);
}

static enum entry_verdict require_control(struct entry_query *query, uint32_t msr)
{
    uint64_t settings = entry_read(query, msr);
    return require_settings(query, BITS_GET(settings, 31, 0), BITS_GET(settings, 63, 32));
}

enum entry_verdict vmx_test_control(struct entry_query *query)
{
    return require_control(query, query->rule->other);
}

enum entry_verdict vmx_test_true_control(struct entry_query *query)
{
    bool is_true      = rule_is_on(query, VALUE_IA32_VMX_BASIC, VMX_BASIC_TRUE_CONTROLS);
    uint32_t distance = VALUE_IA32_VMX_TRUE_PINBASED_CTLS - VALUE_IA32_VMX_PINBASED_CTLS;

    return require_control(query, query->rule->other + (is_true ? distance : 0));
}

enum entry_verdict vmx_test_allowed_1(struct entry_query *query)
{
    return require_settings(query, 0, entry_read(query, query->rule->other));
}

enum entry_verdict vmx_test_fixed_bits(struct entry_query *query)
{
    uint64_t any    = query->rule->mask;
    uint64_t fixed0 = entry_read(query, query->rule->other);
    uint64_t fixed1 = entry_read(query, query->rule->other + 1U);

    return require_settings(query, fixed0 & ~any, fixed1 | any);
}

/* IA32_S_CET: SDM 4, "Architectural MSRs". */
enum entry_verdict vmx_test_s_cet(struct entry_query *query)
{
    uint64_t nearest = entry_read_own(query) & ~S_CET_RESERVED;

    if (entry_has(query, VALUE_CPUID_7_ECX) &&
        !rule_is_on(query, VALUE_CPUID_7_ECX, CPUID_7_ECX_SHADOW_STACKS))
        nearest &= ~S_CET_SHADOW_STACK_BITS;
    if (entry_has(query, VALUE_CPUID_7_EDX) &&
        !rule_is_on(query, VALUE_CPUID_7_EDX, CPUID_7_EDX_BRANCH_TRACKING))
        nearest &= S_CET_SHADOW_STACK_BITS;
    if ((nearest & S_CET_SUPPRESS) != 0 && (nearest & S_CET_TRACKER) != 0)
        nearest &= ~S_CET_SUPPRESS;
    return entry_require(query, nearest);
}

/*
 * IA32_PERF_GLOBAL_CTRL: SDM 3B, "Architectural Performance Monitoring". Bit 48 depends
 * on a register that is not in the snapshot.
 */
enum entry_verdict vmx_test_performance_control(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);

    if ((value & PERF_GLOBAL_CTRL_RESERVED) != 0)
        return entry_require(query, value & ~PERF_GLOBAL_CTRL_RESERVED);
    if (rule_is_on(query, VALUE_CPUID_7_1_EAX, CPUID_7_1_EAX_PERFORMANCE_LEAF))
        return ENTRY_UNKNOWN; /* leaf 23H enumerates the counters */
    uint64_t general = BITS_GET(entry_read(query, VALUE_CPUID_A_EAX), 15, 8);
    uint64_t fixed   = BITS_GET(entry_read(query, VALUE_CPUID_A_EDX), 4, 0);
    uint64_t exist   = (BIT(general & 31) - 1) | (BIT(fixed & 15) - 1) << 32 |
                     (entry_read(query, VALUE_CPUID_A_ECX) & UINT16_MAX) << 32;
    return entry_require(query, value & (exist | PERF_GLOBAL_CTRL_METRICS));
}

enum entry_verdict vmx_test_msr_area(struct entry_query *query)
{
    uint64_t count = entry_read(query, query->rule->other);

    if (count == 0)
        return ENTRY_NOT_APPLICABLE;
    uint64_t value = entry_read_own(query);
    if (!is_aligned(value, VMX_MSR_AREA_ENTRY))
        return entry_require(query, align_down(value, VMX_MSR_AREA_ENTRY));
    uint64_t end = BIT(entry_read(query, VALUE_PHYSICAL_WIDTH) & 63);
    if (range_end(value, count * VMX_MSR_AREA_ENTRY) <= end)
        return ENTRY_HOLDS;
    return entry_require(query, (end - count * VMX_MSR_AREA_ENTRY) & (end - 1));
}

/* LAM_U57 and LAM_U48 need LAM: SDM 3A, "Linear-Address Masking". */
enum entry_verdict vmx_test_cr3(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);
    uint64_t exist = BIT(entry_physical_width(query, VALUE_PHYSICAL_WIDTH, value)) - 1;

    if ((value & ~exist & CR3_LAM) != 0 &&
        rule_is_on(query, VALUE_CPUID_7_1_EAX, CPUID_7_1_EAX_LAM))
        exist |= CR3_LAM;
    return entry_require(query, value & exist);
}

/* ---- Segments */

/* Returns the number of the segment register that the rule judges. */
static uint32_t segment_of(const struct entry_query *query)
{
    return query->rule->value + query->instance - VALUE_GUEST_ES_ACCESS_RIGHTS;
}

bool rule_is_usable(struct entry_query *query, uint32_t segment)
{
    return segment == SEGMENT_CS || segment == SEGMENT_TR ||
           (rule_access_rights(query, segment) & ACCESS_RIGHTS_UNUSABLE) == 0;
}

enum entry_verdict rule_test_granularity_byte(struct entry_query *query)
{
    uint64_t limit = entry_read(query, VALUE_GUEST_ES_LIMIT + segment_of(query));

    if (!rule_is_usable(query, segment_of(query)) || BITS_GET(limit, 11, 0) == 0xFFF)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) & ~SEGMENT_G);
}

enum entry_verdict rule_test_granularity_page(struct entry_query *query)
{
    uint64_t limit = entry_read(query, VALUE_GUEST_ES_LIMIT + segment_of(query));

    if (!rule_is_usable(query, segment_of(query)) || BITS_GET(limit, 31, 20) == 0)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) | SEGMENT_G);
}
