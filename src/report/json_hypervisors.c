/* See json_hypervisors.h. */
#include "report/json_hypervisors.h"

#include "report/hypervisors.h"

/* Selects the requirements in one state. */
struct state_filter {
    struct json *json;
    enum requirement_state wanted;
};

static void write_answer(const struct requirement_answer *answer, void *context)
{
    const struct state_filter *filter = context;
    TEXT_DECLARE(text, REQUIREMENT_TEXT_SIZE);

    if (answer->state != filter->wanted)
        return;
    requirement_append(answer, &text);
    json_string(filter->json, NULL, "%s", text.buffer);
}

static void write_source(struct json *json, const struct requirement_source *source,
                         const struct hypervisor_question *question)
{
    json_open_object(json, NULL);
    json_string(json, "source", "%s", source->name);
    for (enum requirement_state i = REQUIREMENT_MET; i < REQUIREMENT_STATES; i++) {
        struct state_filter filter = {json, i};
        json_open_array(json, requirement_state_names[i]);
        hypervisor_visit(source->hypervisor, source, question, write_answer, &filter);
        json_close_array(json);
    }
    json_close_object(json);
}

void json_hypervisors_write(struct json *json, const struct report_facts *facts)
{
    struct hypervisor_question question;

    hypervisor_question_prepare(facts, &question);
    for (enum hypervisor i = HYPERVISOR_HYMIR; i < HYPERVISOR_COUNT; i++) {
        enum requirement_state state = hypervisor_visit(i, NULL, &question, NULL, NULL);
        json_open_object(json, NULL);
        json_string(json, "name", "%s", hypervisors[i].name);
        json_string(json, "version", "%s", hypervisors[i].version);
        json_string(json, "state", "%s", requirement_state_names[state]);
        json_open_array(json, "requirements");
        const struct requirement_source *source = NULL;
        while ((source = hypervisor_next_source(i, &question, source)) != NULL)
            write_source(json, source, &question);
        json_close_array(json);
        json_close_object(json);
    }
}
