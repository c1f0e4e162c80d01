/* src/runner/input.c, included: when it looks for input, on simulated devices. */
#include "unit.h"

/* Replaces src/cpu/instructions.h. */
#define HYMIR_CPU_INSTRUCTIONS_H
#include "lib/bits.h"
#include "x86/cpuid.h"

static void *current_cpu;
static unsigned int halts;

static void *read_gs_pointer(void)
{
    return current_cpu;
}
static void halt_until_interrupt(void)
{
    halts++;
}
#include "../../src/runner/input.c"

struct cpu boot_cpu;
static struct cpu other_cpu;

#define TSC_HZ UINT64_C(1000000000)

/* The machine, and what it was asked to do. */
static struct {
    bool has_apic, cannot_route, has_uart_request, is_sending, is_poll_due, is_background;
    enum keyboard_state keyboard;
    const char *serial_input, *codes;
    bool codes_never_end;
    uint64_t poll_ticks;
    unsigned int serves, waits_us;
    void (*handlers[VECTOR_COUNT])(void);
} machine;
static struct machine machine_data;
static char typed[64];
static size_t typed_length;

static void type(uint8_t byte)
{
    typed[typed_length++ % sizeof(typed)] = (char)byte;
}

static void serve(void)
{
    machine.serves++;
    machine.has_uart_request = false;
}

void trap_set_handler(uint8_t vector, void (*handler)(void))
{
    machine.handlers[vector] = handler;
}
void machine_checks_start(void)
{
}
void machine_checks_poll(void)
{
}
bool serial_start_receiving(uint32_t *interrupt, void (*notify)(void))
{
    (void)notify;
    *interrupt = 4;
    return machine.serial_input != NULL;
}
bool serial_receive(uint8_t *byte)
{
    if (*machine.serial_input == '\0')
        return false;
    *byte = (uint8_t)*machine.serial_input++;
    return true;
}
bool serial_has_interrupt(void)
{
    return machine.has_uart_request;
}
bool console_is_sending(void)
{
    return machine.is_sending;
}
void console_send_in_background(void)
{
    machine.is_background = true;
}
enum keyboard_state keyboard_start(void)
{
    return machine.keyboard;
}
bool keyboard_receive(uint8_t *code)
{
    if (machine.codes_never_end)
        *code = 0x1E;
    else if (*machine.codes != '\0')
        *code = (uint8_t)*machine.codes++;
    else
        return false;
    return true;
}
bool apic_is_enabled(void)
{
    return machine.has_apic;
}
enum status apic_send(uint32_t id, uint32_t command)
{
    (void)id, (void)command;
    return STATUS_OK;
}
void apic_set_poll_timer(uint64_t tsc_ticks)
{
    machine.poll_ticks = tsc_ticks;
}
bool apic_handle_timer(void)
{
    return machine.is_poll_due;
}
uint64_t clock_frequency(void)
{
    return TSC_HZ;
}
void clock_wait(uint32_t time_us)
{
    machine.waits_us += time_us;
}
const struct machine *machine_get(void)
{
    return &machine_data;
}
enum status machine_route_interrupt(uint32_t interrupt, uint8_t vector)
{
    (void)interrupt, (void)vector;
    return machine.cannot_route ? STATUS_NOT_FOUND : STATUS_OK;
}

/* A machine with everything. */
static int start(void **state)
{
    static const __typeof__(machine) whole = {
        .has_apic = true, .keyboard = KEYBOARD_ANSWERS, .serial_input = "", .codes = ""};
    start_log(state);
    machine           = whole;
    current_cpu       = &boot_cpu;
    handle_byte       = NULL;
    sources           = (struct key_sources){0};
    has_controller    = false;
    misses_interrupts = false;
    typed_length      = 0;
    memset(typed, 0, sizeof(typed));
    return 0;
}

static void start_input(void (*serve_lines)(void))
{
    struct options options = options_default;
    input_start(&options, type, serve_lines);
}

static void expire(void)
{
    machine.is_poll_due = true;
    machine.poll_ticks  = 0;
    machine.handlers[VECTOR_TIMER]();
}

