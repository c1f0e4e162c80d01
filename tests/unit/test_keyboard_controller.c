/* src/dev/keyboard_controller.c: the accesses of Linux's 8042 driver, and random ones. */
#include "ports.h"

#include "dev/keyboard_controller.h"
#include "random.h"

/* Bits of the status and of the command byte. */
#define FULL         0x01U
#define INPUT_FULL   0x02U
#define SYSTEM       0x04U
#define LAST_COMMAND 0x08U
#define NOT_LOCKED   0x10U
#define ANY_ERROR    0xC0U
#define TIMEOUT      0x40U
#define MOUSE        0x20U
#define INTERRUPT    0x01U
#define MOUSE_IRQ    0x02U
#define NO_KEYBOARD  0x10U
#define NO_MOUSE     0x20U
#define TRANSLATES   0x40U

/* Allocated alone, so that AddressSanitizer detects accesses outside it. */
static struct keyboard_controller *controller;
static struct guest_end end;
static struct vcpu vcpu = {.end = &end};
static struct interrupt_line mouse_line;
static unsigned int mouse_rises;

static void mouse_line_changed(void *listener, const struct interrupt_line *changed)
{
    assert_ptr_equal(listener, &mouse_rises);
    mouse_rises += changed->is_high;
}

static int controller_start(void **state)
{
    (void)state;
    controller = malloc(sizeof(*controller));
    end        = (struct guest_end){0};
    assert_non_null(controller);
    start_ports(false);
    test_ports.accessor = &vcpu;
    mouse_rises         = 0;
    mouse_line =
        (struct interrupt_line){.changed = mouse_line_changed, .listener = &mouse_rises};
    keyboard_controller_init(controller, &test_ports, &output_line, &mouse_line);
    for (uint16_t port = 0x60; port <= 0x64; port = (uint16_t)(port + 4)) {
        assert_int_equal(port_map_find(&test_ports, port)->first, port);
        assert_int_equal(port_map_find(&test_ports, port)->last, port);
    }
    return 0;
}

static int controller_end(void **state)
{
    (void)state;
    free(controller);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, controller_start, controller_end)

static enum exit_outcome write_port(unsigned int port, unsigned int value)
{
    return port_write(port, value);
}

static void out(unsigned int port, unsigned int value)
{
    assert_int_equal(write_port(port, value), EXIT_NEXT);
}

static unsigned int in(unsigned int port)
{
    return port_read(port);
}

/* Linux, i8042.c, i8042_flush: returns the number of bytes discarded. */
static unsigned int flush_buffer(void)
{
    unsigned int count = 0;
    for (; (in(0x64) & FULL) != 0 && count < 20; count++)
        in(0x60);
    return count;
}

static void command_with(unsigned int command, unsigned int argument)
{
    assert_int_equal(in(0x64) & INPUT_FULL, 0);
    out(0x64, command);
    assert_int_equal(in(0x64) & (INPUT_FULL | LAST_COMMAND), LAST_COMMAND);
    out(0x60, argument);
    assert_int_equal(in(0x64) & (INPUT_FULL | LAST_COMMAND), 0);
}

/* Reads the pending answer; asserts that there is one byte. */
static unsigned int read_answer(void)
{
    assert_int_equal(in(0x64) & FULL, FULL);
    unsigned int byte = in(0x60);
    assert_int_equal(in(0x64) & FULL, 0);
    return byte;
}

static unsigned int send_command(unsigned int command)
{
    out(0x64, command);
    return read_answer();
}

/* Linux's AUX_LOOP: the byte must come back as one of the mouse. */
static unsigned int loop_back(unsigned int byte)
{
    command_with(0xD3, byte);
    assert_int_equal(in(0x64) & (FULL | MOUSE | ANY_ERROR), FULL | MOUSE);
    return read_answer();
}

