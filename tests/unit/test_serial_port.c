/* src/lib/serial_port.c. */
#include "unit.h"

#include "lib/bits.h"
#include "lib/serial_port.h"

/* A PC's four ports share two interrupts. */
static void test_known(void **state)
{
    static const struct {
        uint16_t address;
        uint32_t interrupt;
    } rows[] = {{0x3F8, 4}, {0x2F8, 3}, {0x3E8, 4}, {0x2E8, 3}, {0x6F8, UINT32_MAX}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct serial_port port = serial_port_at(rows[i].address);
        assert_int_equal(port.space, SERIAL_SPACE_IO);
        assert_int_equal(port.address, rows[i].address);
        assert_int_equal(port.interrupt, rows[i].interrupt);
        assert_int_equal(port.baud, 115200);
        assert_int_equal(serial_port_divisor(&port), 1);
        assert_true(serial_port_is_possible(&port));
    }
}

static void test_ports(void **state)
{
    static const uint64_t impossible[] = {
        0,          0x20,  0x40,  0x60,   0x80,       0xA0,           0xF8,    0x170,
        0x1F0,      0x370, 0x3B0, 0x3D8,  0x3F0,      0xCF8,          0x10000, 0x100003F8,
        0xFFFFFFF8, 0x3F9, 0x3FC, 0xFFFC, UINT64_MAX, UINT64_MAX - 7,
    };
    static const uint64_t possible[] = {0x100, 0x178, 0x3E8, 0x3E0, 0xCF0, 0xD00, 0xFFF8};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(impossible); i++) {
        struct serial_port port = serial_port_at(impossible[i]);
        assert_false(serial_port_is_possible(&port));
    }
    for (size_t i = 0; i < ARRAY_SIZE(possible); i++) {
        struct serial_port port = serial_port_at(possible[i]);
        assert_true(serial_port_is_possible(&port));
        port.stride = 4;
        assert_false(serial_port_is_possible(&port));
    }
}

/* Not at the mainboard's own devices, not misaligned, not beyond the address space. */
static void test_memory(void **state)
{
    static const struct {
        uint64_t address;
        uint8_t stride;
        bool is_possible;
    } rows[] = {
        {0, 1, false},
        {0xA0000, 1, false},
        {0xFFFF8, 1, false},
        {0x100000, 1, true},
        {0xFE030000, 1, true},
        {0xFE030000, 2, true},
        {0xFE030000, 4, true},
        {0xFE030000, 8, true},
        {0xFE030000, 0, false},
        {0xFE030000, 3, false},
        {0xFE030000, 16, false},
        {0xFE030000, 31, false},
        {0xFE030001, 1, false},
        {0xFE030004, 4, false},
        {0xFEBFFFF8, 1, true},
        {0xFEBFFFF8, 2, false},
        {0xFEC00000, 1, false},
        {0xFED00400, 1, false},
        {0xFED40000, 4, false},
        {0xFEDC9000, 4, true}, /* AMD's SoCs */
        {0xFEDFFFF8, 4, false},
        {0xFEE00300, 4, false},
        {0xFFFFFFF8, 1, false},
        {0x100000000, 4, true},
        {UINT64_MAX - 7, 1, false},
        {UINT64_MAX - 15, 1, true},
        {UINT64_MAX - 63, 8, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct serial_port port = serial_port_in_memory(rows[i].address, rows[i].stride);
        assert_int_equal(serial_port_is_possible(&port), rows[i].is_possible);
    }
}

static void test_width(void **state)
{
    (void)state;
    for (unsigned int width = 0; width <= UINT8_MAX; width++) {
        struct serial_port port = serial_port_in_memory(0xFE030000, 4);
        assert_int_equal(port.width, 4);
        port.width = (uint8_t)width;
        assert_int_equal(serial_port_is_possible(&port),
                         width == 1 || width == 2 || width == 4);
        port.stride = 2;
        assert_int_equal(serial_port_is_possible(&port), width == 1 || width == 2);
    }
    assert_int_equal(serial_port_in_memory(0xFE030000, 8).width, 4);
    assert_int_equal(serial_port_in_memory(0xFE030000, 1).width, 1);
}

/* An error of 3 % and more makes text unreadable. */
static void test_divisor(void **state)
{
    static const struct {
        uint32_t baud, clock_hz;
        uint16_t divisor;
    } rows[] = {
        {0, 1843200, 0},
        {115200, 0, 0},
        {115200, 1843200, 1},
        {38400, 1843200, 3},
        {2, 1843200, 57600},
        {1, 1843200, 0},
        {230400, 1843200, 0},
        {76800, 1843200, 0}, /* 1.5 */
        {118000, 1843200, 1},
        {119000, 1843200, 0},
        {112000, 1843200, 1},
        {111000, 1843200, 0},
        {1500000, 48000000, 2},
        {3000000, 48000000, 1},
        {UINT32_MAX, UINT32_MAX, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct serial_port port = {.baud     = rows[i].baud,
                                         .clock_hz = rows[i].clock_hz};
        assert_int_equal(serial_port_divisor(&port), rows[i].divisor);
    }
}

static void test_description(void **state)
{
    TEXT_DECLARE(text, 100);
    const struct serial_port io     = serial_port_at(0x2F8);
    const struct serial_port memory = serial_port_in_memory(0x380000000, 4);

    (void)state;
    serial_port_describe(&io, &text);
    text_append(&text, "; ");
    serial_port_describe(&memory, &text);
    assert_string_equal(text.buffer, "I/O port 0x2f8; memory address 0x380000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),   cmocka_unit_test(test_ports),
        cmocka_unit_test(test_memory),  cmocka_unit_test(test_width),
        cmocka_unit_test(test_divisor), cmocka_unit_test(test_description),
    };
    return cmocka_run_group_tests_name("serial_port", tests, NULL, NULL);
}
