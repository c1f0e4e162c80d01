/* See hypervisors.h. */
#include "report/hypervisors.h"

#include "lib/string.h"
#include "x86/vmx_capabilities.h"

const char *const requirement_state_names[REQUIREMENT_STATES] = {
    [REQUIREMENT_MET]     = "ok",
    [REQUIREMENT_MISSING] = "missing",
    [REQUIREMENT_UNKNOWN] = "unknown",
};

/* Appends the names of the bits of a condition, and returns their kind. */
static const char *condition_append_names(const struct hypervisor_question *question,
                                          const struct condition *condition,
                                          struct text *text)
{
    const struct capability_table *table =
        question->facts->records[0].virtualization->capability_table;

    if (condition->reading == READ_PAIR) {
        text_append(text, "both or neither of \"%s\" and \"%s\"",
                    capability_name(table, GROUP_VM_ENTRY, condition->mask),
                    capability_name(table, GROUP_VM_EXIT, condition->where));
        return "VM-entry and VM-exit control";
    }
    if (condition->first != condition->last)
        text_append(text, "one of ");
    else if (condition->last == 0)
        text_append(text, "0 for ");
    for (uint64_t bits = condition->mask; bits != 0; bits &= bits - 1) {
        text_append(text, "%s", bits == condition->mask ? "" : ", ");
        capability_append_name(table, condition->where, bits & -bits, text);
    }
    return table->groups[condition->where].singular;
}

void requirement_append(const struct requirement_answer *answer, struct text *text)
{
    text_append(text, answer->kind[0] != '\0' ? "%s (%s)" : "%s%s", answer->name,
                answer->kind);
}

/* The receiver of answers, and their worst state so far. */
struct evaluation {
    const struct hypervisor_question *question;
    requirement_visit *visit; /* or NULL */
    void *context;
    enum requirement_state worst;
};

/* Returns why a requirement is unknown, if CPUs are, or its kind. */
static const char *reason_unknown(const struct requirement *requirement,
                                  const struct report_facts *facts)
{
    enum reading reading = requirement->condition.reading;

    if (reading != READ_CPUS && reading != READ_WORD)
        return requirement->kind;
    return facts->unseen != NULL ? facts->unseen : "a CPU did not answer";
}

static void requirement_report_answer(const struct requirement *requirement,
                                      struct evaluation *evaluation)
{
    const struct condition *condition = &requirement->condition;
    struct tally tally                = condition_tally(condition, evaluation->question);
    enum requirement_state state      = REQUIREMENT_MET;
    const char *words = requirement->premise == NULL ? "" : requirement->premise->words;
    const char *kind  = requirement->kind;
    TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);
    TEXT_DECLARE(kinds, REQUIREMENT_TEXT_SIZE - REQUIREMENT_NAME_SIZE);

    if (tally.has_failed)
        state = REQUIREMENT_MISSING;
    else if (tally.has_unknown || !tally.has_passed)
        state = REQUIREMENT_UNKNOWN;
    if (state == REQUIREMENT_UNKNOWN)
        kind = reason_unknown(requirement, evaluation->question->facts);
    if (requirement->name == NULL)
        kind = condition_append_names(evaluation->question, condition, &name);
    else
        text_append(&name, "%s", requirement->name);
    text_append(&kinds, "%s%s%s", kind, kind[0] != '\0' && words[0] != '\0' ? ", " : "",
                words);
    const struct requirement_answer answer = {name.buffer, kinds.buffer, state};
    if (evaluation->visit != NULL)
        evaluation->visit(&answer, evaluation->context);
    if (state == REQUIREMENT_MISSING || evaluation->worst == REQUIREMENT_MET)
        evaluation->worst = state;
}

/*
 * Restricts a requirement of Hymir's vCPUs to their bits. Bits that must be able to be 0
 * are one requirement, unless some cannot: then it is about those.
 */
static void requirement_resolve(struct requirement *requirement,
                                const struct hypervisor_question *question)
{
    struct condition *condition = &requirement->condition;
    struct required_capabilities required =
        question->facts->records[0].virtualization->required_capabilities(
            condition->where);
    uint64_t forced = required.zeros & question->usable.group[condition->where].must_be_1;

    if (condition->reading == READ_VCPU_ONES) {
        condition->mask = required.ones;
        return;
    }
    condition->mask = forced != 0 ? forced : required.zeros;
    if (forced != 0)
        requirement->name = NULL;
}

/* Reports a requirement, or each of its bits. */
static void requirement_report(struct requirement requirement,
                               struct evaluation *evaluation)
{
    struct condition *condition = &requirement.condition;
    uint64_t value              = condition->last;

    if (condition->reading == READ_VCPU_ONES || condition->reading == READ_VCPU_ZEROS)
        requirement_resolve(&requirement, evaluation->question);
    if (requirement.name != NULL || condition->first != value) {
        requirement_report_answer(&requirement, evaluation);
        return;
    }
    for (uint64_t bits = condition->mask; bits != 0; bits &= bits - 1) {
        condition->mask  = bits & -bits;
        condition->first = condition->last = value & condition->mask;
        requirement_report_answer(&requirement, evaluation);
    }
}

/* Returns whether a table applies to the virtualization that was tried. */
static bool table_applies(const struct requirement_table *table,
                          const struct hypervisor_question *question)
{
    const char *tried = question->facts->records[0].virtualization->name;

    return table->technology == NULL || strcmp(table->technology, tried) == 0;
}

const struct requirement_source *
hypervisor_next_source(enum hypervisor hypervisor,
                       const struct hypervisor_question *question,
                       const struct requirement_source *previous)
{
    bool is_past = previous == NULL;

    for (size_t i = 0; i < REQUIREMENT_TABLES; i++) {
        const struct requirement_table *table = requirement_tables[i];
        size_t count = table_applies(table, question) ? table->count : 0;
        for (size_t j = 0; j < count; j++) {
            const struct requirement_source *source = &table->sources[j];
            if (is_past && source->hypervisor == hypervisor)
                return source;
            is_past |= source == previous;
        }
    }
    return NULL;
}

/* Reports the requirements of a source whose premises hold. */
static void source_report(const struct requirement_source *source,
                          struct evaluation *evaluation)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct premise *premise = source->requirements[i].premise;
        if (premise == NULL ||
            condition_tally(&premise->condition, evaluation->question).has_passed)
            requirement_report(source->requirements[i], evaluation);
    }
}

enum requirement_state hypervisor_visit(enum hypervisor hypervisor,
                                        const struct requirement_source *only,
                                        const struct hypervisor_question *question,
                                        requirement_visit *visit, void *context)
{
    struct evaluation evaluation            = {question, visit, context, REQUIREMENT_MET};
    const struct requirement_source *source = NULL;

    while ((source = hypervisor_next_source(hypervisor, question, source)) != NULL) {
        if (only == NULL || only == source)
            source_report(source, &evaluation);
    }
    return evaluation.worst;
}
