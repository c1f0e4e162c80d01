/* src/console/serial_choice.c, with a simulated driver and machine. */
#include "unit.h"

#include "lib/bits.h"

/* Replaces the headers of the machine and its tables. */
#define HYMIR_PLATFORM_MACHINE_H
#define HYMIR_PLATFORM_SERIAL_PORTS_H
struct acpi;
struct machine {
    const struct acpi *acpi;
};
static const struct machine *machine_get(void);
#include "lib/serial_port.h"
enum serial_source { SERIAL_SOURCE_SPCR, SERIAL_SOURCE_DBG2, SERIAL_SOURCE_PCI };
struct serial_ports {
    size_t count;
    struct described_port {
        enum serial_source source;
        struct serial_port port;
        char name[16];
    } port[8];
};
static void serial_ports_find(const struct acpi *acpi, struct serial_ports *ports);
static void serial_port_enable(const struct described_port *port);

#include "../../src/console/serial_choice.c"

static struct serial_ports described; /* by the machine */
static size_t finds;

static const struct machine *machine_get(void)
{
    static const struct machine machine;
    return &machine;
}

static void serial_ports_find(const struct acpi *acpi, struct serial_ports *ports)
{
    assert_null(acpi);
    finds++;
    *ports = described;
}

/* The UARTs of the machine, and what each has sent. */
static struct uart {
    struct serial_port place;
    bool is_enabled;
    bool is_stuck;
    size_t starts;
    size_t sent;
    char text[16384];
} uarts[4];
static size_t uart_count;
static struct uart *used;
static struct serial_port last;

static struct uart *find_uart(const struct serial_port *port)
{
    for (size_t i = 0; i < uart_count; i++) {
        if (serial_port_is_same(&uarts[i].place, port))
            return &uarts[i];
    }
    return NULL;
}

static void serial_port_enable(const struct described_port *port)
{
    struct uart *uart = find_uart(&port->port);
    if (uart != NULL)
        uart->is_enabled = true;
}

enum status serial_probe(const struct serial_port *candidate)
{
    const struct uart *uart = find_uart(candidate);

    if (candidate->address == 0x100000)
        return STATUS_OUT_OF_RANGE;
    return uart != NULL && uart->is_enabled ? STATUS_OK : STATUS_NOT_FOUND;
}

bool serial_init(const struct serial_port *new_port)
{
    last = *new_port;
    used = find_uart(new_port);
    if (used != NULL) {
        used->place.baud = new_port->baud;
        used->starts++;
    }
    return used != NULL;
}

bool serial_is_present(void)
{
    return used != NULL;
}

const struct serial_port *serial_get_port(void)
{
    return &last;
}

bool serial_is_using(const struct serial_port *other)
{
    return used != NULL && find_uart(other) == used && used->place.baud == other->baud;
}

void serial_drain(void)
{
}

void serial_write(const char *text, size_t length)
{
    if (used != NULL && used->is_stuck)
        used = NULL;
    if (used == NULL)
        return;
    memcpy(used->text + used->sent, text, length);
    used->sent += length;
}

static struct uart *add_uart(uint64_t address)
{
    uarts[uart_count] = (struct uart){.place = serial_port_at(address)};
    return &uarts[uart_count++];
}

static struct serial_port *describe(enum serial_source source, uint64_t address)
{
    static const char *const names[] = {"SPCR", "DBG2", "PCI 00:16.3"};
    struct described_port *added     = &described.port[described.count++];

    *added = (struct described_port){.source = source, .port = serial_port_at(address)};
    strcpy(added->name, names[source]);
    return &added->port;
}

static int machine_start(void **state)
{
    uart_count      = 0;
    described.count = 0;
    finds           = 0;
    used            = NULL;
    last            = (struct serial_port){0};
    return start_log(state);
}

static unsigned int trial; /* the log keeps the lines of earlier tests */

static void output(const char *text, size_t length)
{
    capture_log(text, length);
    serial_write(text, length);
}

