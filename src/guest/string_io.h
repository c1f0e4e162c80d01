/*
 * INS and OUTS: transfers between a port and guest memory, one element per exit.
 *
 * SDM 2, "INS/INSB/INSW/INSD", "OUTS/OUTSB/OUTSW/OUTSD", "REP".
 */
#ifndef HYMIR_GUEST_STRING_IO_H
#define HYMIR_GUEST_STRING_IO_H

#include "virt/vcpu.h"

/* Checks the segment, transfers the element and advances the registers. */
enum exit_outcome string_io_handle(struct vcpu *vcpu, const struct string_access *access);

#endif
