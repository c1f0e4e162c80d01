/*
 * src/firmware/efi_boot.c: setting UEFI's next boot entry, on simulated firmware, and the
 * regions to map for that. UEFI 2.10, "Boot Manager".
 */
#include "memory.h"

#include "firmware/efi.h"
#include "lib/bits.h"

#define GET_VARIABLE 0x7E001000
#define SET_VARIABLE 0x7E002000

#define ACTIVE      1U
#define APPLICATION 0x100U

/* The variables of the firmware. */
static struct variable {
    const char *name;
    uint64_t size;
    uint8_t data[64];
} variables[16];
static size_t variable_count;
static uint64_t set_result, sizes_lie;
static size_t boot_next_writes;
static uint16_t boot_next_written;

static int firmware_start(void **state)
{
    variable_count = boot_next_writes = 0;
    set_result = sizes_lie = 0;
    for (size_t i = 0; i < MEMORY_PIECES; i++) {
        free(memory_pieces[i].bytes);
        memory_pieces[i] = (struct memory_piece){0};
    }
    return start_log(state);
}

static struct variable *add_variable(const char *name, const void *data, uint64_t size)
{
    struct variable *variable = &variables[variable_count++];
    *variable                 = (struct variable){.name = name, .size = size};
    memcpy(variable->data, data, size);
    return variable;
}

static void add_entry(const char *name, uint32_t attributes)
{
    uint8_t option[20] = {0};
    memcpy(option, &attributes, sizeof(attributes));
    add_variable(name, option, sizeof(option));
}

static bool has_name(const uint16_t *name, const char *expected)
{
    size_t i = 0;
    for (; expected[i] != '\0'; i++) {
        if (name[i] != (uint16_t)expected[i])
            return false;
    }
    return name[i] == 0;
}

static uint64_t get_variable(const uint64_t arguments[EFI_ARGUMENTS])
{
    const uint16_t *name = (const uint16_t *)arguments[0];
    uint64_t *size       = (uint64_t *)arguments[3];

    assert_int_equal(*size, EFI_DATA_SIZE);
    for (size_t i = 0; i < variable_count; i++) {
        if (!has_name(name, variables[i].name))
            continue;
        *(uint32_t *)arguments[2] = 7;
        *size                     = variables[i].size;
        memcpy((void *)arguments[4], variables[i].data, variables[i].size);
        if (sizes_lie != 0)
            *size = sizes_lie;
        return 0;
    }
    return BIT(63) | 14; /* EFI_NOT_FOUND */
}

static uint64_t set_variable(const uint64_t arguments[EFI_ARGUMENTS])
{
    assert_true(has_name((const uint16_t *)arguments[0], "BootNext"));
    assert_int_equal(arguments[2], 7);
    assert_int_equal(arguments[3], 2);
    memcpy(&boot_next_written, (const void *)arguments[4], 2);
    boot_next_writes++;
    return set_result;
}

static uint64_t call_service(uint64_t service, const uint64_t arguments[EFI_ARGUMENTS])
{
    /* EFI_GLOBAL_VARIABLE, 8BE4DF61-93CA-11D2-AA0D-00E098032B8C */
    static const uint8_t guid[16] = {0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11,
                                     0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C};
    assert_memory_equal((const void *)arguments[1], guid, 16);
    if (service == GET_VARIABLE)
        return get_variable(arguments);
    assert_int_equal(service, SET_VARIABLE);
    return set_variable(arguments);
}

static enum status find_next(uint16_t *entry)
{
    static const struct efi_services services = {.get_variable = GET_VARIABLE,
                                                 .set_variable = SET_VARIABLE};
    static struct efi_exchange exchange;

    *entry = 0xFFFF;
    return efi_boot_next(&services, call_service, &exchange, entry);
}

static void assert_next(uint16_t expected)
{
    uint16_t entry;
    boot_next_writes = 0;
    assert_int_equal(find_next(&entry), STATUS_OK);
    assert_int_equal(entry, expected);
    assert_int_equal(boot_next_writes, 1);
    assert_int_equal(boot_next_written, expected);
}

/* Asserts that no entry is chosen and nothing is written. */
static void assert_none(enum status expected)
{
    uint16_t entry;
    assert_int_equal(find_next(&entry), expected);
    assert_int_equal(entry, 0xFFFF);
}

static void test_next(void **state)
{
    (void)state;
    uint16_t current       = 3;
    const uint16_t order[] = {7, 3, 0xABCD, 1};
    struct variable *now   = add_variable("BootCurrent", &current, sizeof(current));
    add_variable("BootOrder", order, sizeof(order));
    add_entry("Boot0001", ACTIVE);
    add_entry("Boot0003", ACTIVE);
    add_entry("Boot0007", ACTIVE);
    add_entry("BootABCD", ACTIVE);
    assert_next(0xABCD);
    now->data[0] = 1; /* the last one: wraps around */
    assert_next(7);
    now->data[0] = 9; /* not in the order: the first */
    assert_next(7);
    now->data[0] = 3;
    now->data[1] = 1; /* 0x103 is not in the order either */
    assert_next(7);
    now->data[1] = 0;
    now->size    = 1; /* firmware does not report BootCurrent */
    assert_next(7);
    now->name = "Else";
    assert_next(7);
}

