/*
 * src/firmware/acpi_madt.c: the I/O APIC inputs of ISA interrupts. ACPI 6.5, "I/O APIC
 * Structure", "Interrupt Source Override Structure".
 */
#include "acpi.h"

#include "firmware/acpi.h"
#include "random.h"

#define ENTRIES       44 /* their offset */
#define IO_APIC_SIZE  12
#define OVERRIDE_SIZE 10

/* The MADT under test. */
static uint8_t table[512];
static size_t table_size;

static int table_start(void **state)
{
    memset(table, 0, sizeof(table));
    table_size = ENTRIES;
    return start_log(state);
}

static uint8_t *add_entry(uint8_t type, uint8_t length)
{
    uint8_t *entry = table + table_size;
    assert_true(table_size + length <= sizeof(table));
    entry[0] = type;
    entry[1] = length;
    table_size += length;
    return entry;
}

static uint8_t *add_io_apic(uint32_t address, uint32_t base)
{
    uint8_t *entry = add_entry(1, IO_APIC_SIZE);
    write_u32(entry + 4, address);
    write_u32(entry + 8, base);
    return entry;
}

static uint8_t *add_override(uint8_t source, uint32_t global, uint8_t flags)
{
    uint8_t *entry = add_entry(2, OVERRIDE_SIZE);
    entry[3]       = source;
    write_u32(entry + 4, global);
    entry[8] = flags;
    return entry;
}

/* Finds the input in a copy of exact size, for AddressSanitizer. */
static enum status find_input(const uint8_t *bytes, size_t size, uint32_t interrupt,
                              struct acpi_interrupt *found)
{
    uint8_t *copy = malloc(size);
    memcpy(copy, bytes, size);
    const struct acpi_view view = {.bytes = copy, .length = size};
    enum status status          = acpi_find_interrupt(&view, interrupt, found);
    free(copy);
    return status;
}

static void assert_arrives(uint32_t interrupt, uint64_t io_apic, uint32_t input,
                           bool is_active_low, bool is_level)
{
    struct acpi_interrupt found;
    assert_int_equal(find_input(table, table_size, interrupt, &found), STATUS_OK);
    assert_int_equal(found.io_apic, io_apic);
    assert_int_equal(found.input, input);
    assert_int_equal(found.is_active_low, is_active_low);
    assert_int_equal(found.is_level, is_level);
}

/* Asserts that the interrupt is not found and the result is untouched. */
static void assert_nowhere(uint8_t interrupt)
{
    struct acpi_interrupt found, before;
    memset(&found, 0x5A, sizeof(found));
    memset(&before, 0x5A, sizeof(before));
    assert_int_equal(find_input(table, table_size, interrupt, &found), STATUS_NOT_FOUND);
    assert_memory_equal(&found, &before, sizeof(found));
}

/* A table compiled by iasl, with two I/O APICs whose inputs start at 0 and 24. */
static void test_fixture(void **state)
{
    (void)state;
    const uint64_t entries[] = {MADT};
    struct acpi_view view;
    memory_put_file(MADT, "madt-interrupts.aml");
    struct acpi acpi = open_all(entries, 1);
    assert_int_equal(acpi_find(&acpi, "APIC", &view), STATUS_OK);
    memcpy(table, view.bytes, view.length);
    table_size = view.length;

    assert_arrives(0, 0xFEC00000, 2, false, false);
    assert_arrives(1, 0xFEC00000, 1, false, false);
    assert_arrives(2, 0xFEC00000, 2, false, false);
    assert_arrives(3, 0xFEC01000, 3, true, true);
    assert_arrives(4, 0xFEC00000, 4, false, false);
    assert_arrives(5, 0xFEC00000, 5, true, false);
    assert_arrives(6, 0xFEC01000, 0, false, true);
    assert_arrives(7, 0xFEC00000, 23, false, false);
    /* The table does not contain the number of inputs; the I/O APIC itself does. */
    assert_arrives(9, 0xFEC01000, 0x1000 - 24, false, true);
    for (uint8_t interrupt = 10; interrupt < 16; interrupt++)
        assert_arrives(interrupt, 0xFEC00000, interrupt, false, false);
}

