/* See facts.h. */
#include "facts.h"

#include "cpu/cpuid.h"
#include "lib/string.h"
#include "svm/entry_rules.h"
#include "vmx/entry_rules.h"

static const struct {
    uint32_t number;
    uint16_t value;
} capabilities[] = {
#define CAPABILITY_ROW(msr, number) {number, VALUE_IA32_VMX_##msr},
    VMX_MSRS(CAPABILITY_ROW)};

void facts_set_capability(struct facts *facts, uint32_t number, uint64_t content)
{
    for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
        if (capabilities[i].number == number &&
            !entry_snapshot_has(&facts->vmcs, capabilities[i].value))
            entry_snapshot_set(&facts->vmcs, capabilities[i].value, content);
    }
}

/* Sets the value with that name of one vendor; returns whether there is one. */
static bool set_named(const struct entry_rules *rules, struct entry_snapshot *snapshot,
                      const char *name, uint64_t content)
{
    for (uint32_t i = 1; i < rules->value_count; i++) {
        if (strcmp(rules->value_names[i], name) == 0) {
            entry_snapshot_set(snapshot, i, content);
            return true;
        }
    }
    return false;
}

#define ADDRESS_SIZES "CPUID.80000008H:EAX"

bool facts_set(struct facts *facts, const char *argument)
{
    TEXT_DECLARE(name, 64);
    const char *value = argument;
    uint64_t content;

    while (*value != '\0' && *value != '=')
        value++;
    text_append(&name, "%.*s", (int)(value - argument), argument);
    if (*value != '=' || !number_parse(value + 1, &content))
        return false;
    if (strcmp(name.buffer, ADDRESS_SIZES) == 0) {
        uint32_t sizes = (uint32_t)content;
        entry_snapshot_set(&facts->vmcs, VALUE_PHYSICAL_WIDTH,
                           CPUID_80000008_EAX_PHYSICAL(sizes));
        entry_snapshot_set(&facts->vmcs, VALUE_LINEAR_WIDTH,
                           CPUID_80000008_EAX_LINEAR(sizes));
        entry_snapshot_set(&facts->vmcb, SVM_VALUE_PHYSICAL_WIDTH,
                           CPUID_80000008_EAX_PHYSICAL(sizes));
        return true;
    }
    bool is_of_vmx = set_named(&vmx_entry_rules, &facts->vmcs, name.buffer, content);
    return set_named(&svm_entry_rules, &facts->vmcb, name.buffer, content) || is_of_vmx;
}
