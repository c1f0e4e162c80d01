/*
 * src/guest/acpi_tables.c: every field, compared with ACPI 6.5; read by src/firmware,
 * iasl and acpiexec, which are ACPICA, as Linux has it.
 */
#include "guest.h"

#include <sys/stat.h>

#include "firmware/acpi.h"
#include "guest/acpi_tables.h"
#include "guest/smbios_tables.h"

static const void *map_guest(uint64_t address, uint64_t size)
{
    return guest_memory_pointer(&test_vm.memory, gpa(address), size);
}

static uint64_t peek(uint64_t address, unsigned int size)
{
    uint64_t value = 0;
    assert_true(guest_memory_read(&test_vm.memory, gpa(address), &value, size));
    return value;
}

static unsigned int sum(uint64_t address, uint64_t size)
{
    unsigned int total = 0;
    while (size-- > 0)
        total += (unsigned int)peek(address++, 1);
    return total % 256;
}

/* Writes tables for count CPUs with APIC IDs from first on, and finds them all. */
static struct acpi write_tables(size_t count, uint32_t first)
{
    uint32_t ids[ACPI_TABLES_CPUS];
    uint8_t rsdp[36];
    size_t size = 0;
    struct acpi acpi;
    for (size_t i = 0; i < count; i++)
        ids[i] = first + (uint32_t)i;
    acpi_tables_write(&test_vm.memory, ids, count, 7);
    assert_int_equal(acpi_scan_low_memory(map_guest, rsdp, &size), STATUS_OK);
    assert_int_equal(size, 36);
    assert_memory_equal(map_guest(ACPI_TABLES_RSDP, 36), rsdp, 36);
    assert_int_equal(acpi_open(rsdp, size, map_guest, &acpi), STATUS_OK);
    acpi_log_faults(&acpi);
    assert_nothing_logged();
    return acpi;
}

static uint64_t table(const struct acpi *acpi, const char *signature)
{
    struct acpi_view view;
    assert_int_equal(acpi_find(acpi, signature, &view), STATUS_OK);
    for (uint64_t at = 0xE0000;; at++) {
        if (map_guest(at, 1) == view.bytes)
            return at;
    }
}

struct field {
    unsigned int offset, size;
    uint64_t value;
};

/* Asserts a table's fields, in their order, and that all its other bytes are zero. */
static void assert_fields(uint64_t address, const struct field *fields, size_t count,
                          unsigned int length)
{
    unsigned int at = 0;
    for (size_t i = 0; i <= count; i++) {
        unsigned int next = i < count ? fields[i].offset : length;
        for (; at < next; at++) {
            if (peek(address + at, 1) != 0)
                fail_msg("offset %u is not zero", at);
        }
        if (i == count)
            break;
        if (peek(address + at, fields[i].size) != fields[i].value)
            fail_msg("offset %u is 0x%lx, not 0x%lx", at,
                     peek(address + at, fields[i].size), fields[i].value);
        at += fields[i].size;
    }
}
#define ASSERT_FIELDS(address, fields, length) \
    assert_fields(address, fields, sizeof(fields) / sizeof((fields)[0]), length)

/* "Root System Description Pointer (RSDP) Structure", and the table that it points to. */
static void test_root(void **state)
{
    (void)state;
    struct acpi acpi          = write_tables(1, 0);
    const uint64_t xsdt       = peek(0xE0018, 8);
    const struct field rsdp[] = {
        {0, 8, 0x2052545020445352}, /* "RSD PTR " */
        {8, 1, peek(0xE0008, 1)},   /* two checksums, which acpi_open has added up */
        {9, 6, 0x2052494D5948},     /* "HYMIR " */
        {15, 1, 2},                 /* the revision of ACPI 2.0 and later */
        {20, 4, 36},
        {24, 8, xsdt},
        {32, 1, peek(0xE0020, 1)},
    };
    ASSERT_FIELDS(0xE0000, rsdp, 36);
    assert_int_equal(sum(0xE0000, 20), 0);
    assert_int_equal(sum(0xE0000, 36), 0);
    assert_memory_equal(map_guest(xsdt, 4), "XSDT", 4);
    assert_int_equal(peek(xsdt + 4, 4), 36 + 2 * 8);
    assert_int_equal(peek(xsdt + 8, 1), 1);
    assert_int_equal(sum(xsdt, 52), 0);
    assert_int_equal(peek(xsdt + 36, 8), table(&acpi, "FACP"));
    assert_int_equal(peek(xsdt + 44, 8), table(&acpi, "APIC"));
}

