/* See hypervisor_page.h. */
#include "report/hypervisor_page.h"

#include "lib/string.h"
#include "report/hypervisors.h"
#include "report/surroundings.h"

/* All that one hypervisor demands, in one text. */
#define LIST_SIZE 4096

#define TEXT_SIZE 400

static const enum emphasis emphases[REQUIREMENT_STATES] = {
    [REQUIREMENT_MET]     = EMPHASIS_GOOD,
    [REQUIREMENT_MISSING] = EMPHASIS_BAD,
    [REQUIREMENT_UNKNOWN] = EMPHASIS_CAUTION,
};

/* What is in each state, joined, and the kind of the last; emptied for each list. */
struct lists {
    struct text list[REQUIREMENT_STATES];
    struct text kind[REQUIREMENT_STATES];
};

static struct lists *empty_lists(void)
{
    static char lists_of[REQUIREMENT_STATES][LIST_SIZE];
    static char kinds_of[REQUIREMENT_STATES][TEXT_SIZE];
    static struct lists lists;

    for (size_t i = 0; i < REQUIREMENT_STATES; i++) {
        lists_of[i][0] = kinds_of[i][0] = '\0';
        lists.list[i] = (struct text){.buffer = lists_of[i], .size = LIST_SIZE};
        lists.kind[i] = (struct text){.buffer = kinds_of[i], .size = TEXT_SIZE};
    }
    return &lists;
}

/* As a sentence: each with its kind. */
static void append_answer(const struct requirement_answer *answer, void *context)
{
    struct lists *lists = context;
    struct text *list   = &lists->list[answer->state];

    text_append(list, "%s", list->length > 0 ? "; " : "");
    requirement_append(answer, list);
}

/* In short: a kind once, in front of those that are of it. */
static void append_by_kind(const struct requirement_answer *answer, void *context)
{
    struct lists *lists = context;
    struct text *list   = &lists->list[answer->state];
    struct text *kind   = &lists->kind[answer->state];
    bool is_same        = strcmp(kind->buffer, answer->kind) == 0;

    if (list->length > 0)
        text_append(list, is_same ? ", " : "; ");
    if (!is_same && answer->kind[0] != '\0')
        text_append(list, "%s: ", answer->kind);
    text_append(list, "%s", answer->name);
    kind->length    = 0;
    kind->buffer[0] = '\0';
    text_append(kind, "%s", answer->kind);
}

static void add_list(struct pager *pager, enum requirement_state state, size_t indent,
                     const char *start, const char *list)
{
    static char buffer[LIST_SIZE + TEXT_SIZE];
    struct text text = {.buffer = buffer, .size = sizeof(buffer)};

    buffer[0] = '\0';
    text_append(&text, "%s%s", start, list);
    pager_add_wrapped(pager, emphases[state], indent, buffer);
}

/* One that can run, or what it misses, or what is not known of it. */
static void add_hypervisor(struct pager *pager, enum hypervisor hypervisor,
                           const struct hypervisor_question *question)
{
    struct lists *lists = empty_lists();
    TEXT_DECLARE(start, TEXT_SIZE);

    enum requirement_state state =
        hypervisor_judge(hypervisor, question, append_answer, lists);
    text_append(&start, "%-7s  %-14s ", requirement_state_name(state),
                hypervisor_name(hypervisor));
    add_list(pager, state, 24, start.buffer,
             state == REQUIREMENT_MET ? "" : lists->list[state].buffer);
}

static void add_surrounding(struct pager *pager, enum surrounding surrounding,
                            const struct report_facts *facts)
{
    TEXT_DECLARE(text, TEXT_SIZE);
    TEXT_DECLARE(state, SURROUNDING_STATE_SIZE);

    text_append(&text, "%-14s ", surrounding_name(surrounding));
    surrounding_describe(surrounding, facts, &state, &text);
    pager_add_wrapped(pager, EMPHASIS_NORMAL, 15, text.buffer);
}

static void add_source(struct pager *pager, enum requirement_source source,
                       const struct hypervisor_question *question)
{
    struct lists *lists = empty_lists();
    size_t length       = 0;

    requirement_source_visit(source, question, append_by_kind, lists);
    for (enum requirement_state i = REQUIREMENT_MET; i < REQUIREMENT_STATES; i++)
        length += lists->list[i].length;
    if (length == 0)
        return; /* it demands nothing of a machine like this */
    pager_add(pager, EMPHASIS_NORMAL, "%s", requirement_source_name(source));
    for (enum requirement_state i = REQUIREMENT_MET; i < REQUIREMENT_STATES; i++) {
        TEXT_DECLARE(start, TEXT_SIZE);
        text_append(&start, "  %-7s  ", requirement_state_name(i));
        if (lists->list[i].length > 0)
            add_list(pager, i, 11, start.buffer, lists->list[i].buffer);
    }
}

/* Each requirement, by where it is made. */
static void add_sources(struct pager *pager, const struct hypervisor_question *question)
{
    enum hypervisor last = HYPERVISOR_COUNT;

    for (enum requirement_source i = SOURCE_HYMIR_CHECK; i < SOURCE_COUNT; i++) {
        enum hypervisor hypervisor = requirement_source_hypervisor(i);
        if (hypervisor != last)
            pager_add(pager, EMPHASIS_TITLE, "Needed by %s (%s)",
                      hypervisor_name(hypervisor), hypervisor_version(hypervisor));
        add_source(pager, i, question);
        last = hypervisor;
    }
}

void hypervisor_page_add(struct pager *pager, const struct report_facts *facts)
{
    static struct hypervisor_question question;

    hypervisor_ask(facts, &question);
    for (enum hypervisor i = HYPERVISOR_HYMIR; i < HYPERVISOR_COUNT; i++)
        add_hypervisor(pager, i, &question);
    pager_add(pager, EMPHASIS_NORMAL, "%s", "");
    for (enum surrounding i = SURROUNDING_VT_D; i < SURROUNDING_COUNT; i++)
        add_surrounding(pager, i, facts);
    pager_add(pager, EMPHASIS_NORMAL, "%s", "");
    add_sources(pager, &question);
}
