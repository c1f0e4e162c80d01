/*
 * src/firmware/acpi_serial.c. Microsoft, "Serial Port Console Redirection Table (SPCR)",
 * "Microsoft Debug Port Table 2 (DBG2)".
 */
#include "acpi.h"

#include "firmware/acpi.h"
#include "random.h"

/* Offsets in an SPCR. */
enum {
    REVISION  = 8,
    TYPE      = 36,
    SPACE     = 40,
    WIDTH     = 41,
    ACCESS    = 43,
    ADDRESS   = 44,
    INTERRUPT = 52,
    IRQ       = 53,
    GLOBAL    = 54,
    BAUD      = 58,
    CLOCK     = 76,
    PRECISE   = 80,
};

static uint8_t table[128];
static size_t table_size;
static struct serial_port port;

static int table_start(void **state)
{
    memset(table, 0, sizeof(table));
    memcpy(table, "SPCR", 4);
    table[REVISION]  = 2;
    table[SPACE]     = 1;
    table[WIDTH]     = 8;
    table[INTERRUPT] = 3;
    table[IRQ]       = 3;
    table[BAUD]      = 7;
    table_size       = 80;
    write_u64(table + ADDRESS, 0x2F8);
    write_u32(table + GLOBAL, 3);
    return start_log(state);
}

typedef enum status reader(const struct acpi_view *view, struct serial_port *port);

/* Reads a copy of exact size, for AddressSanitizer; a failure must change nothing. */
static enum status read_table(reader *read)
{
    const struct serial_port untouched = {.address = 0xA5A5, .baud = 0xA5A5};
    uint8_t *copy                      = malloc(table_size > 0 ? table_size : 1);

    memcpy(copy, table, table_size);
    port                        = untouched;
    const struct acpi_view view = {.bytes = copy, .length = table_size};
    enum status status          = read(&view, &port);
    free(copy);
    if (status != STATUS_OK)
        assert_memory_equal(&port, &untouched, sizeof(port));
    return status;
}

static void put_memory(uint64_t address, uint8_t width, uint8_t access)
{
    table[SPACE]  = 0;
    table[WIDTH]  = width;
    table[ACCESS] = access;
    write_u64(table + ADDRESS, address);
}

static struct acpi_view open_fixture(const char *file, const char *signature)
{
    const uint64_t entries[] = {MADT};
    struct acpi_view view;

    memory_clear(NULL);
    memory_put_file(MADT, file);
    struct acpi acpi = open_all(entries, 1);
    assert_int_equal(acpi_find(&acpi, signature, &view), STATUS_OK);
    return view;
}

/* Tables compiled by iasl. */
static void test_fixtures(void **state)
{
    (void)state;
    struct acpi_view view = open_fixture("spcr.aml", "SPCR");
    assert_int_equal(acpi_read_spcr(&view, &port), STATUS_OK);
    assert_int_equal(port.space, SERIAL_SPACE_MEMORY);
    assert_int_equal(port.address, 0x3F800001000);
    assert_int_equal(port.stride, 4);
    assert_int_equal(port.width, 4);
    assert_int_equal(port.baud, 57600);
    assert_int_equal(port.interrupt, 39);
    assert_int_equal(serial_port_divisor(&port), 0); /* the clock is not known */

    view = open_fixture("dbg2.aml", "DBG2"); /* the second device is the first UART */
    assert_int_equal(acpi_read_dbg2(&view, &port), STATUS_OK);
    assert_int_equal(port.space, SERIAL_SPACE_IO);
    assert_int_equal(port.address, 0x2E8);
    assert_int_equal(port.baud, 115200);
    memory_clear(NULL);
}

