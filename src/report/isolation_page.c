/* See isolation_page.h. */
#include "report/isolation_page.h"

#include "check/comparison.h"
#include "x86/control_registers.h"

#define TEXT_SIZE 320 /* several rows */

static const char *const mitigations_names[] = {
    [MITIGATIONS_AUTO] = "auto",
    [MITIGATIONS_OFF]  = "off",
    [MITIGATIONS_ALL]  = "all",
};

static bool is_shown(const struct report_facts *facts, size_t index)
{
    return facts->records[index].answer == CPU_ANSWERED &&
           comparison_first_alike(facts->records, index) == index;
}

static void add_heading(struct pager *pager, const struct report_facts *facts,
                        size_t index, const struct isolation *isolation)
{
    pager_add(pager, EMPHASIS_TITLE, "Known issues of cpu %zu: %s%s%s; mitigations=%s",
              index, microarchitecture_name(isolation->facts.micro),
              facts->records[index].has_siblings ? ", shares its core" : "",
              (facts->records[index].cr4 & CR4_CET) != 0 ? ", shadow stacks" : "",
              mitigations_names[facts->isolation.mitigations]);
    if (isolation->facts.is_nested)
        pager_add_wrapped(pager, EMPHASIS_CAUTION, 0,
                          "Hymir runs in a hypervisor, which may report another "
                          "processor than the machine's, and must protect itself.");
}

static void add_issue(struct pager *pager, enum issue issue,
                      const struct issue_finding *finding)
{
    TEXT_DECLARE(text, TEXT_SIZE);

    text_append(&text, "%-8s  %-16s  ", issue_state_names[finding->state],
                issue_rows[issue].name);
    isolation_describe(finding, &text);
    pager_add_wrapped(pager,
                      isolation_is_complete(finding) ? EMPHASIS_GOOD : EMPHASIS_CAUTION,
                      28, text.buffer);
}

static void add_unaffected(struct pager *pager, const struct isolation *isolation)
{
    TEXT_DECLARE(unaffected, TEXT_SIZE);

    text_append(&unaffected, "not affected by: ");
    isolation_list(isolation, ISSUE_NOT_AFFECTED, &unaffected);
    pager_add_wrapped(pager, EMPHASIS_GOOD, 4, unaffected.buffer);
}

static void add_cpu(struct pager *pager, const struct report_facts *facts, size_t index)
{
    const struct isolation isolation =
        isolation_of(&facts->records[index], &facts->isolation);

    add_heading(pager, facts, index, &isolation);
    for (enum issue issue = 0; issue < ISSUES; issue++) {
        if (isolation.finding[issue].state != ISSUE_NOT_AFFECTED)
            add_issue(pager, issue, &isolation.finding[issue]);
    }
    add_unaffected(pager, &isolation);
}

void isolation_page_add(struct pager *pager, const struct report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (is_shown(facts, i))
            add_cpu(pager, facts, i);
    }
}

static void write_issue(struct json *json, enum issue issue,
                        const struct issue_finding *finding)
{
    static const char *const keys[ISOLATION_GROUPS] = {
        [ISOLATION_DONE]         = "done",
        [ISOLATION_NOT_DONE]     = "not_done",
        [ISOLATION_WAIVED]       = "waived",
        [ISOLATION_NO_MICROCODE] = "not_in_microcode",
    };

    json_open_object(json, issue_rows[issue].key);
    json_string(json, "state", "%s", issue_state_names[finding->state]);
    for (enum isolation_group i = 0;
         i < ISOLATION_GROUPS && finding->state != ISSUE_NOT_AFFECTED; i++) {
        json_open_array(json, keys[i]);
        for (uint32_t rest = isolation_measures(finding, i); rest != 0; rest &= rest - 1)
            json_string(json, NULL, "%s", measure_rows[__builtin_ctz(rest)].name);
        json_close_array(json);
    }
    json_close_object(json);
}

static void write_cpu(struct json *json, const struct report_facts *facts, size_t index)
{
    const struct isolation isolation =
        isolation_of(&facts->records[index], &facts->isolation);

    json_open_object(json, NULL);
    json_number(json, "cpu", index);
    json_string(json, "microarchitecture", "%s",
                microarchitecture_name(isolation.facts.micro));
    json_bool(json, "shares_core", facts->records[index].has_siblings);
    json_bool(json, "shadow_stacks", (facts->records[index].cr4 & CR4_CET) != 0);
    json_open_object(json, "issues");
    for (enum issue issue = 0; issue < ISSUES; issue++)
        write_issue(json, issue, &isolation.finding[issue]);
    json_close_object(json);
    json_close_object(json);
}

void isolation_page_write(struct json *json, const struct report_facts *facts)
{
    json_string(json, "mitigations", "%s",
                mitigations_names[facts->isolation.mitigations]);
    json_open_array(json, "cpus");
    for (size_t i = 0; i < facts->count; i++) {
        if (is_shown(facts, i))
            write_cpu(json, facts, i);
    }
    json_close_array(json);
}