/* Entries that are inactive, applications or absent are skipped. */
static void test_passed_over(void **state)
{
    (void)state;
    uint16_t current       = 0;
    const uint16_t order[] = {0, 1, 2, 3, 4, 5};
    add_variable("BootCurrent", &current, sizeof(current));
    add_variable("BootOrder", order, sizeof(order));
    add_entry("Boot0000", ACTIVE);
    add_entry("Boot0001", 0);
    add_entry("Boot0002", ACTIVE | APPLICATION);
    add_variable("Boot0003", "ab", 2); /* too short for its attributes */
    assert_none(STATUS_NOT_FOUND);
    assert_int_equal(boot_next_writes, 0);
    add_entry("Boot0005", ACTIVE);
    assert_next(5);
}

static void test_refused(void **state)
{
    (void)state;
    uint16_t current       = 0;
    const uint16_t order[] = {0, 1};
    assert_none(STATUS_UNSUPPORTED);
    add_variable("BootCurrent", &current, sizeof(current));
    assert_none(STATUS_UNSUPPORTED);
    struct variable *of_order = add_variable("BootOrder", order, 0);
    assert_none(STATUS_NOT_FOUND);
    memcpy(of_order->data, order, sizeof(order));
    of_order->size = sizeof(order) - 1; /* half an entry */
    assert_none(STATUS_NOT_FOUND);
    of_order->size = sizeof(order);
    add_entry("Boot0001", ACTIVE);
    set_result = BIT(63) | 8; /* EFI_WRITE_PROTECTED */
    assert_none(STATUS_UNSUPPORTED);
    set_result = 0;
    sizes_lie  = UINT64_MAX;
    assert_none(STATUS_UNSUPPORTED);
    sizes_lie = EFI_DATA_SIZE + 1;
    assert_none(STATUS_UNSUPPORTED);
}

static void put_tables(void)
{
    uint64_t system[12]  = {[0] = 0x5453595320494249, [11] = 0x7E000000};
    uint64_t runtime[12] = {
        [0] = 0x56524553544E5552, [9] = GET_VARIABLE, [11] = SET_VARIABLE};
    memory_put(0x7F000000, system, sizeof(system));
    memory_put(0x7E000000, runtime, sizeof(runtime));
}

static void test_services(void **state)
{
    struct efi_services services;
    put_tables();
    assert_int_equal(efi_find_services(0x7F000000, memory_map_piece, &services),
                     STATUS_OK);
    assert_int_equal(services.get_variable, GET_VARIABLE);
    assert_int_equal(services.set_variable, SET_VARIABLE);
    assert_int_equal(services.query_variable_info, 0); /* UEFI 1.x */
    assert_int_equal(efi_find_services(0, memory_map_piece, &services), STATUS_MALFORMED);
    assert_int_equal(efi_find_services(0x1000, memory_map_piece, &services),
                     STATUS_MALFORMED);
    /* Each structure on the way to the services, corrupted. */
    static const size_t spoilt[][2] = {{0, 0}, {0, 11}, {1, 0}, {1, 9}, {1, 11}};
    for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++) {
        firmware_start(state);
        put_tables();
        memset(memory_pieces[spoilt[i][0]].bytes + 8 * spoilt[i][1], 0, 8);
        assert_int_equal(efi_find_services(0x7F000000, memory_map_piece, &services),
                         STATUS_MALFORMED);
    }
}

/* QueryVariableInfo exists from UEFI 2.0 on, if the table is long enough. */
static void test_query_variable_info(void **state)
{
    (void)state;
    static const struct {
        uint64_t revision;
        size_t words;
        uint64_t expected;
    } rows[] = {
        {0x1000A, 17, 0},          {0x1FFFF, 17, 0},
        {0x20000, 17, 0x7E003000}, {0x2000A, 16, 0},
        {0x2000A, 17, 0x7E003000}, {UINT64_C(0x88) << 32 | 0x20046, 17, 0x7E003000},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct efi_services services;
        uint64_t system[12]  = {[0] = 0x5453595320494249, [11] = 0x7E000000};
        uint64_t runtime[17] = {[0]  = 0x56524553544E5552,
                                [9]  = GET_VARIABLE,
                                [11] = SET_VARIABLE,
                                [16] = 0x7E003000};
        runtime[1]           = rows[i].revision;
        firmware_start(state);
        memory_put(0x7F000000, system, sizeof(system));
        memory_put(0x7E000000, runtime, rows[i].words * 8);
        assert_int_equal(efi_find_services(0x7F000000, memory_map_piece, &services),
                         STATUS_OK);
        assert_int_equal(services.query_variable_info, rows[i].expected);
    }
}

