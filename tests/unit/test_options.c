/* src/lib/options.c. */
#include "unit.h"

#include "lib/bits.h"
#include "lib/options.h"
#include "report/pages.h"

#include <strings.h>

static struct options line_parse(const char *command_line)
{
    struct options options;
    memset(&options, 0xA5, sizeof(options));
    options_parse(command_line, &options);
    return options;
}

static void assert_default(const char *command_line, const char *warning)
{
    start_log(NULL);
    struct options options = line_parse(command_line);
    assert_int_equal(options.screen, options_default.screen);
    assert_int_equal(options.debug_port, options_default.debug_port);
    assert_int_equal(options.serial, options_default.serial);
    assert_int_equal(options.log_level, options_default.log_level);
    assert_int_equal(options.nosmp, options_default.nosmp);
    assert_int_equal(options.nolock, options_default.nolock);
    assert_int_equal(options.nocet, options_default.nocet);
    assert_int_equal(options.exit, options_default.exit);
    assert_int_equal(options.panic, options_default.panic);
    assert_false(options.report_json || options.report_efi || options.report_ram);
    assert_int_equal(options.page, 0);
    assert_int_equal(options.page_seconds, 0);
    if (warning == NULL)
        assert_nothing_logged();
    else
        assert_logged(warning);
}

static void test_defaults(void **state)
{
    (void)state;
    assert_default("", NULL);
    assert_default("    ", NULL);
    assert_int_equal(options_default.serial, SERIAL_DEFAULT);
    assert_true(options_default.screen);
    assert_int_equal(options_default.exit, END_HALT);
}

static void test_console(void **state)
{
    (void)state;
    struct options options = line_parse("console=com2");
    assert_int_equal(options.serial, SERIAL_PORT);
    assert_int_equal(options.serial_port.address, 0x2F8);
    assert_int_equal(options.serial_port.interrupt, 3);
    assert_false(options.screen);
    assert_false(options.debug_port);

    options = line_parse("console=screen,0x3e8,e9");
    assert_int_equal(options.serial_port.space, SERIAL_SPACE_IO);
    assert_int_equal(options.serial_port.address, 0x3E8);
    assert_true(options.screen);
    assert_true(options.debug_port);

    options = line_parse("console=none");
    assert_int_equal(options.serial, SERIAL_NONE);
    assert_false(options.screen);
    assert_nothing_logged();
}

/* Serial ports other than a PC's four. */
static void test_serial(void **state)
{
    (void)state;
    struct options options = line_parse("console=com2 console=e9,serial");
    assert_int_equal(options.serial, SERIAL_DEFAULT);
    assert_true(options.debug_port);
    assert_false(options.screen);
    assert_int_equal(line_parse("console=pci").serial, SERIAL_PCI);

    options = line_parse("console=mmio:0xfe030000,screen");
    assert_int_equal(options.serial, SERIAL_PORT);
    assert_int_equal(options.serial_port.space, SERIAL_SPACE_MEMORY);
    assert_int_equal(options.serial_port.address, 0xFE030000);
    assert_int_equal(options.serial_port.stride, 1);
    assert_int_equal(options.serial_port.baud, SERIAL_BAUD_AS_IS);
    options = line_parse("console=mmio32:0x3f800000000");
    assert_int_equal(options.serial_port.address, 0x3F800000000);
    assert_int_equal(options.serial_port.stride, 4);
    assert_int_equal(options.serial_port.width, 4);
    assert_nothing_logged();
    assert_default("console=serial,com1", ": invalid, ignored");
    assert_default("console=com1,serial", ": invalid, ignored");
    assert_default("console=pci,mmio:0xfe030000", ": invalid, ignored");
    assert_default("console=mmio:", ": invalid, ignored");
    assert_default("console=mmio:fe030000", ": invalid, ignored");
    assert_default("console=mmio:0xfe030001", ": invalid, ignored");
    assert_default("console=mmio:0xfee00000", ": invalid, ignored");
    assert_default("console=mmio32:0xb8000", ": invalid, ignored");
    assert_default("console=mmio32:mmio:0xfe030000", ": invalid, ignored");
    assert_default("console=mmio16:0xfe030000", ": invalid, ignored");
    assert_default("console=0xfe030000", ": invalid, ignored");
    assert_default("console=mmio:0x1fe0300000000000000", ": invalid, ignored");
}

