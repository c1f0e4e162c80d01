/* src/firmware/acpi_power.c, on valid and malformed tables. */
#include "acpi.h"

#include "firmware/acpi.h"

static struct platform_power power_of(const char *fadt, const char *dsdt,
                                      const char *ssdt)
{
    const uint64_t entries[] = {FADT, SSDT};
    struct platform_power power;
    memory_clear(NULL);
    memory_put_file(FADT, fadt);
    if (dsdt != NULL)
        memory_put_file(DSDT, dsdt);
    if (ssdt != NULL)
        memory_put_file(SSDT, ssdt);
    struct acpi acpi = open_all(entries, 2);
    memset(&power, 0xA5, sizeof(power));
    acpi_find_power(&acpi, &power);
    return power;
}

static void test_power(void **state)
{
    (void)state;
    struct platform_power power = power_of("fadt.aml", "dsdt.aml", NULL);
    assert_int_equal(power.reset.space, REGISTER_IO);
    assert_int_equal(power.reset.address, 0xCF9);
    assert_int_equal(power.reset_value, 6);
    assert_int_equal(power.pm1a_control.space, REGISTER_IO);
    assert_int_equal(power.pm1a_control.address, 0x1804);
    assert_int_equal(power.pm1b_control.address, 0x504);
    assert_int_equal(power.smi_command_port, 0xB2);
    assert_int_equal(power.acpi_enable_value, 0xA1);
    assert_true(power.has_s5);
    assert_int_equal(power.s5_type_a, 7);
    assert_int_equal(power.s5_type_b, 5);
    assert_int_equal(power.sleep_control.space, REGISTER_NONE);
}

/* A reset register in PCI's configuration space is used if it is addressable there. */
static void test_reset_in_pci(void **state)
{
    (void)state;
    const uint64_t entries[] = {FADT};
    static const struct {
        uint64_t address;
        enum register_space space;
    } cases[] = {
        {0x0000001F00070093, REGISTER_PCI},  {0, REGISTER_PCI},
        {0x0000002000000093, REGISTER_NONE}, {0x0000000000080093, REGISTER_NONE},
        {0x0000000000000100, REGISTER_NONE}, {0x0001000000000093, REGISTER_NONE},
        {UINT64_MAX, REGISTER_NONE},
    };
    struct platform_power power;
    uint8_t *fadt    = memory_put_file(FADT, "fadt.aml");
    fadt[116]        = 2;
    struct acpi acpi = open_all(entries, 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_u64(fadt + 120, cases[i].address);
        acpi_find_power(&acpi, &power);
        assert_int_equal(power.reset.space, cases[i].space);
    }
    write_u64(fadt + 120, cases[0].address);
    acpi_find_power(&acpi, &power);
    assert_int_equal(PCI_REGISTER_DEVICE(power.reset.address), 31);
    assert_int_equal(PCI_REGISTER_FUNCTION(power.reset.address), 7);
    assert_int_equal(PCI_REGISTER_OFFSET(power.reset.address), 0x93);
    assert_int_equal(power.reset_value, 6);
    /* No other register may be there. */
    fadt[148] = 2;
    fadt[172] = 2;
    acpi_find_power(&acpi, &power);
    assert_int_equal(power.pm1a_control.space, REGISTER_IO);
}

static void test_power_of_hardware_reduced(void **state)
{
    (void)state;
    struct platform_power power = power_of("fadt-reduced.aml", "dsdt.aml", NULL);
    assert_int_equal(power.reset.space, REGISTER_MEMORY);
    assert_int_equal(power.reset.address, 0xFED00F00);
    assert_int_equal(power.reset_value, 0xA5);
    assert_int_equal(power.sleep_control.space, REGISTER_IO);
    assert_int_equal(power.sleep_control.address, 0xA05);
    assert_int_equal(power.pm1a_control.space, REGISTER_NONE);
    assert_int_equal(power.smi_command_port, 0);
}

