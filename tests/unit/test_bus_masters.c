/* src/platform/bus_masters.c, on simulated machines. */
#include "pci.h"

static void *read_gs_pointer(void)
{
    return NULL;
}

#include "../../src/platform/bus_masters.c"
#include "../../src/platform/usb_legacy.c"

#define REGISTERS 0xFEB00000

static uint32_t registers[REGISTERS_SIZE / 4];

volatile void *address_space_map_device(uint64_t physical, uint64_t size)
{
    assert_int_equal(size, sizeof(registers));
    return physical == REGISTERS ? registers : NULL;
}

#define COMMAND(function) ((function)->space[4])
#define LEFT_ON           0x07 /* I/O, memory, bus master */
#define STOPPED           0x03

/* Bridges by class or header, displays, IOMMUs, and USB under BIOS. */
static void test_policy(void **state)
{
    (void)state;
    static const struct {
        uint32_t class_code;
        uint8_t header;
        bool is_kept, is_kept_by_efi;
    } rows[] = {
        {0x060000, 0, true, true},   /* host bridge */
        {0x060100, 0, true, true},   /* ISA bridge */
        {0x060400, 1, true, true},   /* PCI bridge */
        {0x060700, 2, true, true},   /* CardBus bridge */
        {0xFF0000, 1, true, true},   /* a bridge with a strange class */
        {0x030000, 0, true, true},   /* VGA */
        {0x038000, 0, true, true},   /* another display */
        {0x000100, 0, true, true},   /* VGA before PCI 2.0 */
        {0x080600, 0, true, true},   /* IOMMU */
        {0x0C0300, 0, true, false},  /* UHCI */
        {0x0C0310, 0, true, false},  /* OHCI */
        {0x0C0320, 0, true, false},  /* EHCI */
        {0x0C0330, 0, true, false},  /* xHCI */
        {0x0C0500, 0, false, false}, /* SMBus */
        {0x0C0010, 0, false, false}, /* FireWire */
        {0x000000, 0, false, false}, /* before PCI 2.0, no VGA */
        {0x010601, 0, false, false}, /* AHCI */
        {0x010802, 0, false, false}, /* NVMe */
        {0x020000, 0, false, false}, /* Ethernet */
        {0x028000, 0, false, false}, /* wireless LAN, in some machines */
        {0x040300, 0, false, false}, /* audio */
        {0x070002, 0, false, false}, /* UART */
        {0x080501, 0, false, false}, /* SD host */
        {0x0D1100, 0, false, false}, /* Bluetooth */
        {0xFF0000, 0, false, false}, /* unassigned */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct pci_function function = {
            .base_class            = (uint8_t)(rows[i].class_code >> 16),
            .sub_class             = (uint8_t)(rows[i].class_code >> 8),
            .programming_interface = (uint8_t)rows[i].class_code,
            .header_layout         = rows[i].header};
        assert_int_equal(bus_master_is_kept(&function, false), rows[i].is_kept);
        assert_int_equal(bus_master_is_kept(&function, true), rows[i].is_kept_by_efi);
    }
}

/* Only the bit is cleared, also behind a bridge, and of every function of a device. */
static void test_stops(void **state)
{
    (void)state;
    struct simulated *bridge  = add_function(0, 28, 0, 0x060400, 0x81, LEFT_ON);
    struct simulated *network = add_function(3, 0, 0, 0x020000, 0x80, LEFT_ON | 0x40);
    struct simulated *second  = add_function(3, 0, 1, 0x020000, 0x80, LEFT_ON);
    struct simulated *display = add_function(0, 2, 0, 0x030000, 0, LEFT_ON);
    struct simulated *idle    = add_function(0, 31, 2, 0x010601, 0, STOPPED);

    bus_masters_stop(true);
    assert_int_equal(COMMAND(network), STOPPED | 0x40);
    assert_int_equal(COMMAND(second), STOPPED);
    assert_int_equal(COMMAND(bridge), LEFT_ON);
    assert_int_equal(COMMAND(display), LEFT_ON);
    assert_int_equal(COMMAND(idle), STOPPED);
    assert_int_equal(network->space[6], 0x10); /* Status, where ones would clear bits */
    assert_string_equal(captured_log, "info: PCI: bus mastering disabled: 03:00.0 "
                                      "(network), 03:00.1 (network); left enabled: 2\n");
}

/* The line names as many functions as it has room for. */
static void test_many(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 10; i++)
        add_function(0xF0, i, 0, 0x070000, 0, LEFT_ON);
    bus_masters_stop(false);
    assert_logged("f0:04.0 (communication), f0:05.0 (communication) and 4 more; left "
                  "enabled: 0\n");
}

/* A function that ignores the write is not reported as stopped. */
static void test_fixed(void **state)
{
    (void)state;
    struct simulated *function = add_function(0, 3, 0, 0x118000, 0, LEFT_ON);
    function->fixed            = 4;
    bus_masters_stop(false);
    assert_int_equal(COMMAND(function), LEFT_ON);
    assert_string_equal(captured_log,
                        "warning: PCI: 1 functions stay bus masters and may "
                        "write to memory\n");
}

