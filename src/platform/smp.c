/* See smp.h. */
#include "platform/smp.h"

#include "cpu/setup.h"
#include "cpu/shadow_stack.h"
#include "cpu/traps.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/test_hooks.h"
#include "platform/ap_boot.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/local_sources.h"
#include "platform/thermal.h"
#include "x86/control_registers.h"
#include "x86/msr.h"

#define INIT_WAIT_US     10000
#define STARTUP_WAIT_US  200
#define STOP_TIMEOUT_US  100000
#define BEGIN_TIMEOUT_US 1000000
#define WAKE_AGAIN_US    10000

static struct cpu *cpus[SMP_MAX_CPUS];
static size_t cpu_count;
_Atomic(struct cpu *) ap_boot_ticket;

void smp_add(struct cpu *cpu)
{
    atomic_store(&cpu->has_begun, true);
    cpu->index        = (uint32_t)cpu_count;
    cpus[cpu_count++] = cpu;
}

size_t smp_count(void)
{
    return cpu_count;
}

struct cpu *smp_cpu(size_t index)
{
    return cpus[index];
}

void smp_place_trampoline(void *page)
{
    struct ap_boot_parameters parameters = {
        .cr3  = (uint32_t)read_cr3(),
        .efer = (uint32_t)(rdmsr(MSR_IA32_EFER) & (EFER_LME | EFER_NXE)),
    };
    uintptr_t start  = (uintptr_t)ap_trampoline_start;
    uintptr_t offset = (uintptr_t)ap_trampoline_parameters - start;

    memcpy(page, ap_trampoline_start, (uintptr_t)ap_trampoline_end - start);
    memcpy((uint8_t *)page + offset, &parameters, sizeof(parameters));
}

/*
 * Waits until the CPU is in a state. Checks the deadline before the state: SMM may stop
 * all CPUs for longer than the timeout.
 */
static bool wait_for_state(const struct cpu *cpu, enum cpu_state state,
                           uint32_t timeout_us)
{
    struct deadline deadline = deadline_in(timeout_us);
    for (;;) {
        bool has_passed = deadline_has_passed(&deadline);
        if (atomic_load(&cpu->state) == state)
            return true;
        if (has_passed)
            return false;
        cpu_pause();
    }
}

void smp_init_others(void)
{
    for (size_t i = 0; i < cpu_count; i++) {
        if (cpus[i] != this_cpu() && apic_send(cpus[i]->apic_id, ICR_INIT) != STATUS_OK)
            log_debug("cpu %u: INIT not sent", cpus[i]->index);
    }
    clock_wait(INIT_WAIT_US);
}

static enum status send_startup(const struct cpu *cpu, uint8_t page)
{
    enum status status = STATUS_OK;

    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        status = apic_send(cpu->apic_id, ICR_STARTUP | page);
        if (status == STATUS_OK && wait_for_state(cpu, CPU_READY, STARTUP_WAIT_US))
            break;
    }
    return status;
}

enum status smp_start(struct cpu *cpu, const void *page)
{
    atomic_store(&ap_boot_ticket, cpu);
    enum status status = send_startup(cpu, (uint8_t)((uintptr_t)page / PAGE_SIZE));
    if (status == STATUS_OK && !wait_for_state(cpu, CPU_READY, SMP_START_TIMEOUT_US))
        status = STATUS_TIMEOUT;
    atomic_store(&ap_boot_ticket, NULL);
    if (status == STATUS_TIMEOUT) {
        /* INIT holds the CPU; if it starts late anyway, it finds no ticket and halts. */
        if (apic_send(cpu->apic_id, ICR_INIT) != STATUS_OK)
            log_debug("cpu %u: second INIT not sent", cpu->index);
        atomic_store(&cpu->state, CPU_ABSENT);
    }
    return status;
}

/* Loads the work only once it has begun: what was there before may be withdrawn. */
static _Noreturn void wait_for_work(struct cpu *cpu)
{
    for (;;) {
        while (atomic_exchange(&cpu->has_begun, true))
            halt_until_interrupt();
        cpu_work *work = atomic_load(&cpu->work);
        work(cpu->work_argument);
        if (test_hook_end_work != NULL)
            test_hook_end_work();
        atomic_store(&cpu->work, NULL);
    }
}