static void test_s5_elsewhere(void **state)
{
    (void)state;
    struct platform_power power = power_of("fadt.aml", "dsdt-none.aml", "ssdt.aml");
    assert_true(power.has_s5);
    assert_int_equal(power.s5_type_a, 0);
    assert_int_equal(power.s5_type_b, 1);
    power = power_of("fadt.aml", "dsdt-none.aml", NULL);
    assert_false(power.has_s5);
    power = power_of("fadt.aml", NULL, "ssdt.aml");
    assert_true(power.has_s5);
}

/*
 * AML truncated at every byte, and modified at every byte, is never read beyond its end.
 */
static void test_broken_dsdt(void **state)
{
    (void)state;
    const uint64_t entries[] = {FADT};
    struct platform_power power;
    memory_put_file(FADT, "fadt.aml");
    struct acpi acpi   = open_all(entries, 1);
    uint8_t *whole     = memory_put_file(0x90000, "dsdt.aml");
    uint32_t full_size = 0;
    memcpy(&full_size, whole + 4, 4);
    for (uint32_t size = 36; size <= full_size; size++) {
        uint8_t *dsdt = memory_put(DSDT, whole, size);
        write_u32(dsdt + 4, size);
        fix_checksum(dsdt, size, 9);
        acpi = open_now();
        acpi_find_power(&acpi, &power);
        assert_int_equal(power.has_s5, size >= full_size - 2);
        for (size_t i = 0; i < MEMORY_PIECES; i++) {
            if (memory_pieces[i].bytes == dsdt)
                memory_pieces[i].bytes = NULL;
        }
        free(dsdt);
    }
    uint8_t *dsdt = memory_put(DSDT, whole, full_size);
    acpi          = open_now();
    for (uint32_t at = 36; at < full_size; at++) {
        for (int value = 0; value < 256; value++) {
            dsdt[at] = (uint8_t)value;
            fix_checksum(dsdt, full_size, 9);
            acpi_find_power(&acpi, &power);
        }
        dsdt[at] = whole[at];
    }
}

static void test_short_fadt(void **state)
{
    (void)state;
    const uint64_t entries[] = {FADT};
    struct platform_power power;
    uint8_t *whole = memory_put_file(0x90000, "fadt.aml");
    memory_put_file(DSDT, "dsdt.aml");
    struct acpi acpi = open_all(entries, 1);
    for (uint32_t size = 36; size <= 276; size++) {
        uint8_t *fadt = memory_put(FADT, whole, size);
        write_u32(fadt + 4, size);
        fix_checksum(fadt, size, 9);
        acpi = open_now();
        acpi_find_power(&acpi, &power);
        if (size == 116) { /* the FADT of ACPI 1.0: no reset register, no X_ fields */
            assert_int_equal(power.reset.space, REGISTER_NONE);
            assert_int_equal(power.pm1a_control.address, 0x404);
            assert_true(power.has_s5);
        }
        for (size_t i = 0; i < MEMORY_PIECES; i++) {
            if (memory_pieces[i].bytes == fadt)
                memory_pieces[i].bytes = NULL;
        }
        free(fadt);
    }
}

static void test_no_fadt(void **state)
{
    (void)state;
    struct platform_power power;
    const struct platform_power nothing = {0};
    struct acpi acpi                    = open_all(NULL, 0);
    memset(&power, 0xA5, sizeof(power));
    acpi_find_power(&acpi, &power);
    assert_memory_equal(&power, &nothing, sizeof(power));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_log, memory_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_power),
        TEST(test_reset_in_pci),
        TEST(test_power_of_hardware_reduced),
        TEST(test_s5_elsewhere),
        TEST(test_broken_dsdt),
        TEST(test_short_fadt),
        TEST(test_no_fadt),
    };
    return cmocka_run_group_tests_name("acpi_power", tests, NULL, NULL);
}
