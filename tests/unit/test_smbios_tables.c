/* src/guest/smbios_tables.c, read by src/firmware/smbios.c. */
#include "guest.h"

#include "firmware/smbios.h"
#include "guest/smbios_tables.h"

static const void *map_guest(uint64_t address, uint64_t size)
{
    return guest_memory_pointer(&test_vm.memory, gpa(address), size);
}

static void test_names(void **state)
{
    (void)state;
    struct smbios smbios;
    smbios_tables_write(&test_vm.memory, "linux");
    assert_int_equal(smbios_scan_low_memory(map_guest, &smbios), STATUS_OK);
    assert_string_equal(smbios.manufacturer, "Hymir");
    assert_string_equal(smbios.product, "virtual machine");
    assert_string_equal(smbios.firmware_vendor, "Hymir");
    assert_string_equal(smbios.firmware_version, HYMIR_VERSION);
}

/* The size of the table is exact, and nothing is written beyond it. */
static void test_size(void **state)
{
    (void)state;
    uint8_t *bytes =
        guest_memory_pointer(&test_vm.memory, gpa(SMBIOS_TABLES_ADDRESS), 0x10000);
    uint32_t size;
    memset(bytes, 0xA5, 0x10000);
    smbios_tables_write(&test_vm.memory, "fifteen-letters");
    memcpy(&size, bytes + 12, sizeof(size));
    assert_true(24 + size <= SMBIOS_TABLES_SIZE);
    static const uint8_t end[] = {127, 4, 2, 0, 0, 0, 0xA5};
    assert_memory_equal(bytes + 24 + size - 6, end, sizeof(end));
    for (size_t i = 24 + size; i < 0x10000; i++)
        assert_int_equal(bytes[i], 0xA5);
    /* the serial number is the name, the last string before the end */
    assert_memory_equal(bytes + 24 + size - 6 - 17, "fifteen-letters\0", 17);
}

static void test_long_name(void **state)
{
    (void)state;
    char name[1024];
    struct smbios smbios;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    smbios_tables_write(&test_vm.memory, name);
    smbios_tables_write(&test_vm.memory, "");
    assert_int_equal(smbios_scan_low_memory(map_guest, &smbios), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_names),
        GUEST_TEST(test_size),
        GUEST_TEST(test_long_name),
    };
    return cmocka_run_group_tests_name("smbios tables", tests, NULL, NULL);
}
