/*
 * What is known of a processor besides dumps: VMX capability MSRs, registers of CPUID.
 */
#ifndef HYMIR_TOOLS_EXPLAIN_FACTS_H
#define HYMIR_TOOLS_EXPLAIN_FACTS_H

#include "virt/entry_rules.h"

struct facts {
    struct entry_snapshot vmcs, vmcb;
};

/*
 * Sets a VMX capability MSR by its number; ignores other MSRs, and those that are known:
 * an argument takes precedence over the text.
 */
void facts_set_capability(struct facts *facts, uint32_t number, uint64_t content);

/*
 * Sets a fact by an argument NAME=VALUE: NAME is that of a VMX capability MSR, a register
 * of CPUID or a field, such as IA32_VMX_BASIC, CPUID.07H:ECX or LINK_POINTER. Returns
 * false if it is none.
 */
bool facts_set(struct facts *facts, const char *argument);

#endif
