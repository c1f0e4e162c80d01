/* src/firmware/smbios.c and efi.c. */
#include "memory.h"

#include "firmware/efi.h"
#include "firmware/smbios.h"

#define TABLE 0x70000

static const uint8_t structures[] = {
    /* type 0, firmware: vendor is string 1, version string 2 */
    0,
    18,
    0,
    0,
    1,
    2,
    0,
    0,
    3,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    'S',
    'e',
    'a',
    'B',
    'I',
    'O',
    'S',
    0,
    ' ',
    '1',
    '.',
    '1',
    '6',
    ' ',
    0,
    '0',
    '4',
    '/',
    '0',
    '1',
    0,
    0,
    /* type 32, with no strings */
    32,
    11,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    /* type 1, system: manufacturer is string 2, product string 1 */
    1,
    27,
    2,
    0,
    2,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    'T',
    '4',
    '8',
    '0',
    0x7F,
    0,
    'L',
    'E',
    'N',
    'O',
    'V',
    'O',
    0,
    0,
    /* type 127, the end */
    127,
    4,
    3,
    0,
    0,
    0,
};

static void put_entry_64(uint64_t address, uint32_t size, uint64_t table)
{
    uint8_t entry[32] = "_SM3_";
    entry[6]          = 24;
    memcpy(entry + 12, &size, 4);
    memcpy(entry + 16, &table, 8);
    fix_checksum(entry, 24, 5);
    memory_put(address, entry, 32);
}

static void make_entry_32(uint8_t entry[32], uint16_t size, uint32_t table)
{
    memset(entry, 0, 32);
    memcpy(entry, "_SM_", 4);
    entry[5] = 31;
    memcpy(entry + 16, "_DMI_", 5);
    memcpy(entry + 22, &size, 2);
    memcpy(entry + 24, &table, 4);
    fix_checksum(entry, 31, 4);
}

static void assert_lenovo(const struct smbios *smbios)
{
    assert_string_equal(smbios->firmware_vendor, "SeaBIOS");
    assert_string_equal(smbios->firmware_version, "1.16");
    assert_string_equal(smbios->manufacturer, "LENOVO");
    assert_string_equal(smbios->product, "T480?");
}

static void test_entry_points(void **state)
{
    (void)state;
    struct smbios smbios;
    uint8_t entry[32];
    memory_put(TABLE, structures, sizeof(structures));
    put_entry_64(0x60000, sizeof(structures), TABLE);
    assert_int_equal(smbios_read(0x60000, memory_map_piece, &smbios), STATUS_OK);
    assert_lenovo(&smbios);
    make_entry_32(entry, sizeof(structures), TABLE);
    memory_put(0x61000, entry, 32);
    assert_int_equal(smbios_read(0x61000, memory_map_piece, &smbios), STATUS_OK);
    assert_lenovo(&smbios);
}

static void test_low_memory(void **state)
{
    (void)state;
    struct smbios smbios;
    assert_int_equal(smbios_scan_low_memory(memory_map_piece, &smbios), STATUS_NOT_FOUND);
    uint8_t *rom = memory_put(0xF0000, NULL, 0x10000);
    memory_put(TABLE, structures, sizeof(structures));
    assert_int_equal(smbios_scan_low_memory(memory_map_piece, &smbios), STATUS_NOT_FOUND);
    make_entry_32(rom + 0xFFE0, sizeof(structures), TABLE);
    memcpy(rom + 0x100, "_SM_", 4); /* an anchor without the rest */
    memcpy(rom + 0xFFD0, "_SM3_", 5);
    make_entry_32(rom + 0x200, 10, 0xBAD000); /* one with an invalid address */
    assert_int_equal(smbios_scan_low_memory(memory_map_piece, &smbios), STATUS_OK);
    assert_lenovo(&smbios);
}