/* "Fixed ACPI Description Table (FADT)", from offset 36 on. */
static void test_fadt(void **state)
{
    (void)state;
    struct acpi acpi = write_tables(2, 0);
    uint64_t fadt = table(&acpi, "FACP"), dsdt = table(&acpi, "DSDT");
    const uint64_t facs         = peek(fadt + 36, 4);
    const struct field fields[] = {
        {0, 4, facs},    /* FIRMWARE_CTRL; then X_FIRMWARE_CTRL "must be zero" */
        {4, 4, dsdt},    /* DSDT */
        {10, 2, 9},      /* SCI_INT */
        {20, 4, 0x600},  /* PM1a_EVT_BLK; SMI_CMD, ACPI_ENABLE "must be zero" */
        {28, 4, 0x604},  /* PM1a_CNT_BLK */
        {40, 4, 0x608},  /* PM_TMR_BLK */
        {52, 2, 0x0204}, /* PM1_EVT_LEN, PM1_CNT_LEN */
        {55, 1, 4},      /* PM_TMR_LEN */
        {60, 2, 101},    /* "A value > 100 indicates the system does not support a C2" */
        {62, 2, 1001},   /* "A value > 1000 ... a C3 state" */
        {72, 1, 0x32},   /* CENTURY */
        {73, 2, 0x0007}, /* LEGACY_DEVICES, 8042, VGA Not Present */
        {76, 4, 0x1565}, /* WBINVD, PROC_C1, SLP_BUTTON, FIX_RTC, 8, 10, HEADLESS */
        {80, 4, 0x01000801}, /* RESET_REG: I/O, 8 bits, byte access */
        {84, 8, 0xCF9},
        {92, 1, 6},           /* RESET_VALUE */
        {95, 1, 5},           /* FADT Minor Version: of 6.5 */
        {104, 8, dsdt},       /* X_DSDT */
        {112, 4, 0x02002001}, /* X_PM1a_EVT_BLK: 32 bits, word access */
        {116, 8, 0x600},
        {136, 4, 0x02001001}, /* X_PM1a_CNT_BLK: 16 bits */
        {140, 8, 0x604},
        {172, 4, 0x03002001}, /* X_PM_TMR_BLK: 32 bits, dword access */
        {176, 8, 0x608},
    };
    ASSERT_FIELDS(fadt + 36, fields, 276 - 36);
    assert_int_equal(peek(fadt + 4, 4), 276);
    assert_int_equal(peek(fadt + 8, 1), 6); /* FADT Major Version */
    assert_int_equal(facs % 64, 0);         /* "aligns the FACS on a 64-byte boundary" */
    const struct field facs_fields[] = {{0, 4, 0x53434146}, {4, 4, 64}, {32, 1, 2}};
    ASSERT_FIELDS(facs, facs_fields, 64);
}

/* What the registers are: those of the models, found as Hymir finds a machine's. */
static void test_power(void **state)
{
    (void)state;
    struct acpi acpi = write_tables(1, 0);
    struct platform_power power;
    struct acpi_timers timers;
    acpi_find_power(&acpi, &power);
    assert_true(power.has_s5);
    assert_int_equal(power.s5_type_a, 0);
    assert_int_equal(power.pm1a_control.address, 0x604);
    assert_int_equal(power.pm1b_control.space, REGISTER_NONE);
    assert_int_equal(power.smi_command_port, 0);
    assert_int_equal(power.reset.address, 0xCF9);
    acpi_find_timers(&acpi, &timers);
    assert_int_equal(timers.pm_timer.address, 0x608);
    assert_true(timers.is_pm_timer_32_bit);
    assert_int_equal(vm_add_devices(&test_vm), STATUS_OK);
    assert_int_equal(vm_port_read(test_vcpu, 0x604, 2) & 0xFFFF, 1);
    uint32_t type = (uint32_t)power.s5_type_a << 10;
    assert_int_equal(vm_port_write(test_vcpu, 0x604, 2, type | 1), EXIT_NEXT);
    assert_int_equal(vm_port_write(test_vcpu, 0x604, 2, type | 0x2001), EXIT_STOP);
    assert_string_equal(test_vm.end.text, "powered off by port 0x604");
    test_vm.end = (struct guest_end){0};
    assert_int_equal(vm_port_write(test_vcpu, 0xCF9, 1, power.reset_value), EXIT_STOP);
    assert_string_equal(test_vm.end.text, "reset by port 0xcf9");
}

