/* src/platform/bus_masters.c, on simulated machines. */
#include "pci.h"

#include "../../src/platform/bus_masters.c"

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
    add_function(0, 4, 0, 0x0C0320, 0, LEFT_ON);
    log_set_level(LOG_DEBUG);
    bus_masters_stop(true);
    log_set_level(LOG_INFO);
    assert_logged("debug: PCI: 00:00.0 [8086:100e] class 060000 (bridge): bus mastering "
                  "left enabled\n");
    assert_logged("debug: PCI: 00:04.0 [8086:100e] class 0c0320 (USB): bus mastering "
                  "disabled\n");
}

#define TEST(function) cmocka_unit_test_setup(function, start_pci)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_policy), TEST(test_stops), TEST(test_many),
        TEST(test_fixed),  TEST(test_log),
    };
    return cmocka_run_group_tests_name("bus masters", tests, NULL, NULL);
}