static void test_broken_entry_points(void **state)
{
    (void)state;
    struct smbios smbios;
    uint8_t entry[32];
    memory_put(TABLE, structures, sizeof(structures));
    assert_int_equal(smbios_read(0x60000, memory_map_piece, &smbios), STATUS_MALFORMED);
    make_entry_32(entry, sizeof(structures), TABLE);
    entry[9] ^= 1;
    memory_put(0x60000, entry, 32);
    assert_int_equal(smbios_read(0x60000, memory_map_piece, &smbios), STATUS_MALFORMED);
    make_entry_32(entry, 0, TABLE);
    memory_put(0x61000, entry, 32);
    assert_int_equal(smbios_read(0x61000, memory_map_piece, &smbios), STATUS_MALFORMED);
    make_entry_32(entry, 60000, TABLE); /* longer than the memory at that address */
    memory_put(0x62000, entry, 32);
    assert_int_equal(smbios_read(0x62000, memory_map_piece, &smbios), STATUS_MALFORMED);
}

/* Structures truncated at each byte, and with each byte modified. */
static void test_broken_structures(void **state)
{
    (void)state;
    struct smbios smbios;
    for (uint32_t size = 1; size < sizeof(structures); size++) {
        memory_put(TABLE, structures, size);
        put_entry_64(0x60000, size, TABLE);
        assert_int_equal(smbios_read(0x60000, memory_map_piece, &smbios), STATUS_OK);
        memory_clear(NULL);
    }
    uint8_t *bytes = memory_put(TABLE, structures, sizeof(structures));
    put_entry_64(0x60000, sizeof(structures), TABLE);
    for (size_t at = 0; at < sizeof(structures); at++) {
        for (int value = 0; value < 256; value++) {
            bytes[at] = (uint8_t)value;
            assert_int_equal(smbios_read(0x60000, memory_map_piece, &smbios), STATUS_OK);
            assert_true(strlen(smbios.product) < SMBIOS_TEXT_SIZE);
        }
        bytes[at] = structures[at];
    }
}

static void test_long_string(void **state)
{
    (void)state;
    struct smbios smbios;
    uint8_t table[200] = {1, 8, 0, 0, 1, 1, 0, 0};
    memset(table + 8, 'x', 150);
    uint8_t *bytes = memory_put(TABLE, table, sizeof(table));
    put_entry_64(0x60000, sizeof(table), TABLE);
    assert_int_equal(smbios_read(0x60000, memory_map_piece, &smbios), STATUS_OK);
    assert_int_equal(strlen(smbios.product), SMBIOS_TEXT_SIZE - 1);
    assert_string_equal(smbios.product + SMBIOS_TEXT_SIZE - 5, "x...");
    memset(bytes + 8 + SMBIOS_TEXT_SIZE - 1, ' ', 50); /* the blanks do not count */
    memset(bytes + 8 + SMBIOS_TEXT_SIZE + 49, 0, 80);
    assert_int_equal(smbios_read(0x60000, memory_map_piece, &smbios), STATUS_OK);
    assert_int_equal(strlen(smbios.product), SMBIOS_TEXT_SIZE - 1);
    assert_string_equal(smbios.product + SMBIOS_TEXT_SIZE - 5, "xxxx");
}

/* ---- EFI */

#define SYSTEM        0x50000
#define CONFIGURATION 0x51000

static void put_system_table(uint64_t count, uint64_t entries)
{
    uint8_t system[120] = "IBI SYST";
    memcpy(system + 104, &count, 8);
    memcpy(system + 112, &entries, 8);
    memory_put(SYSTEM, system, sizeof(system));
}

static void put_configuration(uint8_t *at, const char *guid, uint64_t address)
{
    memcpy(at, guid, 16);
    memcpy(at + 16, &address, 8);
}

#define GUID_SMBIOS  "\x31\x2D\x9D\xEB\x88\x2D\xD3\x11\x9A\x16\x00\x90\x27\x3F\xC1\x4D"
#define GUID_SMBIOS3 "\x44\x15\xFD\xF2\x94\x97\x2C\x4A\x99\x2E\xE5\xBB\xCF\x20\xE3\x94"
#define GUID_ACPI2   "\x71\xE8\x68\x88\xF1\xE4\xD3\x11\xBC\x22\x00\x80\xC7\x3C\x88\x81"

static void test_efi(void **state)
{
    (void)state;
    struct efi_tables tables;
    uint8_t entries[24 * 3];
    put_configuration(entries, GUID_SMBIOS3, 0x111);
    put_configuration(entries + 24, GUID_SMBIOS, 0x222);
    put_configuration(entries + 48, GUID_ACPI2, 0x333);
    memory_put(CONFIGURATION, entries, sizeof(entries));
    put_system_table(3, CONFIGURATION);
    assert_int_equal(efi_find_tables(SYSTEM, false, memory_map_piece, &tables),
                     STATUS_OK);
    assert_int_equal(tables.smbios_64, 0x111);
    assert_int_equal(tables.smbios_32, 0x222);
    assert_int_equal(tables.rsdp, 0x333);
}