/* Polarity 3 is low, trigger 3 is level; 0 is the default of the bus, 2 is reserved. */
static void test_flags(void **state)
{
    (void)state;
    add_io_apic(0xFEC00000, 0);
    uint8_t *override = add_override(4, 4, 0);
    for (uint8_t flags = 0; flags < 16; flags++) {
        override[8] = flags;
        assert_arrives(4, 0xFEC00000, 4, (flags & 3) == 3, flags >> 2 == 3);
    }
    override[8] = 0xF0; /* reserved */
    override[9] = 0xFF;
    assert_arrives(4, 0xFEC00000, 4, false, false);
}

/* Only overrides of ISA, of that interrupt and of the right length count. */
static void test_others(void **state)
{
    (void)state;
    add_override(4, 20, 0x0F)[2] = 1;                 /* another bus */
    add_override(5, 21, 0x0F);                        /* another interrupt */
    add_override(4, 22, 0x0F)[0] = 3;                 /* an NMI source */
    memset(add_entry(2, 9) + 2, 4, 7);                /* too short */
    memset(add_entry(1, IO_APIC_SIZE - 1) + 2, 0, 9); /* too short */
    add_io_apic(0xFEC02000, 1)[0] = 6;                /* an I/O SAPIC */
    memset(add_entry(0x80, 200) + 2, 2, 198);         /* of an OEM type */
    add_io_apic(0xFEC00000, 0)[1] = IO_APIC_SIZE + 4; /* longer, which is allowed */
    table_size += 4;
    assert_arrives(4, 0xFEC00000, 4, false, false);
    assert_arrives(5, 0xFEC00000, 21, true, true);
    add_override(4, 22, 0x0F)[1] = OVERRIDE_SIZE + 2;
    table_size += 2;
    assert_arrives(4, 0xFEC00000, 22, true, true);
}

/* In either order in the table. */
static void test_two_io_apics(void **state)
{
    for (int order = 0; order < 2; order++) {
        table_start(state);
        for (int i = 0; i < 2; i++)
            add_io_apic(i == order ? 0xFEC00000 : 0xFEC10000, i == order ? 0 : 8);
        assert_arrives(0, 0xFEC00000, 0, false, false);
        assert_arrives(7, 0xFEC00000, 7, false, false);
        assert_arrives(8, 0xFEC10000, 0, false, false);
        assert_arrives(15, 0xFEC10000, 7, false, false);
        add_override(1, UINT32_MAX, 0);
        assert_arrives(1, 0xFEC10000, UINT32_MAX - 8, false, false);
    }
}

static void test_no_io_apic(void **state)
{
    (void)state;
    for (uint8_t interrupt = 0; interrupt < 16; interrupt++)
        assert_nowhere(interrupt);
    add_override(4, 4, 0x0F);
    assert_nowhere(4);
    add_io_apic(0xFEC00000, 16); /* only inputs from 16 on */
    for (uint8_t interrupt = 0; interrupt < 16; interrupt++)
        assert_nowhere(interrupt);
    add_override(5, 17, 0x0F);
    assert_arrives(5, 0xFEC00000, 1, true, true);
    assert_nowhere(6);
    add_io_apic(0xFEC10000, UINT32_MAX);
    assert_nowhere(6);
}

/* Entries after a malformed one are not read. */
static void test_broken_lengths(void **state)
{
    for (uint32_t length = 0; length < 256; length++) {
        struct acpi_interrupt found;
        table_start(state);
        add_io_apic(0xFEC00000, 0);
        add_entry(0x80, 8)[1] = (uint8_t)length;
        add_override(4, 20, 0x0F);
        assert_int_equal(find_input(table, table_size, 4, &found), STATUS_OK);
        assert_int_equal(found.io_apic, 0xFEC00000);
        assert_int_equal(found.input, length == 8 ? 20 : 4);
        assert_int_equal(found.is_level, length == 8);
        table_start(state);
        add_entry(0x80, 8)[1] = (uint8_t)length;
        add_io_apic(0xFEC00000, 0);
        if (length == 8)
            assert_arrives(4, 0xFEC00000, 4, false, false);
        else
            assert_nowhere(4);
    }
}

/* Truncated at every byte: only complete entries count. */
static void test_truncated(void **state)
{
    (void)state;
    add_io_apic(0xFEC00000, 0);
    add_override(4, 20, 0x0F);
    add_io_apic(0xFEC10000, 16);
    for (size_t size = 0; size <= table_size; size++) {
        struct acpi_interrupt found = {0};
        enum status status          = find_input(table, size, 4, &found);
        size_t entries              = size < ENTRIES ? 0 : size - ENTRIES;
        assert_int_equal(status, entries >= IO_APIC_SIZE ? STATUS_OK : STATUS_NOT_FOUND);
        if (status != STATUS_OK)
            continue;
        assert_int_equal(found.is_level, entries >= IO_APIC_SIZE + OVERRIDE_SIZE);
        assert_int_equal(found.io_apic, size == table_size ? 0xFEC10000 : 0xFEC00000);
        assert_int_equal(found.input, size == table_size ? 4 : found.is_level ? 20 : 4);
    }
}

