/*
 * The logical processors of the machine: starting them, giving them work, stopping them.
 *
 * Owns the list of CPUs. SDM 3A, "Multiple-Processor (MP) Initialization". A CPU without
 * work waits in HLT with interrupts on. All but the functions that say otherwise are for
 * the boot CPU.
 */
#ifndef HYMIR_PLATFORM_SMP_H
#define HYMIR_PLATFORM_SMP_H

#include "cpu/percpu.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most CPUs that Hymir takes. */
#define SMP_MAX_CPUS 1024

/*
 * How long a CPU has to answer INIT-SIPI-SIPI, in microseconds, once the last SIPI is
 * sent.
 */
#define SMP_START_TIMEOUT_US 1000000

/*
 * Adds *cpu, whose APIC ID and stacks are set, to the list, and numbers it. The boot CPU
 * comes first; there are at most SMP_MAX_CPUS.
 */
void smp_add(struct cpu *cpu);

/* How many CPUs are in the list, and the one with that index. */
size_t smp_count(void);
struct cpu *smp_cpu(size_t index);

/* The bytes that the trampoline needs, at most a page. */
size_t smp_trampoline_size(void);

/*
 * Copies the trampoline to page, which is mapped writable at its physical address, below
 * 1 MiB and a multiple of 4096. The CPUs come up with this CPU's page tables, whose root
 * lies below 4 GiB. The caller then makes the page executable.
 */
void smp_place_trampoline(void *page);

/*
 * Starts *cpu by INIT-SIPI-SIPI over the trampoline in page. STATUS_TIMEOUT if it does
 * not answer: it is then sent INIT again, to be held there. STATUS_OUT_OF_RANGE if its
 * APIC ID cannot be addressed.
 */
enum status MUST_CHECK smp_start(struct cpu *cpu, const void *page);

/*
 * Gives *cpu, another one than executes this, work(argument) to do and wakes it.
 * STATUS_NOT_FOUND if the CPU was never started, or is stopped, or was to be and did not
 * answer; else as apic_send_interrupt.
 */
enum status MUST_CHECK smp_begin(struct cpu *cpu, cpu_work *work, void *argument);

/*
 * Waits for the end of what smp_begin gave it. STATUS_TIMEOUT if it is not done in
 * timeout_us: it must then get no more work.
 */
enum status MUST_CHECK smp_wait(struct cpu *cpu, uint32_t timeout_us);

/*
 * Stops a CPU by NMI: it leaves VMX operation and halts for good. STATUS_TIMEOUT if it
 * does not answer within 100 ms, or did not answer before. For any CPU, not for itself.
 */
enum status MUST_CHECK smp_stop(struct cpu *cpu);

/*
 * Stops all other CPUs; returns how many did not answer. For any CPU, with interrupts
 * off.
 */
size_t smp_stop_others(void);

/* Logs how many NMIs other than Hymir's own each CPU received. */
void smp_report_foreign_nmis(void);

#endif
