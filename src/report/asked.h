/*
 * A requirement that is asked of a machine: what the parts of requirement_answer share.
 * For requirement_answers.c and requirement_machine.c alone.
 */
#ifndef HYMIR_REPORT_ASKED_H
#define HYMIR_REPORT_ASKED_H

#include "report/requirements.h"

/* A requirement, what it is asked of, and where the answers go. */
struct asked {
    const struct requirement *requirement;
    const struct hypervisor_question *question;
    requirement_visit *visit;
    void *context;
};

/* Hands over an answer: met or missing, or unknown if it is not known. */
void asked_tell(const struct asked *asked, const char *name, const char *kind,
                bool is_known, bool is_met);

/* True if all CPUs that there may be were seen, and answered. */
bool asked_were_all_seen(const struct report_facts *facts);

/* The answers to conditions that are not about VMX's capability MSRs. */
void tell_cpuid_bits(const struct asked *asked);
void tell_cpuid_leaf(const struct asked *asked);
void tell_locked_on(const struct asked *asked);
void tell_not_locked_off(const struct asked *asked);
void tell_fast_strings(const struct asked *asked);
void tell_same_processor(const struct asked *asked);
void tell_verdict(const struct asked *asked);
void tell_to_be_looked_up(const struct asked *asked);
void tell_two_cpus(const struct asked *asked);
void tell_ram(const struct asked *asked);
void tell_vt_d_units(const struct asked *asked);
void tell_vt_d_bits(const struct asked *asked);
void tell_vt_d_version(const struct asked *asked);
void tell_vt_d_width(const struct asked *asked);

#endif
