/*
 * Evaluates which requirements of each hypervisor a machine meets.
 *
 * A requirement is a condition without which a hypervisor's code refuses to start or, if
 * its source is closed, that its vendor lists. Preferences do not count. Pure.
 */
#ifndef HYMIR_REPORT_HYPERVISORS_H
#define HYMIR_REPORT_HYPERVISORS_H

#include "report/condition.h"

enum requirement_state {
    REQUIREMENT_MET,
    REQUIREMENT_MISSING,
    REQUIREMENT_UNKNOWN, /* the check was impossible */
    REQUIREMENT_STATES,
};

/* "ok", "missing" and "unknown". */
extern const char *const requirement_state_names[REQUIREMENT_STATES];

struct requirement_answer {
    const char *name; /* below REQUIREMENT_NAME_SIZE characters */
    const char *kind; /* of the name; empty if the name implies it */
    enum requirement_state state;
};
#define REQUIREMENT_NAME_SIZE 160

typedef void requirement_visit(const struct requirement_answer *answer, void *context);

/* Appends the name, with its kind in brackets: below REQUIREMENT_TEXT_SIZE characters. */
void requirement_append(const struct requirement_answer *answer, struct text *text);
#define REQUIREMENT_TEXT_SIZE 256

/*
 * Returns the source after previous, or the first if that is NULL, of a hypervisor's
 * requirements that apply to the machine's virtualization; NULL if there are no more.
 */
const struct requirement_source *
hypervisor_next_source(enum hypervisor hypervisor,
                       const struct hypervisor_question *question,
                       const struct requirement_source *previous);

/*
 * Calls visit, unless NULL, for each requirement of a hypervisor that applies, or for
 * those of one of its sources if that is not NULL. Returns REQUIREMENT_MISSING if any of
 * them is missing, otherwise REQUIREMENT_UNKNOWN if any is unknown.
 */
enum requirement_state hypervisor_visit(enum hypervisor hypervisor,
                                        const struct requirement_source *only,
                                        const struct hypervisor_question *question,
                                        requirement_visit *visit, void *context);

#endif
