/* See hypervisors.h. */
#include "report/hypervisors.h"

#include "check/comparison.h"
#include "report/requirements.h"

const char *requirement_state_name(enum requirement_state state)
{
    static const char *const names[REQUIREMENT_STATES] = {
        [REQUIREMENT_MET]     = "ok",
        [REQUIREMENT_MISSING] = "missing",
        [REQUIREMENT_UNKNOWN] = "unknown",
    };
    return names[state];
}

void requirement_append(const struct requirement_answer *answer, struct text *text)
{
    text_append(text, "%s", answer->name);
    if (answer->kind[0] != '\0')
        text_append(text, " (%s)", answer->kind);
}

void hypervisor_ask(const struct report_facts *facts,
                    struct hypervisor_question *question)
{
    *question = (struct hypervisor_question){.facts = facts};
    question->has_capabilities =
        comparison_usable(facts->records, facts->count, &question->usable);
}

void requirement_source_visit(enum requirement_source source,
                              const struct hypervisor_question *question,
                              requirement_visit *visit, void *context)
{
    for (size_t i = 0; i < requirement_count; i++) {
        if (requirements[i].source == source &&
            premise_holds(requirements[i].premise, question))
            requirement_answer(&requirements[i], question, visit, context);
    }
}

/* Passes answers on, and remembers the worst. */
struct judge {
    requirement_visit *visit;
    void *context;
    bool has_missing, has_unknown;
};

static void judge_one(const struct requirement_answer *answer, void *context)
{
    struct judge *judge = context;

    judge->has_missing |= answer->state == REQUIREMENT_MISSING;
    judge->has_unknown |= answer->state == REQUIREMENT_UNKNOWN;
    judge->visit(answer, judge->context);
}

enum requirement_state hypervisor_judge(enum hypervisor hypervisor,
                                        const struct hypervisor_question *question,
                                        requirement_visit *visit, void *context)
{
    struct judge judge = {.visit = visit, .context = context};

    for (enum requirement_source i = SOURCE_HYMIR_CHECK; i < SOURCE_COUNT; i++) {
        if (requirement_source_hypervisor(i) == hypervisor)
            requirement_source_visit(i, question, judge_one, &judge);
    }
    if (judge.has_missing)
        return REQUIREMENT_MISSING;
    return judge.has_unknown ? REQUIREMENT_UNKNOWN : REQUIREMENT_MET;
}
