/* src/firmware/acpi.c and acpi_madt.c, on valid and malformed tables. */
#include "acpi.h"

#include "firmware/acpi.h"

static void test_open_xsdt(void **state)
{
    (void)state;
    const uint64_t entries[] = {FADT, MADT};
    struct acpi_view table;
    memory_put_file(MADT, "madt.aml");
    memory_put_file(FADT, "fadt.aml");
    struct acpi acpi = open_all(entries, 2);
    assert_int_equal(acpi_find(&acpi, "APIC", &table), STATUS_OK);
    assert_memory_equal(table.bytes, "APIC", 4);
    assert_int_equal(acpi_find(&acpi, "HPET", &table), STATUS_NOT_FOUND);
    acpi_log_faults(&acpi);
    assert_nothing_logged();
}

static void test_open_rsdt(void **state)
{
    (void)state;
    const uint64_t entries[] = {MADT};
    struct acpi_view table;
    struct acpi acpi;
    memory_put_file(MADT, "madt.aml");
    make_root(RSDT, "RSDT", 4, entries, 1);

    make_rsdp(0, RSDT, 0xBAD);
    assert_int_equal(acpi_open(rsdp, 20, memory_map_piece, &acpi), STATUS_OK);
    assert_int_equal(acpi_find(&acpi, "APIC", &table), STATUS_OK);
    /* A newer RSDP that is truncated, or whose XSDT is absent, falls back to the RSDT. */
    make_rsdp(2, RSDT, 0x99999000);
    assert_int_equal(acpi_open(rsdp, 36, memory_map_piece, &acpi), STATUS_OK);
    assert_int_equal(acpi.entry[0].address, RSDT);
    assert_int_equal(acpi_open(rsdp, 30, memory_map_piece, &acpi), STATUS_OK);
    rsdp[33] ^= 1; /* wrong extended checksum, correct first one */
    assert_int_equal(acpi_open(rsdp, 36, memory_map_piece, &acpi), STATUS_OK);
    assert_int_equal(acpi.entry[0].address, RSDT);
}

static void test_broken_rsdp(void **state)
{
    (void)state;
    struct acpi acpi;
    make_root(RSDT, "RSDT", 4, NULL, 0);
    make_rsdp(0, RSDT, 0);
    for (size_t size = 0; size < 20; size++)
        assert_int_equal(acpi_open(rsdp, size, memory_map_piece, &acpi),
                         STATUS_MALFORMED);
    rsdp[0] = 'X';
    fix_checksum(rsdp, 20, 8);
    assert_int_equal(acpi_open(rsdp, 36, memory_map_piece, &acpi), STATUS_MALFORMED);
    make_rsdp(2, 0, 0);
    assert_int_equal(acpi_open(rsdp, 36, memory_map_piece, &acpi), STATUS_MALFORMED);
    make_rsdp(2, MADT, MADT); /* a table that is not a root */
    memory_put_file(MADT, "madt.aml");
    assert_int_equal(acpi_open(rsdp, 36, memory_map_piece, &acpi), STATUS_MALFORMED);
    assert_int_equal(acpi.count, 0);
}

static void test_broken_tables(void **state)
{
    (void)state;
    const uint64_t entries[] = {0, UINT64_MAX, 0xFFFFFFFFFFFFFFF0, 0x3000, MADT};
    struct acpi_view table;
    memory_put(0x3000, "APIC", 4); /* ends inside the header */
    uint8_t *madt    = memory_put_file(MADT, "madt.aml");
    struct acpi acpi = open_all(entries, 5);
    assert_int_equal(acpi_find(&acpi, "APIC", &table), STATUS_OK);
    size_t length = table.length;

    /* The last one ends beyond the end of memory. */
    static const uint32_t lengths[] = {0, 35, ACPI_MAX_TABLE_SIZE + 1, UINT32_MAX, 5000};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        start_log(NULL);
        write_u32(madt + 4, lengths[i]);
        acpi = open_now();
        assert_int_equal(acpi_find(&acpi, "APIC", &table), STATUS_NOT_FOUND);
        acpi_log_faults(&acpi);
        assert_logged("warning: ACPI table APIC at 0x4000, ");
        assert_logged(" bytes: unreadable; ignored; update the firmware\n");
    }
    /* A length is read once; overwriting it later has no effect. */
    write_u32(madt + 4, (uint32_t)length);
    acpi = open_now();
    write_u32(madt + 4, UINT32_MAX);
    fix_checksum(madt, length, 9);
    assert_int_equal(acpi_find(&acpi, "APIC", &table), STATUS_OK);
    assert_int_equal(table.length, length);
}

