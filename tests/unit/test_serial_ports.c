/* src/platform/serial_ports.c, on a simulated host bridge, with tables in memory. */
#include "pci.h"

#include "acpi.h"

#include "../../src/platform/serial_ports.c"

#define IO       1U
#define BITS_64  4U
#define PREFETCH 8U
#define UART     0x070002U /* class code of a 16550 */

static struct serial_ports ports;

/* Sets the base addresses of a function. */
static void set_addresses(struct simulated *function, const uint32_t *base_addresses,
                          size_t count)
{
    memcpy(function->space + 0x10, base_addresses, count * sizeof(*base_addresses));
}

static struct simulated *add_uart(unsigned int device, uint32_t class_code,
                                  uint32_t base_address)
{
    struct simulated *function = add_function(0, device, 0, class_code, 0, 0);
    set_addresses(function, &base_address, 1);
    return function;
}

static void put_spcr(uint64_t where, uint64_t address, uint8_t type)
{
    uint8_t *table = memory_put(where, NULL, 80);

    memcpy(table, "SPCR", 4);
    table[4]  = 80;
    table[8]  = 2;
    table[36] = type;
    table[40] = 1;
    write_u64(table + 44, address);
    fix_checksum(table, 80, 9);
}

static void test_none(void **state)
{
    (void)state;
    serial_ports_find(NULL, &ports);
    assert_int_equal(ports.count, 0);
    assert_nothing_logged();
}

/* All programming interfaces of a 16550 and its successors; one port each. */
static void test_class(void **state)
{
    static const struct {
        uint32_t class_code;
        uint8_t header;
        bool is_uart;
    } rows[] = {
        {0x070000, 0, true},    {0x070001, 0, true},  {0x070002, 0, true},
        {0x070002, 0x80, true}, {0x070006, 0, true},  {0x070007, 0, false},
        {0x0700FF, 0, false},   {0x070100, 0, false}, {0x070200, 0, false},
        {0x078000, 0, false},   {0x0C0300, 0, false}, {0x070002, 1, false},
        {0x020000, 0, false},
    };
    const uint32_t address = 0xC001;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        start_pci(state);
        set_addresses(add_function(3, 4, 0, rows[i].class_code, rows[i].header, 0),
                      &address, 1);
        serial_ports_find(NULL, &ports);
        assert_int_equal(ports.count, rows[i].is_uart);
    }
}

/* The first base address at I/O ports, otherwise the first in memory. */
static void test_base_addresses(void **state)
{
    static const struct {
        uint32_t base_addresses[6];
        uint64_t address; /* 0: none */
        enum serial_space space;
    } rows[] = {
        {{0xC001, 0xD001}, 0xC000, SERIAL_SPACE_IO},
        {{IO, 0xD001}, 0xD000, SERIAL_SPACE_IO}, /* not assigned */
        {{0xFE000000, 0xC001}, 0xC000, SERIAL_SPACE_IO},
        {{0, 0, 0, 0, 0, 0xC003}, 0xC000, SERIAL_SPACE_IO},
        {{0xFE000000}, 0xFE000000, SERIAL_SPACE_MEMORY},
        {{0xFE000000 | PREFETCH, 0xFD000000}, 0xFE000000, SERIAL_SPACE_MEMORY},
        {{BITS_64, 0x10, 0xFD000000}, 0x1000000000, SERIAL_SPACE_MEMORY},
        {{0x40000000 | BITS_64, 0xC001, 0xE001}, 0xE000, SERIAL_SPACE_IO},
        {{0, 0, 0, 0, 0, 0xFE000000 | BITS_64}, 0xFE000000, SERIAL_SPACE_MEMORY},
        {{0xFEE00000, 0xFE000000}, 0xFE000000, SERIAL_SPACE_MEMORY},
        {{0x61, 0xCF9}, 0, 0},
        {{IO, IO, 0, 0, 0, 0}, 0, 0},
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct pci_function function = {.base_class            = 7,
                                              .programming_interface = 2};
        struct serial_port port            = {.address = 99};
        bool is_found = serial_port_of_pci(&function, rows[i].base_addresses, &port);
        assert_int_equal(is_found, rows[i].address != 0);
        assert_int_equal(port.address, is_found ? rows[i].address : 99);
        if (!is_found)
            continue;
        assert_int_equal(port.space, rows[i].space);
        assert_int_equal(port.stride, 1);
        assert_int_equal(serial_port_divisor(&port), 1);
        assert_int_equal(port.interrupt, SERIAL_NO_INTERRUPT);
    }
}

