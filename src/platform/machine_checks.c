/* See machine_checks.h. */
#include "platform/machine_checks.h"

#include "cpu/machine_check.h"
#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "lib/log.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/smp.h"

#define LOOK_SECONDS 5U

static bool is_started;
static uint64_t next_look; /* by the boot CPU's TSC */

void machine_checks_start(void)
{
    if (machine_check_bank_count() == 0 || !apic_is_enabled())
        return;
    trap_set_handler(VECTOR_MACHINE_CHECK, machine_check_look);
    is_started = true;
}

/* A CPU that receives no interrupt looks the next time. */
void machine_checks_poll(void)
{
    uint64_t now = rdtsc();

    if (now < next_look)
        return;
    next_look = now + LOOK_SECONDS * clock_frequency();
    smp_report_foreign_nmis();
    if (!is_started)
        return;
    machine_check_look();
    for (size_t i = 0; i < smp_count(); i++) {
        const struct cpu *cpu = smp_cpu(i);
        if (cpu != this_cpu() && atomic_load(&cpu->state) == CPU_READY &&
            apic_send(cpu->apic_id, ICR_FIXED | VECTOR_MACHINE_CHECK) != STATUS_OK)
            log_debug("cpu %u: look at machine checks not requested", cpu->index);
    }
}