static void test_speeds(void **state)
{
    static const uint32_t speeds[] = {
        [0] = SERIAL_BAUD_AS_IS, [3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200};

    (void)state;
    for (unsigned int code = 0; code <= UINT8_MAX; code++) {
        table[BAUD] = (uint8_t)code;
        assert_int_equal(read_table(acpi_read_spcr), STATUS_OK);
        assert_int_equal(port.baud, code < ARRAY_SIZE(speeds) ? speeds[code] : 0);
        assert_int_equal(port.clock_hz, 1843200);
    }
}

/* Revision 3 has the clock, revision 4 also the speed. */
static void test_precise_speed(void **state)
{
    static const struct {
        uint8_t revision;
        size_t size;
        uint32_t clock_hz, baud;
    } rows[] = {
        {2, 88, 1843200, 115200},  {3, 80, 14745600, 115200}, {3, 88, 14745600, 115200},
        {4, 80, 14745600, 115200}, {4, 84, 14745600, 921600}, {5, 88, 14745600, 921600},
    };

    (void)state;
    write_u32(table + CLOCK, 14745600);
    write_u32(table + PRECISE, 921600);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        table[REVISION] = rows[i].revision;
        table_size      = rows[i].size;
        assert_int_equal(read_table(acpi_read_spcr), STATUS_OK);
        assert_int_equal(port.clock_hz, rows[i].clock_hz);
        assert_int_equal(port.baud, rows[i].baud);
    }
    write_u32(table + CLOCK, 0);
    write_u32(table + PRECISE, 0);
    assert_int_equal(read_table(acpi_read_spcr), STATUS_OK);
    assert_int_equal(port.clock_hz, 1843200);
    assert_int_equal(port.baud, 115200);
}

/* Bits: the 8259A pair, I/O APIC, I/O SAPIC, ARM's GIC. */
static void test_interrupts(void **state)
{
    static const struct {
        uint8_t type, irq;
        uint32_t global, interrupt;
    } rows[] = {
        {0, 5, 20, 3},  {1, 5, 20, 5},  {2, 5, 20, 20},   {3, 5, 20, 5},
        {3, 0, 20, 20}, {4, 0, 20, 20}, {8, 5, 20, 3},    {1, 0, 0, 3},
        {2, 0, 0, 3},   {1, 16, 20, 3}, {3, 255, 20, 20}, /* the pair has 16 inputs */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        table[INTERRUPT] = rows[i].type;
        table[IRQ]       = rows[i].irq;
        write_u32(table + GLOBAL, rows[i].global);
        assert_int_equal(read_table(acpi_read_spcr), STATUS_OK);
        assert_int_equal(port.interrupt, rows[i].interrupt);
    }
    put_memory(0xFE030000, 8, 1);
    table[INTERRUPT] = 0;
    assert_int_equal(read_table(acpi_read_spcr), STATUS_OK);
    assert_int_equal(port.interrupt, SERIAL_NO_INTERRUPT);
}