static void test_words(void **state)
{
    (void)state;
    struct options options =
        line_parse("  nosmp nolock nocet log=debug   exit=poweroff panic=reboot ");
    assert_true(options.nosmp);
    assert_true(options.nolock);
    assert_true(options.nocet);
    assert_int_equal(options.log_level, LOG_DEBUG);
    assert_int_equal(options.exit, END_POWEROFF);
    assert_int_equal(options.panic, END_REBOOT);
    assert_nothing_logged();
}

static void test_last_one_wins(void **state)
{
    (void)state;
    assert_int_equal(line_parse("exit=reboot exit=halt").exit, END_HALT);
    assert_int_equal(line_parse("exit=reboot exit=nonsense").exit, END_REBOOT);
}

static void assert_page(const char *line, unsigned int page, unsigned int seconds)
{
    struct options options = line_parse(line);
    assert_int_equal(options.page, page);
    assert_int_equal(options.page_seconds, seconds);
    assert_nothing_logged();
}

/* The places of the report: any of three, each word once or more. */
static void test_report(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool json, efi, ram;
    } rows[] = {
        {"", false, false, false},
        {"report=json", true, false, false},
        {"report=efi", false, true, false},
        {"report=ram", false, false, true},
        {"report=ram,json,efi", true, true, true},
        {"report=efi,efi", false, true, false},
        {"report=json report=efi", false, true, false},
        {"report=json report=", true, false, false},
        {"report=json report=efi,", true, false, false},
        {"report=json report=,efi", true, false, false},
        {"report=json report=efi,nvram", true, false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct options options = line_parse(rows[i].line);
        assert_int_equal(options.report_json, rows[i].json);
        assert_int_equal(options.report_efi, rows[i].efi);
        assert_int_equal(options.report_ram, rows[i].ram);
    }
    assert_default("report=nvram",
                   "report= accepts a comma-separated list of json, efi and ram");
}

/* Sections of the report by number and name, how long pages are shown, or both. */
static void test_page(void **state)
{
    (void)state;
    assert_page("page=auto", 0, 15);
    assert_page("page=1s", 0, 1);
    assert_page("page=3600s", 0, 3600);
    assert_page("page=2", 2, 15);
    assert_page("page=7,30s", 7, 30);
    assert_page("page=20s,cpus", 3, 20);
    assert_page("page=auto,hypervisors", 4, 15);
    assert_page("page=2 page=auto", 0, 15);
    assert_int_equal(OPTIONS_PAGES, REPORT_SECTIONS);
    for (unsigned int i = 0; i < OPTIONS_PAGES; i++) {
        TEXT_DECLARE(line, 64);
        text_append(&line, "page=%s", options_pages[i]);
        assert_page(line.buffer, i + 1, 15);
        assert_int_equal(strcasecmp(options_pages[i], report_section_name(i)), 0);
    }
}

/* The name of Hymir's file, as the first word only. */
static void test_file_name(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "nosmp exit=reboot",                           /* GRUB */
        "/usr/lib/hymir/hymir.elf nosmp exit=reboot",  /* kexec */
        "  ./hymir nosmp exit=reboot",                 /* kexec */
        "hymir.elf nosmp exit=reboot",                 /* kexec */
        "boot():/boot/hymir nosmp exit=reboot",        /* Limine */
        "(hd0,msdos1)/boot/hymir nosmp   exit=reboot", /* GRUB Legacy */
        "/0123456789012345678901234567890123456789012345678901234567890123456789 nosmp "
        "exit=reboot",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct options options = line_parse(lines[i]);
        assert_true(options.nosmp);
        assert_int_equal(options.exit, END_REBOOT);
        assert_nothing_logged();
    }
    assert_default("/boot/hymir.elf", NULL);
    assert_default("hymir.elf hymir.elf", "\"hymir.elf\": unknown");
    assert_default("hymir", "\"hymir\": unknown"); /* could be a misspelt option */
    assert_default("no-smp", "\"no-smp\": unknown");
    assert_default("root=/dev/sda1", "\"root=/dev/sda1\": unknown");
    assert_default("console=/dev/tty", "\"console=/dev/tty\": invalid");
    assert_default("a=b/hymir.elf", "\"a=b/hymir.elf\": unknown");
}