/* "Multiple APIC Description Table (MADT)": what does not depend on the CPUs. */
static void test_madt(void **state)
{
    (void)state;
    struct acpi acpi            = write_tables(1, 0);
    uint64_t madt               = table(&acpi, "APIC");
    const struct field fields[] = {
        {0, 4, 0xFEE00000},  {4, 4, 1},  /* PCAT_COMPAT: also has 8259As */
        {8, 2, 0x0C01},      {10, 1, 7}, /* the I/O APIC; its inputs begin at 0 */
        {12, 4, 0xFEC00000}, {20, 2, 0x0A02},
        {24, 4, 2},          {30, 2, 0x0A02},   /* ISA 0 is input 2 */
        {33, 1, 9},          {34, 4, 9},        /* ISA 9, the SCI */
        {38, 2, 0xD},        {40, 3, 0xFF0604}, /* active high, level-triggered */
        {45, 1, 1},                             /* NMI: LINT1 of all, as the bus has it */
        {46, 2, 0x0800},     {50, 4, 1},        /* processor 0, APIC ID 0, enabled */
    };
    ASSERT_FIELDS(madt + 36, fields, 54);
    assert_int_equal(peek(madt + 4, 4), 36 + 54);
    assert_int_equal(peek(madt + 8, 1), 5); /* the revision of ACPI 6.3 and later */
    struct acpi_interrupt found;
    struct acpi_view view;
    assert_int_equal(acpi_find(&acpi, "APIC", &view), STATUS_OK);
    for (uint32_t isa = 0; isa < 16; isa++) {
        assert_int_equal(acpi_find_interrupt(&view, isa, &found), STATUS_OK);
        assert_int_equal(found.io_apic, 0xFEC00000);
        assert_int_equal(found.input, isa == 0 ? 2 : isa);
        assert_int_equal(found.is_level, isa == 9);
        assert_false(found.is_active_low);
    }
}

/* "Processor Local APIC Structure", and "... x2APIC ..." for IDs from 255 on. */
static void test_cpus(void **state)
{
    (void)state;
    for (size_t count = 1; count <= ACPI_TABLES_CPUS; count++) {
        for (uint32_t first = 0; first < 300; first += 74) {
            struct acpi acpi = write_tables(count, first);
            uint32_t ids[ACPI_TABLES_CPUS + 1];
            struct acpi_view view;
            assert_int_equal(acpi_find(&acpi, "APIC", &view), STATUS_OK);
            struct acpi_listing cpus = acpi_list_cpus(&view, ids, ACPI_TABLES_CPUS + 1);
            assert_int_equal(cpus.count, count);
            assert_false(cpus.is_broken);
            size_t x2apics = 0;
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(ids[i], first + i);
                x2apics += ids[i] > 254;
            }
            assert_int_equal(view.length,
                             36 + 46 + 8 * count + 8 * x2apics + (x2apics > 0 ? 12 : 0));
        }
    }
    struct acpi acpi            = write_tables(2, 254);
    const struct field fields[] = {
        {0, 4, 0xFE000800}, {4, 4, 1}, /* processor 0, ID 254 */
        {8, 2, 0x1009},     {12, 4, 255},        {16, 4, 1}, {20, 4, 1}, /* processor 1 */
        {24, 2, 0x0C0A},    {28, 4, UINT32_MAX}, {32, 1, 1}, /* NMI: LINT1 of x2APICs */
    };
    ASSERT_FIELDS(table(&acpi, "APIC") + 36 + 46, fields, 36);
}

/* The tables are between the RSDP and the SMBIOS tables, and 0 otherwise. */
static void test_place(void **state)
{
    (void)state;
    struct acpi acpi = write_tables(ACPI_TABLES_CPUS, 300);
    uint64_t dsdt    = table(&acpi, "DSDT");
    uint64_t end     = dsdt + peek(dsdt + 4, 4);
    assert_true(end <= SMBIOS_TABLES_ADDRESS);
    for (uint64_t at = 0; at < GUEST_SIZE; at++) {
        if (at < ACPI_TABLES_RSDP || at >= end)
            assert_int_equal(peek(at, 1), 0);
    }
}

