/* See vm.h: which devices a VM has, and how their interrupts are wired. */
#include "dev/bios_entries.h"
#include "guest/vm.h"

#define FLUSHES_PER_SECOND 100

/* Inputs of the interrupt controllers. */
enum pic_input {
    INPUT_TIMER    = 0,
    INPUT_KEYBOARD = 1,
    INPUT_UART     = 4,
    INPUT_RTC      = 8,
    INPUT_MOUSE    = 12,
};

static void set_alarm(void *context, uint64_t deadline)
{
    struct vm *vm = context;

    vm->vcpu.backend->set_alarm(
        &vm->vcpu, deadline == TICKS_NEVER ? TICKS_NEVER : vm->clock.start + deadline);
}

static void interrupt_output_changed(void *context, const struct interrupt_line *line)
{
    struct vm *vm = context;
    vm->vcpu.backend->request_interrupt(&vm->vcpu, line->is_high);
}

/* The UART begins to send: shows that within 10 ms, together with what follows. */
static void set_flush_timer(void *context)
{
    struct vm *vm = context;

    if (vm->flush_timer.deadline == TICKS_NEVER)
        device_timer_set(&vm->flush_timer, device_clock_now(&vm->clock) +
                                               vm->clock.hz / FLUSHES_PER_SECOND);
}

/* Shows the guest's output, now and each 10 ms until there is no more. */
static void flush_output(void *context)
{
    struct vm *vm = context;

    vm->environment.flush(vm);
    uart_update_transmitter(&vm->uart);
    if (byte_queue_length(&vm->output) > 0)
        set_flush_timer(vm);
}

bool vm_print(struct vm *vm, const uint8_t *text, size_t size)
{
    if (byte_queue_room(&vm->output) < size)
        return false;
    for (size_t i = 0; i < size; i++)
        (void)uart_send(&vm->uart, text[i]);
    return true;
}

static void init_clock(struct vm *vm)
{
    device_clock_init(&vm->clock);
    vm->clock.hz      = vm->environment.clock_hz;
    vm->clock.read    = vm->environment.read_clock;
    vm->clock.alarm   = set_alarm;
    vm->clock.context = vm;
    device_timer_init(&vm->flush_timer, &vm->clock, flush_output, vm);
}

enum status vm_add_devices(struct vm *vm)
{
    struct port_map *ports      = &vm->ports;
    struct interrupt_line *line = vm->pic.input;

    init_clock(vm);
    port_map_init(ports, &vm->ignored_accesses);
    pic_init(&vm->pic, ports);
    vm->pic.output.changed  = interrupt_output_changed;
    vm->pic.output.listener = vm;
    pit_init(&vm->pit, ports, &vm->clock, &line[INPUT_TIMER]);
    rtc_init(&vm->rtc, ports, &vm->clock, &line[INPUT_RTC]);
    rtc_set_memory(&vm->rtc, vm->memory.size);
    keyboard_controller_init(&vm->keyboard_controller, ports, &line[INPUT_KEYBOARD],
                             &line[INPUT_MOUSE], &vm->vcpu);
    uart_init(&vm->uart, ports, &line[INPUT_UART],
              &(struct uart_line){&vm->output, set_flush_timer, vm});
    bios_entries_init(ports, &vm->vcpu);
    power_ports_init(&vm->power_ports, ports, &vm->vcpu);
    return ports->is_full ? STATUS_NO_MEMORY : STATUS_OK;
}
