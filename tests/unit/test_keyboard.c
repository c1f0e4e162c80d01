/* src/platform/keyboard.c, included, on a simulated 8042 with a keyboard and a mouse. */
#include "unit.h"

/* Replaces src/cpu/instructions.h: port accesses go to the simulated controller. */
#define HYMIR_CPU_INSTRUCTIONS_H
static uint8_t io_in8(uint16_t port);
static void io_out8(uint16_t port, uint8_t value);
static void cpu_pause(void)
{
}

/* A clock that advances by a microsecond at each access to the controller. */
#define HYMIR_PLATFORM_CLOCK_H
struct deadline {
    uint64_t end;
};
static uint64_t time_us;
static struct deadline deadline_in(uint32_t timeout_us)
{
    return (struct deadline){time_us + timeout_us};
}
static bool deadline_has_passed(const struct deadline *deadline)
{
    return time_us > deadline->end;
}

#include "../../src/platform/keyboard.c"

#define STATUS_FULL    0x01
#define STATUS_MOUSE   0x20
#define STATUS_TIMEOUT 0x40

/* Bytes on their way to port 60h, with their status bits, and when each is there. */
struct byte {
    uint8_t status, value;
    uint64_t time_us;
};

static struct {
    bool is_present, is_busy; /* never accepts a byte */
    bool has_no_config;       /* does not answer command 20h */
    bool is_stuck;            /* always has a byte */
    struct byte bytes[512];
    size_t first, count;
    uint8_t config, command; /* the last command that takes a byte */
    bool is_keyboard_off, is_mouse_off;
    uint64_t delay_us; /* of the keyboard's answers */
    bool echoes, identifies, enables, reports_timeouts, has_mouse_noise;
    unsigned int resends; /* before each answer */
    unsigned int resent;
    uint8_t sent[32]; /* to the keyboard */
    size_t sent_count;
} controller;

static void add_byte(uint8_t status, uint8_t value, uint64_t delay_us)
{
    controller.bytes[(controller.first + controller.count++) % 512] =
        (struct byte){status, value, time_us + delay_us};
}

/* The keyboard's answers, as IBM's reference has them, in scan code set 2. */
static void answer(uint8_t command)
{
    uint64_t delay = controller.delay_us;

    if (controller.resent < controller.resends) {
        controller.resent++;
        add_byte(0, 0xFE, delay);
        return;
    }
    controller.resent = 0;
    if (command == 0xEE && controller.echoes) {
        add_byte(0, 0xEE, delay);
    } else if (command == 0xF2 && controller.identifies) {
        add_byte(0, 0xFA, delay);
        add_byte(0, 0xAB, delay + 1000);
        add_byte(0, 0x41, delay + 2000);
    } else if (command == 0xF4 && controller.enables) {
        add_byte(0, 0xFA, delay);
    } else if (controller.reports_timeouts) {
        add_byte(STATUS_TIMEOUT, 0xFE, delay);
    }
}

static void handle_command(uint8_t command)
{
    controller.command = 0;
    switch (command) {
    case 0x20:
        if (controller.has_mouse_noise)
            add_byte(STATUS_MOUSE, 0x08, 0);
        if (!controller.has_no_config)
            add_byte(0, controller.config, 20);
        break;
    case 0xAD:
        controller.is_keyboard_off = true;
        break;
    case 0xAE:
        controller.is_keyboard_off = false;
        break;
    case 0xA7:
        controller.is_mouse_off = true;
        break;
    default:
        controller.command = command;
    }
}

static void io_out8(uint16_t port, uint8_t value)
{
    time_us++;
    assert_false(controller.is_busy);
    if (port == 0x64) {
        handle_command(value);
        return;
    }
    assert_int_equal(port, 0x60);
    if (controller.command == 0x60) {
        controller.config  = value;
        controller.command = 0;
        return;
    }
    assert_int_equal(controller.command, 0);
    assert_false(controller.is_keyboard_off);
    controller.sent[controller.sent_count++ % 32] = value;
    answer(value);
}

static bool has_byte(void)
{
    return controller.is_stuck ||
           (controller.count > 0 &&
            controller.bytes[controller.first % 512].time_us <= time_us);
}

static uint8_t io_in8(uint16_t port)
{
    const struct byte *byte = &controller.bytes[controller.first % 512];

    time_us++;
    if (!controller.is_present)
        return 0xFF;
    if (port == 0x64)
        return (uint8_t)((controller.is_busy ? 0x02 : 0) |
                         (has_byte() ? STATUS_FULL | byte->status : 0));
    assert_int_equal(port, 0x60);
    if (controller.is_stuck)
        return 0x1E;
    assert_true(has_byte());
    controller.first++;
    controller.count--;
    return byte->value;
}

/* A keyboard as on every PC, and what firmware leaves in the configuration. */
static int start(void **state)
{
    (void)state;
    time_us    = 0;
    controller = (__typeof__(controller)){.is_present = true,
                                          .config     = 0x47,
                                          .delay_us   = 2000,
                                          .echoes     = true,
                                          .identifies = true,
                                          .enables    = true};
    return 0;
}

static void test_answers(void **state)
{
    uint8_t code;

    (void)state;
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
    assert_int_equal(controller.config, 0x65); /* IRQ 1, translation; the mouse off */
    assert_true(controller.is_mouse_off);
    assert_false(controller.is_keyboard_off);
    assert_memory_equal(controller.sent, "\xEE\xF4", 2);
    assert_int_equal(controller.sent_count, 2);
    assert_false(keyboard_receive(&code)); /* no byte of an answer is left */
}

