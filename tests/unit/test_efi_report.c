/*
 * src/firmware/efi_report.c: the report in UEFI variables, on simulated firmware, also
 * such that fails or lies.
 */
#include "efi_store.h"

static struct efi_exchange exchange;
static const struct efi_firmware firmware = {
    {STORE_GET, STORE_SET, STORE_QUERY}, store_call, &exchange};

static uint8_t stream[EFI_REPORT_SIZE];
static char text_buffer[512];
static struct text text;

static int store_start(void **state)
{
    memset(&store, 0, sizeof(store));
    store.storage = (struct efi_storage){262044, 200000, 33792};
    for (size_t i = 0; i < sizeof(stream); i++)
        stream[i] = (uint8_t)(i * i >> 3 | 1);
    return start_log(state);
}

static bool report_write(size_t size)
{
    const struct efi_report report = {stream, size, 12345};

    text = (struct text){.buffer = text_buffer, .size = sizeof(text_buffer)};
    return efi_report_write(&firmware, &report, &text);
}

/* Asserts that the store has exactly the report of the first size bytes. */
static void assert_stored(size_t size, size_t part_size)
{
    size_t parts = (size + part_size - 1) / part_size;
    struct efi_report_header header;
    struct store_variable *found = store_find("HymirReport");

    assert_non_null(found);
    assert_int_equal(found->size, sizeof(header));
    memcpy(&header, found->data, sizeof(header));
    assert_memory_equal(header.magic, "HyRp", 4);
    assert_int_equal(header.version, 1);
    assert_int_equal(header.parts, parts);
    assert_int_equal(header.size, size);
    assert_int_equal(header.text_size, 12345);
    for (size_t i = 0; i < parts; i++) {
        char name[32];
        snprintf(name, sizeof(name), "HymirReport%02zu", i);
        found = store_find(name);
        assert_non_null(found);
        assert_int_equal(found->size, i + 1 < parts ? part_size : size - i * part_size);
        assert_memory_equal(found->data, stream + i * part_size, found->size);
    }
    assert_int_equal(store_count(), parts + 1);
}

static void assert_refused(const char *reason)
{
    assert_false(report_write(5000));
    if (strstr(text_buffer, reason) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", text_buffer, reason);
}

static void test_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,    1023, 1024,  1025,  5000,
                                   6144, 9999, 31744, 32767, EFI_REPORT_SIZE};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        assert_true(report_write(sizes[i]));
        assert_stored(sizes[i], 1024);
    }
    assert_true(report_write(700)); /* the longer one before it is gone */
    assert_stored(700, 1024);
    assert_string_equal(text_buffer,
                        "700 bytes in 2 variables; 200000 of 262044 bytes were free");
}

/* Firmware's limit of a variable makes the parts smaller. */
static void test_limit(void **state)
{
    (void)state;
    const size_t name     = 28;
    store.storage.largest = name + 1024;
    assert_true(report_write(5000));
    assert_stored(5000, 1024);
    store.storage.largest--;
    assert_true(report_write(5000));
    assert_stored(5000, 1023);
    store.storage.largest = name + 256;
    assert_true(report_write(32 * 256));
    assert_stored(32 * 256, 256);
    assert_false(report_write(32 * 256 + 1));
    assert_int_equal(store_count(), 0);
    store.storage.largest--;
    assert_refused("firmware accepts only variables of 283 bytes");
    store.storage.largest = 0;
    assert_refused("firmware accepts only variables of 0 bytes");
    store.storage.largest = UINT64_MAX;
    assert_true(report_write(5000));
    assert_stored(5000, 1024);
}