/* Chooses as Hymir does, with output in between; the log goes to the port in use. */
static void choose(enum serial_choice choice, struct serial_port port)
{
    const struct options options = {.serial = choice, .serial_port = port};

    log_set_output(capture_log);
    log_info("first line of %u", ++trial);
    serial_choice_start(&options);
    log_replay(serial_write);
    log_set_output(output);
    if (!serial_choice_is_final(&options))
        serial_choice_finish(&options);
    log_info("last line of %u", trial);
}

static void choose_default(void)
{
    choose(SERIAL_DEFAULT, (struct serial_port){0});
}

/* Returns a line of this trial on a UART, or NULL. */
static const char *find_line(const struct uart *uart, const char *name)
{
    char line[40];
    snprintf(line, sizeof(line), "info: %s line of %u\n", name, trial);
    return strstr(uart->text, line);
}

/* Returns whether a UART has sent a text in this trial. */
static bool has_text(const struct uart *uart, const char *text)
{
    const char *start = find_line(uart, "first");
    return start != NULL && strstr(start, text) != NULL;
}

/* The whole log is on the port, once. */
static void assert_complete(const struct uart *uart)
{
    const char *first = find_line(uart, "first");
    assert_non_null(first);
    assert_null(strstr(strchr(first, '\n'), "first line of"));
    assert_non_null(find_line(uart, "last"));
}

/* COM1, where nothing describes another port, or an SPCR describes COM1. */
static void test_com1(void **state)
{
    struct uart *com1 = add_uart(0x3F8);

    choose_default();
    assert_complete(com1);
    assert_false(has_text(com1, "console:"));
    machine_start(state);
    com1                                           = add_uart(0x3F8);
    describe(SERIAL_SOURCE_SPCR, 0x3F8)->interrupt = 20;
    choose_default();
    assert_complete(com1);
    assert_int_equal(com1->starts, 1);
    assert_false(has_text(com1, "console:"));
}

/* SPCR's port gets all of the log; COM1 the place where output continues. */
static void test_spcr(void **state)
{
    (void)state;
    struct uart *com1                         = add_uart(0x3F8);
    struct uart *com2                         = add_uart(0x2F8);
    describe(SERIAL_SOURCE_SPCR, 0x2F8)->baud = 57600;
    choose_default();
    assert_complete(com2);
    assert_non_null(find_line(com1, "first"));
    assert_true(has_text(com1,
                         "info: console: serial output continues at I/O port 0x2f8, "
                         "57600 baud, named by SPCR\n"));
    assert_null(find_line(com1, "last"));
    assert_true(serial_is_present());
}

/* SPCR's COM1 at another speed, or at the one that firmware left. */
static void test_spcr_speed(void **state)
{
    static const uint32_t speeds[] = {9600, SERIAL_BAUD_AS_IS};

    for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
        machine_start(state);
        struct uart *com1                         = add_uart(0x3F8);
        describe(SERIAL_SOURCE_SPCR, 0x3F8)->baud = speeds[i];
        choose_default();
        assert_int_equal(com1->starts, 2);
        assert_int_equal(com1->place.baud, speeds[i]);
        assert_true(has_text(com1, i == 0 ? "0x3f8, 9600 baud, named by SPCR\n"
                                          : "0x3f8, speed unchanged, named by SPCR\n"));
        assert_non_null(find_line(com1, "last"));
    }
}

/* No UART, RAM, or a UART that does not send: COM1 stays, with a line that says why. */
static void test_spcr_unusable(void **state)
{
    static const char *const lines[] = {
        "info: console: SPCR names a serial port at I/O port 0x2f8: no UART there; not "
        "used",
        "info: console: SPCR names a serial port at I/O port 0x100000: RAM, or not "
        "mappable; "
        "not used",
        "warning: console: the serial port at I/O port 0x3e8 does not send; not used",
    };
    static const uint16_t addresses[] = {0x2F8, 0, 0x3E8};

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        machine_start(state);
        struct uart *com1         = add_uart(0x3F8);
        add_uart(0x3E8)->is_stuck = true;
        describe(SERIAL_SOURCE_SPCR, addresses[i] != 0 ? addresses[i] : 0x100000);
        describe(SERIAL_SOURCE_DBG2, 0x2E8);
        choose_default();
        assert_complete(com1);
        assert_true(has_text(com1, lines[i]));
        assert_ptr_equal(used, com1);
    }
}