_Noreturn void smp_ap_main(struct cpu *cpu)
{
    cpu_setup(cpu);
    /* Stops if this is not the intended CPU: the stacks belong to that one. */
    if (apic_enable() != STATUS_OK || apic_id() != cpu->apic_id) {
        for (;;)
            halt();
    }
    shadow_stack_enable(cpu);
    local_sources_mask();
    thermal_start();
    atomic_store(&cpu->state, CPU_READY);
    wait_for_work(cpu);
}

enum status smp_wake(const struct cpu *cpu)
{
    if (test_hook_lose_wake != NULL && test_hook_lose_wake(cpu->index))
        return STATUS_OK;
    return apic_send(cpu->apic_id, ICR_FIXED | VECTOR_WAKE);
}

static bool wait_for_begin(const struct cpu *cpu)
{
    struct deadline deadline = deadline_in(WAKE_AGAIN_US);

    while (!atomic_load(&cpu->has_begun)) {
        if (deadline_has_passed(&deadline))
            return false;
        cpu_pause();
    }
    return true;
}

/* Checks the deadline before the work, as in wait_for_state. */
enum status smp_wait(struct cpu *cpu, uint32_t timeout_us)
{
    struct deadline deadline = deadline_in(timeout_us);
    for (;;) {
        bool has_passed = deadline_has_passed(&deadline);
        if (atomic_load(&cpu->work) == NULL)
            return STATUS_OK;
        if (has_passed)
            return STATUS_TIMEOUT;
        cpu_pause();
    }
}

/*
 * Repeats the wake-up interrupt: after an NMI between STI and HLT the CPU may miss the
 * first. Withdraws work that the CPU has not taken in time. Work may have returned whose
 * end the CPU has not noted yet, which would clear new work.
 */
enum status smp_begin(struct cpu *cpu, cpu_work *work, void *argument)
{
    struct deadline deadline = deadline_in(BEGIN_TIMEOUT_US);
    enum status status;

    if (atomic_load(&cpu->state) != CPU_READY || atomic_load(&cpu->stop_requested))
        return STATUS_NOT_FOUND;
    if (smp_wait(cpu, BEGIN_TIMEOUT_US) != STATUS_OK)
        return STATUS_TIMEOUT;
    cpu->work_argument = argument;
    atomic_store(&cpu->work, work);
    atomic_store(&cpu->has_begun, false);
    do {
        status = smp_wake(cpu);
    } while (status == STATUS_OK && !wait_for_begin(cpu) &&
             !deadline_has_passed(&deadline));
    if (atomic_exchange(&cpu->has_begun, true))
        return STATUS_OK;
    atomic_store(&cpu->work, NULL);
    return status == STATUS_OK ? STATUS_TIMEOUT : status;
}

enum status smp_stop(struct cpu *cpu)
{
    if (atomic_load(&cpu->state) != CPU_READY)
        return STATUS_OK;
    if (atomic_exchange(&cpu->stop_requested, true))
        return STATUS_TIMEOUT; /* did not respond to an earlier request */
    enum status status = apic_send(cpu->apic_id, ICR_NMI);
    if (status == STATUS_OK && !wait_for_state(cpu, CPU_STOPPED, STOP_TIMEOUT_US))
        status = STATUS_TIMEOUT;
    return status;
}

size_t smp_stop_others(void)
{
    size_t unanswered = 0;
    for (size_t i = 0; i < cpu_count; i++)
        unanswered += cpus[i] != this_cpu() && smp_stop(cpus[i]) != STATUS_OK;
    return unanswered;
}

void smp_report_foreign_nmis(void)
{
    for (size_t i = 0; i < cpu_count; i++) {
        unsigned int nmis = atomic_exchange(&cpus[i]->foreign_nmis, 0);
        if (nmis > 0)
            log_warning("cpu %zu: %u NMIs that Hymir did not send; ignored", i, nmis);
    }
}
