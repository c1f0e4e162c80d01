/*
 * Address translation by a guest's own paging: linear to guest-physical.
 *
 * SDM 3A, "Paging": none, 32-bit, PAE and 4-level paging, with the checks for supervisor
 * and user mode and read-only pages, and with accessed and dirty flags. The tables are
 * the guest's: every entry must lie in its RAM.
 */
#ifndef HYMIR_GUEST_TRANSLATE_H
#define HYMIR_GUEST_TRANSLATE_H

#include "virt/backend.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Translates the address of one byte that the guest reads or writes at its privilege
 * level. Returns false if the access faults; the page fault is then injected.
 */
bool linear_address_translate(struct vcpu *vcpu, uint64_t linear, bool is_write,
                              gpa_t *physical);

#endif