/* Without COM1 and SPCR: the first one of DBG2 and PCI that is there. */
static void test_without_com1(void **state)
{
    (void)state;
    struct uart *sol = add_uart(0xF0A0);
    describe(SERIAL_SOURCE_SPCR, 0x2F8);
    describe(SERIAL_SOURCE_DBG2, 0x2E8);
    describe(SERIAL_SOURCE_PCI, 0xF0A0);
    choose_default();
    assert_complete(sol);
    assert_true(has_text(sol, "info: console: no serial port at I/O port 0x3f8\n"));
    assert_true(
        has_text(sol, "SPCR names a serial port at I/O port 0x2f8: no UART there"));
    assert_true(
        has_text(sol, "DBG2 names a serial port at I/O port 0x2e8: no UART there"));
    assert_true(has_text(sol, "continues at I/O port 0xf0a0, 115200 baud, named by PCI "
                              "00:16.3\n"));
    machine_start(state);
    choose_default();
    assert_false(serial_is_present());
}

/* With COM1, a port in PCI is only mentioned, and DBG2's is not touched. */
static void test_pci_mentioned(void **state)
{
    (void)state;
    struct uart *com1 = add_uart(0x3F8);
    add_uart(0x2E8);
    add_uart(0xF0A0);
    describe(SERIAL_SOURCE_DBG2, 0x2E8);
    describe(SERIAL_SOURCE_PCI, 0xF0A0);
    describe(SERIAL_SOURCE_PCI, 0xF0B0);
    choose_default();
    assert_complete(com1);
    assert_true(has_text(com1,
                         "info: console: there is a serial port at PCI 00:16.3 too; "
                         "console=pci uses it\n"));
    assert_int_equal(uarts[1].starts + uarts[2].starts, 0);
    assert_false(uarts[1].is_enabled || uarts[2].is_enabled);
}

/* console=pci: no other port is used, not even at first. */
static void test_pci(void **state)
{
    struct uart *com1 = add_uart(0x3F8);
    struct uart *sol  = add_uart(0xF0A0);
    describe(SERIAL_SOURCE_SPCR, 0x3F8);
    describe(SERIAL_SOURCE_PCI, 0xF0A0);
    choose(SERIAL_PCI, (struct serial_port){0});
    assert_complete(sol);
    assert_int_equal(com1->starts, 0);
    machine_start(state);
    add_uart(0x3F8);
    choose(SERIAL_PCI, (struct serial_port){0});
    assert_false(serial_is_present());
    assert_logged("info: console: no serial port in PCI\n");
}

/* A port that console= names is the only one that is tried. */
static void test_named(void **state)
{
    struct uart *com2 = add_uart(0x2F8);
    describe(SERIAL_SOURCE_SPCR, 0x3F8);
    choose(SERIAL_PORT, serial_port_at(0x2F8));
    assert_complete(com2);
    assert_int_equal(finds, 0);
    machine_start(state);
    choose(SERIAL_NONE, (struct serial_port){0});
    assert_false(serial_is_present());
    assert_int_equal(finds, 0);

    machine_start(state);
    struct uart *uart = add_uart(0);
    uart->place       = serial_port_in_memory(0xFE030000, 4);
    choose(SERIAL_PORT, uart->place);
    assert_complete(uart);
    assert_true(has_text(uart, "continues at memory address 0xfe030000, speed unchanged, "
                               "named by console=\n"));
    assert_int_equal(finds, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_com1, machine_start),
        cmocka_unit_test_setup(test_spcr, machine_start),
        cmocka_unit_test_setup(test_spcr_speed, machine_start),
        cmocka_unit_test_setup(test_spcr_unusable, machine_start),
        cmocka_unit_test_setup(test_without_com1, machine_start),
        cmocka_unit_test_setup(test_pci_mentioned, machine_start),
        cmocka_unit_test_setup(test_pci, machine_start),
        cmocka_unit_test_setup(test_named, machine_start),
    };
    return cmocka_run_group_tests_name("serial_choice", tests, NULL, NULL);
}
