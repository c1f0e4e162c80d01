/* See vcpu.h. Every exit executes this: `make bench` counts the instructions. */
#include "svm/vcpu.h"

#include "cpu/guest_state.h"
#include "cpu/instructions.h"
#include "svm/next_rip.h"
#include "svm/vcpu_events.h"
#include "virt/control_register_rules.h"
#include "virt/exception_rules.h"

/* Clears RF, which applies to one instruction, and traps a guest that single-steps. */
static __attribute__((noinline)) void end_debugged_instruction(struct vcpu *vcpu)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    vmcb->rflags &= ~RFLAGS_RF;
    if (instruction_end_traps(vmcb->rflags,
                              vcpu->backend->read_register(vcpu, VCPU_DEBUGCTL)))
        svm_debug_causes_add(vcpu, DR6_SINGLE_STEP);
}

/* Ends the interrupt shadow, and what RF and TF request. */
static inline __attribute__((always_inline)) void end_instruction(struct vcpu *vcpu)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    vmcb->interrupt_shadow = 0;
    if ((vmcb->rflags & (RFLAGS_TF | RFLAGS_RF)) != 0)
        end_debugged_instruction(vcpu);
}

/*
 * Ends an iteration of a repeated instruction, which counts as one. An instruction
 * breakpoint applies only to the first: SDM 3B, "Instruction-Breakpoint Exception
 * Condition".
 */
static void end_iteration(struct vcpu *vcpu)
{
    end_instruction(vcpu);
    svm_of(vcpu)->vmcb.rflags |= RFLAGS_RF;
}

/*
 * Takes back components of XCR0 that a guest may not enable: QEMU's TCG lets it write
 * XCR0 without an exit.
 */
static void check_xcr0(void)
{
    uint64_t xcr0 = guest_state_read_xcr0();

    if (!xcr_is_valid(0, xcr0))
        (void)xsetbv_safe(xcr0 & GUEST_XCR0_ALLOWED);
}

/* Advances RIP past an instruction that the handler has decoded. */
static void skip_decoded_instruction(struct vcpu *vcpu)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;
    uint64_t next     = vmcb->rip + vcpu->newest->instruction_length;

    vmcb->rip = guest_is_64_bit(vmcb) ? next : (uint32_t)next;
    end_instruction(vcpu);
}

/* Ends an exit with an outcome other than EXIT_NEXT, the most frequent. */
static __attribute__((noinline)) enum run_next
end_other_exit(struct vcpu *vcpu, struct exit_row *row, enum exit_outcome outcome)
{
    struct svm_vcpu *svm = svm_of(vcpu);

    if (outcome == EXIT_ALL_REGISTERS)
        return RUN_ALL_REGISTERS;
    vcpu->newest->rip = svm->vmcb.rip;
    check_xcr0();
    if (outcome == EXIT_REPEAT)
        end_iteration(vcpu);
    else if (outcome == EXIT_SKIP)
        skip_decoded_instruction(vcpu);
    if (svm->waiting != 0)
        svm_events_deliver(svm);
    exit_row_count(row, rdtsc_low() - vcpu->newest->start);
    return outcome == EXIT_STOP ? RUN_STOP : RUN_AGAIN;
}

enum run_next svm_on_exit(struct vcpu_run *run)
{
    struct vcpu *vcpu          = (struct vcpu *)run;
    struct svm_vcpu *svm       = svm_of(vcpu);
    struct vmcb *vmcb          = &svm->vmcb;
    struct exit_record *record = vcpu->newest->next;
    vcpu->newest               = record;
    record->start              = rdtsc_low();
    record->reason             = vmcb->exit_code;
    vmcb->clean                = svm->clean;
    vmcb->tlb_control          = TLB_CONTROL_NOTHING;
    struct exit_row *row       = svm->row_of_code[(uint8_t)vmcb->exit_code];
    enum exit_outcome outcome  = row->handler(vcpu);

    if (outcome != EXIT_NEXT)
        return end_other_exit(vcpu, row, outcome);
    record->rip = vmcb->rip;
    vmcb->rip   = vmcb->next_rip;
    end_instruction(vcpu);
    if (svm->waiting != 0)
        svm_events_deliver(svm);
    exit_row_count(row, rdtsc_low() - record->start);
    return RUN_AGAIN;
}

enum run_next svm_on_exit_without_next_rip(struct vcpu_run *run)
{
    struct vcpu *vcpu = (struct vcpu *)run;
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    if (vmcb->exit_code == SVM_EXIT_IO)
        vmcb->next_rip = vmcb->exit_info_2;
    else if (!next_rip_find(vcpu))
        vmcb->exit_code = SVM_EXIT_EXCEPTION + VECTOR_UD;
    return svm_on_exit(run);
}
