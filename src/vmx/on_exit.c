/* See vcpu.h. Every exit executes this: `make bench` counts the instructions. */
#include "vmx/vcpu.h"

#include "virt/exception_rules.h"
#include "vmx/control_registers.h"
#include "vmx/vcpu_events.h"

/* RIP has 32 bits outside 64-bit code: SDM 3C, "Checks on Guest RIP, RFLAGS, and SSP". */
static __attribute__((noinline)) uint64_t wrap_rip(uint64_t next)
{
    return guest_is_64_bit() ? next : (uint32_t)next;
}

/* Clears RF, which applies to one instruction, and traps a guest that single-steps. */
static __attribute__((noinline)) void end_debugged_instruction(uint64_t rflags)
{
    vmcs_set(VMCS_GUEST_RFLAGS, rflags & ~RFLAGS_RF);
    if (instruction_end_traps(rflags, vmcs_get(VMCS_GUEST_IA32_DEBUGCTL)))
        vmcs_add_pending_debug(PENDING_DEBUG_SINGLE_STEP);
}

/* Ends blocking by STI and MOV SS, and what RF and TF request. */
static inline __attribute__((always_inline)) void end_instruction(void)
{
    uint64_t blocking = vmread_known(VMCS_GUEST_INTERRUPTIBILITY_STATE);

    if ((blocking & INTERRUPTIBILITY_STI_OR_MOV_SS) != 0)
        vmwrite_known(VMCS_GUEST_INTERRUPTIBILITY_STATE,
                      blocking & ~INTERRUPTIBILITY_STI_OR_MOV_SS);
    uint64_t rflags = vmread_known(VMCS_GUEST_RFLAGS);
    if ((rflags & (RFLAGS_TF | RFLAGS_RF)) != 0)
        end_debugged_instruction(rflags);
}

/*
 * Ends an iteration of a repeated instruction, which counts as one. An instruction
 * breakpoint applies only to the first: SDM 3B, "Instruction-Breakpoint Exception
 * Condition".
 */
static void end_iteration(void)
{
    end_instruction();
    vmcs_set(VMCS_GUEST_RFLAGS, vmcs_get(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
}

/* Advances RIP past the instruction. */
static inline __attribute__((always_inline)) void
skip_instruction(struct exit_record *record, uint64_t length)
{
    uint64_t rip  = vmread_known(VMCS_GUEST_RIP);
    uint64_t next = rip + length;

    record->rip = rip;
    if (__builtin_expect((uint32_t)next < (uint32_t)length, 0))
        next = wrap_rip(next);
    vmwrite_known(VMCS_GUEST_RIP, next);
    end_instruction();
}

/* Ends an exit with an outcome other than EXIT_NEXT, the most frequent. */
static __attribute__((noinline)) enum run_next end_other_exit(struct exit_row *row,
                                                              struct exit_record *record,
                                                              enum exit_outcome outcome)
{
    if (outcome == EXIT_ALL_REGISTERS)
        return RUN_ALL_REGISTERS;
    record->rip = vmread_known(VMCS_GUEST_RIP);
    if (outcome == EXIT_REPEAT)
        end_iteration();
    else if (outcome == EXIT_SKIP)
        skip_instruction(record, record->instruction_length);
    exit_row_count(row, rdtsc_low() - record->start);
    return outcome == EXIT_STOP ? RUN_STOP : RUN_AGAIN;
}

static inline __attribute__((always_inline)) enum run_next
handle_exit(struct vcpu_run *run)
{
    struct vcpu *vcpu = (struct vcpu *)run;
    uint32_t start    = rdtsc_low();

    if (__builtin_expect((int32_t)(start - run->alarm_check) >= 0, 0)) {
        vcpu  = vcpu_hasten_alarm(vcpu);
        start = rdtsc_low();
    }
    uint64_t reason            = vmread_known(VMCS_EXIT_REASON);
    struct exit_record *record = vcpu->newest->next;
    vcpu->newest               = record;
    record->start              = start;
    record->reason             = reason;
    struct exit_row *row       = vmx_of(vcpu)->row_of_reason[(uint8_t)reason];
    enum exit_outcome outcome  = row->handler(vcpu);

    if (outcome != EXIT_NEXT)
        return end_other_exit(row, record, outcome);
    skip_instruction(record, vmread_known(VMCS_EXIT_INSTRUCTION_LENGTH));
    exit_row_count(row, rdtsc_low() - record->start);
    return RUN_AGAIN;
}

enum run_next vcpu_on_exit(struct vcpu_run *run)
{
    return handle_exit(run);
}

/* Calls the handler without a retpoline. clang-tidy does not know the attribute. */
#ifndef __clang__
__attribute__((indirect_branch("keep")))
#endif
enum run_next
vcpu_on_exit_unprotected(struct vcpu_run *run)
{
    return handle_exit(run);
}
