/* src/dev/port_map.c, power_ports.c and src/guest/devices.c: all devices of a guest. */
#include "guest.h"

#include "guest/hypercall.h"
#include "guest/string_io.h"

static int devices_start(void **state)
{
    start_guest(state);
    assert_int_equal(vm_add_devices(&test_vm), STATUS_OK);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, devices_start, end_guest)

static enum exit_outcome out(uint16_t port, uint8_t size, uint32_t value)
{
    return vm_port_write(test_vcpu, port, size, value);
}

static uint32_t in(uint16_t port, uint8_t size)
{
    return vm_port_read(test_vcpu, port, size) & UINT32_MAX >> (32 - 8 * size);
}

static bool are_unclaimed(uint32_t port, uint8_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (test_vm.ports.owner[(uint16_t)(port + i)] != 0)
            return false;
    }
    return true;
}

/* All ports in each width; unclaimed ports read all ones. */
static void test_all_ports(void **state)
{
    (void)state;
    for (uint32_t port = 0; port <= UINT16_MAX; port++) {
        for (uint8_t size = 1; size <= 4; size = (uint8_t)(size * 2)) {
            uint32_t value = in((uint16_t)port, size);
            if (are_unclaimed(port, size))
                assert_int_equal(value, UINT32_MAX >> (32 - 8 * size));
            if (port > 0xF4 || port + size <= 0xF4) /* ends the guest */
                assert_int_equal(out((uint16_t)port, size, 0), EXIT_NEXT);
        }
    }
    assert_true(test_vm.ignored_accesses > 6 * 65000);
    assert_string_equal(test_vm.end.text, "");
}

/* As with two vCPUs: the only one of a VM needs no lock. */
static void share_devices(void)
{
    test_vm.cpu_count        = 2;
    test_vm.ports.plain_size = 0;
}

/* Reads of the PM timer take no ticket of the lock, so that no vCPU waits for another. */
static void test_free_timer(void **state)
{
    (void)state;
    share_devices();
    for (uint32_t port = 0; port < 0x700; port++) {
        for (uint8_t size = 1; size <= 4; size = (uint8_t)(size * 2)) {
            unsigned int tickets = test_vm.lock.next;
            uint32_t before      = in(0x608, 4);
            assert_int_equal(test_vm.lock.next, tickets);
            uint32_t value = in((uint16_t)port, size);
            if (port == 0x608 && size == 4)
                assert_in_range(value, before, in(0x608, 4));
            else
                assert_int_equal(test_vm.lock.next, tickets + 1);
        }
    }
}

/* An access to several ports is split as a bus does: each owner gets its own bytes. */
static void test_split(void **state)
{
    (void)state;
    test_vm.ignored_accesses = 0;
    assert_int_equal(out(0x6F, 2, 0x1500), EXIT_NEXT); /* nothing, CMOS's index */
    uint32_t byte = in(0x71, 1);
    assert_int_equal(byte, in(0x71, 1));
    assert_int_equal(test_vm.ignored_accesses, 1);
    assert_int_equal(in(0x6F, 4), 0xFF00FFFF | byte << 16);
    assert_int_equal(in(0x91, 2), 0x02FF);
    assert_int_equal(in(0x92, 2), 0xFF02);
    assert_int_equal(in(0xFFFE, 4), UINT32_MAX);
    assert_int_equal(out(0x91, 2, 0x0200), EXIT_NEXT);
    assert_int_equal(out(0x91, 2, 0x0300), EXIT_STOP);
    assert_string_equal(test_vm.end.text, "reset by port 0x92");
    test_vm.end = (struct guest_end){0};
    assert_int_equal(out(0x60, 4, 0), EXIT_NEXT); /* 0x60 and 0x61 */
    assert_int_equal(in(0x64, 1) & 1, 1);
    /* The word of a register of a word, in two bytes; what is beyond it is not its. */
    assert_int_equal(out(0x602, 4, 0x20000000), EXIT_STOP);
    test_vm.end = (struct guest_end){0};
    assert_int_equal(out(0x605, 1, 0x20), EXIT_STOP);
    test_vm.end = (struct guest_end){0};
    assert_int_equal(out(0x604, 4, 0x20000000), EXIT_NEXT);
    assert_int_equal(out(0x605, 2, 0x2000), EXIT_NEXT);
    assert_int_equal(out(0x603, 1, 0x20), EXIT_NEXT);
    /* The debug exit takes all bytes of an access. */
    assert_int_equal(out(0xF4, 2, 0x12345678), EXIT_STOP);
    assert_string_equal(test_vm.end.text, "ended by port 0xf4 with value 0x5678");
}