/* The distance of the registers is their width or that of the access, if larger. */
static void test_layouts(void **state)
{
    static const struct {
        uint8_t bits, access, stride, width;
    } rows[] = {
        {8, 0, 1, 1},   {8, 1, 1, 1},   {0, 0, 1, 1},     {8, 3, 4, 4},  {0, 3, 4, 4},
        {32, 0, 4, 4},  {32, 1, 4, 1},  {32, 3, 4, 4},    {16, 2, 2, 2}, {16, 0, 2, 2},
        {64, 4, 8, 4},  {64, 3, 8, 4},  {32, 0x20, 4, 4}, {4, 0, 1, 1},  {24, 0, 0, 0},
        {255, 0, 0, 0}, {128, 1, 0, 0}, {40, 3, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        put_memory(0xFE030000, rows[i].bits, rows[i].access);
        assert_int_equal(read_table(acpi_read_spcr),
                         rows[i].stride != 0 ? STATUS_OK : STATUS_OUT_OF_RANGE);
        if (rows[i].stride == 0)
            continue;
        assert_int_equal(port.stride, rows[i].stride);
        assert_int_equal(port.width, rows[i].width);
        assert_int_equal(port.baud, 115200);
        assert_int_equal(port.clock_hz, 0);
    }
}

static void test_types(void **state)
{
    (void)state;
    for (unsigned int type = 0; type <= UINT8_MAX; type++) {
        bool is_16550 = type <= 1 || type == 5 || type == 0x12 || type == 0x14;
        table[TYPE]   = (uint8_t)type;
        assert_int_equal(read_table(acpi_read_spcr),
                         is_16550 ? STATUS_OK : STATUS_UNSUPPORTED);
    }
}

/* Console redirection is off, or its address is no UART's. */
static void test_addresses(void **state)
{
    static const struct {
        uint8_t space;
        uint64_t address;
        enum status status;
    } rows[] = {
        {1, 0, STATUS_NOT_FOUND},
        {0, 0, STATUS_NOT_FOUND},
        {1, 0x60, STATUS_OUT_OF_RANGE},
        {1, 0xCF8, STATUS_OUT_OF_RANGE},
        {1, 0x2F9, STATUS_OUT_OF_RANGE},
        {1, 0x1000002F8, STATUS_OUT_OF_RANGE},
        {0, 0x2F8, STATUS_OUT_OF_RANGE},
        {0, 0xFEE00300, STATUS_OUT_OF_RANGE},
        {0, 0xFE030001, STATUS_OUT_OF_RANGE},
        {0, UINT64_MAX - 3, STATUS_OUT_OF_RANGE},
        {0, UINT64_C(0x3F800000000), STATUS_OK},
        {2, 0xFE030000, STATUS_UNSUPPORTED}, /* PCI configuration space */
        {0x7F, 0x1B, STATUS_UNSUPPORTED},    /* functional fixed hardware: MSRs */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        table[SPACE] = rows[i].space;
        write_u64(table + ADDRESS, rows[i].address);
        assert_int_equal(read_table(acpi_read_spcr), rows[i].status);
    }
}

/* Truncated at any byte. */
static void test_cut(void **state)
{
    (void)state;
    for (table_size = 0; table_size <= 88; table_size++)
        assert_int_equal(read_table(acpi_read_spcr),
                         table_size < 76 ? STATUS_MALFORMED : STATUS_OK);
}

/* Starts a DBG2 of count devices. */
static void start_dbg2(uint32_t count)
{
    memset(table, 0, sizeof(table));
    memcpy(table, "DBG2", 4);
    write_u32(table + 36, 44);
    write_u32(table + 40, count);
    table_size = 44;
}

/* Adds a device with one address, directly after its 22 bytes. */
static uint8_t *add_device(uint16_t type, uint16_t subtype, uint64_t address)
{
    uint8_t *device = table + table_size;

    device[1]  = 34;
    device[3]  = 1;
    device[18] = 22;
    memcpy(device + 12, &type, sizeof(type));
    memcpy(device + 14, &subtype, sizeof(subtype));
    device[22] = 1;
    device[23] = 8;
    write_u64(device + 26, address);
    table_size += 34;
    return device;
}

static void test_debug_ports(void **state)
{
    (void)state;
    start_dbg2(2);
    add_device(0x8003, 0, 0x3F8); /* network */
    add_device(0x8000, 0x12, 0x2F8);
    assert_int_equal(read_table(acpi_read_dbg2), STATUS_OK);
    assert_int_equal(port.address, 0x2F8);
    start_dbg2(2);
    add_device(0x8000, 3, 0x3F8); /* ARM's PL011 */
    add_device(0x8000, 0x100, 0x3F8);
    assert_int_equal(read_table(acpi_read_dbg2), STATUS_UNSUPPORTED);
    start_dbg2(2);
    add_device(0x8000, 0, 0);
    add_device(0x8000, 1, 0x3E8);
    assert_int_equal(read_table(acpi_read_dbg2), STATUS_OK);
    assert_int_equal(port.address, 0x3E8);
    start_dbg2(1);
    add_device(0x8000, 0, 0x3F8)[3] = 0; /* no address */
    assert_int_equal(read_table(acpi_read_dbg2), STATUS_NOT_FOUND);
    start_dbg2(1);
    add_device(0x8003, 0, 0x3F8);
    assert_int_equal(read_table(acpi_read_dbg2), STATUS_NOT_FOUND);
    start_dbg2(0);
    assert_int_equal(read_table(acpi_read_dbg2), STATUS_NOT_FOUND);
}

/* Of a device with several addresses, the first that can be a UART's. */
static void test_debug_addresses(void **state)
{
    static const uint64_t others[] = {0, 0x60, 0x2F9};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        start_dbg2(1);
        uint8_t *device = add_device(0x8000, 0, others[i]);
        device[1] += 12;
        device[34] = 1;
        write_u64(device + 38, 0x2E8);
        table_size += 12;
        assert_int_not_equal(read_table(acpi_read_dbg2), STATUS_OK);
        device[3] = 2;
        assert_int_equal(read_table(acpi_read_dbg2), STATUS_OK);
        assert_int_equal(port.address, 0x2E8);
        write_u64(device + 38, 0x60);
        device[3] = UINT8_MAX; /* beyond the end of the device */
        assert_int_equal(read_table(acpi_read_dbg2), STATUS_MALFORMED);
    }
}