/* Whatever firmware left: both ports off, interrupts off, no translation. */
static void test_configuration(void **state)
{
    for (unsigned int config = 0; config <= UINT8_MAX; config++) {
        (void)start(state);
        controller.config = (uint8_t)config;
        assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
        assert_int_equal(controller.config, (config & 0x8C) | 0x61);
    }
}

static void test_identification(void **state)
{
    uint8_t code;

    (void)state;
    controller.echoes = false;
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
    assert_memory_equal(controller.sent, "\xEE\xF2\xF4", 3);
    assert_false(keyboard_receive(&code));

    (void)start(state);
    controller.echoes = controller.identifies = false; /* one acknowledgement counts */
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
}

static void test_silent(void **state)
{
    uint8_t code;

    (void)state;
    controller.echoes = controller.identifies = controller.enables = false;
    assert_int_equal(keyboard_start(), KEYBOARD_SILENT);
    assert_true(time_us > 590000 && time_us < 620000);
    add_byte(0, 0x1E, 0); /* but firmware sends a key */
    assert_true(keyboard_receive(&code));
    assert_int_equal(code, 0x1E);
}

/* A controller that notices that no keyboard is connected says so at once. */
static void test_timeouts(void **state)
{
    (void)state;
    controller.echoes = controller.identifies = controller.enables = false;
    controller.reports_timeouts                                    = true;
    assert_int_equal(keyboard_start(), KEYBOARD_SILENT);
    assert_true(time_us < 20000);
}

static void test_resends(void **state)
{
    (void)state;
    controller.resends = 2;
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
    assert_memory_equal(controller.sent, "\xEE\xEE\xEE\xF4\xF4\xF4", 6);

    (void)start(state);
    controller.resends = 1000;
    assert_int_equal(keyboard_start(), KEYBOARD_SILENT);
    assert_int_equal(controller.sent_count, 9);
}

/* Slow keyboards: an answer just in time, and codes of a key that is being held. */
static void test_patience(void **state)
{
    (void)state;
    controller.delay_us = 199000;
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);

    (void)start(state);
    for (int i = 0; i < 20; i++)
        add_byte(0, 0x1C, 1000 + (uint64_t)i * 100);
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
    assert_int_equal(controller.sent[0], 0xEE);
}

static void test_pending(void **state)
{
    uint8_t code;

    (void)state;
    for (int i = 0; i < 16; i++)
        add_byte(i % 2 == 0 ? STATUS_MOUSE : 0, 0x9C, (uint64_t)i * 20);
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
    assert_int_equal(controller.config, 0x65);
    assert_false(keyboard_receive(&code));
}

/* A byte of the mouse is not taken for the configuration. */
static void test_mouse_noise(void **state)
{
    (void)state;
    controller.has_mouse_noise = true;
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
    assert_int_equal(controller.config, 0x65);
}

/* Bytes of the mouse are dropped, and do not end the reading of those that follow. */
static void test_mouse(void **state)
{
    uint8_t code = 0;

    (void)state;
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
    for (int i = 0; i < 3; i++)
        add_byte(STATUS_MOUSE, 0x08, 0);
    add_byte(0, 0x1E, 0);
    add_byte(STATUS_MOUSE, 0x08, 0);
    add_byte(0, 0x9E, 0);
    assert_true(keyboard_receive(&code));
    assert_int_equal(code, 0x1E);
    assert_true(keyboard_receive(&code));
    assert_int_equal(code, 0x9E);
    assert_false(keyboard_receive(&code));

    for (int i = 0; i < 500; i++)
        add_byte(STATUS_MOUSE, 0x08, 0);
    assert_false(keyboard_receive(&code)); /* in bounded time */
    assert_true(controller.count > 0);
}

static void test_absent(void **state)
{
    uint8_t code;

    (void)state;
    controller.is_present = false;
    assert_int_equal(keyboard_start(), KEYBOARD_NO_CONTROLLER);
    assert_true(time_us < 10);
    assert_false(keyboard_receive(&code));
}

static void test_broken(void **state)
{
    (void)state;
    controller.is_stuck = true;
    assert_int_equal(keyboard_start(), KEYBOARD_NO_CONTROLLER);
    assert_true(time_us < 1000);

    (void)start(state);
    controller.is_busy = true;
    assert_int_equal(keyboard_start(), KEYBOARD_NO_CONTROLLER);
    assert_true(time_us > 499000 && time_us < 510000);

    (void)start(state);
    controller.has_no_config = true; /* as firmware's emulation may be */
    assert_int_equal(keyboard_start(), KEYBOARD_ANSWERS);
    assert_int_equal(controller.config, 0x47);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_answers, start),
        cmocka_unit_test_setup(test_configuration, start),
        cmocka_unit_test_setup(test_identification, start),
        cmocka_unit_test_setup(test_silent, start),
        cmocka_unit_test_setup(test_timeouts, start),
        cmocka_unit_test_setup(test_resends, start),
        cmocka_unit_test_setup(test_patience, start),
        cmocka_unit_test_setup(test_pending, start),
        cmocka_unit_test_setup(test_mouse_noise, start),
        cmocka_unit_test_setup(test_mouse, start),
        cmocka_unit_test_setup(test_absent, start),
        cmocka_unit_test_setup(test_broken, start),
    };
    return cmocka_run_group_tests_name("keyboard", tests, NULL, NULL);
}
