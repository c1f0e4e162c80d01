/*
 * A vCPU of a VM, with what it has of its own: CPUID and MSRs, a local APIC, and the
 * clock of its timer.
 *
 * The first runs from the start of the VM, the others from the startup IPI that follows
 * INIT: SDM 3A, "Multiple-Processor (MP) Initialization". Any can end the VM; all others
 * then leave it. Used on its own CPU only, unless stated otherwise.
 */
#ifndef HYMIR_GUEST_VM_CPU_H
#define HYMIR_GUEST_VM_CPU_H

#include "dev/local_apic.h"
#include "dev/timer.h"
#include "guest/cpuid_policy.h"
#include "guest/msr_policy.h"
#include "virt/backend.h"
#include "virt/decoder.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VM_CPU_STATE_SIZE 512

/* An instruction that has accessed a device: guest/device_memory.c. */
#define DECODED_INSTRUCTIONS 8
struct decoded_instruction {
    uint8_t bytes[INSTRUCTION_LENGTH_MAX];
    size_t count; /* of bytes; 0: none */
    enum code_size code_size;
    struct instruction instruction;
};

struct vm_cpu {
    struct vcpu vcpu; /* first: vm_cpu_of gets its address */
    size_t index;     /* in the VM */
    struct cpuid_answers cpuid;
    struct guest_msrs msrs;
    struct device_clock clock;
    struct local_apic apic;
    struct vcpu_start start; /* after INIT, unless it is the first that starts */

    /* By how much the TSC of its CPU is ahead of the first vCPU's CPU. */
    int64_t tsc_ahead;

    struct decoded_instruction decoded[DECODED_INSTRUCTIONS];

    bool is_running;    /* the backend runs it */
    bool handles_alarm; /* sets the next one afterwards */

    /* Taken from the local APIC: enum local_apic_event. */
    unsigned int events;
    uint8_t startup_vector;

    unsigned int runs;     /* of the VM that it has taken part in */
    uint64_t paused_ticks; /* of the VM's that its clocks have left out */

    /* Halted, or waiting for a startup IPI, and only another vCPU could wake it. */
    atomic_bool is_asleep;

    atomic_bool has_old_pages; /* in its TLB, which it is to invalidate */
    atomic_bool is_in_pause;   /* waits for the end of the VM's pause */

    /* What it was doing when the VM ended abnormally because of another; else "". */
    char last_state[VM_CPU_STATE_SIZE];
};

static inline struct vm_cpu *vm_cpu_of(struct vcpu *vcpu)
{
    return (struct vm_cpu *)vcpu;
}

/* Prepares a vCPU, for vm_init. */
void vm_cpu_init(struct vm_cpu *cpu, struct vm *vm, const struct backend *backend);

/* Resets it before a run of the VM. On the first vCPU's CPU. */
void vm_cpu_reset(struct vm_cpu *cpu);

/* Runs it on this CPU until the VM ends. */
void vm_cpu_run(struct vm_cpu *cpu);

/*
 * Takes part in each run of the VM with a vCPU other than the first, on this CPU. Returns
 * when the VM is released.
 */
void vm_cpu_run_others(struct vm_cpu *cpu);

/* Handles a request to pause or stop, and what other CPUs have sent to its local APIC. */
enum exit_outcome vm_cpu_handle_requests(struct vcpu *vcpu);

/* Resets its local APIC, for vm_add_devices. The bus of the VM is ready. */
void vm_cpu_reset_local_apic(struct vm_cpu *cpu);

/*
 * Accepts what has arrived at its local APIC. What changes the registers, NMI and INIT,
 * waits until vm_cpu_handle_requests is called.
 */
void vm_cpu_receive(struct vm_cpu *cpu);

/* Drives a pin of its local APIC, likewise. */
void vm_cpu_drive_line(struct vm_cpu *cpu, enum local_apic_pin pin, bool is_high);

/*
 * Returns whether anything can end its HLT, with or without interrupts on: for
 * exit_handlers.can_wake.
 */
bool vm_cpu_can_wake(struct vcpu *vcpu, bool accepts_interrupts);

/* Sets its only alarm to the first of its clocks': its own, and the first vCPU's VM's. */
void vm_cpu_set_alarm(struct vm_cpu *cpu);

/* Runs the clocks that are due, and sets the next alarm: for exit_handlers.alarm. */
void vm_cpu_handle_alarm(struct vcpu *vcpu);

/* Interrupts its CPU, so that it calls vm_cpu_handle_requests. From any CPU. */
void vm_cpu_kick(const struct vm_cpu *cpu);

/*
 * Logs its last exits, at most TRACE_RECORDS, the newest last. is_handling: the newest is
 * still being handled, and so has no RIP yet. On any CPU.
 */
void vm_cpu_log_exits(const struct vm_cpu *cpu, bool is_handling);

/* Records its registers because another vCPU has ended the VM. On its CPU, in a run. */
void vm_cpu_record_last_state(struct vm_cpu *cpu);

/* Logs what it was doing when another vCPU ended the VM. */
void vm_cpu_log_last_state(const struct vm_cpu *cpu);

#endif