/* Lists the I/O APICs of a copy of exact size, for AddressSanitizer. */
static struct acpi_listing list_io_apics(size_t size, uint64_t *addresses,
                                         size_t capacity)
{
    uint8_t *copy = malloc(size);
    memcpy(copy, table, size);
    const struct acpi_view view = {.bytes = copy, .length = size};
    struct acpi_listing found   = acpi_list_io_apics(&view, addresses, capacity);
    free(copy);
    return found;
}

/* Registers are 16 bytes apart: an address between them is no I/O APIC's. */
static void test_misaligned(void **state)
{
    (void)state;
    uint64_t addresses[2] = {0};
    struct acpi_interrupt found;

    add_io_apic(0xFEC10001, 0);
    add_io_apic(0xFEC20008, 0);
    assert_int_equal(list_io_apics(table_size, addresses, 2).count, 0);
    assert_int_equal(find_input(table, table_size, 4, &found), STATUS_NOT_FOUND);
    add_io_apic(0xFEC00000, 0);
    assert_int_equal(list_io_apics(table_size, addresses, 2).count, 1);
    assert_int_equal(addresses[0], 0xFEC00000);
    assert_arrives(4, 0xFEC00000, 4, false, false);
}

/* All are listed in order, but none that is cut off or beyond the capacity. */
static void test_list(void **state)
{
    (void)state;
    uint64_t addresses[3] = {0};

    add_io_apic(0xFEC00000, 0);
    add_override(0, 2, 0);
    add_io_apic(0xFEC10000, 24);
    add_io_apic(0xFEC20000, 48);
    struct acpi_listing found = list_io_apics(table_size, addresses, 3);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.dropped, 0);
    assert_false(found.is_broken);
    assert_int_equal(addresses[0], 0xFEC00000);
    assert_int_equal(addresses[2], 0xFEC20000);
    addresses[2] = 0;
    found        = list_io_apics(table_size, addresses, 2);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.dropped, 1);
    assert_int_equal(addresses[2], 0);
    found = list_io_apics(table_size - 1, addresses, 3);
    assert_int_equal(found.count, 2);
    assert_true(found.is_broken);
}

static void test_random(void **state)
{
    for (int round = 0; round < 20000; round++) {
        struct acpi_interrupt found;
        table_start(state);
        add_io_apic(0xFEC00000, 0);
        add_override((uint8_t)random_below(16), (uint32_t)random_below(48), 0x0F);
        add_io_apic(0xFEC10000, 24);
        for (uint64_t changes = random_below(4); changes > 0; changes--)
            table[ENTRIES + random_below(table_size - ENTRIES)] =
                (uint8_t)random_number();
        enum status status = find_input(table, random_below(table_size + 1),
                                        (uint8_t)random_number(), &found);
        assert_true(status == STATUS_OK || status == STATUS_NOT_FOUND);
        if (status == STATUS_OK)
            assert_true(found.io_apic <= UINT32_MAX);
        uint64_t addresses[2];
        assert_true(list_io_apics(table_size, addresses, 2).count <= 2);
    }
}

/* Global system interrupts above ISA's: no overrides; level-triggered, active low. */
static void test_global(void **state)
{
    (void)state;
    add_io_apic(0xFEC00000, 0);
    add_io_apic(0xFEC01000, 24);
    add_override(16, 2, 0);
    assert_arrives(15, 0xFEC00000, 15, false, false);
    assert_arrives(16, 0xFEC00000, 16, true, true);
    assert_arrives(39, 0xFEC01000, 15, true, true);
    assert_arrives(0x1000027, 0xFEC01000, 0x100000F, true, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, table_start, memory_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fixture),        TEST(test_misaligned),   TEST(test_flags),
        TEST(test_others),         TEST(test_two_io_apics), TEST(test_no_io_apic),
        TEST(test_broken_lengths), TEST(test_truncated),    TEST(test_list),
        TEST(test_random),         TEST(test_global),
    };
    return cmocka_run_group_tests_name("acpi interrupt", tests, NULL, NULL);
}
