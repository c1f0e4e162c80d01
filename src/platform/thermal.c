/* See thermal.h. */
#include "platform/thermal.h"

#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "lib/log.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "x86/msr.h"

#define WARNING_SECONDS 60U /* between two warnings: the temperature may oscillate */

/* Interrupts when the processor becomes too hot and when it no longer is. */
static void handle_interrupt(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t now    = rdtsc();
    uint64_t status;

    if (rdmsr_safe(MSR_IA32_THERM_STATUS, &status) != FAULT_NONE)
        return;
    (void)wrmsr_safe(MSR_IA32_THERM_STATUS, status & ~(uint64_t)THERM_STATUS_LOG);
    if ((status & THERM_STATUS_HOT) == 0 || now < cpu->next_heat_warning)
        return;
    cpu->next_heat_warning = now + WARNING_SECONDS * clock_frequency();
    log_warning("cpu %u: too hot; the processor runs slower", cpu->index);
}

void thermal_start(void)
{
    uint32_t needed = CPUID_1_EDX_ACPI | CPUID_1_EDX_TM;
    uint64_t enabled;

    if ((cpuid(CPUID_LEAF_FEATURES, 0).edx & needed) != needed ||
        APIC_VERSION_MAX_LVT(apic_read(APIC_VERSION)) < LVT_THERMAL_LEAST_MAX ||
        LVT_DELIVERY(apic_read(APIC_LVT_THERMAL)) == LVT_DELIVERY_SMI ||
        rdmsr_safe(MSR_IA32_THERM_INTERRUPT, &enabled) != FAULT_NONE)
        return;
    trap_set_handler(VECTOR_THERMAL, handle_interrupt);
    (void)wrmsr_safe(MSR_IA32_THERM_INTERRUPT,
                     enabled | THERM_INTERRUPT_HIGH | THERM_INTERRUPT_LOW);
    apic_write(APIC_LVT_THERMAL, VECTOR_THERMAL);
}
