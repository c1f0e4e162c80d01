/*
 * Descriptions of exits, for the exit trace.
 */
#ifndef HYMIR_VMX_EXIT_DESCRIPTION_H
#define HYMIR_VMX_EXIT_DESCRIPTION_H

#include "lib/format.h"
#include "virt/vcpu.h"

/*
 * Appends the reason of an exit and its detail: the interruption information of an
 * exception, the number of an MSR, else the exit qualification. Accepts any record, also
 * with bits that no CPU sets.
 */
void exit_describe(const struct exit_record *record, struct text *words);

#endif
