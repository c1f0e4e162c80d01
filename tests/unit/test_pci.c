/* src/platform/pci.c, on simulated machines: PCI Local Bus Specification 3.0. */
#include "pci.h"

#define VISITED_MAX 65536

static struct pci_function visited[VISITED_MAX];
static size_t visited_count;

static void note_function(const struct pci_function *function, void *context)
{
    assert_ptr_equal(context, &visited_count);
    assert_true(visited_count < VISITED_MAX);
    visited[visited_count++] = *function;
}

static void walk(void)
{
    visited_count = 0;
    pci_walk(note_function, &visited_count);
}

static void assert_visited(size_t index, unsigned int bus, unsigned int device,
                           unsigned int function)
{
    assert_true(index < visited_count);
    assert_int_equal(visited[index].address.bus, bus);
    assert_int_equal(visited[index].address.device, device);
    assert_int_equal(visited[index].address.function, function);
}

/* What a header says is passed on; the bit of several functions is not part of its
 * layout. */
static void test_header(void **state)
{
    (void)state;
    add_function(0, 31, 0, 0x0C0330, 0x81, 0);
    walk();
    assert_int_equal(visited_count, 1);
    assert_visited(0, 0, 31, 0);
    assert_int_equal(visited[0].vendor_id, 0x8086);
    assert_int_equal(visited[0].device_id, 0x100E);
    assert_int_equal(visited[0].base_class, 0x0C);
    assert_int_equal(visited[0].sub_class, 0x03);
    assert_int_equal(visited[0].programming_interface, 0x30);
    assert_int_equal(visited[0].header_layout, 1);
}

/* Functions of the last bus and device are found, and those behind another root bus. */
static void test_all_buses(void **state)
{
    (void)state;
    add_function(0, 0, 0, 0x060000, 0, 0);
    add_function(0x80, 2, 0, 0x020000, 0, 0);
    add_function(255, 31, 0, 0x088000, 0x80, 0);
    add_function(255, 31, 7, 0x088000, 0x80, 0);
    walk();
    assert_int_equal(visited_count, 4);
    assert_visited(1, 0x80, 2, 0);
    assert_visited(2, 255, 31, 0);
    assert_visited(3, 255, 31, 7);
}

/* Further functions are probed only if function 0 has the bit, and may have holes. */
static void test_functions(void **state)
{
    (void)state;
    add_function(0, 1, 0, 0x020000, 0x00, 0);
    add_function(0, 1, 3, 0x020000, 0x00, 0); /* an image of function 0 */
    add_function(0, 2, 0, 0x020000, 0x80, 0);
    add_function(0, 2, 5, 0x020000, 0x00, 0);
    add_function(0, 3, 1, 0x020000, 0x80, 0); /* without function 0 */
    walk();
    assert_int_equal(visited_count, 3);
    assert_visited(0, 0, 1, 0);
    assert_visited(1, 0, 2, 0);
    assert_visited(2, 0, 2, 5);
}

/* A vendor of 0 is a function that is not there either. */
static void test_vendor_zero(void **state)
{
    (void)state;
    struct simulated *function = add_function(0, 1, 0, 0x020000, 0x80, 0);
    function->space[0] = function->space[1] = 0;
    walk();
    assert_int_equal(visited_count, 0);
}

/* Bridges that lead to themselves, to each other and back to bus 0. */
static void test_bridge_loops(void **state)
{
    (void)state;
    static const uint8_t secondary[] = {0, 1, 0, 255};

    for (unsigned int i = 0; i < ARRAY_SIZE(secondary); i++) {
        struct simulated *bridge = add_function(i, 0, 0, 0x060400, 1, 0);
        bridge->space[0x19]      = secondary[i];
        bridge->space[0x1A]      = 255;
    }
    walk();
    assert_int_equal(visited_count, ARRAY_SIZE(secondary));
}

/* Something that responds at every address with several functions ends the walk too. */
static void test_everywhere(void **state)
{
    (void)state;
    add_function(0, 0, 0, 0x020000, 0x80, 0);
    answers_everywhere = true;
    walk();
    assert_int_equal(visited_count, 65536);
    assert_true(probe_count <= 65536 * 4);
}

/* A machine without functions costs one probe for each device. */
static void test_empty(void **state)
{
    (void)state;
    walk();
    assert_int_equal(visited_count, 0);
    assert_int_equal(probe_count, 8192);
}

/* Without the ports, nothing is probed: read_port fails the test. */
static void test_no_ports(void **state)
{
    (void)state;
    has_no_ports = true;
    assert_false(pci_is_present());
    walk();
    assert_int_equal(visited_count, 0);
}

/* Accesses of each size reach their bytes, and only those. */
static void test_sizes(void **state)
{
    (void)state;
    const struct pci_address address = {.bus = 3, .device = 4, .function = 5};
    struct simulated *function       = add_function(3, 4, 5, 0x020000, 0, 0);

    for (unsigned int i = 0; i < 256; i++)
        function->space[i] = (uint8_t)i;
    assert_int_equal(pci_read32(address, 0xFC), 0xFFFEFDFC);
    assert_int_equal(pci_read16(address, 0x2E), 0x2F2E);
    assert_int_equal(pci_read8(address, 0x43), 0x43);
    pci_write32(address, 0x10, 0xA1A2A3A4);
    pci_write16(address, 0x16, 0xB1B2);
    pci_write8(address, 0x19, 0xC1);
    static const uint8_t wanted[] = {0x0F, 0xA4, 0xA3, 0xA2, 0xA1, 0x14,
                                     0x15, 0xB2, 0xB1, 0x18, 0xC1, 0x1A};
    assert_memory_equal(function->space + 0x0F, wanted, sizeof(wanted));
}