/* A wrong checksum anywhere is named, and changes nothing else. */
static void test_wrong_checksums(void **state)
{
    (void)state;
    const uint64_t entries[] = {FADT, MADT};
    struct acpi_view table;
    memory_put_file(MADT, "madt.aml")[20] ^= 1;
    memory_put_file(FADT, "fadt.aml");
    struct acpi acpi = open_all(entries, 2);
    assert_int_equal(acpi_find(&acpi, "APIC", &table), STATUS_OK);
    assert_int_equal(acpi_find(&acpi, "APIC", &table), STATUS_OK);
    assert_nothing_logged();
    acpi_log_faults(&acpi);
    char line[128];
    snprintf(
        line, sizeof(line),
        "warning: ACPI table APIC at 0x4000, %zu bytes: wrong checksum; used; update the "
        "firmware\n",
        table.length);
    assert_string_equal(captured_log, line);

    start_log(NULL);
    rsdp[9] ^= 1;
    acpi = open_now();
    assert_int_equal(acpi.entry[0].address, XSDT);
    acpi_log_faults(&acpi);
    assert_logged(
        "warning: ACPI: wrong checksum of the RSDP; used; update the firmware\n");
    start_log(NULL);
    make_rsdp(2, RSDT, XSDT);
    rsdp[33] ^= 1; /* only the extended checksum covers it */
    acpi = open_now();
    assert_int_equal(acpi.entry[0].address, XSDT);
    acpi_log_faults(&acpi);
    assert_logged("warning: ACPI: wrong checksum of the RSDP");
}

/* A root table with a wrong checksum is used if it points to a table. */
static void test_wrong_root_checksum(void **state)
{
    (void)state;
    const uint64_t entries[] = {MADT}, nowhere[] = {0xBAD000};
    struct acpi_view table;
    memory_put_file(MADT, "madt.aml");
    make_rsdp(2, RSDT, XSDT);
    make_root(RSDT, "RSDT", 4, entries, 1)[20] ^= 1;
    make_root(XSDT, "XSDT", 8, entries, 1)[20] ^= 1;
    struct acpi acpi = open_now();
    assert_int_equal(acpi.entry[0].address, XSDT);
    assert_int_equal(acpi_find(&acpi, "APIC", &table), STATUS_OK);
    acpi_log_faults(&acpi);
    assert_logged("warning: ACPI table XSDT at 0x2000, 44 bytes: wrong checksum; used;");

    memory_clear(NULL);
    memory_put_file(MADT, "madt.aml");
    make_root(RSDT, "RSDT", 4, entries, 1)[20] ^= 1;
    make_root(XSDT, "XSDT", 8, nowhere, 1)[20] ^= 1;
    acpi = open_now();
    assert_int_equal(acpi.entry[0].address, RSDT);
    assert_int_equal(acpi_find(&acpi, "APIC", &table), STATUS_OK);
}

/* As many tables as there are slots, including the root; the next one is dropped. */
static void test_too_many_tables(void **state)
{
    (void)state;
    enum { FIRST = 0x100000 };
    static uint64_t entries[ACPI_MAX_TABLES];
    struct acpi_view table;
    uint8_t *bytes = memory_put(FIRST, NULL, 36 * ACPI_MAX_TABLES);
    for (size_t i = 0; i < ACPI_MAX_TABLES; i++) {
        entries[i] = FIRST + 36 * i;
        memcpy(bytes + 36 * i, "TEST", 4);
        write_u32(bytes + 36 * i + 4, 36);
        fix_checksum(bytes + 36 * i, 36, 9);
    }
    memcpy(bytes + 36 * (ACPI_MAX_TABLES - 2), "FITS", 4);
    fix_checksum(bytes + 36 * (ACPI_MAX_TABLES - 2), 36, 9);
    memcpy(bytes + 36 * (ACPI_MAX_TABLES - 1), "MORE", 4);
    fix_checksum(bytes + 36 * (ACPI_MAX_TABLES - 1), 36, 9);
    struct acpi acpi = open_all(entries, ACPI_MAX_TABLES);
    assert_int_equal(acpi.count, ACPI_MAX_TABLES);
    assert_int_equal(acpi_find(&acpi, "FITS", &table), STATUS_OK);
    assert_int_equal(acpi_find(&acpi, "MORE", &table), STATUS_NOT_FOUND);
}

/* Tables that reference each other, or one table twice, are each visited once. */
static void test_loops(void **state)
{
    (void)state;
    const uint64_t entries[] = {MADT, XSDT, MADT, FADT, FADT};
    memory_put_file(MADT, "madt.aml");
    uint8_t *fadt = memory_put_file(FADT, "fadt.aml");
    write_u64(fadt + 140, FADT); /* points to itself as its DSDT */
    struct acpi acpi = open_all(entries, 5);
    assert_int_equal(acpi.count, 3);
}

