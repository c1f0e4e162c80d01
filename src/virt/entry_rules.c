/* See entry_rules.h. */
#include "virt/entry_rules.h"

#include "lib/string.h"
#include "virt/segment.h"
#include "x86/paging.h"

bool entry_has(const struct entry_query *query, uint32_t value)
{
    return entry_snapshot_has(query->snapshot, value);
}

/* Notes a value that decided, if there is room. */
static void note_read(struct entry_finding *finding, uint32_t value)
{
    for (size_t i = 0; i < ENTRY_READS && value != finding->value; i++) {
        if (finding->read[i] == ENTRY_VALUE_NONE)
            finding->read[i] = (uint16_t)value;
        if (finding->read[i] == value)
            break;
    }
}

uint64_t entry_read(struct entry_query *query, uint32_t value)
{
    if (!entry_has(query, value) && query->finding->missing == ENTRY_VALUE_NONE)
        query->finding->missing = (uint16_t)value;
    note_read(query->finding, value);
    return query->snapshot->value[value];
}

uint64_t entry_read_own(struct entry_query *query)
{
    return entry_read(query, query->rule->value + query->instance);
}

enum entry_verdict entry_violate(struct entry_query *query, uint64_t bits,
                                 uint64_t nearest)
{
    query->finding->bits    = bits;
    query->finding->nearest = nearest;
    return ENTRY_VIOLATED;
}

enum entry_verdict entry_require(struct entry_query *query, uint64_t nearest)
{
    uint64_t bits = entry_read_own(query) ^ nearest;
    return bits == 0 ? ENTRY_HOLDS : entry_violate(query, bits, nearest);
}

/* ---- Tests */

/* Limits of the width of physical addresses, on any processor in IA-32e mode. */
#define PHYSICAL_WIDTH_LEAST 32
#define PHYSICAL_WIDTH_MOST  52

enum entry_verdict entry_test_equal(struct entry_query *query)
{
    uint64_t others = entry_read_own(query) & ~query->rule->mask;
    return entry_require(query, others | query->rule->expected);
}

enum entry_verdict entry_test_not_zero(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);

    return (value & query->rule->mask) != 0
               ? ENTRY_HOLDS
               : entry_require(query, value | query->rule->expected);
}

/* 48 and 57 bits are the only widths. */
uint32_t entry_linear_width(struct entry_query *query, uint32_t width, uint64_t address)
{
    if (!entry_has(query, width) && address_is_canonical(address, LINEAR_WIDTH))
        return LINEAR_WIDTH;
    if (!entry_has(query, width) && !address_is_canonical(address, LINEAR_WIDTH_5_LEVEL))
        return LINEAR_WIDTH_5_LEVEL;
    uint64_t known = entry_read(query, width);
    return known > 0 && known < 64 ? (uint32_t)known : LINEAR_WIDTH;
}

uint32_t entry_physical_width(struct entry_query *query, uint32_t width, uint64_t address)
{
    if (!entry_has(query, width) && address < BIT(PHYSICAL_WIDTH_LEAST))
        return PHYSICAL_WIDTH_LEAST;
    if (!entry_has(query, width) && address >= BIT(PHYSICAL_WIDTH_MOST))
        return PHYSICAL_WIDTH_MOST;
    uint64_t known = entry_read(query, width);
    return known > 0 && known < 64 ? (uint32_t)known : PHYSICAL_WIDTH_MOST;
}

enum entry_verdict entry_test_canonical(struct entry_query *query)
{
    uint64_t value  = entry_read_own(query);
    uint32_t unused = 64 - entry_linear_width(query, query->rule->other, value);

    return entry_require(query, (uint64_t)((int64_t)(value << unused) >> unused));
}

/* A misaligned address is invalid with any width. */
enum entry_verdict entry_test_address(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);
    uint64_t low   = value & ~query->rule->mask;

    if (low == value || entry_has(query, query->rule->other))
        low &= BIT(entry_physical_width(query, query->rule->other, value)) - 1;
    return entry_require(query, low);
}

enum entry_verdict entry_test_below(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);
    uint64_t mask  = query->rule->mask;

    if ((value & mask) <= query->rule->expected)
        return ENTRY_HOLDS;
    return entry_violate(query, value & mask, (value & ~mask) | query->rule->expected);
}

/* A reserved type becomes UC. */
enum entry_verdict entry_test_pat(struct entry_query *query)
{
    uint64_t nearest = entry_read_own(query);

    for (unsigned int shift = 0; shift < 64; shift += 8) {
        if (!pat_is_valid(nearest >> shift & UINT8_MAX))
            nearest &= ~((uint64_t)UINT8_MAX << shift);
    }
    return entry_require(query, nearest);
}

