/* See vm.h: which devices a VM has, and how their interrupts are wired. */
#include "dev/bios_entries.h"
#include "guest/vm.h"

/* The interrupt lines of the devices. */
enum isa_line {
    LINE_TIMER    = ISA_TIMER_LINE,
    LINE_KEYBOARD = 1,
    LINE_UART     = 4,
    LINE_RTC      = 8,
    LINE_SCI      = ACPI_PM_SCI,
    LINE_MOUSE    = 12,
};

/* The first vCPU's CPU handles the alarm: another one asks it to set it. */
static void set_alarm(void *context, uint64_t deadline)
{
    struct vm *vm = context;

    (void)deadline;
    if (vm_is_on(vm, vm->cpu[0])) {
        vm_cpu_set_alarm(vm->cpu[0]);
        return;
    }
    if (!atomic_exchange(&vm->has_new_alarm, true))
        vm_cpu_kick(vm->cpu[0]);
}

/* The 8259A's output is connected to the first local APIC, as on a PC. */
static void pic_output_changed(void *context, const struct interrupt_line *line)
{
    struct vm *vm      = context;
    struct vm_cpu *cpu = vm->cpu[0];

    if (vm_is_on(vm, cpu))
        vm_cpu_drive_line(cpu, LOCAL_APIC_LINT0, line->is_high);
    else
        local_apic_set_line(&cpu->apic, LOCAL_APIC_LINT0, line->is_high);
}

/* A CPU has something to receive: the executing one does so at once. */
static void notify_cpu(void *context, size_t index)
{
    struct vm *vm      = context;
    struct vm_cpu *cpu = vm->cpu[index];

    if (vm_is_on(vm, cpu))
        vm_cpu_receive(cpu);
    else
        vm_cpu_kick(cpu);
}

static void end_level_interrupt(void *context, uint8_t vector)
{
    struct vm *vm       = context;
    unsigned int ticket = vm_lock(vm);

    io_apic_end_of_interrupt(&vm->io_apic, vector);
    vm_unlock(vm, ticket);
}

static void init_clock(struct vm *vm)
{
    device_clock_init(&vm->clock);
    vm->clock.hz      = vm->environment.clock_hz;
    vm->clock.read    = vm->environment.read_clock;
    vm->clock.alarm   = set_alarm;
    vm->clock.context = vm;
}

static void init_interrupt_controllers(struct vm *vm)
{
    vm->bus.notify           = notify_cpu;
    vm->bus.end_of_interrupt = end_level_interrupt;
    vm->bus.context          = vm;
    for (size_t i = 0; i < vm->cpu_count; i++)
        vm_cpu_reset_local_apic(vm->cpu[i]);
    address_map_init(&vm->addresses);
    io_apic_init(&vm->io_apic, &vm->addresses, &vm->bus, VM_IO_APIC_ID);
    pic_init(&vm->pic, &vm->ports);
    vm->pic.output.changed  = pic_output_changed;
    vm->pic.output.listener = vm;
    isa_lines_init(&vm->isa, &vm->pic, &vm->io_apic);
}

enum status vm_add_devices(struct vm *vm)
{
    struct port_map *ports      = &vm->ports;
    struct interrupt_line *line = vm->isa.line;

    init_clock(vm);
    port_map_init(ports, &vm->ignored_accesses);
    ports->accessor   = &vm->cpu[0]->vcpu;
    ports->plain_size = vm->cpu_count == 1 ? 1 : 0;
    init_interrupt_controllers(vm);
    pit_init(&vm->pit, ports, &vm->clock, &line[LINE_TIMER]);
    rtc_init(&vm->rtc, ports, &vm->clock, &line[LINE_RTC]);
    rtc_set_memory(&vm->rtc, vm->memory.size);
    keyboard_controller_init(&vm->keyboard_controller, ports, &line[LINE_KEYBOARD],
                             &line[LINE_MOUSE]);
    vm_add_uart(vm, &line[LINE_UART]);
    bios_entries_init(ports);
    power_ports_init(&vm->power_ports, ports);
    acpi_pm_init(&vm->acpi_pm, ports, &vm->clock, &line[LINE_SCI]);
    return ports->is_full || vm->addresses.is_full ? STATUS_NO_MEMORY : STATUS_OK;
}
