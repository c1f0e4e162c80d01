/*
 * INS and OUTS: port accesses whose other end is guest memory at a linear address.
 *
 * SDM 2, "INS/INSB/INSW/INSD", "OUTS/OUTSB/OUTSW/OUTSD", "REP". One element an exit: the
 * processor then checks the segment for each, and knows where it lies.
 */
#ifndef HYMIR_GUEST_STRING_IO_H
#define HYMIR_GUEST_STRING_IO_H

#include "virt/vcpu.h"

enum exit_outcome string_io(struct vcpu *vcpu, const struct string_access *access);

#endif
