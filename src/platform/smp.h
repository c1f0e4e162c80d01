/*
 * Starts the logical processors, gives them work and stops them.
 *
 * Owns the list of CPUs. SDM 3A, "Multiple-Processor (MP) Initialization". A CPU without
 * work waits in HLT with interrupts enabled. Unless stated otherwise, the functions are
 * for the boot CPU.
 */
#ifndef HYMIR_PLATFORM_SMP_H
#define HYMIR_PLATFORM_SMP_H

#include "cpu/percpu.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The maximum number of CPUs. */
#define SMP_MAX_CPUS 1024

/* The time that a CPU has to respond to the last SIPI. */
#define SMP_START_TIMEOUT_US 1000000

/*
 * Adds *cpu, whose APIC ID and stacks are set, to the list and sets its index. The boot
 * CPU is added first; at most SMP_MAX_CPUS are added.
 */
void smp_add(struct cpu *cpu);

/* Return the number of CPUs in the list, and the CPU with an index. */
size_t smp_count(void);
struct cpu *smp_cpu(size_t index);

/*
 * Copies the trampoline to page: writable, identity-mapped, below 1 MiB. Starting CPUs
 * use this CPU's page tables, whose root is below 4 GiB. The caller then makes the page
 * executable.
 */
void smp_place_trampoline(void *page);

/* Sends INIT to all other CPUs, one after the other, and waits once, for 10 ms. */
void smp_init_others(void);

/*
 * Starts *cpu, after smp_init_others, by two SIPIs at the trampoline in page, the second
 * if the first has no effect. STATUS_TIMEOUT if it does not
 * respond, in which case another INIT stops it. STATUS_OUT_OF_RANGE if its APIC ID cannot
 * be addressed.
 */
enum status MUST_CHECK smp_start(struct cpu *cpu, const void *page);

/* Interrupts a CPU, which may be halted, so that it looks for work. Otherwise as
 * apic_send. For any CPU. */
enum status MUST_CHECK smp_wake(const struct cpu *cpu);

/*
 * Runs work(argument) on *cpu, which is not the executing CPU, and waits until it has
 * begun. STATUS_NOT_FOUND if the CPU was never started, is stopped, or did not respond to
 * smp_stop; STATUS_TIMEOUT if it does not begin within a second, and then it never will;
 * otherwise as apic_send.
 */
enum status MUST_CHECK smp_begin(struct cpu *cpu, cpu_work *work, void *argument);

/*
 * Waits for the end of the work from smp_begin. After STATUS_TIMEOUT the CPU must not be
 * given more work.
 */
enum status MUST_CHECK smp_wait(struct cpu *cpu, uint32_t timeout_us);

/*
 * Stops another CPU by NMI: it leaves virtualization and halts permanently.
 * STATUS_TIMEOUT if it does not respond within 100 ms or did not respond before. For any
 * CPU.
 */
enum status MUST_CHECK smp_stop(struct cpu *cpu);

/*
 * Stops all other CPUs; returns the number that did not respond. For any CPU, with
 * interrupts disabled.
 */
size_t smp_stop_others(void);

/* Logs how many NMIs other than Hymir's own each CPU received. */
void smp_report_foreign_nmis(void);

#endif