/* With nothing to stop, nothing is said; at level debug, each bus master is named. */
static void test_log(void **state)
{
    (void)state;
    add_function(0, 0, 0, 0x060000, 0, LEFT_ON);
    bus_masters_stop(false);
    assert_nothing_logged();
    add_function(0, 4, 0, 0x0C0300, 0, LEFT_ON);
    log_set_level(LOG_DEBUG);
    bus_masters_stop(true);
    assert_null(strstr(captured_log, "USB"));
    bus_masters_stop_late(true);
    log_set_level(LOG_INFO);
    assert_logged("debug: PCI: 00:00.0 [8086:100e] class 060000 (bridge): bus mastering "
                  "left enabled\n");
    assert_logged("debug: PCI: 00:04.0 [8086:100e] class 0c0300 (USB): bus mastering "
                  "disabled\n");
}

/* Leaves a USB controller on as UEFI may; returns whether it stays on. */
static bool stays(struct simulated *usb, uint32_t base, uint32_t base_high)
{
    memcpy(usb->space + 0x10, &base, 4);
    memcpy(usb->space + 0x14, &base_high, 4);
    COMMAND(usb) = LEFT_ON;
    bus_masters_stop_late(true);
    assert_true(COMMAND(usb) == LEFT_ON || COMMAND(usb) == STOPPED);
    return COMMAND(usb) == LEFT_ON;
}

/* UHCI and OHCI stay if they raise SMIs, without UEFI's drivers. */
static void test_old_usb(void **state)
{
    (void)state;
    struct simulated *uhci = add_function(0, 1, 0, 0x0C0300, 0, 0);
    struct simulated *ohci = add_function(0, 2, 0, 0x0C0310, 0, 0);

    memset(registers, 0, sizeof(registers));
    uhci->space[0xC1] = 0x20; /* only its interrupt */
    assert_false(stays(uhci, 0, 0));
    uhci->space[0xC0] = 0x10;
    assert_true(stays(uhci, 0, 0));
    assert_false(stays(ohci, REGISTERS, 0));
    registers[1] = 0x100;
    assert_true(stays(ohci, REGISTERS, 0));
}

/* EHCI's capabilities are in configuration space; a loop of them ends. */
static void test_ehci(void **state)
{
    (void)state;
    struct simulated *ehci      = add_function(0, 3, 0, 0x0C0320, 0, 0);
    static const uint8_t free[] = {0x01, 0, 0, 0}, owned[] = {0x01, 0, 1, 0};

    memset(registers, 0, sizeof(registers));
    assert_false(stays(ehci, REGISTERS, 0)); /* none */
    registers[2] = 0x6871;
    memcpy(ehci->space + 0x68, "\x0A\x98", 2); /* another, then one at 98h */
    memcpy(ehci->space + 0x98, free, 4);
    assert_false(stays(ehci, REGISTERS, 0));
    memcpy(ehci->space + 0x98, owned, 4);
    assert_true(stays(ehci, REGISTERS, 0));
    memcpy(ehci->space + 0x98, "\x0A\x68", 2);
    assert_false(stays(ehci, REGISTERS, 0));
}

/* xHCI's are in the registers, which a list that is too long does not leave. */
static void test_xhci(void **state)
{
    (void)state;
    struct simulated *xhci = add_function(0, 4, 0, 0x0C0330, 0, 0);

    memset(registers, 0, sizeof(registers));
    registers[4]      = 0x2000 << 16; /* at 8000h */
    registers[0x2000] = 0x0402;
    registers[0x2004] = 0x01000001;
    assert_false(stays(xhci, REGISTERS | 4, 0));
    registers[0x2004] = 0x00010001;
    assert_true(stays(xhci, REGISTERS | 4, 0));
    registers[0x2004] = 0xFF02;
    for (size_t i = 0x2004 + 0xFF; i < ARRAY_SIZE(registers); i += 0xFF)
        registers[i] = 0xFF02;
    assert_false(stays(xhci, REGISTERS, 0));
    registers[4] = UINT32_MAX;
    assert_false(stays(xhci, REGISTERS, 0));
}

/* The functions of other segments are stopped with the USB controllers. */
static void test_segment(void **state)
{
    (void)state;
    struct simulated *network = add_function(0, 3, 0, 0x020000, 0, LEFT_ON);
    start_memory_space();
    uint8_t *bridge  = add_memory_function(0, 0, 0, 0x060400, 1, LEFT_ON);
    uint8_t *storage = add_memory_function(1, 31, 0, 0x010802, 0, LEFT_ON);

    bus_masters_stop(true);
    assert_int_equal(COMMAND(network), STOPPED);
    assert_int_equal(storage[4], LEFT_ON);
    captured_length = 0;
    bus_masters_stop_late(true);
    assert_int_equal(bridge[4], LEFT_ON);
    assert_int_equal(storage[4], STOPPED);
    assert_string_equal(captured_log, "info: PCI: bus mastering disabled: 0003:06:1f.0 "
                                      "(storage); left enabled: 1\n");
}

/* A controller whose registers cannot be mapped stays. */
static void test_unmapped(void **state)
{
    (void)state;
    struct simulated *xhci = add_function(0, 4, 0, 0x0C0330, 0, 0);

    assert_true(stays(xhci, REGISTERS | 4, 2));
    assert_true(stays(xhci, 0, 0));
}

#define TEST(function) cmocka_unit_test_setup(function, start_pci)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_policy),   TEST(test_stops),   TEST(test_many), TEST(test_fixed),
        TEST(test_log),      TEST(test_old_usb), TEST(test_ehci), TEST(test_xhci),
        TEST(test_unmapped), TEST(test_segment),
    };
    return cmocka_run_group_tests_name("bus masters", tests, NULL, NULL);
}
