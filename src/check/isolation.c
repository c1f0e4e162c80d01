/* See isolation.h. */
#include "check/isolation.h"

#include "check/comparison.h"
#include "lib/log.h"
#include "x86/control_registers.h"

const char *const isolation_group_names[ISOLATION_GROUPS] = {
    [ISOLATION_DONE]         = "done",
    [ISOLATION_NOT_DONE]     = "not done",
    [ISOLATION_WAIVED]       = "waived by an option",
    [ISOLATION_NO_MICROCODE] = "not in the microcode",
};

struct isolation_options isolation_options_of(const struct options *options)
{
    return (struct isolation_options){.mitigations  = options->mitigations,
                                      .large_pages  = options->large_pages,
                                      .shares_cores = options->smt_share};
}

bool isolation_aligns_returns(const struct cpuid_snapshot *cpuid,
                              uint64_t arch_capabilities, enum mitigations mitigations)
{
    const struct issue_facts facts = issue_facts_of(&(struct issue_registers){
        .cpuid = cpuid, .arch_capabilities.value = arch_capabilities});

    return (issue_decide(ISSUE_ITS, &facts, mitigations).chosen &
            BIT(MEASURE_ALIGN_RETURNS)) != 0;
}

/* Returns the measures that the user forgoes. */
static uint32_t waived_by(const struct isolation_options *options)
{
    uint32_t waived = 0;

    if (options->large_pages)
        waived |= (uint32_t)BIT(MEASURE_SMALL_PAGES);
    if (options->shares_cores)
        waived |= (uint32_t)BIT(MEASURE_CORE_PER_GUEST);
    return waived;
}

struct isolation isolation_of(const struct cpu_record *record,
                              const struct isolation_options *options)
{
    struct isolation isolation = {.facts = issue_facts_of(&(struct issue_registers){
                                      .cpuid             = &record->cpuid,
                                      .arch_capabilities = record->arch_capabilities,
                                      .mcu_opt_ctrl      = record->mcu_opt_ctrl,
                                      .microcode         = record->microcode,
                                      .accepts_sbpb      = record->accepts_sbpb,
                                      .has_siblings      = record->has_siblings,
                                      .has_shadow_stacks = record->has_shadow_stacks})};

    uint32_t chosen = 0;
    for (enum issue issue = 0; issue < ISSUES; issue++) {
        isolation.finding[issue] =
            issue_decide(issue, &isolation.facts, options->mitigations);
        chosen |= isolation.finding[issue].chosen;
    }
    for (enum issue issue = 0; issue < ISSUES; issue++) {
        struct issue_finding *finding = &isolation.finding[issue];
        /* What is done for another issue helps here too. */
        finding->chosen |=
            chosen & issue_decide(issue, &isolation.facts, MITIGATIONS_ALL).chosen;
        finding->waived = finding->chosen & waived_by(options);
        finding->chosen &= ~finding->waived;
    }
    return isolation;
}

uint32_t isolation_measures(const struct issue_finding *finding,
                            enum isolation_group group)
{
    uint32_t implemented = 0;

    for (enum measure i = 0; i < MEASURES; i++)
        implemented |= measure_rows[i].is_implemented ? (uint32_t)BIT(i) : 0;
    switch (group) {
    case ISOLATION_DONE:
        return finding->chosen & implemented;
    case ISOLATION_NOT_DONE:
        return finding->chosen & ~implemented;
    case ISOLATION_WAIVED:
        return finding->waived;
    case ISOLATION_NO_MICROCODE:
        return finding->lacking;
    case ISOLATION_GROUPS:
        break;
    }
    return 0;
}

bool isolation_is_complete(const struct issue_finding *finding)
{
    return finding->state == ISSUE_NOT_AFFECTED ||
           (isolation_measures(finding, ISOLATION_DONE) != 0 &&
            isolation_measures(finding, ISOLATION_NOT_DONE) == 0 &&
            finding->waived == 0 && finding->lacking == 0);
}

/* Appends the measures of a group after its name; nothing if there are none. */
static void append_group(const struct issue_finding *finding, enum isolation_group group,
                         struct text *text)
{
    uint32_t measures = isolation_measures(finding, group);

    if (measures != 0)
        text_append(text, "%s: ", isolation_group_names[group]);
    for (uint32_t rest = measures; rest != 0; rest &= rest - 1)
        text_append(text, "%s%s", rest == measures ? "" : ", ",
                    measure_rows[__builtin_ctz(rest)].name);
}

void isolation_describe(const struct issue_finding *finding, struct text *text)
{
    size_t start = text->length;

    for (enum isolation_group group = 0; group < ISOLATION_GROUPS; group++) {
        if (text->length > start && isolation_measures(finding, group) != 0)
            text_append(text, "; ");
        append_group(finding, group, text);
    }
    if (text->length == start)
        text_append(text, "nothing is done");
}

void isolation_list(const struct isolation *isolation, enum issue_state state,
                    struct text *text)
{
    size_t start = text->length;

    for (enum issue issue = 0; issue < ISSUES; issue++) {
        if (isolation->finding[issue].state == state)
            text_append(text, "%s%s", text->length > start ? ", " : "",
                        issue_rows[issue].name);
    }
    if (text->length == start)
        text_append(text, "none");
}

/* Returns all that is to be done, for any issue. */
static struct issue_finding sum_of(const struct isolation *isolation)
{
    struct issue_finding sum = {.state = ISSUE_AFFECTED};

    for (enum issue issue = 0; issue < ISSUES; issue++) {
        sum.chosen |= isolation->finding[issue].chosen;
        sum.waived |= isolation->finding[issue].waived;
        sum.lacking |= isolation->finding[issue].lacking;
    }
    return sum;
}

bool isolation_has(const struct isolation *isolation, enum isolation_group group,
                   enum measure measure)
{
    const struct issue_finding sum = sum_of(isolation);
    return (isolation_measures(&sum, group) & BIT(measure)) != 0;
}

struct guest_controls isolation_controls(const struct isolation *isolation)
{
    const struct issue_finding sum = sum_of(isolation);
    struct guest_controls controls =
        issue_controls(isolation_measures(&sum, ISOLATION_DONE));

    controls.guest_features = issue_guest_features(&isolation->facts);
    return controls;
}

static void log_cpu(size_t index, const struct cpu_record *record,
                    const struct isolation *isolation)
{
    const struct issue_finding sum = sum_of(isolation);
    TEXT_DECLARE(affected, LOG_LINE_SIZE);

    isolation_list(isolation, ISSUE_AFFECTED, &affected);
    log_info("isolation: cpu %zu: %s, affected by: %s", index,
             microarchitecture_name(isolation->facts.micro), affected.buffer);
    if ((record->cr4 & CR4_CET) != 0)
        log_info("isolation: cpu %zu: shadow stacks check Hymir's returns", index);
    for (enum isolation_group group = 0; group < ISOLATION_GROUPS; group++) {
        TEXT_DECLARE(measures, LOG_LINE_SIZE);
        append_group(&sum, group, &measures);
        if (measures.length > 0)
            log_info("isolation: cpu %zu: %s", index, measures.buffer);
    }
}

void isolation_log(const struct cpu_record *records, size_t count,
                   const struct isolation_options *options)
{
    for (size_t i = 0; i < count; i++) {
        const struct isolation isolation = isolation_of(&records[i], options);
        if (records[i].answer == CPU_ANSWERED && comparison_first_alike(records, i) == i)
            log_cpu(i, &records[i], &isolation);
    }
}
