/*
 * INS and OUTS: transfers between a port and guest memory.
 *
 * SDM 2, "INS/INSB/INSW/INSD", "OUTS/OUTSB/OUTSW/OUTSD", "REP". One exit handles as many
 * elements as are in a page and in the segment, up to STRING_ELEMENTS_MAX; then the guest
 * continues at the same instruction, so that it can be interrupted.
 */
#ifndef HYMIR_GUEST_STRING_IO_H
#define HYMIR_GUEST_STRING_IO_H

#include "virt/vcpu.h"

#define STRING_ELEMENTS_MAX 256U

/* Checks the access, transfers elements and advances the registers. */
enum exit_outcome string_io_handle(struct vcpu *vcpu, const struct string_access *access);

#endif
