/*
 * What can run here: hypervisors, and what each demands of VT-x and of the machine.
 *
 * What one demands is what its own code refuses to start without, or its maker's list of
 * requirements where the code is closed; each has the source that it comes from. What a
 * hypervisor only prefers does not count. Pure.
 */
#ifndef HYMIR_REPORT_HYPERVISORS_H
#define HYMIR_REPORT_HYPERVISORS_H

#include "report/facts.h"

#include <stdbool.h>
#include <stddef.h>

enum hypervisor {
    HYPERVISOR_HYMIR, /* its guests */
    HYPERVISOR_KVM,
    HYPERVISOR_XEN,
    HYPERVISOR_HYPER_V,
    HYPERVISOR_ESXI,
    HYPERVISOR_VIRTUALBOX,
    HYPERVISOR_BHYVE,
    HYPERVISOR_JAILHOUSE,
    HYPERVISOR_ACRN,
    HYPERVISOR_NOVA,
    HYPERVISOR_COUNT,
};

/* Its name, and which version of it was read. */
const char *hypervisor_name(enum hypervisor hypervisor);
const char *hypervisor_version(enum hypervisor hypervisor);

/* Where requirements come from: functions and documents, those of each hypervisor in a
 * row. */
enum requirement_source {
    SOURCE_HYMIR_CHECK,
    SOURCE_HYMIR_CONTROLS,
    SOURCE_KVM_SUPPORTED,
    SOURCE_KVM_CONFIG,
    SOURCE_KVM_COMPATIBLE,
    SOURCE_KVM_HARDWARE,
    SOURCE_KVM_INIT,
    SOURCE_XEN_HEAD,
    SOURCE_XEN_CPU,
    SOURCE_XEN_CONFIG,
    SOURCE_HYPER_V_SYSTEM,
    SOURCE_HYPER_V_CPUID,
    SOURCE_ESXI_HARDWARE,
    SOURCE_ESXI_UPDATE_2,
    SOURCE_VIRTUALBOX_INIT,
    SOURCE_VIRTUALBOX_CPU,
    SOURCE_VIRTUALBOX_REGION,
    SOURCE_VIRTUALBOX_PIN,
    SOURCE_VIRTUALBOX_PRIMARY,
    SOURCE_VIRTUALBOX_EPT,
    SOURCE_VIRTUALBOX_ENTRY,
    SOURCE_BHYVE_INIT,
    SOURCE_BHYVE_EPT,
    SOURCE_JAILHOUSE_TOOL,
    SOURCE_JAILHOUSE_DRIVER,
    SOURCE_JAILHOUSE_CHECK,
    SOURCE_JAILHOUSE_VT_D,
    SOURCE_ACRN_DETECT,
    SOURCE_ACRN_CONTROLS,
    SOURCE_ACRN_APIC,
    SOURCE_ACRN_EPT,
    SOURCE_ACRN_ADDRESSES,
    SOURCE_ACRN_VT_D,
    SOURCE_NOVA_START,
    SOURCE_NOVA_INIT,
    SOURCE_COUNT,
};

/* Whose it is, and its name: a file and a function, or a document's title. */
enum hypervisor requirement_source_hypervisor(enum requirement_source source);
const char *requirement_source_name(enum requirement_source source);

enum requirement_state {
    REQUIREMENT_MET,
    REQUIREMENT_MISSING,
    REQUIREMENT_UNKNOWN, /* nobody could look */
    REQUIREMENT_STATES,
};

/* "ok", "missing" or "unknown". */
const char *requirement_state_name(enum requirement_state state);

/* What is asked of a machine once, whatever the number of hypervisors. */
struct hypervisor_question {
    const struct report_facts *facts;
    struct capability_set usable; /* on all CPUs */
    bool has_capabilities;        /* false: no CPU has VMX, or none answered */
};

/* Sets up the question for the facts. */
void hypervisor_ask(const struct report_facts *facts,
                    struct hypervisor_question *question);

/* Something that is demanded. */
struct requirement_answer {
    const char *name; /* below REQUIREMENT_NAME_SIZE characters */
    const char *kind; /* of what; empty if the name says so */
    enum requirement_state state;
};
#define REQUIREMENT_NAME_SIZE 160

typedef void requirement_visit(const struct requirement_answer *answer, void *context);

/* Appends the name, with its kind in brackets: below REQUIREMENT_TEXT_SIZE characters. */
void requirement_append(const struct requirement_answer *answer, struct text *text);
#define REQUIREMENT_TEXT_SIZE 256

/* Calls visit for each thing that a source demands of a machine like this. */
void requirement_source_visit(enum requirement_source source,
                              const struct hypervisor_question *question,
                              requirement_visit *visit, void *context);

/*
 * Calls visit for each thing that the hypervisor demands. REQUIREMENT_MET if it can run;
 * else REQUIREMENT_MISSING if anything is missing.
 */
enum requirement_state hypervisor_judge(enum hypervisor hypervisor,
                                        const struct hypervisor_question *question,
                                        requirement_visit *visit, void *context);

#endif
