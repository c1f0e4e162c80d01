/*
 * The registers of a vCPU that stay in its CPU, with either vendor's virtualization.
 */
#ifndef HYMIR_VIRT_CPU_REGISTERS_H
#define HYMIR_VIRT_CPU_REGISTERS_H

#include "cpu/guest_state.h"
#include "cpu/speculation.h"
#include "virt/backend.h"

/* Reads such a register on the vCPU's CPU; 0 if it is none. */
static inline uint64_t cpu_register_read(enum vcpu_register which)
{
    switch (which) {
    case VCPU_XCR0:
        return guest_state_read_xcr0();
    case VCPU_PKRU:
        return guest_state_read_pkru();
    case VCPU_DR_0 ... VCPU_DR_3:
        return guest_state_read_debug_address(which - VCPU_DR_0);
    case VCPU_SPEC_CTRL:
        return speculation_read_spec_ctrl();
    case VCPU_VIRT_SPEC_CTRL:
        return speculation_read_ssbd();
    default:
        return 0;
    }
}

#endif