/* PCI's configuration address is one register: its byte at 0xCF9 resets only alone. */
static void test_pci_address(void **state)
{
    (void)state;
    assert_int_equal(out(0xCF8, 4, UINT32_MAX), EXIT_NEXT);
    assert_int_equal(out(0xCF8, 2, 0xFFFF), EXIT_NEXT);
    assert_int_equal(out(0xCFB, 1, 1), EXIT_NEXT);
    assert_int_equal(in(0xCF8, 4), UINT32_MAX);
    assert_int_equal(out(0xCF9, 1, 0x06), EXIT_STOP);
    assert_string_equal(test_vm.end.text, "reset by port 0xcf9");
}

static void test_ends(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        uint8_t size;
        uint32_t harmless, value;
        const char *end;
        enum guest_end_kind kind;
    } cases[] = {
        {0x64, 1, 0xAA, 0xFE, "reset by port 0x64", GUEST_END_RESET},
        {0x92, 1, 0x02, 0x03, "reset by port 0x92", GUEST_END_RESET},
        {0xCF9, 1, 0x02, 0x06, "reset by port 0xcf9", GUEST_END_RESET},
        {0x604, 2, 0x1C00, 0x2000, "powered off by port 0x604", GUEST_END_REQUESTED},
        {0xB004, 2, 0x0001, 0x3C00, "powered off by port 0xb004", GUEST_END_REQUESTED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_vm.end = (struct guest_end){0};
        assert_int_equal(out(cases[i].port, cases[i].size, cases[i].harmless), EXIT_NEXT);
        assert_string_equal(test_vm.end.text, "");
        assert_int_equal(out(cases[i].port, cases[i].size, cases[i].value), EXIT_STOP);
        assert_string_equal(test_vm.end.text, cases[i].end);
        assert_int_equal(test_vm.end.kind, cases[i].kind);
    }
    test_vm.end = (struct guest_end){0};
    assert_int_equal(out(0xF4, 4, 0x12345678), EXIT_STOP);
    assert_string_equal(test_vm.end.text, "ended by port 0xf4 with value 0x12345678");
}

static void test_shutdown_word(void **state)
{
    (void)state;
    const char *text = "ShutShuShutdow";
    for (; *text != '\0'; text++)
        assert_int_equal(out(0x8900, 1, (uint8_t)*text), EXIT_NEXT);
    assert_int_equal(out(0x8900, 1, 'n'), EXIT_STOP);
    assert_string_equal(test_vm.end.text, "powered off by port 0x8900");
}

static void test_map_is_full(void **state)
{
    (void)state;
    static struct port_map map;
    uint64_t unclaimed        = 0;
    struct port_device device = {0};
    port_map_init(&map, &unclaimed);
    for (uint16_t i = 0; i < PORT_DEVICES; i++) {
        device.first = device.last = (uint16_t)(i * 0x100);
        port_map_add(&map, device);
        assert_false(map.is_full);
    }
    device.first = device.last = 0xFF00;
    port_map_add(&map, device);
    assert_true(map.is_full);
    assert_int_equal(map.owner[0xFF00], 0);
    /* The first device of a port keeps it; the last port, 0xFFFF, can be claimed. */
    port_map_init(&map, &unclaimed);
    device.first = 0xFFFE;
    device.last  = 0xFFFF;
    port_map_add(&map, device);
    device.first = 0xFFFF;
    port_map_add(&map, device);
    assert_false(map.is_full);
    assert_ptr_equal(port_map_find(&map, 0xFFFF), &map.device[1]);
    assert_int_equal(map.owner[0xFFFD], 0);
    assert_ptr_equal(port_map_find(&map, 0xFFFD), &map.device[0]);
}

