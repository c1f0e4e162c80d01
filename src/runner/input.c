/* See runner/input.h. */
#include "runner/input.h"

#include "console/serial.h"
#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "cpu/vectors.h"
#include "lib/log.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/keyboard.h"
#include "platform/machine.h"
#include "platform/scan_code.h"

/* More than is typed at once: a port that gives without end is broken. */
#define INPUT_AT_ONCE 8192

#define LOOKS_A_SECOND 50

static input_typed *give;
static bool has_serial, has_keyboard;

static void take_serial_input(void)
{
    uint8_t byte;
    for (int i = 0; has_serial && i < INPUT_AT_ONCE && serial_receive(&byte); i++)
        give(byte);
}

static void take_keys(void)
{
    static struct scan_code_state state;
    char bytes[SCAN_CODE_MAX_BYTES];
    uint8_t code;

    for (int i = 0; has_keyboard && i < INPUT_AT_ONCE && keyboard_receive(&code); i++) {
        size_t length = scan_code_decode(&state, code, bytes);
        for (size_t j = 0; j < length; j++)
            give((uint8_t)bytes[j]);
    }
}

/* The timer's, where interrupts do not come. */
static void look(void)
{
    take_serial_input();
    take_keys();
    apic_set_timer(clock_frequency() / LOOKS_A_SECOND);
}

/* Has the boot CPU look for what arrived without an interrupt of its own. */
static void tell(void)
{
    if (apic_is_enabled() &&
        apic_send_interrupt(boot_cpu.apic_id, VECTOR_SERIAL) != STATUS_OK)
        return; /* it is seen with the next byte */
}

/* True if its interrupt comes to the boot CPU. */
static bool route(uint8_t interrupt, uint8_t vector, void (*take)(void))
{
    trap_set_handler(vector, take);
    bool comes = machine_route_interrupt(interrupt, vector) == STATUS_OK;
    take(); /* what came before had no edge to tell of it */
    return comes;
}

static bool start_serial(const struct options *options)
{
    uint8_t interrupt;

    has_serial = serial_start_receiving(&interrupt, tell);
    if (has_serial)
        return route(interrupt, VECTOR_SERIAL, take_serial_input);
    if (options->serial_port != SERIAL_PORT_NONE)
        log_info("input: none from the serial line at 0x%x: it is not there, or none of "
                 "com1 to com4, whose interrupts are known",
                 options->serial_port);
    return true;
}

static bool start_keyboard(const struct options *options)
{
    if (!options->screen)
        return true;
    has_keyboard = keyboard_start();
    if (has_keyboard)
        return route(KEYBOARD_INTERRUPT, VECTOR_KEYBOARD, take_keys);
    log_info("input: none from a keyboard: no PS/2 controller answers at port 0x64");
    return true;
}

/* Whether the timer is needed, because an interrupt does not come. */
static bool needs_timer;

static void start_sources(const struct options *options)
{
    bool serial_comes   = start_serial(options);
    bool keyboard_comes = start_keyboard(options);

    needs_timer = !serial_comes || !keyboard_comes;
}

void input_start(const struct options *options, input_typed *typed, bool may_use_timer)
{
    bool is_first = give == NULL;

    give = typed;
    if (is_first)
        start_sources(options);
    if (!needs_timer)
        return;
    if (may_use_timer && apic_is_enabled()) {
        log_debug("input: its interrupts do not come: it is looked for by a timer");
        trap_set_handler(VECTOR_TIMER, look);
        look();
        return;
    }
    trap_set_handler(VECTOR_TIMER, NULL);
    log_warning("input: no I/O APIC brings the interrupts of the serial line and the "
                "keyboard: what is typed is not seen");
}