/* Lengths, offsets and counts that leave the table or the device. */
static void test_broken_debug_ports(void **state)
{
    (void)state;
    start_dbg2(1);
    add_device(0x8000, 0, 0x3F8);
    size_t whole = table_size;
    for (table_size = 0; table_size < whole; table_size++)
        assert_int_equal(read_table(acpi_read_dbg2), STATUS_MALFORMED);
    for (unsigned int length = 0; length <= UINT8_MAX; length++) {
        table[45] = (uint8_t)length;
        assert_int_equal(read_table(acpi_read_dbg2),
                         length == 34 ? STATUS_OK : STATUS_MALFORMED);
    }
    table[45] = 34;
    for (unsigned int offset = 0; offset <= UINT8_MAX; offset++) {
        table[62]          = (uint8_t)offset;
        enum status status = read_table(acpi_read_dbg2);
        assert_true(offset <= 22 || status == STATUS_MALFORMED);
    }
    table[62] = 22;
    write_u32(table + 36, UINT32_MAX);
    assert_int_equal(read_table(acpi_read_dbg2), STATUS_MALFORMED);
    start_dbg2(UINT32_MAX);
    add_device(0x8001, 0, 0x3F8);
    assert_int_equal(read_table(acpi_read_dbg2), STATUS_MALFORMED);
}

static void test_random(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        bool is_dbg2 = random_below(2) == 0;
        if (is_dbg2)
            start_dbg2((uint32_t)random_below(4));
        else
            table_start(state);
        for (size_t i = 36; i < sizeof(table); i++)
            table[i] = random_below(3) != 0 ? table[i] : (uint8_t)random_number();
        table_size = random_below(sizeof(table) + 1);
        if (read_table(is_dbg2 ? acpi_read_dbg2 : acpi_read_spcr) == STATUS_OK)
            assert_true(serial_port_is_possible(&port));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),
        cmocka_unit_test_setup(test_speeds, table_start),
        cmocka_unit_test_setup(test_precise_speed, table_start),
        cmocka_unit_test_setup(test_interrupts, table_start),
        cmocka_unit_test_setup(test_layouts, table_start),
        cmocka_unit_test_setup(test_types, table_start),
        cmocka_unit_test(test_debug_addresses),
        cmocka_unit_test_setup(test_addresses, table_start),
        cmocka_unit_test_setup(test_cut, table_start),
        cmocka_unit_test_setup(test_debug_ports, table_start),
        cmocka_unit_test_setup(test_broken_debug_ports, table_start),
        cmocka_unit_test_setup(test_random, table_start),
    };
    return cmocka_run_group_tests_name("acpi_serial", tests, NULL, NULL);
}
