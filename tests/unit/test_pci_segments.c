/*
 * src/firmware/acpi_mcfg.c and src/platform/pci_segments.c: valid, malformed and hostile
 * tables. PCI Firmware Specification 3.3, "MCFG Table Description".
 */
#include "pci.h"

#include "acpi.h"

static void *read_gs_pointer(void)
{
    return NULL;
}

#include "../../src/platform/pci_segments.c"

#define ENTRIES    44 /* their offset */
#define RAM        UINT64_C(0x100000000)
#define UNMAPPABLE UINT64_C(0x200000000)

static uint8_t table[ENTRIES + 16 * 300];
static size_t table_size;
static size_t map_count;
static uint64_t mapped[2]; /* the last range: address and size */

volatile void *address_space_map_device(uint64_t physical, uint64_t size)
{
    assert_true(size >= PCI_ECAM_BUS_SIZE && size <= PCI_BUSES * PCI_ECAM_BUS_SIZE);
    assert_true(physical <= UINT64_MAX - size);
    map_count++;
    mapped[0] = physical;
    mapped[1] = size;
    return physical == UNMAPPABLE ? NULL : memory_space;
}

/* All is reserved from 16 MiB on, except RAM, and memory of which nothing is known. */
#define UNKNOWN UINT64_C(0x90000000)
const struct memory_map *memory_get_map(void)
{
    static struct memory_map map;

    memory_map_init(&map, UINT64_C(1) << 52);
    memory_map_add(&map, 0x1000000, UNKNOWN - 0x1000000, MEMORY_RESERVED);
    memory_map_add(&map, UNKNOWN + 0x100000, RAM - UNKNOWN - 0x100000, MEMORY_RESERVED);
    memory_map_add(&map, RAM, UINT64_C(1) << 30, MEMORY_USABLE);
    memory_map_add(&map, RAM + (UINT64_C(1) << 30), UINT64_C(1) << 50, MEMORY_RESERVED);
    return &map;
}

static int start(void **state)
{
    memory_clear(state);
    memset(table, 0, sizeof(table));
    memcpy(table, "MCFG", 4);
    table_size = ENTRIES;
    map_count  = 0;
    return start_pci(state);
}

static int end(void **state)
{
    return memory_clear(state);
}

static void add_entry(const struct acpi_pci_buses *buses)
{
    uint8_t *entry = table + table_size;

    assert_true(table_size + 16 <= sizeof(table));
    write_u64(entry, buses->address);
    memcpy(entry + 8, &buses->segment, 2);
    entry[10] = buses->first;
    entry[11] = buses->last;
    table_size += 16;
}

/* Finds the segments of the table. */
static void find_segments(void)
{
    const uint64_t entries[] = {MADT};
    uint8_t *copy            = memory_put(MADT, table, table_size);

    write_u32(copy + 4, (uint32_t)table_size);
    fix_checksum(copy, table_size, 9);
    struct acpi acpi = open_all(entries, 1);
    pci_segments_find(&acpi);
}

/* A table compiled by iasl: segment 0 is left to the ports. */
static void test_fixture(void **state)
{
    (void)state;
    const uint64_t entries[] = {MADT};

    memory_put_file(MADT, "mcfg.aml");
    struct acpi acpi = open_all(entries, 1);
    pci_segments_find(&acpi);
    assert_nothing_logged();
    assert_int_equal(range_count, 2);
    assert_int_equal(ranges[0].segment, 1);
    assert_int_equal(ranges[0].address, 0xD0000000);
    assert_int_equal(ranges[0].last, 0x3F);
    assert_int_equal(ranges[1].first, 0x80);
    assert_int_equal(mapped[0], UINT64_C(0x38008000000)); /* of the first bus */
    assert_int_equal(mapped[1], 0x8000000);
}

static void test_none(void **state)
{
    (void)state;
    const uint64_t entries[] = {MADT};

    pci_segments_find(NULL);
    memory_put_file(MADT, "madt.aml");
    struct acpi acpi = open_all(entries, 1);
    pci_segments_find(&acpi);
    assert_nothing_logged();
    assert_int_equal(range_count, 0);
}