/* A function that is not there reads as all ones, and ignores writes. */
static void test_absent(void **state)
{
    (void)state;
    const struct pci_address address = {.bus = 9};

    pci_write8(address, 4, 0);
    assert_int_equal(pci_read32(address, 0), UINT32_MAX);
    assert_int_equal(pci_read16(address, 2), UINT16_MAX);
    assert_int_equal(pci_read8(address, 3), UINT8_MAX);
}

/* The functions of another segment come last; the ports do not reach them. */
static void test_segment(void **state)
{
    (void)state;
    add_function(0, 2, 0, 0x030000, 0, 0);
    start_memory_space();
    add_memory_function(0, 0, 0, 0x060400, 1, 0);
    add_memory_function(1, 31, 0, 0x020000, 0x80, 0);
    add_memory_function(1, 31, 7, 0x020000, 0, 0);
    add_memory_function(1, 4, 3, 0x020000, 0, 0); /* without function 0 */
    walk();
    assert_int_equal(visited_count, 4);
    assert_visited(0, 0, 2, 0);
    assert_int_equal(visited[0].address.segment, 0);
    assert_visited(1, MEMORY_FIRST_BUS, 0, 0);
    assert_int_equal(visited[1].address.segment, MEMORY_SEGMENT);
    assert_int_equal(visited[1].header_layout, 1);
    assert_visited(2, MEMORY_FIRST_BUS + 1, 31, 0);
    assert_visited(3, MEMORY_FIRST_BUS + 1, 31, 7);
    assert_int_equal(visited[3].base_class, 2);
}

/* Without the ports, other segments are found nevertheless. */
static void test_segment_without_ports(void **state)
{
    (void)state;
    has_no_ports = true;
    start_memory_space();
    add_memory_function(0, 0, 0, 0x020000, 0, 0);
    walk();
    assert_int_equal(visited_count, 1);
}

/* Accesses of each size in memory; other buses and segments do not exist. */
static void test_segment_sizes(void **state)
{
    (void)state;
    struct pci_address address = {.segment  = MEMORY_SEGMENT,
                                  .bus      = MEMORY_FIRST_BUS + 1,
                                  .device   = 4,
                                  .function = 5};
    uint8_t *space             = memory_space + (1 << 20 | 4 << 15 | 5 << 12);

    start_memory_space();
    for (unsigned int i = 0; i < 256; i++)
        space[i] = (uint8_t)i;
    assert_int_equal(pci_read32(address, 0xFC), 0xFFFEFDFC);
    assert_int_equal(pci_read16(address, 0x2E), 0x2F2E);
    assert_int_equal(pci_read8(address, 0x43), 0x43);
    pci_write32(address, 0x10, 0xA1A2A3A4);
    pci_write16(address, 0x16, 0xB1B2);
    pci_write8(address, 0x19, 0xC1);
    static const uint8_t wanted[] = {0x0F, 0xA4, 0xA3, 0xA2, 0xA1, 0x14,
                                     0x15, 0xB2, 0xB1, 0x18, 0xC1, 0x1A};
    assert_memory_equal(space + 0x0F, wanted, sizeof(wanted));
    assert_int_equal(probe_count, 0);
    static const struct pci_address absent[] = {
        {.segment = MEMORY_SEGMENT, .bus = MEMORY_FIRST_BUS + 2},
        {.segment = MEMORY_SEGMENT, .bus = MEMORY_FIRST_BUS - 1},
        {.segment = MEMORY_SEGMENT + 1, .bus = MEMORY_FIRST_BUS},
    };
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
        pci_write32(absent[i], 0, 0);
        assert_int_equal(pci_read32(absent[i], 0), UINT32_MAX);
        assert_int_equal(pci_read16(absent[i], 2), UINT16_MAX);
        assert_int_equal(pci_read8(absent[i], 3), UINT8_MAX);
    }
}

static void test_description(void **state)
{
    (void)state;
    TEXT_DECLARE(text, PCI_TEXT_SIZE);
    pci_describe((struct pci_address){.device = 31, .function = 2}, &text);
    assert_string_equal(text.buffer, "00:1f.2");
    text.length = 0;
    pci_describe(
        (struct pci_address){.segment = 0xABCD, .bus = 255, .device = 31, .function = 7},
        &text);
    assert_string_equal(text.buffer, "abcd:ff:1f.7");
}

#define TEST(function) cmocka_unit_test_setup(function, start_pci)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_header),        TEST(test_all_buses),
        TEST(test_functions),     TEST(test_vendor_zero),
        TEST(test_bridge_loops),  TEST(test_everywhere),
        TEST(test_empty),         TEST(test_no_ports),
        TEST(test_sizes),         TEST(test_absent),
        TEST(test_segment),       TEST(test_segment_without_ports),
        TEST(test_segment_sizes), TEST(test_description),
    };
    return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