static void test_linux_probe(void **state)
{
    (void)state;
    /* i8042_controller_check, i8042_controller_selftest */
    assert_int_equal(flush_buffer(), 0);
    assert_int_equal(send_command(0xAA), 0x55);
    /* i8042_controller_init: reads the same twice; disables the keyboard, not its lock */
    unsigned int config = send_command(0x20);
    assert_int_equal(send_command(0x20), config);
    assert_int_equal(config & (INTERRUPT | TRANSLATES), TRANSLATES);
    config = (config | NO_KEYBOARD) & ~INTERRUPT;
    command_with(0x60, config);
    assert_int_equal(in(0x64) & (NOT_LOCKED | ANY_ERROR), NOT_LOCKED);
    assert_int_equal(send_command(0x20), config);
    /* i8042_check_aux: loopback, the port can be disabled, and its interrupt arrives. */
    assert_int_equal(flush_buffer(), 0);
    assert_int_equal(loop_back(0x5A), 0x5A);
    out(0x64, 0xA7);
    assert_int_equal(send_command(0x20) & NO_MOUSE, NO_MOUSE);
    out(0x64, 0xA8);
    assert_int_equal(send_command(0x20) & NO_MOUSE, 0);
    command_with(0x60, (config & ~NO_MOUSE) | MOUSE_IRQ);
    assert_int_equal(loop_back(0xA5), 0xA5);
    assert_int_equal(mouse_rises, 1);
    assert_false(mouse_line.is_high);
    /* i8042_set_mux_mode: a plain loopback, so there is no multiplexer. */
    assert_int_equal(loop_back(0xF0), 0xF0);
    assert_int_equal(loop_back(0x56), 0x56);
    assert_int_equal(loop_back(0xA4), 0xA4);
    /* i8042_enable_kbd_port, atkbd_probe, psmouse_probe: the devices time out. */
    config = (config & ~NO_KEYBOARD) | INTERRUPT;
    command_with(0x60, config);
    assert_int_equal(send_command(0x20), config);
    unsigned int rises_before = rises;
    out(0x60, 0xF2);
    assert_int_equal(in(0x64) & (FULL | MOUSE | ANY_ERROR), FULL | TIMEOUT);
    assert_int_equal(read_answer(), 0xFE);
    assert_int_equal(rises, rises_before + 1);
    command_with(0xD4, 0xF2);
    assert_int_equal(in(0x64) & (FULL | MOUSE | ANY_ERROR), FULL | MOUSE | TIMEOUT);
    assert_int_equal(read_answer(), 0xFE);
    assert_int_equal(rises, rises_before + 1);
    /* i8042_controller_reset: writes the original value back. */
    command_with(0x60, config | SYSTEM);
    assert_int_equal(send_command(0x20), config | SYSTEM);
    assert_false(output_line.is_high);
}

static void test_switches(void **state)
{
    (void)state;
    static const struct {
        unsigned int command, bit;
        bool is_set;
    } cases[] = {{0xA7, NO_MOUSE, true},
                 {0xA8, NO_MOUSE, false},
                 {0xAD, NO_KEYBOARD, true},
                 {0xAE, NO_KEYBOARD, false}};
    for (unsigned int config = 0; config < 0x100; config++) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            command_with(0x60, config);
            flush_buffer();
            out(0x64, cases[i].command);
            assert_int_equal(in(0x64) & FULL, 0);
            assert_int_equal(send_command(0x20), cases[i].is_set
                                                     ? config | cases[i].bit
                                                     : config & ~cases[i].bit);
        }
    }
}

/* A pending byte interrupts when it arrives, or when the interrupt is enabled. */
static void test_interrupt(void **state)
{
    (void)state;
    command_with(0x60, 0);
    out(0x64, 0xAA);
    command_with(0xD2, 0x1C);
    assert_int_equal(rises, 0);
    command_with(0x60, INTERRUPT);
    assert_int_equal(rises, 1);
    assert_true(output_line.is_high);
    assert_int_equal(read_answer(), 0x1C);
    assert_false(output_line.is_high);
    command_with(0xD2, 0x9C); /* as if a key had been released */
    assert_true(output_line.is_high);
    command_with(0x60, 0);
    assert_false(output_line.is_high);
    command_with(0x60, INTERRUPT);
    assert_int_equal(read_answer(), 0x9C);
    assert_int_equal(rises, 3);
    in(0x60); /* an empty buffer does not interrupt */
    in(0x64);
    assert_int_equal(rises, 3);
    assert_false(output_line.is_high);
}

/* Each byte interrupts as its source does. */
static void test_mouse_interrupt(void **state)
{
    (void)state;
    command_with(0x60, MOUSE_IRQ);
    command_with(0xD2, 0x1C);
    assert_false(mouse_line.is_high);
    command_with(0xD3, 0x08); /* replaces the keyboard's */
    assert_true(mouse_line.is_high);
    command_with(0x60, INTERRUPT | MOUSE_IRQ);
    assert_false(output_line.is_high);
    command_with(0xD2, 0x9C);
    assert_false(mouse_line.is_high);
    assert_true(output_line.is_high);
    assert_int_equal(read_answer(), 0x9C);
    command_with(0xD3, 0x08);
    command_with(0x60, INTERRUPT);
    assert_false(mouse_line.is_high);
    assert_int_equal(read_answer(), 0x08);
    assert_int_equal(mouse_rises, 2);
}

/* Commands that programs wait for an answer of. */
static void test_answers(void **state)
{
    (void)state;
    assert_int_equal(send_command(0xA4), 0xF1); /* no password */
    assert_int_equal(send_command(0xE0), 0x02); /* the clock is low, as in ABh */
    assert_int_equal(send_command(0xAB), 0x01);
}

static void test_system_flag(void **state)
{
    (void)state;
    command_with(0x60, 0);
    assert_int_equal(in(0x64) & SYSTEM, 0);
    command_with(0x60, SYSTEM);
    assert_int_equal(in(0x64) & SYSTEM, SYSTEM);
    command_with(0x60, 0);
    assert_int_equal(send_command(0xAA), 0x55);
    assert_int_equal(in(0x64) & SYSTEM, SYSTEM);
}

