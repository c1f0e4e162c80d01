/*
 * Hypercalls, by VMCALL or VMMCALL: docs/GUESTS.md.
 *
 * The number is in RAX, arguments in RBX and RCX, the result in RAX. Unknown numbers and
 * invalid arguments return HYPERCALL_ERROR. So do, outside ring 0, calls that have an
 * effect: programs of the guest have no rights of their own.
 */
#ifndef HYMIR_GUEST_HYPERCALL_H
#define HYMIR_GUEST_HYPERCALL_H

#include "virt/vcpu.h"

enum hypercall {
    HYPERCALL_VERSION, /* returns HYPERCALL_INTERFACE */
    HYPERCALL_PRINT,   /* RBX: guest-physical address, RCX: bytes, HYPERCALL_PRINT_MAX */
    HYPERCALL_END,     /* RBX: a value to report; ends the guest */
    HYPERCALL_NMI,     /* injects an NMI as soon as NMIs are not blocked; returns 0 */

    /*
     * For the exit reason in RBX, from 0 up to the first error, return the number of
     * exits, the ticks of the TSC that Hymir spent on them, and eight bytes of the
     * reason's name in ASCII, from byte RCX on and 0 after its end. In any ring.
     */
    HYPERCALL_EXITS,
    HYPERCALL_TICKS,
    HYPERCALL_REASON,
};

#define HYPERCALL_INTERFACE 3 /* the version of these calls */
#define HYPERCALL_ERROR     UINT64_MAX
#define HYPERCALL_PRINT_MAX 256

enum exit_outcome hypercall_handle(struct vcpu *vcpu);

#endif
