/*
 * Explains the dumps in a text: which rules of VM entry or VMRUN each violates, or why it
 * is not one of a failed entry. Pure.
 */
#ifndef HYMIR_TOOLS_EXPLAIN_EXPLANATION_H
#define HYMIR_TOOLS_EXPLAIN_EXPLANATION_H

#include "facts.h"

/* The exit status of the program. */
enum explanation_status {
    EXPLANATION_NOTHING_VIOLATED,
    EXPLANATION_VIOLATIONS,
    EXPLANATION_NO_DUMP,
};

/* Prints the explanation of each dump; completes facts by those of the text. */
enum explanation_status explanation_print(const char *text, size_t length,
                                          struct facts *facts, entry_print *print,
                                          void *context);

#endif
