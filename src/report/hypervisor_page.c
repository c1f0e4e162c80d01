/* See hypervisor_page.h. */
#include "report/hypervisor_page.h"

#include "lib/string.h"
#include "report/hypervisors.h"
#include "report/surroundings.h"

/* All requirements of one hypervisor in one state. */
#define LIST_SIZE 4096

#define TEXT_SIZE 400

static const enum emphasis emphases[REQUIREMENT_STATES] = {
    [REQUIREMENT_MET]     = EMPHASIS_GOOD,
    [REQUIREMENT_MISSING] = EMPHASIS_BAD,
    [REQUIREMENT_UNKNOWN] = EMPHASIS_CAUTION,
};

/* The requirements of a hypervisor or a source, by state, each list with its heading. */
static struct list {
    struct text text;
    size_t heading; /* its length */
    char buffer[LIST_SIZE];
    char kind[REQUIREMENT_TEXT_SIZE]; /* of the last requirement */
} lists[REQUIREMENT_STATES];

/* Empties the lists and writes their headings: the state and a name. */
static void lists_start(const char *indent, const char *name, int width)
{
    for (enum requirement_state i = REQUIREMENT_MET; i < REQUIREMENT_STATES; i++) {
        lists[i].text = (struct text){.buffer = lists[i].buffer, .size = LIST_SIZE};
        text_append(&lists[i].text, "%s%-7s  %-*s", indent, requirement_state_names[i],
                    width, name);
        lists[i].heading = lists[i].text.length;
        lists[i].kind[0] = '\0';
    }
}

/*
 * Appends the requirement: in a summary with its kind in brackets, otherwise after its
 * kind, unless the previous one is of the same kind.
 */
static void append_answer(const struct requirement_answer *answer, void *is_summary)
{
    struct list *list = &lists[answer->state];
    bool is_same      = is_summary == NULL && strcmp(list->kind, answer->kind) == 0;

    if (list->text.length > list->heading)
        text_append(&list->text, is_same ? ", " : "; ");
    if (is_summary != NULL) {
        requirement_append(answer, &list->text);
        return;
    }
    if (!is_same)
        text_append(&list->text, answer->kind[0] != '\0' ? "%s: " : "%s", answer->kind);
    text_append(&list->text, "%s", answer->name);
    format_text(list->kind, sizeof(list->kind), "%s", answer->kind);
}

/* Adds the hypervisor with the requirements that have its state, unless they are met. */
static void add_hypervisor(struct pager *pager, enum hypervisor hypervisor,
                           const struct hypervisor_question *question)
{
    lists_start("", hypervisors[hypervisor].name, 15);
    enum requirement_state state =
        hypervisor_visit(hypervisor, NULL, question, append_answer, lists);
    if (state == REQUIREMENT_MET)
        lists[state].buffer[lists[state].heading] = '\0';
    pager_add_wrapped(pager, emphases[state], 24, lists[state].buffer);
}

/* Adds the requirements of a source, unless none applies to the machine. */
static void add_source(struct pager *pager, const struct requirement_source *source,
                       const struct hypervisor_question *question)
{
    bool has_name = false;

    lists_start("  ", "", 0);
    hypervisor_visit(source->hypervisor, source, question, append_answer, NULL);
    for (enum requirement_state i = REQUIREMENT_MET; i < REQUIREMENT_STATES; i++) {
        if (lists[i].text.length == lists[i].heading)
            continue;
        if (!has_name)
            pager_add(pager, EMPHASIS_NORMAL, "%s", source->name);
        has_name = true;
        pager_add_wrapped(pager, emphases[i], 11, lists[i].buffer);
    }
}

/* Adds all requirements, by source. */
static void add_sources(struct pager *pager, const struct hypervisor_question *question)
{
    for (enum hypervisor i = HYPERVISOR_HYMIR; i < HYPERVISOR_COUNT; i++) {
        const struct requirement_source *source = NULL;
        pager_add(pager, EMPHASIS_TITLE, "Required by %s (%s)", hypervisors[i].name,
                  hypervisors[i].version);
        while ((source = hypervisor_next_source(i, question, source)) != NULL)
            add_source(pager, source, question);
    }
}

void hypervisor_page_add(struct pager *pager, const struct report_facts *facts)
{
    static struct hypervisor_question question;

    hypervisor_question_prepare(facts, &question);
    for (enum hypervisor i = HYPERVISOR_HYMIR; i < HYPERVISOR_COUNT; i++)
        add_hypervisor(pager, i, &question);
    pager_add(pager, EMPHASIS_NORMAL, "%s", "");
    for (size_t i = 0; i < SURROUNDINGS; i++) {
        TEXT_DECLARE(text, TEXT_SIZE);
        TEXT_DECLARE(state, SURROUNDING_STATE_SIZE);
        if (!surrounding_applies(&surroundings[i], facts))
            continue;
        text_append(&text, "%-14s ", surroundings[i].name);
        surroundings[i].describe(
            &(struct surrounding_query){&surroundings[i], facts, &state, &text});
        pager_add_wrapped(pager, EMPHASIS_NORMAL, 15, text.buffer);
    }
    pager_add(pager, EMPHASIS_NORMAL, "%s", "");
    add_sources(pager, &question);
}
