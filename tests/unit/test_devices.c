/* src/dev: the port map, the UART, the ports by which guests end. */
#include "guest.h"

static char lines[1024];

static void take_line(void *context, const char *line)
{
    assert_ptr_equal(context, &test_vm);
    strcat(lines, line);
    strcat(lines, "|");
}

static int start(void **state)
{
    start_guest(state);
    lines[0] = '\0';
    uart_init(&test_vm.uart, take_line, &test_vm);
    struct port_device devices[1 + POWER_PORTS_COUNT] = {
        uart_device(&test_vm.uart, 0x3F8)};
    power_ports_devices(&test_vm.power_ports, devices + 1);
    for (size_t i = 0; i < 1 + POWER_PORTS_COUNT; i++)
        assert_int_equal(port_map_add(&test_vm.ports, devices[i]), STATUS_OK);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end_guest)

static enum exit_outcome out(uint16_t port, uint8_t size, uint32_t value)
{
    return vm_port_write(test_vcpu, port, size, value);
}

static uint32_t in(uint16_t port, uint8_t size)
{
    return vm_port_read(test_vcpu, port, size) & UINT32_MAX >> (32 - 8 * size);
}

/* All ports, at each width: no surprise, and nobody's port reads all ones. */
static void test_all_ports(void **state)
{
    (void)state;
    for (uint32_t port = 0; port <= UINT16_MAX; port++) {
        bool is_uart = port >= 0x3F8 && port <= 0x3FF;
        for (uint8_t size = 1; size <= 4; size = (uint8_t)(size * 2)) {
            uint32_t value = in((uint16_t)port, size);
            if (!is_uart)
                assert_int_equal(value, UINT32_MAX >> (32 - 8 * size));
            if (port != 0xF4)
                assert_int_equal(out((uint16_t)port, size, 0), EXIT_NEXT);
        }
    }
    assert_true(test_vm.ignored_accesses > 6 * 65000);
    assert_string_equal(test_vcpu->end, "");
}

static void test_uart_lines(void **state)
{
    (void)state;
    const char *text = "one\r\n\ntwo\x1B[2J\xFF\tx\n";
    for (; *text != '\0'; text++)
        assert_int_equal(out(0x3F8, 1, (uint8_t)*text), EXIT_NEXT);
    assert_string_equal(lines, "one||two.[2J.\tx|");
    lines[0] = '\0';
    out(0x3F8, 1, 'a');
    assert_string_equal(lines, "");
    uart_flush(&test_vm.uart);
    uart_flush(&test_vm.uart);
    assert_string_equal(lines, "a|");
    lines[0] = '\0';
    for (int i = 0; i < UART_LINE_SIZE; i++)
        out(0x3F8, 1, 'x');
    assert_int_equal(strlen(lines), UART_LINE_SIZE); /* one short of it, and the bar */
}

/* PC16550D, "Registers": what a driver looks for before it believes that there is one. */
static void test_uart_registers(void **state)
{
    (void)state;
    assert_int_equal(in(0x3FD, 1), 0x60);
    out(0x3F9, 1, 0xFF);
    assert_int_equal(in(0x3F9, 1), 0x0F);
    out(0x3FF, 1, 0x5A);
    assert_int_equal(in(0x3FF, 1), 0x5A);
    assert_int_equal(in(0x3FA, 1), 0x01);
    out(0x3FA, 1, 0x01);
    assert_int_equal(in(0x3FA, 1), 0xC1);
    out(0x3FB, 1, 0x80); /* DLAB: the divisor, and no text */
    out(0x3F8, 1, 0x0C);
    out(0x3F9, 1, 0x01);
    assert_int_equal(in(0x3F8, 2), 0x010C);
    out(0x3FB, 1, 0x03);
    assert_int_equal(in(0x3FB, 1), 0x03);
    assert_int_equal(in(0x3F9, 1), 0x0F);
    assert_int_equal(in(0x3F8, 1), 0);
    assert_int_equal(in(0x3FE, 1), 0xB0);
    out(0x3FC, 1, 0x10); /* loopback: the outputs come back, and no text goes out */
    assert_int_equal(in(0x3FE, 1), 0x00);
    out(0x3FC, 1, 0x1F);
    assert_int_equal(in(0x3FE, 1), 0xF0);
    out(0x3FC, 1, 0x1A);
    assert_int_equal(in(0x3FE, 1), 0x90);
    out(0x3F8, 1, 'x');
    uart_flush(&test_vm.uart);
    assert_string_equal(lines, "");
    out(0x3FD, 1, 0); /* read-only */
    assert_int_equal(in(0x3FD, 1), 0x60);
}

static void test_ends(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        uint8_t size;
        uint32_t harmless, value;
        const char *end;
    } cases[] = {
        {0x64, 1, 0xAA, 0xFE, "reset by port 0x64"},
        {0xCF9, 1, 0x02, 0x06, "reset by port 0xcf9"},
        {0x604, 2, 0x1C00, 0x2000, "powered off by port 0x604"},
        {0xB004, 2, 0x0001, 0x3C00, "powered off by port 0xb004"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_vcpu->end[0] = '\0';
        assert_int_equal(out(cases[i].port, cases[i].size, cases[i].harmless), EXIT_NEXT);
        assert_string_equal(test_vcpu->end, "");
        assert_int_equal(out(cases[i].port, cases[i].size, cases[i].value), EXIT_STOP);
        assert_string_equal(test_vcpu->end, cases[i].end);
        assert_false(test_vcpu->end_is_abnormal);
    }
    test_vcpu->end[0] = '\0';
    assert_int_equal(out(0xF4, 4, 0x12345678), EXIT_STOP);
    assert_string_equal(test_vcpu->end, "ended by port 0xf4 with value 0x12345678");
}

static void test_shutdown_word(void **state)
{
    (void)state;
    const char *text = "ShutShuShutdow";
    for (; *text != '\0'; text++)
        assert_int_equal(out(0x8900, 1, (uint8_t)*text), EXIT_NEXT);
    assert_int_equal(out(0x8900, 1, 'n'), EXIT_STOP);
    assert_string_equal(test_vcpu->end, "powered off by port 0x8900");
}

static void test_map_is_full(void **state)
{
    (void)state;
    static struct port_map map;
    struct port_device device = {0};
    port_map_init(&map);
    for (uint16_t i = 0; i < PORT_PAGES - 1; i++) {
        device.first = device.last = (uint16_t)(i * PORT_PAGE_SIZE);
        assert_int_equal(port_map_add(&map, device), STATUS_OK);
    }
    device.first = device.last = 0xFF00;
    assert_int_equal(port_map_add(&map, device), STATUS_NO_MEMORY);
    assert_null(port_map_find(&map, 0xFF00));
    /* The first device of a port keeps it; the last port there is can be one's own. */
    port_map_init(&map);
    device.first = 0xFFFE;
    device.last  = 0xFFFF;
    assert_int_equal(port_map_add(&map, device), STATUS_OK);
    device.first = 0xFFFF;
    assert_int_equal(port_map_add(&map, device), STATUS_OK);
    assert_ptr_equal(port_map_find(&map, 0xFFFF), &map.device[0]);
    assert_null(port_map_find(&map, 0xFFFD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_ports),      TEST(test_uart_lines),
        TEST(test_uart_registers), TEST(test_ends),
        TEST(test_shutdown_word),  cmocka_unit_test(test_map_is_full),
    };
    return cmocka_run_group_tests_name("devices", tests, NULL, NULL);
}