/* REP OUTSB of a byte at an address below 4 GiB, paging off. */
static enum exit_outcome output_string(uint64_t address)
{
    const struct string_access access = {
        .port           = 0x3F8,
        .size           = 1,
        .address_size   = 4,
        .is_repeated    = true,
        .linear_address = address,
        .segment        = {.limit = UINT32_MAX, .access_rights = 0xC093},
    };
    return string_io_handle(test_vcpu, &access);
}

/* Without room for its output, an instruction waits as if it had not been executed. */
static void test_output_without_room(void **state)
{
    static const uint8_t text[VM_OUTPUT_SIZE - 3];
    (void)state;
    test_registers[VCPU_CR0] = 0x11;
    put_guest(0x5000, "abcdef", 6);
    assert_true(vm_print(&test_vm, text, sizeof(text)));
    *test_r(REGISTER_RSI) = 0x5000;
    *test_r(REGISTER_RCX) = 6;
    assert_int_equal(output_string(0x5000), EXIT_REPEAT); /* three bytes */
    assert_int_equal(output_string(0x5003), EXIT_RESUME);
    assert_int_equal(out(0x3F8, 1, 'x'), EXIT_RESUME);
    assert_int_equal(out(0x3F8, 2, 'x'), EXIT_RESUME);
    assert_int_equal(*test_r(REGISTER_RSI), 0x5003);
    assert_int_equal(*test_r(REGISTER_RCX), 3);
    *test_r(REGISTER_RAX) = HYPERCALL_PRINT;
    *test_r(REGISTER_RBX) = 0x5003;
    assert_int_equal(hypercall_handle(test_vcpu), EXIT_RESUME);
    assert_int_equal(*test_r(REGISTER_RAX), HYPERCALL_PRINT);
    assert_memory_equal(test_vm.output_bytes + sizeof(text), "abc", 3);
    (void)test_printed();
    assert_int_equal(hypercall_handle(test_vcpu), EXIT_NEXT);
    assert_string_equal(test_printed(), "def");
}

/* Output is shown within 10 ms, and the flush repeats until nothing is left. */
static void test_flush_timer(void **state)
{
    (void)state;
    share_devices();
    flushes = 0;
    out(0x3F9, 1, 2); /* the interrupt of the transmitter */
    assert_int_equal(test_alarm, TICKS_NEVER);
    test_clock = 5000000;
    assert_int_equal(out(0x3F8, 1, 'a'), EXIT_NEXT);
    assert_int_equal(test_alarm, 15000000);
    test_clock = 7000000;
    assert_int_equal(out(0x3F8, 1, 'b'), EXIT_NEXT);
    assert_int_equal(test_alarm, 15000000);
    for (unsigned int i = 1; i < 5; i++) {
        test_clock = test_alarm;
        test_alarm = TICKS_NEVER;
        vm_exit_handlers.alarm(test_vcpu);
        assert_int_equal(flushes, i);
        assert_int_equal(test_alarm, i < 4 ? 15000000 + 10000000 * i : TICKS_NEVER);
        if (i == 3)
            assert_string_equal(test_printed(), "ab");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_ports),
        TEST(test_free_timer),
        TEST(test_split),
        TEST(test_pci_address),
        TEST(test_ends),
        TEST(test_shutdown_word),
        TEST(test_output_without_room),
        TEST(test_flush_timer),
        cmocka_unit_test(test_map_is_full),
    };
    return cmocka_run_group_tests_name("devices", tests, NULL, NULL);
}
