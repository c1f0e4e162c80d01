/*
 * A guest's own paging, walked in software: from a linear address to a guest-physical
 * one.
 *
 * SDM 3A, "Paging": none, 32-bit, PAE and 4-level paging, with the checks for supervisor
 * and user mode, read-only pages, and accessed and dirty flags. The tables are the
 * guest's and trusted no further than its RAM.
 */
#ifndef HYMIR_GUEST_TRANSLATE_H
#define HYMIR_GUEST_TRANSLATE_H

#include "virt/backend.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Translates one byte's address for a read or a write of the guest's, at its privilege
 * level. False if that faults: the page fault is then injected.
 */
bool translate(struct vcpu *vcpu, uint64_t linear, bool is_write, gpa_t *physical);

#endif