/* Without memory, as when a guest's image is only checked, nothing is written. */
static void test_no_memory(void **state)
{
    (void)state;
    const struct guest_memory planned = {.size = GUEST_SIZE};
    acpi_tables_write(&planned, (uint32_t[]){0}, 1, 0);
}

/* Returns what a command prints. */
static char *output_of(const char *command)
{
    static char output[65536];
    FILE *pipe   = popen(command, "r");
    size_t size  = fread(output, 1, sizeof(output) - 1, pipe);
    output[size] = '\0';
    int status   = pclose(pipe);
    if (status != 0)
        fail_msg("%s: status %d:\n%s", command, status, output);
    return output;
}

static void assert_contains(const char *output, const char *text, bool is_contained)
{
    if ((strstr(output, text) != NULL) != is_contained)
        fail_msg("\"%s\" is %sin:\n%s", text, is_contained ? "not " : "", output);
}

/* Writes each table to a file, as acpidump -b does. */
static void dump_tables(const struct acpi *acpi)
{
    static const char *const signatures[] = {"FACP", "APIC", "DSDT"};
    (void)mkdir(FIXTURES, 0777);
    for (size_t i = 0; i < 3; i++) {
        char path[256];
        struct acpi_view view;
        assert_int_equal(acpi_find(acpi, signatures[i], &view), STATUS_OK);
        snprintf(path, sizeof(path), FIXTURES "/guest-%s.dat", signatures[i]);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(view.bytes, 1, view.length, file), view.length);
        fclose(file);
    }
}

/* iasl disassembles the tables without a complaint. */
static void test_iasl(void **state)
{
    (void)state;
    struct acpi acpi = write_tables(3, 253);
    dump_tables(&acpi);
    const char *output =
        output_of("cd " FIXTURES " && iasl -d guest-FACP.dat guest-APIC.dat "
                  "guest-DSDT.dat 2>&1 && cat guest-FACP.dsl guest-APIC.dsl");
    static const char *const bad[] = {"rror", "arning", "nvalid", "nknown", "Incorrect"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_contains(output, bad[i], false);
    assert_contains(output, "[Local x2APIC NMI]", true);
}

/* Appends the value in a line of acpiexec's output with a label. */
static void append_value(char *list, const char *line, const char *label,
                         const char *sign)
{
    char value[32];
    const char *found = strstr(line, label);
    if (found != NULL && sscanf(found + strlen(label), "%31s", value) == 1)
        strcat(strcat(list, sign), value);
}

/* ACPICA interprets the DSDT: \_S5, and the ports and interrupts of each device. */
static void test_acpiexec(void **state)
{
    (void)state;
    struct acpi acpi = write_tables(2, 0);
    char list[1024]  = "";
    dump_tables(&acpi);
    char *output = output_of(
        "cd " FIXTURES " && acpiexec -b 'resources;execute \\_S5' guest-DSDT.dat 2>&1");
    for (char *line = strtok(output, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        append_value(list, line, "Device: \\_SB.", "\n");
        append_value(list, line, "Address Minimum : ", " ");
        append_value(list, line, "Address Length : ", "+");
        append_value(list, line, "Interrupt List : ", " irq ");
        append_value(list, line, "[Package] Contains ", "\nS5 ");
        append_value(list, line, "[Integer] = ", " ");
    }
    assert_string_equal(list, "\nPIC 0020+02 00A0+02 04D0+02 irq 2"
                              "\nTIMR 0040+04 irq 0"
                              "\nRTC 0070+02 irq 8"
                              "\nKBD 0060+01 0064+01 irq 1"
                              "\nMOU irq C"
                              "\nCOM1 03F8+08 irq 4"
                              "\nS5 4 0000000000000000 0000000000000000 0000000000000000 "
                              "0000000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_root),      GUEST_TEST(test_fadt), GUEST_TEST(test_power),
        GUEST_TEST(test_madt),      GUEST_TEST(test_cpus), GUEST_TEST(test_place),
        GUEST_TEST(test_no_memory), GUEST_TEST(test_iasl), GUEST_TEST(test_acpiexec),
    };
    return cmocka_run_group_tests_name("acpi tables", tests, NULL, NULL);
}