static void test_ram(void **state)
{
    (void)state;
    for (unsigned int i = 1; i < 32; i++)
        command_with(0x60 + i, 3 * i);
    command_with(0x60, TRANSLATES);
    for (unsigned int i = 1; i < 32; i++)
        assert_int_equal(send_command(0x20 + i), 3 * i);
    assert_int_equal(send_command(0x20), TRANSLATES);
}

/* A command replaces one that still waits for its byte. */
static void test_abandoned_command(void **state)
{
    (void)state;
    command_with(0x60, SYSTEM);
    out(0x64, 0x60);
    assert_int_equal(send_command(0x20), SYSTEM);
    out(0x60, 0xFF);
    assert_int_equal(send_command(0x20), SYSTEM);
    out(0x64, 0xD1);
    out(0x64, 0xAE);
    out(0x60, 0); /* for the keyboard: no reset */
    assert_int_equal(read_answer(), 0xFE);
    assert_string_equal(vcpu.end->text, "");
}

static void expect_reset(unsigned int port, unsigned int value)
{
    *vcpu.end = (struct guest_end){0};
    assert_int_equal(write_port(port, value), EXIT_STOP);
    assert_string_equal(vcpu.end->text, "reset by port 0x64");
    assert_int_equal(end.kind, GUEST_END_RESET);
}

/* Bit 0 is the reset line, low if pulsed or written as 0; other bits have no effect. */
static void test_reset(void **state)
{
    (void)state;
    for (unsigned int pulse = 0xF0; pulse <= 0xFF; pulse++) {
        if ((pulse & 1) == 0)
            expect_reset(0x64, pulse);
        else
            out(0x64, pulse);
    }
    for (unsigned int value = 0; value < 0x100; value++) {
        out(0x64, 0xD1);
        if ((value & 1) == 0)
            expect_reset(0x60, value);
        else
            out(0x60, value);
    }
}

/* A20 is on and the system is not in reset; the value read may be written back. */
static void test_output_port(void **state)
{
    (void)state;
    unsigned int value = send_command(0xD0);
    assert_int_equal(value & 3, 3);
    command_with(0xD1, value);
    command_with(0xD1, 0xDF); /* as kernels enable A20 */
    assert_int_equal(send_command(0xD0) & 3, 3);
    out(0x64, 0xFF); /* a pulse of no line, used as a delay */
    assert_int_equal(flush_buffer(), 0);
    assert_int_equal(send_command(0xC0) & 0x80, 0x80); /* the keyboard is not locked */
}

/* Each command changes only its own state. */
static void test_all_commands(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 256 * 256; i++) {
        unsigned int command = i & 0xFF, argument = i >> 8;
        bool writes_ram = command >= 0x60 && command < 0x80;
        uint8_t before[KEYBOARD_CONTROLLER_RAM];
        if ((command >= 0xF0 && (command & 1) == 0) ||
            (command == 0xD1 && (argument & 1) == 0))
            continue;
        flush_buffer();
        memcpy(before, controller->ram, sizeof(before));
        out(0x64, command);
        out(0x60, argument);
        if (writes_ram)
            assert_int_equal(controller->ram[command - 0x60], argument);
        if (writes_ram)
            controller->ram[command - 0x60] = before[command - 0x60];
        assert_memory_equal(controller->ram + 1, before + 1, sizeof(before) - 1);
        assert_string_equal(vcpu.end->text, "");
    }
}

static void test_random(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 1000000; i++) {
        unsigned int what  = (unsigned int)random_number() & 7;
        unsigned int value = (unsigned int)random_number() & 0xFF;
        if (what < 5) {
            bool ends   = write_port(what < 3 ? 0x60 : 0x64, value) == EXIT_STOP;
            bool is_end = strcmp(vcpu.end->text, "reset by port 0x64") == 0;
            assert_int_equal(ends, is_end);
            assert_true(!ends || (value & 1) == 0);
            *vcpu.end = (struct guest_end){0};
        } else {
            in(what < 7 ? 0x60 : 0x64);
        }
        unsigned int status = in(0x64);
        bool is_mouse       = (status & MOUSE) != 0;
        assert_int_equal(status & (INPUT_FULL | NOT_LOCKED | (ANY_ERROR & ~TIMEOUT)),
                         NOT_LOCKED);
        assert_true((status & FULL) != 0 || (status & (MOUSE | TIMEOUT)) == 0);
        assert_int_equal(output_line.is_high,
                         !is_mouse && (status & controller->ram[0] & INTERRUPT) != 0);
        assert_int_equal(mouse_line.is_high,
                         is_mouse && (controller->ram[0] & MOUSE_IRQ) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_linux_probe),
        TEST(test_switches),
        TEST(test_interrupt),
        TEST(test_system_flag),
        TEST(test_ram),
        TEST(test_abandoned_command),
        TEST(test_reset),
        TEST(test_output_port),
        TEST(test_all_commands),
        TEST(test_random),
        TEST(test_mouse_interrupt),
        TEST(test_answers),
    };
    return cmocka_run_group_tests_name("keyboard_controller", tests, NULL, NULL);
}
