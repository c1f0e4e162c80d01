/* See input.h. */
#include "runner/input.h"

#include "console/serial.h"
#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "lib/log.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/keyboard.h"
#include "platform/machine.h"
#include "platform/scan_code.h"

/* Limits a loop over a broken port that always has input. */
#define BATCH_SIZE 8192

#define POLL_HZ 50

static input_handler *handle_byte;
static bool has_serial, has_keyboard;

static void read_serial_port(void)
{
    uint8_t byte;
    for (int i = 0; has_serial && i < BATCH_SIZE && serial_receive(&byte); i++)
        handle_byte(byte);
}

static void read_keyboard(void)
{
    static struct scan_code_state state;
    char bytes[SCAN_CODE_MAX_BYTES];
    uint8_t code;

    for (int i = 0; has_keyboard && i < BATCH_SIZE && keyboard_receive(&code); i++) {
        size_t length = scan_code_decode(&state, code, bytes);
        for (size_t j = 0; j < length; j++)
            handle_byte((uint8_t)bytes[j]);
    }
}

/* Handles the timer, if an interrupt is missing. */
static void input_poll(void)
{
    read_serial_port();
    read_keyboard();
    apic_set_timer(clock_frequency() / POLL_HZ);
}

/* Interrupts the boot CPU to read input that another CPU received. */
static void notify_boot_cpu(void)
{
    if (apic_is_enabled() &&
        apic_send(boot_cpu.apic_id, ICR_FIXED | VECTOR_SERIAL) != STATUS_OK)
        return; /* it is read with the next byte */
}

/* Routes an interrupt to the boot CPU; reads earlier input, which raised no edge. */
static bool route_interrupt(uint8_t interrupt, uint8_t vector, void (*read)(void))
{
    trap_set_handler(vector, read);
    bool is_routed = machine_route_interrupt(interrupt, vector) == STATUS_OK;
    read();
    return is_routed;
}

static bool start_serial(const struct options *options)
{
    uint8_t interrupt;

    has_serial = serial_start_receiving(&interrupt, notify_boot_cpu);
    if (has_serial)
        return route_interrupt(interrupt, VECTOR_SERIAL, read_serial_port);
    if (options->serial_port != SERIAL_PORT_NONE)
        log_info(
            "input: serial port 0x%x not present or not one of com1 to com4; no input",
            options->serial_port);
    return true;
}

static bool start_keyboard(const struct options *options)
{
    if (!options->screen)
        return true;
    has_keyboard = keyboard_start();
    if (has_keyboard)
        return route_interrupt(KEYBOARD_INTERRUPT, VECTOR_KEYBOARD, read_keyboard);
    log_info("input: no PS/2 controller at port 0x64; no keyboard input");
    return true;
}

void input_start(const struct options *options, input_handler *handler,
                 bool may_use_timer)
{
    static bool needs_timer; /* an interrupt is not routed */
    bool is_first = handle_byte == NULL;

    handle_byte = handler;
    if (is_first) {
        needs_timer = !start_serial(options);
        needs_timer |= !start_keyboard(options);
    }
    if (!needs_timer)
        return;
    bool polls = may_use_timer && apic_is_enabled();
    trap_set_handler(VECTOR_TIMER, polls ? input_poll : NULL);
    if (!polls) {
        log_warning("input: serial port and keyboard interrupts not routed; no input");
        return;
    }
    log_debug("input: interrupts unavailable; polling");
    input_poll();
}