/* The function of a segment is reached through the table. */
static void test_functions(void **state)
{
    (void)state;
    memset(memory_space, 0xFF, sizeof(memory_space));
    add_memory_function(1, 31, 7, 0x020000, 0, 0);
    const struct acpi_pci_buses buses = {0xE0000000, 1, 0, 1};
    const uint64_t page               = PCI_ECAM_BUS_SIZE;

    add_entry(&buses);
    find_segments();
    assert_int_equal(range_count, 1);
    ranges[0].address = (uintptr_t)memory_space; /* where the test has the memory */
    assert_int_equal(mapped[1], 2 * page);
    assert_int_equal(pci_read32((struct pci_address){1, 1, 31, 7}, 0), 0x100E8086);
    assert_int_equal(pci_read32((struct pci_address){1, 0, 31, 7}, 0), UINT32_MAX);
}

/* Each is named with its values, and does not hide the one after it. */
static void test_invalid(void **state)
{
    static const struct {
        struct acpi_pci_buses buses;
        bool is_mapped;
        const char *warning;
    } rows[] = {
        {{0xE0000000, 2, 1, 0},
         false,
         "segment 2, buses 1 to 0 at 0xe0000000 in the ACPI table MCFG: invalid; "},
        {{0xE0001000, 2, 0, 0}, false, "at 0xe0001000 in the ACPI table MCFG: invalid; "},
        {{UINT64_MAX - 0xFFFFF, 2, 0, 0}, false, "MCFG: invalid; "},
        {{UINT64_C(0xFFFFFFFFF0000000), 2, 1, 255}, false, "MCFG: invalid; "},
        {{RAM, 2, 0, 255}, false, "MCFG: not reserved for it in the memory map; "},
        {{RAM - 0x100000, 2, 0, 1}, false, "MCFG: not reserved for it"},
        {{UNKNOWN - 0x100000, 2, 0, 1}, false, "MCFG: not reserved for it"},
        {{UNKNOWN, 2, 0, 1}, false, "MCFG: not reserved for it"},
        {{0xFEC00000, 2, 0, 0}, false, "MCFG: not reserved for it"},
        {{0xFEB00000, 2, 0, 1}, false, "MCFG: not reserved for it"},
        {{0xFEE00000, 2, 0, 0}, false, "MCFG: not reserved for it"},
        {{UNMAPPABLE, 2, 0, 255}, true, "MCFG: not mappable; "},
    };
    static const struct acpi_pci_buses good = {0xE0000000, 9, 0, 255};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        start(state);
        add_entry(&rows[i].buses);
        add_entry(&good);
        find_segments();
        assert_logged(rows[i].warning);
        assert_int_equal(range_count, 1);
        assert_int_equal(ranges[0].segment, 9);
        assert_int_equal(map_count, rows[i].is_mapped ? 2 : 1);
    }
}

/* Truncated at any byte after its header. */
static void test_cut(void **state)
{
    static const struct acpi_pci_buses buses = {0xE0000000, 1, 0, 255};

    for (size_t size = sizeof(struct acpi_table); size <= ENTRIES + 32; size++) {
        start(state);
        add_entry(&buses);
        add_entry(&buses);
        table_size = size;
        find_segments();
        assert_int_equal(range_count, size < ENTRIES ? 0 : (size - ENTRIES) / 16);
        if (size < ENTRIES || (size - ENTRIES) % 16 != 0)
            assert_logged("warning: ACPI: MCFG has a malformed entry");
        else
            assert_nothing_logged();
    }
}

/* No more ranges than there is room for, and a limited number of warnings. */
static void test_many(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 300; i++)
        add_entry(&(struct acpi_pci_buses){0xE0000000, 1, 0, 255});
    find_segments();
    assert_int_equal(range_count, PCI_RANGES_MAX);
    assert_int_equal(map_count, 128);
    assert_logged("MCFG: too many; bus masters there may write to memory\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fixture), TEST(test_none), TEST(test_functions),
        TEST(test_invalid), TEST(test_cut),  TEST(test_many),
    };
    return cmocka_run_group_tests_name("pci segments", tests, NULL, NULL);
}
