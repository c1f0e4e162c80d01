/* See on_exit.h. Every exit executes this: `make bench` counts the instructions. */
#include "svm/on_exit.h"

#include "cpu/instructions.h"
#include "svm/exit.h"
#include "svm/vcpu_events.h"
#include "virt/exception_rules.h"

bool guest_decode(struct vcpu *vcpu, struct instruction *instruction)
{
    const struct vmcb *vmcb = &svm_of(vcpu)->vmcb;
    uint8_t bytes[INSTRUCTION_LENGTH_MAX];
    size_t count = vcpu->handlers->fetch(vcpu, bytes);

    return instruction_decode(bytes, count, guest_code_size(vmcb), instruction) ==
           STATUS_OK;
}

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

/* Counts an exit, and the time since it. */
static inline void count_exit(struct exit_row *row, const struct exit_record *record)
{
    uint32_t ticks = rdtsc_low() - record->start;

    row->exits++;
    row->ticks += ticks;
    if (ticks > row->longest)
        row->longest = ticks;
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
    struct exit_row *row       = &svm->rows[svm_exit_row_index(vmcb->exit_code)];
    enum exit_outcome outcome  = row->handler(vcpu);

    if (outcome == EXIT_ALL_REGISTERS)
        return RUN_ALL_REGISTERS;
    record->rip = vmcb->rip;
    if (outcome == EXIT_NEXT) {
        vmcb->rip = vmcb->next_rip;
        end_instruction(vcpu);
    } else if (outcome == EXIT_REPEAT) {
        end_iteration(vcpu);
    }
    if (svm->waiting != 0)
        svm_events_deliver(svm);
    count_exit(row, record);
    return outcome == EXIT_STOP ? RUN_STOP : RUN_AGAIN;
}

/*
 * The instructions whose exits need the next RIP, by exit code; IN and OUT report it
 * elsewhere. Accesses to control registers decode the instruction anyway.
 */
static const struct {
    uint16_t code;
    uint8_t name, other_name; /* enum instruction_name */
} exiting_instructions[] = {
    {SVM_EXIT_CPUID, INSTRUCTION_CPUID, 0},
    {SVM_EXIT_MSR, INSTRUCTION_RDMSR, INSTRUCTION_WRMSR},
    {SVM_EXIT_HLT, INSTRUCTION_HLT, 0},
    {SVM_EXIT_VMMCALL, INSTRUCTION_VMMCALL, 0},
    {SVM_EXIT_CR_READ + 4, INSTRUCTION_MOV, 0},
    {SVM_EXIT_CR_WRITE + 4, INSTRUCTION_MOV, 0},
    {SVM_EXIT_INVD, INSTRUCTION_INVD, 0},
    {SVM_EXIT_WBINVD, INSTRUCTION_WBINVD, INSTRUCTION_WBNOINVD},
    {SVM_EXIT_XSETBV, INSTRUCTION_XSETBV, 0},
};

/* Sets next_rip. Returns false if the guest's code has another instruction now. */
static bool find_next_rip(struct vcpu *vcpu)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;
    struct instruction instruction;

    for (size_t i = 0; i < ARRAY_SIZE(exiting_instructions); i++) {
        if (exiting_instructions[i].code != vmcb->exit_code)
            continue;
        if (!guest_decode(vcpu, &instruction) ||
            (instruction.name != exiting_instructions[i].name &&
             instruction.name != exiting_instructions[i].other_name))
            return false;
        uint64_t next  = vmcb->rip + instruction.length;
        vmcb->next_rip = guest_is_64_bit(vmcb) ? next : (uint32_t)next;
        return true;
    }
    return true;
}

enum run_next svm_on_exit_without_next_rip(struct vcpu_run *run)
{
    struct vcpu *vcpu = (struct vcpu *)run;
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    if (vmcb->exit_code == SVM_EXIT_IO)
        vmcb->next_rip = vmcb->exit_info_2;
    else if (!find_next_rip(vcpu))
        vmcb->exit_code = SVM_EXIT_EXCEPTION + VECTOR_UD;
    return svm_on_exit(run);
}