/* Finding a port changes nothing; enabling it only the decoding that it needs. */
static void test_decoding(void **state)
{
    static const uint8_t enabled[] = {1, 2, 0, 0x47};

    (void)state;
    add_uart(1, UART, 0xC001);
    add_uart(2, UART, 0xFE000000);
    add_uart(3, UART, 0);
    add_uart(4, UART, 0xD001)->space[4] = 0x47;
    serial_ports_find(NULL, &ports);
    assert_int_equal(ports.count, 3);
    assert_string_equal(ports.port[0].name, "PCI 00:01.0");
    assert_string_equal(ports.port[2].name, "PCI 00:04.0");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(simulated[i].space[4], 0);
    for (size_t i = 0; i < ports.count; i++)
        serial_port_enable(&ports.port[i]);
    for (size_t i = 0; i < ARRAY_SIZE(enabled); i++)
        assert_int_equal(simulated[i].space[4], enabled[i]);
}

/* Tables first. A port that two of them describe is listed once. */
static void test_order(void **state)
{
    const uint64_t entries[] = {0x10000, 0x11000, 0x12000, 0x13000};

    (void)state;
    memory_clear(state);
    memory_put_file(0x10000, "dbg2.aml"); /* COM4 */
    put_spcr(0x11000, 0x2F8, 0);
    put_spcr(0x12000, 0x60, 0);
    put_spcr(0x13000, 0, 0);
    struct acpi acpi = open_all(entries, ARRAY_SIZE(entries));
    add_uart(1, UART, 0x2F9);
    add_uart(2, UART, 0xC001);
    serial_ports_find(&acpi, &ports);
    assert_int_equal(ports.count, 3);
    assert_int_equal(ports.port[0].source, SERIAL_SOURCE_SPCR);
    assert_int_equal(ports.port[0].port.address, 0x2F8);
    assert_string_equal(ports.port[0].name, "SPCR");
    assert_int_equal(ports.port[1].source, SERIAL_SOURCE_DBG2);
    assert_int_equal(ports.port[1].port.address, 0x2E8);
    assert_string_equal(ports.port[1].name, "DBG2");
    assert_int_equal(ports.port[2].source, SERIAL_SOURCE_PCI);
    assert_int_equal(ports.port[2].port.address, 0xC000);
    serial_port_enable(&ports.port[1]);
    assert_int_equal(simulated[0].space[4], 0);
    serial_port_enable(&ports.port[0]); /* the SPCR's, which is in PCI */
    assert_int_equal(simulated[0].space[4], 1);
    assert_logged("info: console: serial port in the ACPI table SPCR: its address cannot "
                  "be a UART's; ignored");
    memory_clear(state);
}

