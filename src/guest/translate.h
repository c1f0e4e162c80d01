/*
 * Translates linear to guest-physical addresses by a walk of the guest's page tables.
 *
 * SDM 3A, "Paging": none, 32-bit, PAE and 4-level paging, with access rights of
 * supervisor and user mode and with accessed and dirty flags. Any contents of the tables
 * are safe: only the guest's RAM is accessed.
 */
#ifndef HYMIR_GUEST_TRANSLATE_H
#define HYMIR_GUEST_TRANSLATE_H

#include "virt/backend.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Translates the address of one byte for a read or write at the guest's privilege level.
 * Returns false after injecting a page fault.
 */
bool linear_address_translate(struct vcpu *vcpu, uint64_t linear, bool is_write,
                              gpa_t *physical);

#endif
