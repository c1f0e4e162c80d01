/*
 * Writes docs/ENTRY-RULES.md: the rules of VM entry, from the rows of Hymir's own
 * sources, built for the host. `make entry-rules` calls it.
 */
#include "svm/entry_rules.h"
#include "vmx/entry_rules.h"

#include <stdio.h>
#include <string.h>

static const struct vendor {
    const char *name;
    const struct entry_rules *rules;
    const char *failures[ENTRY_PHASES]; /* what a violation is */
} vendors[] = {
    {"VT-x",
     &vmx_entry_rules,
     {
         [ENTRY_INSTRUCTION] = "a VM-instruction error, which differs by rule",
         [ENTRY_CONTROLS]    = "VM-instruction error 7",
         [ENTRY_HOST_STATE]  = "VM-instruction error 8",
         [ENTRY_GUEST_STATE] = "exit reason 33 (0x80000021)",
         [ENTRY_MSR_LOADING] = "exit reason 34 (0x80000022)",
     }},
    {"AMD-V",
     &svm_entry_rules,
     {
         [ENTRY_CONTROLS]    = "exit code -1 (VMEXIT_INVALID)",
         [ENTRY_GUEST_STATE] = "exit code -1 (VMEXIT_INVALID)",
     }},
};

static const char head[] =
    "# The rules of VM entry\n"
    "\n"
    "What a processor checks before it enters a guest, and what Hymir, the self-test "
    "`selftest=entries` and the unit tests\njudge. A failed entry logs each violated "
    "rule by the name in this table, with the field, its value, the bits at fault "
    "and\nthe nearest value that satisfies the rule. `make entry-rules` writes this page "
    "from the rows in `src`; do not edit it.\n"
    "\n"
    "The names of fields are the manual's words; `..` is a range of fields. A rule "
    "applies only if the bits in its last\ncolumn are set, or clear, where the column "
    "says 0. Controls count as 0 if other controls do not activate them.\n";

static void print_condition(const struct entry_rules *rules,
                            const struct entry_condition *condition)
{
    TEXT_DECLARE(text, 120);
    const char *name;

    entry_append_bits(rules, condition->value, BIT(condition->bit), &text);
    name = strchr(text.buffer, '(');
    if (name != NULL)
        text.buffer[strlen(text.buffer) - 1] = '\0';
    printf("%s %s%s", rules->value_names[condition->value],
           name != NULL ? name + 1 : text.buffer, condition->is_set ? "" : ": 0");
}

static void print_rule(const struct entry_rules *rules, const struct entry_rule *rule)
{
    const char *separator = "";

    printf("| `%s` | %s | %s", rule->name, rule->sentence,
           rules->value_names[rule->value]);
    if (entry_rule_value_count(rule) > 1)
        printf(" .. %s",
               rules->value_names[rule->value + entry_rule_value_count(rule) - 1]);
    printf(" | ");
    for (size_t i = 0; i < ENTRY_CONDITIONS; i++) {
        if (rule->when[i].value == ENTRY_VALUE_NONE)
            continue;
        printf("%s", separator);
        print_condition(rules, &rule->when[i]);
        separator = "; ";
    }
    printf(" |\n");
}

static void print_vendor(const struct vendor *vendor)
{
    const struct entry_rules *rules = vendor->rules;
    const char *title               = "";
    size_t rows = 0, values = 0;

    for (size_t i = 0; i < rules->section_count; i++) {
        rows += rules->sections[i]->count;
        for (size_t j = 0; j < rules->sections[i]->count; j++)
            values += entry_rule_value_count(&rules->sections[i]->rules[j]);
    }
    printf("\n## %s\n\n%zu rules, %zu with each of their fields.\n", vendor->name, rows,
           values);
    for (size_t i = 0; i < rules->section_count; i++) {
        const struct entry_section *section = rules->sections[i];
        if (strcmp(section->title, title) != 0)
            printf("\n### %s\n\nA violation is %s.\n\n| rule | what must hold | field | "
                   "applies with |\n| --- | --- | --- | --- |\n",
                   section->title, vendor->failures[section->phase]);
        title = section->title;
        for (size_t j = 0; j < section->count; j++)
            print_rule(rules, &section->rules[j]);
    }
}

int main(void)
{
    printf("%s", head);
    for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
        print_vendor(&vendors[i]);
    return 0;
}