static struct efi_region regions[8];
static size_t region_count;
static enum status visit_result;

static enum status note_region(const struct efi_region *region)
{
    assert_true(region_count < ARRAY_SIZE(regions));
    regions[region_count++] = *region;
    return visit_result;
}

/* Descriptors of 48 bytes, as in EDK II. */
struct descriptor {
    uint64_t type, physical, virtual, pages, attributes, more;
};

static enum status visit_map(const struct descriptor *map, size_t count)
{
    region_count = 0;
    void *copy   = malloc(count * sizeof(*map));
    memcpy(copy, map, count * sizeof(*map));
    enum status status =
        efi_visit_runtime(copy, count * sizeof(*map), sizeof(*map), note_region);
    free(copy);
    return status;
}

static size_t visits;

static enum status count_region(const struct efi_region *region)
{
    (void)region;
    visits++;
    return STATUS_OK;
}

/* An overlong map is not walked to its end. */
static void test_too_many(void **state)
{
    (void)state;
    static struct descriptor map[EFI_MAX_REGIONS + 1];
    for (size_t i = 0; i < ARRAY_SIZE(map); i++)
        map[i] = (struct descriptor){6, 0x7E000000, 0, 1, BIT(63) | 0xF, 0};
    assert_int_equal(efi_visit_runtime(map, sizeof(map) - sizeof(map[0]), sizeof(map[0]),
                                       count_region),
                     STATUS_OK);
    assert_int_equal(visits, EFI_MAX_REGIONS);
    visits = 0;
    assert_int_equal(efi_visit_runtime(map, sizeof(map), sizeof(map[0]), count_region),
                     STATUS_MALFORMED);
    assert_int_equal(visits, EFI_MAX_REGIONS);
}

static void test_regions(void **state)
{
    (void)state;
    struct descriptor map[] = {
        {7, 0x100000, 0, 0x100, 0xF, 0},                 /* conventional memory */
        {5, 0x7E000000, 0, 0x10, BIT(63) | 0xF, 0},      /* code */
        {6, 0x7E100000, 0, 0x20, BIT(63) | 0xF, 0},      /* data */
        {11, 0xFFC00000, 0, 0x400, BIT(63) | BIT(0), 0}, /* flash memory */
        {6, 0x7E200000, 0, 0, BIT(63) | 0xF, 0},         /* empty */
        {9, 0x7E300000, 0, 0x10, 0xF, 0},                /* ACPI tables */
        {10, 0x7E400000, 0, 0x10, 0xF, 0},               /* ACPI NVS */
    };
    visit_result = STATUS_OK;
    assert_int_equal(visit_map(map, ARRAY_SIZE(map)), STATUS_OK);
    assert_int_equal(region_count, 4);
    assert_int_equal(regions[0].start, 0x7E000000);
    assert_int_equal(regions[0].size, 0x10000);
    assert_false(regions[0].is_device);
    assert_int_equal(regions[2].start, 0xFFC00000);
    assert_int_equal(regions[2].size, 0x400000);
    assert_true(regions[2].is_device);
    assert_int_equal(regions[3].start, 0x7E400000);
    assert_false(regions[3].is_device);
    visit_result = STATUS_NO_MEMORY;
    assert_int_equal(visit_map(map, ARRAY_SIZE(map)), STATUS_NO_MEMORY);
    assert_int_equal(region_count, 1);
    visit_result = STATUS_OK;
    assert_int_equal(efi_visit_runtime(map, sizeof(map), 39, note_region),
                     STATUS_MALFORMED);
    assert_int_equal(efi_visit_runtime(map, 47, 48, note_region), STATUS_OK);
    map[1].physical = 0x7E000800;
    assert_int_equal(visit_map(map, ARRAY_SIZE(map)), STATUS_MALFORMED);
    map[1].physical = 0x7E000000;
    map[1].pages    = UINT64_MAX / 4096;
    assert_int_equal(visit_map(map, ARRAY_SIZE(map)), STATUS_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_next, firmware_start),
        cmocka_unit_test_setup(test_passed_over, firmware_start),
        cmocka_unit_test_setup(test_refused, firmware_start),
        cmocka_unit_test_setup(test_services, firmware_start),
        cmocka_unit_test_setup(test_query_variable_info, firmware_start),
        cmocka_unit_test_setup(test_regions, firmware_start),
        cmocka_unit_test_setup(test_too_many, firmware_start),
    };
    return cmocka_run_group_tests_name("efi_boot", tests, NULL, NULL);
}