static void test_tables(void **state)
{
    (void)state;
    struct options options = line_parse("rsdp=0x7fb7e014 smbios=0x100000000");
    assert_int_equal(options.rsdp, 0x7FB7E014);
    assert_int_equal(options.smbios, 0x100000000);
    assert_nothing_logged();
    options = line_parse("rsdp=0x1000 rsdp=0x smbios=0");
    assert_int_equal(options.rsdp, 0x1000);
    assert_int_equal(options.smbios, 0);
    assert_default("rsdp=0x0", "rsdp= accepts the physical address of ACPI's RSDP");
    assert_default("rsdp=7fb7e014", ": invalid, ignored");
    assert_default("smbios=0x1ffffffffffffffff", "smbios= accepts the physical address");
}

static void test_nonsense(void **state)
{
    (void)state;
    assert_default("verbose", "warning: option \"verbose\": unknown, ignored; valid: ");
    assert_default("nosmp=yes", "\"nosmp=yes\": unknown");
    assert_default("nolockx", "\"nolockx\": unknown");
    assert_default("console", "\"console\": unknown");
    assert_default(
        "console=",
        "\"console=\": invalid, ignored; console= accepts a comma-separated list");
    assert_default("console=com5", "\"console=com5\": invalid, ignored");
    assert_default("console=com1,", "\"console=com1,\": invalid, ignored");
    assert_default("console=,com1", ": invalid, ignored");
    assert_default("console=screen,none", ": invalid, ignored");
    assert_default("console=0x", ": invalid, ignored");
    assert_default("console=0x80", ": invalid, ignored");
    assert_default("console=0x3f9", ": invalid, ignored");
    assert_default("console=0x10000", ": invalid, ignored");
    assert_default("console=1016", ": invalid, ignored");
    assert_default("log=LOUD", "log= accepts error, warning, info or debug");
    assert_default("exit=", "exit= accepts halt, reboot or poweroff");
    assert_default("panic=poweroff", "panic= accepts halt or reboot");
    assert_default("page=", "\"page=\": invalid, ignored; page= accepts a section");
    assert_default("page=0", ": invalid, ignored");
    assert_default("page=8", ": invalid, ignored");
    assert_default("page=22", ": invalid, ignored");
    assert_default("page=0s", ": invalid, ignored");
    assert_default("page=3601s", ": invalid, ignored");
    assert_default("page=99999999999999999999s", ": invalid, ignored");
    assert_default("page=s", ": invalid, ignored");
    assert_default("page=-1s", ": invalid, ignored");
    assert_default("page=Log", ": invalid, ignored");
    assert_default("page=2,x", ": invalid, ignored");
    assert_default("page=2,", ": invalid, ignored");
    assert_default("page=cpus,log", ": invalid, ignored");
    assert_default("page=2s,auto", ": invalid, ignored");
    assert_default("selftest=fault", "\"selftest=fault\": unknown");
}

static void test_long_word(void **state)
{
    (void)state;
    char line[4096];
    memset(line, 'a', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    assert_default(line, "longer than 63 characters, ignored");
    memcpy(line + 3000, " exit=reboot ", 13);
    assert_int_equal(line_parse(line).exit, END_REBOOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report),
        cmocka_unit_test_setup(test_defaults, start_log),
        cmocka_unit_test_setup(test_console, start_log),
        cmocka_unit_test_setup(test_serial, start_log),
        cmocka_unit_test_setup(test_words, start_log),
        cmocka_unit_test_setup(test_last_one_wins, start_log),
        cmocka_unit_test_setup(test_page, start_log),
        cmocka_unit_test_setup(test_file_name, start_log),
        cmocka_unit_test_setup(test_tables, start_log),
        cmocka_unit_test_setup(test_nonsense, start_log),
        cmocka_unit_test_setup(test_long_word, start_log),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