/* Nothing but deletions reaches a store that would become too full. */
static void test_room(void **state)
{
    (void)state;
    /* 5000 bytes in 5 parts, the header, and what the variables need themselves. */
    const uint64_t needed = 5000 + 20 + 6 * 128;
    store.storage.free    = needed + 16384;
    assert_true(report_write(5000));
    assert_stored(5000, 1024);
    store.writes = 0;
    store.storage.free--;
    assert_refused("firmware's store has 22171 of 262044 bytes free; the report needs "
                   "5788, and 16384 must remain");
    assert_int_equal(store.writes, 6); /* the old report's */
    assert_int_equal(store_count(), 0);
    static const struct efi_storage wrong[] = {
        {0, 0, 1024},          {0, 100000, 1024},
        {65536, 65537, 1024},  {65536, UINT64_MAX, 1024},
        {65536, 0, 1024},      {65536, 5000, UINT64_MAX},
        {UINT64_MAX, 0, 2048},
    };
    store.writes = 0;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        store.storage = wrong[i];
        assert_false(report_write(5000));
        assert_true(text.length > 0);
    }
    assert_int_equal(store.writes, 0);
    store.query_status = BIT(63) | 3;
    assert_refused("querying the store: EFI_UNSUPPORTED, status 0x8000000000000003");
    assert_int_equal(store.writes, 0);
}

static void test_old_firmware(void **state)
{
    (void)state;
    const struct efi_firmware old  = {{STORE_GET, STORE_SET, 0}, store_call, &exchange};
    const struct efi_report report = {stream, 100, 200};
    text = (struct text){.buffer = text_buffer, .size = sizeof(text_buffer)};
    assert_false(efi_report_write(&old, &report, &text));
    assert_non_null(strstr(text_buffer, "UEFI before 2.0"));
    assert_int_equal(store.writes, 0);
}

/*
 * Each write of a run fails, or the run is cut off there: there is then the old report,
 * the new one, or none, as far as the header says.
 */
static void test_failures(void **state)
{
    for (size_t number = 1; number <= 16; number++) {
        store_start(state);
        assert_true(report_write(8000));
        store.writes        = 0;
        store.failing_write = number;
        store.status        = BIT(63) | 9;
        if (report_write(5000)) {
            assert_int_equal(number, 16); /* 9 deletions and 6 writes */
            assert_stored(5000, 1024);
            continue;
        }
        assert_non_null(strstr(text_buffer, "EFI_OUT_OF_RESOURCES"));
        assert_true((store_find("HymirReport") != NULL) == (number == 1));
    }
    for (size_t number = 1; number <= 16; number++) {
        store_start(state);
        assert_true(report_write(8000));
        store.writes    = 0;
        store.cut_write = number;
        bool is_stored  = report_write(5000);
        assert_true((store_find("HymirReport") != NULL) == (number == 1 || is_stored));
        store.cut_write = 0;
        assert_true(report_write(6000)); /* what was left is replaced */
        assert_stored(6000, 1024);
    }
}

static void test_lies(void **state)
{
    (void)state;
    store.forgets = true;
    assert_refused("reading back HymirReport00: EFI_NOT_FOUND");
    store.forgets = false;
    store.flips   = true;
    assert_refused("HymirReport00 does not have the value written");
    assert_int_equal(store_count(), 0);
    store.flips    = false;
    store.size_lie = UINT64_MAX;
    assert_refused("reading back HymirReport00: EFI_BAD_BUFFER_SIZE");
    store.size_lie = EFI_DATA_SIZE + 1;
    assert_refused("EFI_BAD_BUFFER_SIZE");
    store.size_lie = 1023;
    assert_refused("HymirReport00 does not have the value written");
    store.size_lie      = 0;
    store.failing_write = store.writes + 1;
    store.status        = 77; /* a warning, or what no specification has */
    assert_refused("writing HymirReport00: status 0x4d");
}

static void test_known_problems(void **state)
{
    (void)state;
    assert_non_null(efi_report_known_problem("SAMSUNG ELECTRONICS CO., LTD. 530U3C"));
    assert_non_null(efi_report_known_problem("Samsung Electronics 900X3C"));
    assert_null(efi_report_known_problem("unknown"));
    assert_null(efi_report_known_problem("QEMU Standard PC"));
    assert_null(efi_report_known_problem(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sizes, store_start),
        cmocka_unit_test_setup(test_limit, store_start),
        cmocka_unit_test_setup(test_room, store_start),
        cmocka_unit_test_setup(test_old_firmware, store_start),
        cmocka_unit_test_setup(test_failures, store_start),
        cmocka_unit_test_setup(test_lies, store_start),
        cmocka_unit_test_setup(test_known_problems, store_start),
    };
    return cmocka_run_group_tests_name("efi_report", tests, NULL, NULL);
}
