/* src/guest/load/low_memory.c and src/dev/bios_entries.c: a PC's memory below 1 MiB. */
#include "guest.h"

#include "guest/load/loader.h"
#include "guest/load/low_memory.h"

#define NOON (TEST_TIME + 12 * 3600)

static int low_memory_start(void **state)
{
    start_guest(state);
    assert_int_equal(vm_add_devices(&test_vm), STATUS_OK);
    low_memory_write(&test_vm.memory, NOON);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, low_memory_start, end_guest)

static uint32_t peek(uint32_t address, unsigned int size)
{
    uint32_t value = 0;
    assert_true(guest_memory_read(&test_vm.memory, gpa(address), &value, size));
    return value;
}

static uint32_t cmos(uint8_t index)
{
    assert_int_equal(vm_port_write(test_vcpu, 0x70, 1, index), EXIT_NEXT);
    return vm_port_read(test_vcpu, 0x71, 1) & 0xFF;
}

static void test_data_area(void **state)
{
    (void)state;
    static const struct {
        uint32_t address, size, value;
    } words[] = {
        {0x400, 2, 0x3F8},  {0x402, 2, 0},     {0x404, 4, 0},      {0x408, 4, 0},
        {0x40E, 2, 0x9FC0}, {0x410, 2, 0x202}, {0x413, 2, 639},    {0x41A, 2, 0x1E},
        {0x41C, 2, 0x1E},   {0x449, 1, 3},     {0x44A, 2, 80},     {0x44C, 2, 0x1000},
        {0x44E, 2, 0},      {0x450, 2, 0},     {0x462, 1, 0},      {0x463, 2, 0x3D4},
        {0x467, 4, 0},      {0x470, 1, 0},     {0x472, 2, 0},      {0x475, 1, 0},
        {0x480, 2, 0x1E},   {0x482, 2, 0x3E},  {0x484, 1, 24},     {0x485, 2, 16},
        {0x500, 4, 0},      {0x9FC00, 2, 1},   {0xFFFFE, 1, 0xFC},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_int_equal(peek(words[i].address, words[i].size), words[i].value);
    assert_int_equal(peek(0x46C, 4), 0x1800B0 / 2);
    assert_int_equal(peek(0x413, 2), cmos(0x15) | cmos(0x16) << 8);
    assert_int_equal(peek(0x413, 2), IMAGE_LOW_END >> 10);
    assert_int_equal(peek(0x410, 1), cmos(0x14));
}

/* The ticks of a whole day: they rise to less than those of a day. */
static void test_ticks(void **state)
{
    (void)state;
    uint32_t last = 0;
    for (uint32_t second = 0; second < 86400; second += 27) {
        low_memory_write(&test_vm.memory, TEST_TIME + second);
        assert_true(peek(0x46C, 4) >= last);
        last = peek(0x46C, 4);
    }
    assert_in_range(last, 0x1800B0 - 27 * 19, 0x1800B0 - 1);
}

/* Executes the OUT at a real-mode address, as the processor would. */
static enum exit_outcome execute(uint32_t segment, uint32_t offset)
{
    uint32_t port = peek(segment * 16 + offset + 1, 1);
    assert_int_equal(peek(segment * 16 + offset, 1), 0xE6);
    *test_vcpu->end               = (struct guest_end){0};
    test_registers[VCPU_RIP]      = offset;
    test_vcpu->run.registers.r[0] = 0x12345678;
    return vm_port_write(test_vcpu, (uint16_t)port, 1, 0x78);
}

static void test_interrupts(void **state)
{
    (void)state;
    char end[80];
    for (uint32_t i = 0; i < 256; i++) {
        bool is_service = i >= 0x10 && i <= 0x1F, resets = i == 0x18 || i == 0x19;
        snprintf(end, sizeof(end),
                 resets ? "reset by BIOS interrupt %02Xh"
                 : is_service
                     ? "called BIOS interrupt %02Xh, function 56h; Hymir provides no BIOS"
                     : "real-mode interrupt %02Xh has no handler; Hymir provides no BIOS",
                 i);
        assert_int_equal(execute(peek(4 * i + 2, 2), peek(4 * i, 2)), EXIT_STOP);
        assert_string_equal(test_vcpu->end->text, end);
        assert_int_equal(test_vm.end.kind, resets ? GUEST_END_RESET : GUEST_END_ABNORMAL);
    }
}

/* The reset vector, and the start of the self-test to which it jumps. */
static void test_reset_vector(void **state)
{
    (void)state;
    assert_int_equal(peek(0xFFFF0, 1), 0xEA);
    assert_int_equal(execute(peek(0xFFFF3, 2), peek(0xFFFF1, 2)), EXIT_STOP);
    assert_string_equal(test_vcpu->end->text, "reset by the BIOS reset vector");
    assert_int_equal(test_vm.end.kind, GUEST_END_RESET);
    assert_int_equal(execute(0xF000, 0xE05B), EXIT_STOP);
}

/* The port has no effect but at the entry points, and only there as an 8086 executes. */
static void test_port(void **state)
{
    (void)state;
    test_registers[VCPU_RIP] = 0xE05B;
    for (unsigned int i = 0; i < 4; i++) {
        test_registers[VCPU_CR0]    = i & 1;
        test_registers[VCPU_RFLAGS] = (i & 2) << 16;
        assert_int_equal(vm_port_write(test_vcpu, 0xE2, 1, 0),
                         i == 1 ? EXIT_NEXT : EXIT_STOP);
    }
    test_registers[VCPU_CR0]       = 0;
    *test_vcpu->end                = (struct guest_end){0};
    static const uint64_t others[] = {0,      0xE05A, 0xE05C, 0xE0FF,     0xE101,
                                      0xE2FF, 0xE300, 0xFFF0, 0x1000E100, UINT64_MAX};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        test_registers[VCPU_RIP] = others[i];
        assert_int_equal(vm_port_write(test_vcpu, 0xE2, 1, 0), EXIT_NEXT);
    }
    assert_string_equal(test_vcpu->end->text, "");
    assert_int_equal(vm_port_read(test_vcpu, 0xE2, 1) & 0xFF, 0xFF);
}

/* SDM 3A, "IDT Descriptors": as gates, the vectors are invalid in each mode. */
static void test_vectors_are_no_gates(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 1024; at += 8) {
        uint32_t type = peek(at + 5, 1) & 0x1F;
        assert_true(type != 5 && type != 6 && type != 7 && type != 14 && type != 15);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_data_area),    TEST(test_ticks), TEST(test_interrupts),
        TEST(test_reset_vector), TEST(test_port),  TEST(test_vectors_are_no_gates),
    };
    return cmocka_run_group_tests_name("low_memory", tests, NULL, NULL);
}
