/* See vm.h: which devices a VM has, and how they are wired. */
#include "guest/vm.h"

#include "lib/bits.h"

#define COM1        0x3F8
#define TIMER_INPUT 0 /* of the interrupt controllers */

static void set_alarm(void *context, uint64_t deadline)
{
    struct vm *vm = context;
    bool is_set   = deadline != TICKS_NEVER;

    vm->vcpu.backend->set_alarm(&vm->vcpu,
                                is_set ? vm->clock.start + deadline : TICKS_NEVER);
}

static void request_interrupt(void *context, bool is_high)
{
    struct vm *vm = context;
    vm->vcpu.backend->request_interrupt(&vm->vcpu, is_high);
}

static void set_timer_input(void *context, bool is_high)
{
    struct vm *vm = context;
    pic_set_input(&vm->pic, TIMER_INPUT, is_high);
}

enum status vm_add_devices(struct vm *vm, uint64_t clock_hz, uart_output *output)
{
    struct port_device devices[1 + PIC_DEVICES + PIT_DEVICES + POWER_PORTS_COUNT];
    struct port_device *next = devices;

    device_clock_init(&vm->clock);
    vm->clock.hz      = clock_hz;
    vm->clock.read    = vm->vcpu.backend->clock;
    vm->clock.alarm   = set_alarm;
    vm->clock.context = vm;
    pic_init(&vm->pic, request_interrupt, vm);
    pit_init(&vm->pit, &vm->clock, set_timer_input, vm);
    uart_init(&vm->uart, output, vm);

    *next++ = uart_device(&vm->uart, COM1);
    pic_devices(&vm->pic, next);
    next += PIC_DEVICES;
    pit_devices(&vm->pit, next);
    next += PIT_DEVICES;
    power_ports_devices(&vm->power_ports, next);

    port_map_init(&vm->ports);
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        enum status status = port_map_add(&vm->ports, devices[i]);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
