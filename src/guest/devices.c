/* See vm.h: the devices of a VM and their connections. */
#include "guest/vm.h"

#include "lib/bits.h"

#define COM1             0x3F8
#define FLUSHES_A_SECOND 100
#define ALARMS_A_SECOND  10000 /* at most */

/* Inputs of the interrupt controllers. */
enum pic_input {
    INPUT_TIMER    = 0,
    INPUT_KEYBOARD = 1,
    INPUT_UART     = 4,
    INPUT_RTC      = 8,
};

/* Limits the rate of alarms, so that the guest makes progress between them. */
static void set_alarm(void *context, uint64_t deadline)
{
    struct vm *vm    = context;
    bool is_set      = deadline != TICKS_NEVER;
    uint64_t soonest = device_clock_now(&vm->clock) + vm->clock.hz / ALARMS_A_SECOND;

    vm->vcpu.backend->set_alarm(&vm->vcpu, !is_set ? TICKS_NEVER
                                           : deadline < soonest
                                               ? vm->clock.start + soonest
                                               : vm->clock.start + deadline);
}

static void request_interrupt(void *context, bool is_high)
{
    struct vm *vm = context;
    vm->vcpu.backend->request_interrupt(&vm->vcpu, is_high);
}

static void set_timer_input(void *context, bool is_high)
{
    struct vm *vm = context;
    pic_set_input(&vm->pic, INPUT_TIMER, is_high);
}

static void set_keyboard_input(void *context, bool is_high)
{
    struct vm *vm = context;
    pic_set_input(&vm->pic, INPUT_KEYBOARD, is_high);
}

static void set_uart_input(void *context, bool is_high)
{
    struct vm *vm = context;
    pic_set_input(&vm->pic, INPUT_UART, is_high);
}

static void set_rtc_input(void *context, bool is_high)
{
    struct vm *vm = context;
    pic_set_input(&vm->pic, INPUT_RTC, is_high);
}

void vm_set_flush_timer(struct vm *vm)
{
    device_timer_set(&vm->flush_timer,
                     device_clock_now(&vm->clock) + vm->clock.hz / FLUSHES_A_SECOND);
}

static void flush(void *context)
{
    struct vm *vm = context;
    vm->environment.flush(vm);
}

static void init_devices(struct vm *vm, uint64_t time)
{
    device_clock_init(&vm->clock);
    vm->clock.hz      = vm->environment.clock_hz;
    vm->clock.read    = vm->vcpu.backend->clock;
    vm->clock.alarm   = set_alarm;
    vm->clock.context = vm;
    device_timer_init(&vm->flush_timer, &vm->clock, flush, vm);
    pic_init(&vm->pic, request_interrupt, vm);
    pit_init(&vm->pit, &vm->clock, set_timer_input, vm);
    rtc_init(&vm->rtc, &vm->clock, set_rtc_input, vm);
    rtc_set_time(&vm->rtc, time);
    rtc_set_memory(&vm->rtc, vm->memory.size);
    keyboard_controller_init(&vm->keyboard_controller, set_keyboard_input, vm);
    uart_init(&vm->uart, vm->environment.output, set_uart_input, vm);
}

enum status vm_add_devices(struct vm *vm, uint64_t time)
{
    struct port_device devices[2 + PIC_DEVICES + PIT_DEVICES +
                               KEYBOARD_CONTROLLER_DEVICES + POWER_PORTS_COUNT];
    struct port_device *next = devices;

    init_devices(vm, time);
    *next++ = uart_device(&vm->uart, COM1);
    *next++ = rtc_device(&vm->rtc);
    pic_devices(&vm->pic, next);
    next += PIC_DEVICES;
    pit_devices(&vm->pit, next);
    next += PIT_DEVICES;
    keyboard_controller_devices(&vm->keyboard_controller, next);
    next += KEYBOARD_CONTROLLER_DEVICES;
    power_ports_devices(&vm->power_ports, next);

    port_map_init(&vm->ports);
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        enum status status = port_map_add(&vm->ports, devices[i]);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
