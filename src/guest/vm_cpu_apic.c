/* See vm_cpu.h: the local APIC of a vCPU. */
#include "guest/translate.h"
#include "guest/vm.h"
#include "x86/apic.h"

#define DEFAULT_TIMER_HZ UINT64_C(1000000000)

_Static_assert(GUEST_CPUS_MAX <= APIC_BUS_CPUS, "the bus has room for all local APICs");

static void apic_output_changed(void *context, const struct interrupt_line *line)
{
    struct vcpu *vcpu = context;

    vcpu->backend->request_interrupt(vcpu, line->is_high);
}

static void apic_changed(void *context)
{
    struct vm_cpu *cpu = context;
    struct vcpu *vcpu  = &cpu->vcpu;

    vcpu->apic = (struct vcpu_apic){.page       = cpu->apic.registers,
                                    .base       = cpu->apic.base,
                                    .threshold  = cpu->apic.threshold,
                                    .in_service = cpu->apic.in_service,
                                    .needs_eoi  = cpu->apic.needs_eoi};
    if (cpu->is_running && vcpu->backend->update_apic != NULL)
        vcpu->backend->update_apic(vcpu);
}

static uint64_t read_tsc(void *context)
{
    struct vm_cpu *cpu = context;

    return cpu->vcpu.backend->read_register(&cpu->vcpu, VCPU_TSC);
}

/* The timer runs at the frequency of CPUID's crystal: SDM 3A, "APIC Timer". */
static uint64_t timer_frequency(const struct cpuid_answers *cpuid)
{
    uint32_t crystal = cpuid->basic[CPUID_LEAF_TSC].ecx;

    return crystal != 0 ? crystal : DEFAULT_TIMER_HZ;
}

/*
 * Enables the first vCPU's APIC and connects the 8259A and NMIs to its pins, as firmware
 * does: MultiProcessor Specification, "Virtual Wire Mode".
 */
static void set_virtual_wire_mode(struct local_apic *apic)
{
    local_apic_write(apic, APIC_SPURIOUS, sizeof(uint32_t),
                     SPURIOUS_APIC_ENABLE | SPURIOUS_AFTER_RESET);
    local_apic_write(apic, APIC_LVT_LINT0, sizeof(uint32_t), LVT_DELIVERY_EXTINT);
    local_apic_write(apic, APIC_LVT_LINT1, sizeof(uint32_t), LVT_DELIVERY_NMI);
}

void vm_cpu_reset_local_apic(struct vm_cpu *cpu)
{
    struct vm *vm                       = cpu->vcpu.vm;
    const struct local_apic_setup setup = {
        .id           = vm->topology.apic_id[cpu->index],
        .is_bootstrap = cpu->index == 0,
        .address_mask = BITS_MASK(physical_address_width(&cpu->cpuid) - 1, 0),
        .bus          = &vm->bus,
        .clock        = &cpu->clock,
        .timer_hz     = timer_frequency(&cpu->cpuid),
        .read_tsc     = read_tsc,
        .output       = {.changed = apic_output_changed, .listener = &cpu->vcpu},
        .changed      = apic_changed,
        .context      = cpu,
    };

    local_apic_reset(&cpu->apic, &setup);
    cpuid_policy_set_apic(&cpu->cpuid, local_apic_is_enabled(&cpu->apic));
    if (cpu->index == 0)
        set_virtual_wire_mode(&cpu->apic);
}

/* Makes the CPU exit and handle an NMI or INIT that has arrived. */
static void kick_for_events(const struct vm_cpu *cpu)
{
    if (cpu->apic.events != 0)
        vm_cpu_kick(cpu);
}

void vm_cpu_receive(struct vm_cpu *cpu)
{
    local_apic_receive(&cpu->apic);
    kick_for_events(cpu);
}

void vm_cpu_drive_line(struct vm_cpu *cpu, enum local_apic_pin pin, bool is_high)
{
    local_apic_drive_line(&cpu->apic, pin, is_high);
    kick_for_events(cpu);
}
