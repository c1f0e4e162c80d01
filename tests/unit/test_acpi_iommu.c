/*
 * src/firmware/acpi_iommu.c: addresses of the units of VT-d and AMD-Vi, in valid and
 * malformed tables. Intel VT-d, "DMA Remapping Reporting Structure"; AMD's IOMMU
 * specification, "I/O Virtualization Reporting Structure (IVRS)".
 */
#include "acpi.h"

#include "firmware/acpi.h"
#include "random.h"

#define ENTRIES 48 /* their offset */

static uint8_t table[512];
static size_t table_size;
static uint64_t addresses[4];

static int table_start(void **state)
{
    memset(table, 0, sizeof(table));
    memcpy(table, "DMAR", 4);
    table_size = ENTRIES;
    return start_log(state);
}

static uint8_t *add_entry(uint16_t type, uint16_t length)
{
    uint8_t *entry = table + table_size;
    assert_true(table_size + length <= sizeof(table));
    memcpy(entry, &type, sizeof(type));
    memcpy(entry + 2, &length, sizeof(length));
    table_size += length;
    return entry;
}

static void add_unit(uint64_t address)
{
    write_u64(add_entry(0, 16) + 8, address);
}

/* Lists the units of a copy of exact size, for AddressSanitizer. */
static struct acpi_listing list_units(size_t size, size_t capacity)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, table, size);
    const struct acpi_view view = {.bytes = copy, .length = size};
    memset(addresses, 0, sizeof(addresses));
    struct acpi_listing units = acpi_list_units(&view, addresses, capacity);
    free(copy);
    return units;
}

/* Tables compiled by iasl, with structures of other types between two units. */
static void test_fixtures(void **state)
{
    (void)state;
    static const struct {
        const char *file, *signature;
        uint64_t addresses[2];
    } cases[] = {
        {"dmar.aml", "DMAR", {0xFED90000, 0x1FFED91000}},
        {"ivrs.aml", "IVRS", {0xFD200000, 0x1FFD300000}},
    };
    const uint64_t entries[] = {MADT};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct acpi_view view;
        memory_clear(state);
        memory_put_file(MADT, cases[i].file);
        struct acpi acpi = open_all(entries, 1);
        assert_int_equal(acpi_find(&acpi, cases[i].signature, &view), STATUS_OK);
        struct acpi_listing units =
            acpi_list_units(&view, addresses, ARRAY_SIZE(addresses));
        assert_int_equal(units.count, 2);
        assert_int_equal(addresses[0], cases[i].addresses[0]);
        assert_int_equal(addresses[1], cases[i].addresses[1]);
        assert_false(units.is_broken);
        assert_int_equal(units.dropped, 0);
    }
}

/* A unit of AMD-Vi is listed once, though up to three entries describe it. */
static void test_once(void **state)
{
    (void)state;
    memcpy(table, "IVRS", 4);
    static const struct {
        uint16_t type, length;
        uint64_t address;
    } entries[] = {
        {0xB010, 24, 0xFD200000}, {0xB010, 32, 0xFD300000}, {0x0021, 32, 0xFD400000},
        {0xFE11, 44, 0xFD200000}, {0x0040, 40, 0xFD300000}, {0xFF40, 48, 0xFD500000},
        {0x0000, 16, 0xFD600000}, {0x0012, 40, 0xFD700000},
    };
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
        write_u64(add_entry(entries[i].type, entries[i].length) + 8, entries[i].address);
    struct acpi_listing units = list_units(table_size, ARRAY_SIZE(addresses));
    assert_false(units.is_broken);
    assert_int_equal(units.count, 3);
    assert_int_equal(addresses[0], 0xFD200000);
    assert_int_equal(addresses[1], 0xFD300000);
    assert_int_equal(addresses[2], 0xFD500000);
    assert_int_equal(units.dropped, 0);
    units = list_units(table_size, 1); /* dropped entries are not compared */
    assert_int_equal(units.count, 1);
    assert_int_equal(units.dropped, 3);
    units = list_units(table_size, 0);
    assert_int_equal(units.dropped, 5);
    memcpy(table, "XVRS", 4);
    units = list_units(table_size, ARRAY_SIZE(addresses));
    assert_int_equal(units.count, 0);
}