/* An SPCR names a UART that does not start at a base address of its PCI function. */
static void test_spcr_in_pci(void **state)
{
    static const struct {
        uint16_t vendor_id, device_id;
        uint8_t device, function, segment;
        bool is_found;
    } rows[] = {
        {0x8086, 0x100E, 5, 0, 0, true},  {0x8086, 0x100F, 5, 0, 0, false},
        {0xFFFF, 0xFFFF, 5, 0, 0, false}, {0, 0, 5, 0, 0, false},
        {0x8086, 0x100E, 6, 0, 0, false}, {0x8086, 0x100E, 32 + 5, 0, 0, false},
        {0x8086, 0x100E, 5, 8, 0, false}, {0x8086, 0x100E, 5, 0, 3, true},
        {0x8086, 0x100E, 5, 0, 4, false},
    };
    const uint64_t entries[] = {0x11000};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        start_pci(state);
        memory_clear(state);
        start_memory_space();
        put_spcr(0x11000, 0xFE030200, 0x12);
        uint8_t *table = (uint8_t *)memory_pieces[0].bytes;
        table[40]      = 0; /* memory */
        memcpy(table + 64, &rows[i].device_id, 2);
        memcpy(table + 66, &rows[i].vendor_id, 2);
        table[68] = MEMORY_FIRST_BUS;
        table[69] = rows[i].device;
        table[70] = rows[i].function;
        table[75] = rows[i].segment;
        fix_checksum(table, 80, 9);
        struct acpi acpi     = open_all(entries, ARRAY_SIZE(entries));
        uint8_t *memory_port = add_memory_function(0, 5, 0, 0x118000, 0, 0);
        uint8_t *io_port = add_function(MEMORY_FIRST_BUS, 5, 0, 0x118000, 0, 0)->space;
        serial_ports_find(&acpi, &ports);
        assert_int_equal(ports.count, 1);
        assert_int_equal(ports.port[0].is_in_pci, rows[i].is_found);
        serial_port_enable(&ports.port[0]);
        assert_int_equal(io_port[4], rows[i].is_found && rows[i].segment == 0 ? 2 : 0);
        assert_int_equal(memory_port[4],
                         rows[i].is_found && rows[i].segment != 0 ? 2 : 0);
    }
    memory_clear(state);
}

/* A UART in another segment is found as in the first one. */
static void test_segment(void **state)
{
    const uint32_t address = 0xFE000000;

    (void)state;
    start_memory_space();
    memcpy(add_memory_function(1, 31, 7, UART, 0, 0) + 0x10, &address, 4);

    serial_ports_find(NULL, &ports);
    assert_int_equal(ports.count, 0); /* function 0 is not there */
    add_memory_function(1, 31, 0, 0x060000, 0x80, 0);
    serial_ports_find(NULL, &ports);
    assert_int_equal(ports.count, 1);
    assert_string_equal(ports.port[0].name, "PCI 0003:06:1f.7");
    serial_port_enable(&ports.port[0]);
    assert_int_equal(memory_space[(1 << 20 | 31 << 15 | 7 << 12) + 4], 2);
}

/* A type that is no UART's is named in the log. */
static void test_unsupported(void **state)
{
    const uint64_t entries[] = {0x10000};

    memory_clear(state);
    put_spcr(0x10000, 0x2F8, 3);
    struct acpi acpi = open_all(entries, ARRAY_SIZE(entries));
    serial_ports_find(&acpi, &ports);
    assert_int_equal(ports.count, 0);
    assert_logged(
        "info: console: serial port in the ACPI table SPCR: not compatible with "
        "a 16550; ignored");
    memory_clear(state);
}

static void test_full(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 12; i++)
        add_uart(i, UART, 0xC001 + i * 8);
    serial_ports_find(NULL, &ports);
    assert_int_equal(ports.count, SERIAL_PORTS_MAX);
    assert_int_equal(ports.port[SERIAL_PORTS_MAX - 1].port.address, 0xC038);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_none, start_pci),
        cmocka_unit_test_setup(test_class, start_pci),
        cmocka_unit_test_setup(test_base_addresses, start_pci),
        cmocka_unit_test_setup(test_decoding, start_pci),
        cmocka_unit_test_setup(test_order, start_pci),
        cmocka_unit_test_setup(test_spcr_in_pci, start_pci),
        cmocka_unit_test_setup(test_segment, start_pci),
        cmocka_unit_test_setup(test_unsupported, start_pci),
        cmocka_unit_test_setup(test_full, start_pci),
    };
    return cmocka_run_group_tests_name("serial_ports", tests, NULL, NULL);
}
