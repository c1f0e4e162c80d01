/*
 * What can run here: hypervisors, and what each demands of VT-x and of the machine.
 *
 * What one demands is what its own code refuses to start without, or its maker's list of
 * requirements where the code is closed; docs/REFERENCES.md has the sources. What it only
 * prefers does not count. Pure.
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

/* Its name, and where its requirements are from. */
const char *hypervisor_name(enum hypervisor hypervisor);
const char *hypervisor_source(enum hypervisor hypervisor);

/* What is asked of a machine once, whatever the number of hypervisors. */
struct hypervisor_question {
    const struct report_facts *facts;
    struct vmx_capabilities usable; /* on all CPUs */
};

/* Sets up the question for the facts. */
void hypervisor_ask(const struct report_facts *facts,
                    struct hypervisor_question *question);

/* Gets the name of something that is missing. */
typedef void hypervisor_visit(const char *name, void *context);

/* True if it can run; else visit is called for each thing that it misses. */
bool hypervisor_can_run(enum hypervisor hypervisor,
                        const struct hypervisor_question *question,
                        hypervisor_visit *visit, void *context);

#endif