/* Entries of AMD-Vi's units are malformed if they end before the list of devices. */
static void test_short(void **state)
{
    static const struct {
        uint8_t type, least;
    } types[] = {{0x10, 24}, {0x11, 40}, {0x40, 40}, {0x20, 4}};

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        for (uint16_t length = 0; length < 64; length++) {
            table_start(state);
            memcpy(table, "IVRS", 4);
            memcpy(add_entry(types[i].type, 56) + 2, &length, sizeof(length));
            struct acpi_listing units = list_units(table_size, ARRAY_SIZE(addresses));
            bool fits                 = length >= types[i].least && length <= 56;
            assert_int_equal(units.count, fits && types[i].type != 0x20);
            if (!fits || length == 56)
                assert_int_equal(units.is_broken, !fits);
        }
    }
}

static void test_no_room(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 6; i++)
        add_unit(i << 12);
    struct acpi_listing units = list_units(table_size, ARRAY_SIZE(addresses));
    assert_int_equal(units.count, 4);
    assert_int_equal(units.dropped, 2);
    assert_int_equal(addresses[3], 0x3000);
    units = list_units(table_size, 0);
    assert_int_equal(units.count, 0);
    assert_int_equal(units.dropped, 6);
}

/* Truncated at any byte: entries that end before it count. */
static void test_cut(void **state)
{
    (void)state;
    add_unit(0x1000);
    add_unit(0x2000);
    for (size_t size = 0; size <= table_size; size++) {
        struct acpi_listing units = list_units(size, ARRAY_SIZE(addresses));
        assert_int_equal(units.count, size < ENTRIES ? 0 : (size - ENTRIES) / 16);
        assert_int_equal(units.is_broken, size < ENTRIES || (size - ENTRIES) % 16 != 0);
    }
}

/* Entries after a malformed one are not read. */
static void test_broken_lengths(void **state)
{
    for (uint16_t length = 0; length < 600; length++) {
        for (uint16_t type = 0; type < 2; type++) {
            table_start(state);
            memcpy(add_entry(type, 24) + 2, &length, sizeof(length));
            add_unit(0x5000);
            struct acpi_listing units = list_units(table_size, ARRAY_SIZE(addresses));
            if (length == 24) {
                assert_int_equal(units.count, type == 0 ? 2 : 1);
                assert_int_equal(addresses[units.count - 1], 0x5000);
            }
            if (length < (type == 0 ? 16 : 4) || length > 40) {
                assert_int_equal(units.count, 0);
                assert_true(units.is_broken);
            }
        }
    }
}

/* Firmware's word against x2APIC mode, which only interrupt remapping makes valid. */
static void test_x2apic(void **state)
{
    (void)state;
    for (unsigned int flags = 0; flags < 256; flags++) {
        uint8_t dmar[48]      = "DMAR";
        struct acpi_view view = {dmar, sizeof(dmar)};
        dmar[37]              = (uint8_t)flags;
        assert_int_equal(acpi_opts_out_of_x2apic(&view), (flags & 3) == 3);
        view.length = 37;
        assert_false(acpi_opts_out_of_x2apic(&view));
    }
}

static void test_random(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        table_start(state);
        if (random_below(2) == 0)
            memcpy(table, "IVRS", 4);
        for (size_t i = ENTRIES; i < 128; i++)
            table[i] = random_below(4) != 0 ? 0 : (uint8_t)random_number();
        struct acpi_listing units = list_units(128, ARRAY_SIZE(addresses));
        assert_true(units.count <= ARRAY_SIZE(addresses));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),
        cmocka_unit_test_setup(test_once, table_start),
        cmocka_unit_test_setup(test_short, table_start),
        cmocka_unit_test_setup(test_no_room, table_start),
        cmocka_unit_test_setup(test_cut, table_start),
        cmocka_unit_test_setup(test_broken_lengths, table_start),
        cmocka_unit_test_setup(test_random, table_start),
        cmocka_unit_test(test_x2apic),
    };
    return cmocka_run_group_tests_name("acpi_iommu", tests, NULL, NULL);
}
