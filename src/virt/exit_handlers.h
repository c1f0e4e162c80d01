/*
 * Handlers of exits that are the same on all processors.
 */
#ifndef HYMIR_VIRT_EXIT_HANDLERS_H
#define HYMIR_VIRT_EXIT_HANDLERS_H

#include "cpu/instructions.h"
#include "cpu/machine_check.h"
#include "cpu/percpu.h"
#include "virt/backend.h"
#include "virt/control_register_rules.h"
#include "x86/exceptions.h"

/* Handles instructions that the guest's CPUID does not offer. */
static inline enum exit_outcome exit_inject_ud(struct vcpu *vcpu)
{
    return vcpu_inject_exception(vcpu, VECTOR_UD, 0);
}

static inline enum exit_outcome exit_inject_gp(struct vcpu *vcpu)
{
    return vcpu_inject_exception(vcpu, VECTOR_GP, 0);
}

/* Handles instructions that must have no effect outside the guest. */
static inline enum exit_outcome exit_skip(struct vcpu *vcpu)
{
    (void)vcpu;
    return EXIT_NEXT;
}

/* Handles XSETBV. An exit on AMD-V precedes the check of CPL. */
static inline enum exit_outcome exit_handle_xsetbv(struct vcpu *vcpu)
{
    uint32_t index = (uint32_t)vcpu->run.registers.r[REGISTER_RCX];
    uint64_t value = vcpu_edx_eax(vcpu);

    if (vcpu->backend->read_register(vcpu, VCPU_CPL) != 0 ||
        !xcr_is_valid(index, value) || xsetbv_safe(value) != FAULT_NONE)
        return exit_inject_gp(vcpu);
    return EXIT_NEXT;
}

/*
 * Handles a machine check while a guest ran. Panics if an error is not confined to the
 * memory of guests. Otherwise ends the guests with one in their memory, and this guest if
 * it must not go on: the handler interrupted then stops it.
 */
static inline void exit_take_machine_check(struct vcpu *vcpu)
{
    enum machine_check_outcome outcome = machine_check_take(true);

    if (outcome == MACHINE_CHECK_STOP)
        raise_machine_check();
    machine_check_look();
    if (outcome == MACHINE_CHECK_END_GUEST)
        vcpu_end_abnormally(vcpu, "machine check; the guest cannot go on");
}

/* Looks at the errors of a machine check that Hymir's own code was interrupted by. */
static inline void exit_look_at_machine_check(void)
{
    if (this_cpu()->has_machine_check)
        machine_check_look();
}

#endif