/* Input is found without an interrupt, at each look 20 ms after the last. */
static void test_polls(void **state)
{
    (void)state;
    machine.cannot_route = true;
    machine.serial_input = "early";
    start_input(NULL);
    assert_string_equal(typed, "early");
    assert_int_equal(machine.poll_ticks, TSC_HZ / 50);
    assert_false(machine.is_background);
    machine.serial_input = " s";
    machine.codes        = "\x1E\x9E";
    expire();
    assert_string_equal(typed, "early sa");
    assert_int_equal(machine.poll_ticks, TSC_HZ / 50);
    machine.codes       = "\x1E";
    machine.is_poll_due = false; /* a guest's alarm */
    machine.handlers[VECTOR_TIMER]();
    assert_string_equal(typed, "early sa");
    machine.is_poll_due = true;
    current_cpu         = &other_cpu;
    machine.handlers[VECTOR_TIMER]();
    assert_string_equal(typed, "early sa");
    input_stop_polling();
    assert_int_equal(machine.poll_ticks, TICKS_NEVER);
}

/* Output whose interrupts do not arrive is looked after a thousand times a second. */
static void test_output(void **state)
{
    (void)state;
    start_input(serve);
    assert_true(machine.is_background);
    machine.is_sending = true;
    machine.serves     = 0;
    expire();
    assert_int_equal(machine.serves, 0); /* that is for the UART's interrupt to do */
    assert_int_equal(machine.poll_ticks, TSC_HZ / 50);
    machine.has_uart_request = true; /* found by the poll */
    machine.serves           = 0;
    expire();
    assert_true(machine.serves > 0);
    assert_int_equal(machine.poll_ticks, TSC_HZ / 1000);
    expire(); /* still, between two requests */
    assert_int_equal(machine.poll_ticks, TSC_HZ / 1000);
    machine.is_sending = false;
    expire();
    assert_int_equal(machine.poll_ticks, TSC_HZ / 50);
    machine.is_sending = true;
    machine.handlers[VECTOR_SERIAL](); /* another CPU's, not the UART's */
    expire();
    assert_int_equal(machine.poll_ticks, TSC_HZ / 1000);
    machine.has_uart_request = true;
    machine.handlers[VECTOR_SERIAL]();
    expire();
    assert_int_equal(machine.poll_ticks, TSC_HZ / 50);
}

/* The same from the start if the interrupt cannot be routed. */
static void test_output_polled(void **state)
{
    (void)state;
    machine.cannot_route = true;
    machine.is_sending   = true;
    start_input(serve);
    assert_true(machine.serves > 0);
    assert_int_equal(machine.poll_ticks, TSC_HZ / 1000);
}

/* What is known of the sources, until a key proves more. */
static void test_sources(void **state)
{
    (void)state;
    machine.keyboard     = KEYBOARD_SILENT;
    machine.serial_input = NULL;
    start_input(NULL);
    assert_true(input_sources()->is_asked);
    assert_false(input_sources()->keyboard);
    assert_false(input_sources()->serial);
    machine.codes = "\x2A"; /* a modifier: proves nothing yet */
    expire();
    assert_false(input_sources()->has_sent);
    machine.codes = "\x03";
    expire();
    assert_true(input_sources()->has_sent);
    assert_string_equal(typed, "@");
    machine.codes = "\xAA";
    expire();

    (void)start(state);
    machine.keyboard = KEYBOARD_NO_CONTROLLER;
    machine.codes    = "\x1E";
    start_input(NULL);
    expire();
    assert_true(input_sources()->serial);
    assert_false(input_sources()->has_sent);
    assert_null(machine.handlers[VECTOR_KEYBOARD]);
}

/* A controller that always has a byte is no keyboard, and costs one look. */
static void test_endless_codes(void **state)
{
    (void)state;
    machine.codes_never_end = true;
    start_input(NULL);
    assert_logged("warning: input: keyboard controller: always has a byte; ignored");
    size_t length = typed_length;
    assert_true(length <= KEYBOARD_BYTES_MAX);
    expire();
    assert_int_equal(typed_length, length);
}

/* Without a local APIC, the boot CPU waits and looks by itself. */
static void test_wait(void **state)
{
    (void)state;
    start_input(serve);
    halts = 0;
    input_wait();
    assert_int_equal(halts, 1);

    (void)start(state);
    machine.has_apic = false;
    start_input(serve);
    assert_false(machine.is_background);
    machine.codes = "\x1E";
    input_wait();
    assert_int_equal(halts, 1);
    assert_int_equal(machine.waits_us, 20000);
    assert_string_equal(typed, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_polls, start),
        cmocka_unit_test_setup(test_output, start),
        cmocka_unit_test_setup(test_output_polled, start),
        cmocka_unit_test_setup(test_sources, start),
        cmocka_unit_test_setup(test_endless_codes, start),
        cmocka_unit_test_setup(test_wait, start),
    };
    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
