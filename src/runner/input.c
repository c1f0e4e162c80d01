/* See input.h. */
#include "runner/input.h"

#include "console/console.h"
#include "console/serial.h"
#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "lib/log.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/keyboard.h"
#include "platform/machine.h"
#include "platform/machine_checks.h"
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
static struct key_sources sources;
static bool has_controller; /* of a keyboard, which may be silent */

/*
 * The UART's interrupt is not routed or does not arrive: the last request was found by a
 * poll.
 */
static bool misses_interrupts;

static void take_byte(uint8_t byte)
{
    sources.has_sent = true;
    handle_byte(byte);
}

static void read_serial_port(void)
{
    uint8_t byte;
    for (int i = 0; sources.serial && i < BATCH_SIZE && serial_receive(&byte); i++)
        take_byte(byte);
}

/* Ends only when the UART requests no interrupt: another would cause no edge. */
static void serve_serial_port(void)
{
    int count = 0;

    do {
        read_serial_port();
        if (serve_output != NULL)
            serve_output();
    } while (serial_has_interrupt() && ++count < INTERRUPTS_MAX);
}

/* Handles the UART's interrupt, and that of notify_boot_cpu, which proves nothing. */
static void handle_serial_interrupt(void)
{
    if (serial_has_interrupt())
        misses_interrupts = false;
    serve_serial_port();
}

static void read_keyboard(void)
{
    static struct scan_code_state state;
    char bytes[SCAN_CODE_MAX_BYTES];
    uint8_t code;
    int count = 0;

    while (count < KEYBOARD_BYTES_MAX && keyboard_receive(&code)) {
        size_t length = scan_code_decode(&state, code, bytes);
        for (size_t i = 0; i < length; i++)
            take_byte((uint8_t)bytes[i]);
        count++;
    }
    if (count == KEYBOARD_BYTES_MAX) {
        has_controller = false;
        log_warning("input: keyboard controller: always has a byte; ignored");
    }
}

/*
 * Looks for input and for a UART that accepts output, however interrupts are routed:
 * firmware may emulate a device without them, or have disabled them in the device.
 */
static void input_poll(void)
{
    if (serial_has_interrupt())
        misses_interrupts = true;
    if (misses_interrupts)
        serve_serial_port();
    else
        read_serial_port(); /* its interrupts serve output, at the right time */
    if (has_controller)
        read_keyboard();
    machine_checks_poll();
    apic_set_poll_timer(clock_frequency() / (misses_interrupts && console_is_sending()
                                                 ? SENDING_HZ
                                                 : POLL_HZ));
}

/* The timers of other CPUs are for their guests. */
static void handle_timer(void)
{
    if (this_cpu() == &boot_cpu && apic_handle_timer())
        input_poll();
}

/* Interrupts the boot CPU to read input that another CPU received. */
static void notify_boot_cpu(void)
{
    if (apic_is_enabled() &&
        apic_send(boot_cpu.apic_id, ICR_FIXED | VECTOR_SERIAL) != STATUS_OK)
        return; /* it is read with the next byte */
}

/* Routes an interrupt to the boot CPU. Returns false if only polls see the device. */
static bool route_interrupt(uint32_t interrupt, uint8_t vector, void (*handler)(void))
{
    trap_set_handler(vector, handler);
    if (machine_route_interrupt(interrupt, vector) == STATUS_OK)
        return true;
    log_debug("input: interrupt %u not routed; polled only", interrupt);
    return false;
}

static void start_serial(void)
{
    uint32_t interrupt;

    sources.serial = serial_start_receiving(&interrupt, notify_boot_cpu);
    if (sources.serial)
        misses_interrupts =
            !route_interrupt(interrupt, VECTOR_SERIAL, handle_serial_interrupt);
}

static void start_keyboard(const struct options *options)
{
    if (!options->screen)
        return;
    enum keyboard_state state = keyboard_start();
    sources.is_asked          = true;
    sources.is_efi            = machine_get()->boot.is_efi;
    sources.keyboard          = state == KEYBOARD_ANSWERS;
    has_controller            = state != KEYBOARD_NO_CONTROLLER;
    if (has_controller)
        (void)route_interrupt(KEYBOARD_INTERRUPT, VECTOR_KEYBOARD, read_keyboard);
}

void input_start(const struct options *options, input_handler *handler,
                 void (*serve)(void))
{
    bool is_first = handle_byte == NULL;

    handle_byte  = handler;
    serve_output = serve;
    if (is_first) {
        start_serial();
        start_keyboard(options);
    }
    machine_checks_start();
    trap_set_handler(VECTOR_TIMER, handle_timer);
    trap_set_handler(VECTOR_CONSOLE, serve);
    if (serve != NULL && apic_is_enabled())
        console_send_in_background();
    input_poll(); /* earlier input raised no edge */
}

void input_stop_polling(void)
{
    apic_set_poll_timer(TICKS_NEVER);
}

void input_wait(void)
{
    if (apic_is_enabled()) {
        halt_until_interrupt();
        return;
    }
    clock_wait(1000000 / POLL_HZ);
    input_poll();
}

const struct key_sources *input_sources(void)
{
    return &sources;
}