/* ---- Judging */

/* Returns whether the conditions are met, in order; an unknown one ends it. */
static enum entry_verdict judge_conditions(struct entry_query *query)
{
    for (size_t i = 0; i < ENTRY_CONDITIONS; i++) {
        const struct entry_condition *condition = &query->rule->when[i];

        if (condition->value == ENTRY_VALUE_NONE)
            break;
        uint64_t value = entry_read(query, condition->value);
        if (query->finding->missing != ENTRY_VALUE_NONE)
            return ENTRY_UNKNOWN;
        if (((value & BIT(condition->bit)) != 0) != condition->is_set)
            return ENTRY_NOT_APPLICABLE;
    }
    return ENTRY_HOLDS;
}

static void judge(const struct entry_snapshot *snapshot, const struct entry_rule *rule,
                  uint32_t instance, struct entry_finding *finding)
{
    struct entry_query query   = {snapshot, rule, instance, finding};
    enum entry_verdict verdict = judge_conditions(&query);

    if (verdict == ENTRY_HOLDS)
        verdict = rule->test(&query);
    if (finding->missing != ENTRY_VALUE_NONE)
        verdict = ENTRY_UNKNOWN;
    finding->verdict = verdict;
}

/* Returns whether any value of a rule violates it. */
static bool is_violated(const struct entry_snapshot *snapshot,
                        const struct entry_rule *rule)
{
    for (uint32_t i = 0; i < entry_rule_value_count(rule); i++) {
        struct entry_finding finding = {.rule = rule};
        judge(snapshot, rule, i, &finding);
        if (finding.verdict == ENTRY_VIOLATED)
            return true;
    }
    return false;
}

static bool is_consequence(const struct entry_rules *rules,
                           const struct entry_snapshot *snapshot,
                           const struct entry_finding *finding)
{
    if (finding->verdict != ENTRY_VIOLATED || finding->rule->root == NULL)
        return false;
    const struct entry_rule *root = entry_rule_find(rules, finding->rule->root);
    return root != NULL && is_violated(snapshot, root);
}

/* A judgement of many rules. */
struct judgement {
    const struct entry_rules *rules;
    const struct entry_snapshot *snapshot;
    entry_visit *visit;
    void *context;
    struct entry_count count;
    bool of_consequences; /* which findings are visited: the others come first */
    size_t skipped;       /* the findings that were not */
};

/* Judges a rule for each of its values. */
static void judge_rule(struct judgement *judgement, const struct entry_section *section,
                       const struct entry_rule *rule)
{
    for (uint32_t i = 0; i < entry_rule_value_count(rule); i++) {
        struct entry_finding finding = {
            .rule = rule, .section = section, .value = (uint16_t)(rule->value + i)};
        judge(judgement->snapshot, rule, i, &finding);
        finding.is_consequence =
            is_consequence(judgement->rules, judgement->snapshot, &finding);
        if (finding.is_consequence != judgement->of_consequences) {
            judgement->skipped++;
            continue;
        }
        judgement->count.verdicts[finding.verdict]++;
        if (judgement->visit != NULL)
            judgement->visit(judgement->context, &finding);
    }
}

static void judge_phases(struct judgement *judgement, uint64_t phases)
{
    for (size_t i = 0; i < judgement->rules->section_count; i++) {
        const struct entry_section *section = judgement->rules->sections[i];
        bool is_judged                      = (phases & BIT(section->phase)) != 0;
        for (size_t j = 0; is_judged && j < section->count; j++)
            judge_rule(judgement, section, &section->rules[j]);
    }
}

struct entry_count entry_judge(const struct entry_rules *rules,
                               struct entry_snapshot *snapshot, uint64_t phases,
                               entry_visit *visit, void *context)
{
    struct judgement judgement = {
        .rules = rules, .snapshot = snapshot, .visit = visit, .context = context};

    if (rules->derive != NULL)
        rules->derive(snapshot);
    judge_phases(&judgement, phases);
    judgement.of_consequences = true;
    if (judgement.skipped > 0)
        judge_phases(&judgement, phases);
    return judgement.count;
}

const struct entry_rule *entry_rule_find(const struct entry_rules *rules,
                                         const char *name)
{
    for (size_t i = 0; i < rules->section_count; i++) {
        for (size_t j = 0; j < rules->sections[i]->count; j++) {
            if (strcmp(rules->sections[i]->rules[j].name, name) == 0)
                return &rules->sections[i]->rules[j];
        }
    }
    return NULL;
}
