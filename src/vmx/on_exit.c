/*
 * See vcpu.h: the way of a VM exit, to what answers it and back. Each instruction here is
 * paid for by every exit: make bench.
 */
#include "cpu/instructions.h"
#include "vmx/guest_state.h"
#include "vmx/vcpu.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"

/*
 * Outside 64-bit code the instruction pointer has 32 bits: SDM 3C, "Checks on Guest RIP,
 * RFLAGS, and SSP".
 */
static __attribute__((noinline)) uint64_t wrap_around(uint64_t rip)
{
    return guest_is_64_bit() ? rip : (uint32_t)rip;
}

/*
 * Goes on behind the instruction, and ends what it held back. A guest that steps through
 * its code gets its trap: SDM 3A, "Single-Step Exception Condition".
 */
static inline void skip_instruction(struct exit_record *record)
{
    uint64_t rip    = vmcs_get(VMCS_GUEST_RIP);
    uint64_t length = vmcs_get(VMCS_EXIT_INSTRUCTION_LENGTH);
    uint64_t next   = rip + length;

    record->rip = rip;
    if (__builtin_expect((uint32_t)next < (uint32_t)length, 0))
        next = wrap_around(next);
    vmcs_set(VMCS_GUEST_RIP, next);
    uint64_t blocking = vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE);
    if ((blocking & INTERRUPTIBILITY_STI_OR_MOV_SS) != 0)
        vmcs_set(VMCS_GUEST_INTERRUPTIBILITY_STATE,
                 blocking & ~INTERRUPTIBILITY_STI_OR_MOV_SS);
    if ((vmcs_get(VMCS_GUEST_RFLAGS) & RFLAGS_TF) != 0)
        vcpu_add_pending_debug(PENDING_DEBUG_SINGLE_STEP);
}

/* Each iteration of a repeated instruction ends the shadow, and traps. */
static void end_iteration(void)
{
    vmcs_set(VMCS_GUEST_INTERRUPTIBILITY_STATE,
             vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE) &
                 ~INTERRUPTIBILITY_STI_OR_MOV_SS);
    if ((vmcs_get(VMCS_GUEST_RFLAGS) & RFLAGS_TF) != 0)
        vcpu_add_pending_debug(PENDING_DEBUG_SINGLE_STEP);
}

/* Counts an exit, and the time since it. */
static inline void account(struct exit_row *row, const struct exit_record *record)
{
    uint32_t ticks = rdtsc_low() - record->start;

    row->exits++;
    row->ticks += ticks;
    if (ticks > row->longest)
        row->longest = ticks;
}

/* What most exits do not need. */
static __attribute__((noinline)) enum run_next go_on_otherwise(struct exit_row *row,
                                                               struct exit_record *record,
                                                               enum exit_outcome outcome)
{
    if (outcome == EXIT_ALL_REGISTERS)
        return RUN_ALL_REGISTERS;
    if (outcome == EXIT_REPEAT)
        end_iteration();
    record->rip = vmcs_get(VMCS_GUEST_RIP);
    account(row, record);
    return outcome == EXIT_STOP ? RUN_STOP : RUN_AGAIN;
}

/*
 * A failed entry has its reason in the low bits too, in the row of which there is no
 * other answer: unanswered.
 */
static inline __attribute__((always_inline)) enum run_next answer(struct vcpu_run *run)
{
    uint32_t start             = rdtsc_low();
    struct vcpu *vcpu          = (struct vcpu *)run;
    struct exit_record *record = vcpu->newest->next;
    uint64_t reason            = vmcs_get(VMCS_EXIT_REASON);

    vcpu->newest              = record;
    record->start             = start;
    record->reason            = reason;
    struct exit_row *row      = keep_pointer(&vcpu->row[reason % EXIT_ROWS]);
    enum exit_outcome outcome = row->answer(vcpu);

    if (outcome != EXIT_NEXT)
        return go_on_otherwise(row, record, outcome);
    skip_instruction(record);
    account(row, record);
    return RUN_AGAIN;
}

enum run_next vcpu_on_exit(struct vcpu_run *run)
{
    return answer(run);
}

/* The preemption timer counts from what is written, from each entry on. */
enum run_next vcpu_on_exit_with_alarm(struct vcpu_run *run)
{
    enum run_next next = answer(run);

    vcpu_write_preemption_timer(vmx_of((struct vcpu *)run));
    return next;
}
