/* See input.h. */
#include "runner/input.h"

#include "console/console.h"
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

#define POLL_HZ    50
#define SENDING_HZ 1000 /* a FIFO takes 1.4 ms */

/*
 * Limits a loop over a UART whose interrupt does not end: enough FIFOs for a full queue,
 * because an emulated UART may send at once.
 */
#define INTERRUPTS_MAX 1024

static input_handler *handle_byte;
static void (*serve_output)(void); /* NULL: output is not in the background */
static bool has_serial, has_keyboard;

static void read_serial_port(void)
{
    uint8_t byte;
    for (int i = 0; has_serial && i < BATCH_SIZE && serial_receive(&byte); i++)
        handle_byte(byte);
}

/* Ends only when the UART requests no interrupt: another would cause no edge. */
static void handle_serial_interrupt(void)
{
    int count = 0;

    do {
        read_serial_port();
        if (serve_output != NULL)
            serve_output();
    } while (serial_has_interrupt() && ++count < INTERRUPTS_MAX);
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
    handle_serial_interrupt();
    read_keyboard();
    apic_set_timer(clock_frequency() / (console_is_sending() ? SENDING_HZ : POLL_HZ));
}

/* Interrupts the boot CPU to read input that another CPU received. */
static void notify_boot_cpu(void)
{
    if (apic_is_enabled() &&
        apic_send(boot_cpu.apic_id, ICR_FIXED | VECTOR_SERIAL) != STATUS_OK)
        return; /* it is read with the next byte */
}

/* Routes an interrupt to the boot CPU; reads earlier input, which raised no edge. */
static bool route_interrupt(uint32_t interrupt, uint8_t vector, void (*read)(void))
{
    trap_set_handler(vector, read);
    bool is_routed = machine_route_interrupt(interrupt, vector) == STATUS_OK;
    read();
    return is_routed;
}

static bool start_serial(void)
{
    uint32_t interrupt;

    has_serial = serial_start_receiving(&interrupt, notify_boot_cpu);
    return !has_serial ||
           route_interrupt(interrupt, VECTOR_SERIAL, handle_serial_interrupt);
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
                 void (*serve)(void), bool may_use_timer)
{
    static bool needs_timer; /* an interrupt is not routed */
    bool is_first = handle_byte == NULL;

    handle_byte  = handler;
    serve_output = serve;
    if (is_first) {
        needs_timer = !start_serial();
        needs_timer |= !start_keyboard(options);
    }
    bool lacks_interrupt = needs_timer;
    bool polls           = lacks_interrupt && may_use_timer && apic_is_enabled();
    if (lacks_interrupt)
        trap_set_handler(VECTOR_TIMER, polls ? input_poll : NULL);
    if (needs_timer && !polls)
        log_warning("input: serial port and keyboard interrupts not routed; no input");
    trap_set_handler(VECTOR_CONSOLE, serve);
    if (serve != NULL && (polls || !lacks_interrupt))
        console_send_in_background();
    if (polls) {
        log_debug("input: interrupts unavailable; polling");
        input_poll();
    }
}
