/*
 * What a guest can ask of Hymir by VMCALL: docs/GUESTS.md.
 *
 * The number is in RAX, arguments in RBX and RCX; RAX is the answer. A number that Hymir
 * does not know, and an argument that makes no sense, give HYPERCALL_ERROR; so does
 * what changes something outside ring 0: a guest's programs have no more to say than it
 * lets them.
 */
#ifndef HYMIR_GUEST_HYPERCALL_H
#define HYMIR_GUEST_HYPERCALL_H

#include "virt/vcpu.h"

enum hypercall {
    HYPERCALL_VERSION, /* the answer is HYPERCALL_INTERFACE */
    HYPERCALL_PRINT,   /* RBX: guest-physical address, RCX: bytes, HYPERCALL_PRINT_MAX */
    HYPERCALL_END,     /* RBX: a value for the report; does not return */
    HYPERCALL_NMI,     /* the vCPU gets an NMI as soon as it can take one; 0 */

    /*
     * Of a reason for exits, RBX, from 0 on as long as there is no error: how many there
     * were, how many ticks of the TSC Hymir needed for them, and eight bytes of its name
     * in ASCII, from byte RCX on, 0 behind its end. In any ring.
     */
    HYPERCALL_EXITS,
    HYPERCALL_TICKS,
    HYPERCALL_REASON,
};

#define HYPERCALL_INTERFACE 3 /* the version of these calls */
#define HYPERCALL_ERROR     UINT64_MAX
#define HYPERCALL_PRINT_MAX 256

enum exit_outcome hypercall(struct vcpu *vcpu);

#endif
