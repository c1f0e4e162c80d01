/*
 * An exit in words, for the report on a guest that came to a bad end.
 */
#ifndef HYMIR_VMX_EXIT_DESCRIPTION_H
#define HYMIR_VMX_EXIT_DESCRIPTION_H

#include "lib/format.h"
#include "virt/vcpu.h"

/*
 * Appends the reason and what the record's detail says: of exceptions it is the
 * interruption information, of MSRs their number, else the exit qualification. Any
 * record, also one with bits that no CPU sets.
 */
void exit_describe(const struct exit_record *record, struct text *words);

#endif