static void test_scan_low_memory(void **state)
{
    (void)state;
    uint8_t found[36];
    size_t size = 0;
    assert_int_equal(acpi_scan_low_memory(memory_map_piece, found, &size),
                     STATUS_NOT_FOUND);
    uint8_t *rom = memory_put(0xE0000, NULL, 0x20000);
    assert_int_equal(acpi_scan_low_memory(memory_map_piece, found, &size),
                     STATUS_NOT_FOUND);
    make_rsdp(2, RSDT, XSDT);
    memcpy(rom + 0x8000, rsdp, 36);
    rom[0x8009] ^= 1;                /* a wrong checksum: not an RSDP */
    memcpy(rom + 0x1FFF8, rsdp, 8);  /* the signature alone, at the very end */
    memcpy(rom + 0x10008, rsdp, 36); /* not on a boundary of 16 bytes */
    assert_int_equal(acpi_scan_low_memory(memory_map_piece, found, &size),
                     STATUS_NOT_FOUND);
    memcpy(rom + 0x1FFD0, rsdp, 36);
    assert_int_equal(acpi_scan_low_memory(memory_map_piece, found, &size), STATUS_OK);
    assert_int_equal(size, 36);
    assert_memory_equal(found, rsdp, 36);
    make_rsdp(0, RSDT, 0);
    uint8_t *ebda = memory_put(0x80000, NULL, 0x20000);
    memcpy(ebda + 0x1FC00, rsdp, 36);
    assert_int_equal(acpi_scan_low_memory(memory_map_piece, found, &size), STATUS_OK);
    assert_int_equal(size, 20);
}

/* Lists the CPUs of a table whose length is valid. */
static struct acpi_listing list_cpus(const uint8_t *madt, uint32_t *ids, size_t capacity)
{
    uint32_t length;
    memcpy(&length, madt + 4, sizeof(length));
    struct acpi_view view = {.bytes = madt, .length = length};
    return acpi_list_cpus(&view, ids, capacity);
}

static void test_cpus(void **state)
{
    (void)state;
    uint32_t ids[8];
    const uint8_t *madt      = memory_put_file(MADT, "madt.aml");
    struct acpi_listing cpus = list_cpus(madt, ids, 8);
    assert_int_equal(cpus.count, 3);
    assert_int_equal(ids[0], 0);
    assert_int_equal(ids[1], 2);
    assert_int_equal(ids[2], 300);
    assert_int_equal(cpus.dropped, 0);
    assert_false(cpus.is_broken);

    cpus = list_cpus(madt, ids, 2);
    assert_int_equal(cpus.count, 2);
    assert_int_equal(cpus.dropped, 1);
    cpus = list_cpus(madt, ids, 0);
    assert_int_equal(cpus.count, 0);
    assert_int_equal(cpus.dropped, 4); /* IDs are recognized only if they were kept */
}

/* Every length of an entry, and the table truncated at every byte. */
static void test_broken_madt(void **state)
{
    (void)state;
    uint32_t ids[8];
    uint8_t *madt = memory_put_file(MADT, "madt.aml");
    uint32_t size;
    memcpy(&size, madt + 4, 4);
    for (int length = 0; length < 256; length++) {
        madt[53]                 = (uint8_t)length; /* of the second entry */
        struct acpi_listing cpus = list_cpus(madt, ids, 8);
        assert_true(cpus.count >= 1 && cpus.count <= 5);
        assert_int_equal(cpus.is_broken,
                         length < 2 || (uint32_t)length > size - 52 || cpus.is_broken);
    }
    madt[53]                 = 0;
    struct acpi_listing cpus = list_cpus(madt, ids, 8);
    assert_true(cpus.is_broken);
    assert_int_equal(cpus.count, 1);
    madt[53] = 8;
    for (uint32_t length = 36; length < size; length++) {
        uint8_t *cut = malloc(length);
        memcpy(cut, madt, length);
        write_u32(cut + 4, length);
        cpus = list_cpus(cut, ids, 8);
        assert_true(cpus.count <= 3);
        free(cut);
    }
}

static uint64_t visited[16];
static size_t visited_count;

static void note_table(uint64_t address, uint64_t size)
{
    assert_true(size >= 36);
    visited[visited_count++] = address;
}

static void test_visit(void **state)
{
    (void)state;
    const uint64_t entries[] = {FADT, 0, 0xBAD000, MADT};
    memory_put_file(MADT, "madt.aml")[20] ^= 1; /* visited even if malformed */
    memory_put_file(FADT, "fadt.aml");
    memory_put_file(DSDT, "dsdt.aml");
    struct acpi acpi = open_all(entries, 4);
    visited_count    = 0;
    acpi_visit(&acpi, note_table);
    assert_int_equal(visited_count, 4);
    assert_int_equal(visited[0], XSDT);
    assert_int_equal(visited[1], FADT);
    assert_int_equal(visited[2], DSDT);
    assert_int_equal(visited[3], MADT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_log, memory_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_open_xsdt),       TEST(test_open_rsdt),
        TEST(test_broken_rsdp),     TEST(test_broken_tables),
        TEST(test_wrong_checksums), TEST(test_wrong_root_checksum),
        TEST(test_too_many_tables), TEST(test_loops),
        TEST(test_scan_low_memory), TEST(test_cpus),
        TEST(test_broken_madt),     TEST(test_visit),
    };
    return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