static void test_efi_old_smbios(void **state)
{
    (void)state;
    struct efi_tables tables;
    uint8_t entries[24];
    put_configuration(entries, GUID_SMBIOS, 0x222);
    memory_put(CONFIGURATION, entries, sizeof(entries));
    put_system_table(1, CONFIGURATION);
    assert_int_equal(efi_find_tables(SYSTEM, false, memory_map_piece, &tables),
                     STATUS_OK);
    assert_int_equal(tables.smbios_64, 0);
    assert_int_equal(tables.smbios_32, 0x222);
    assert_int_equal(tables.rsdp, 0);
}

/* 32-bit UEFI: pointers and counts of four bytes, and the signature alone no proof. */
static void test_efi_32(void **state)
{
    (void)state;
    struct efi_tables tables = {.rsdp = 42};
    uint8_t system[72]       = "IBI SYST";
    uint8_t entries[20 * 2];

    memcpy(system + 64, "\x02\0\0\0\0\x10\x05\0", 8); /* two, at CONFIGURATION */
    memcpy(entries, GUID_SMBIOS "\x22\x02\0\0", 20);
    memcpy(entries + 20, GUID_ACPI2 "\x14\xA0\x6F\xBF", 20);
    memory_put(SYSTEM, system, sizeof(system));
    memory_put(CONFIGURATION, entries, sizeof(entries));
    assert_int_equal(efi_find_tables(SYSTEM, false, memory_map_piece, &tables),
                     STATUS_MALFORMED);
    assert_int_equal(tables.rsdp, 42);
    assert_int_equal(efi_find_tables(SYSTEM, true, memory_map_piece, &tables), STATUS_OK);
    assert_int_equal(tables.smbios_64, 0);
    assert_int_equal(tables.smbios_32, 0x222);
    assert_int_equal(tables.rsdp, 0xBF6FA014);
    memory_clear(NULL);
    system[64] = 3; /* beyond the end of the entries */
    memory_put(SYSTEM, system, sizeof(system));
    memory_put(CONFIGURATION, entries, sizeof(entries));
    assert_int_equal(efi_find_tables(SYSTEM, true, memory_map_piece, &tables),
                     STATUS_MALFORMED);
    memory_clear(NULL);
    memory_put(SYSTEM, system, sizeof(system) - 1);
    assert_int_equal(efi_find_tables(SYSTEM, true, memory_map_piece, &tables),
                     STATUS_MALFORMED);
}

static void test_broken_efi(void **state)
{
    (void)state;
    struct efi_tables tables = {.rsdp = 42};
    assert_int_equal(efi_find_tables(SYSTEM, false, memory_map_piece, &tables),
                     STATUS_MALFORMED);
    static const struct {
        uint64_t count, entries;
    } broken[] = {
        {3, 0}, {3, UINT64_MAX}, {257, CONFIGURATION}, {UINT64_MAX / 24, CONFIGURATION}};
    for (size_t i = 0; i < 4; i++) {
        memory_clear(NULL);
        memory_put(CONFIGURATION, NULL, 24);
        put_system_table(broken[i].count, broken[i].entries);
        assert_int_equal(efi_find_tables(SYSTEM, false, memory_map_piece, &tables),
                         STATUS_MALFORMED);
    }
    memory_clear(NULL);
    memory_put(SYSTEM, NULL, 120);
    assert_int_equal(efi_find_tables(SYSTEM, false, memory_map_piece, &tables),
                     STATUS_MALFORMED);
    assert_int_equal(tables.rsdp, 42);
}

#define TEST(name) cmocka_unit_test_teardown(name, memory_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_entry_points),
        TEST(test_low_memory),
        TEST(test_broken_entry_points),
        TEST(test_broken_structures),
        TEST(test_long_string),
        TEST(test_efi),
        TEST(test_efi_old_smbios),
        TEST(test_broken_efi),
        TEST(test_efi_32),
    };
    return cmocka_run_group_tests_name("smbios", tests, NULL, NULL);
}
