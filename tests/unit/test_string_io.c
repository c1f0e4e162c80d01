/* src/guest/string_io.c. */
#include "paging.h"

#include "guest/string_io.h"
#include "vmx/guest_policy.h"

static int devices_start(void **state)
{
    start_guest(state);
    msr_policy_reset(&test_cpu.msrs, &vmx_guest_msrs, NULL);
    return vm_add_devices(&test_vm) == STATUS_OK ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, devices_start, end_guest)

static const struct vcpu_segment flat_segment = {0, UINT32_MAX, 0xC093, 0};

static enum exit_outcome access_string(bool is_in, bool is_repeated, uint8_t size,
                                       uint64_t linear)
{
    uint16_t port               = is_in ? 0x80 : 0x3F8;
    struct string_access access = {port,  size,  4,      is_in,       is_repeated,
                                   false, false, linear, flat_segment};
    return string_io_handle(test_vcpu, &access);
}

static void test_outs(void **state)
{
    (void)state;
    test_registers[VCPU_CR0] = 0x11;
    put_guest(0x5000, "hi\n", 3);
    *test_r(REGISTER_RSI) = 0x5000;
    *test_r(REGISTER_RCX) = 3;
    assert_int_equal(access_string(false, true, 1, 0x5000), EXIT_NEXT);
    assert_string_equal(test_printed(), "hi\n");
    assert_int_equal(*test_r(REGISTER_RSI), 0x5003);
    assert_int_equal(*test_r(REGISTER_RCX), 0);
}

/* The count of 0 is tested first, in the part of RCX that the address size selects. */
static void test_count_of_0(void **state)
{
    (void)state;
    struct string_access access = {
        .port = 0x3F8, .size = 1, .address_size = 4, .is_repeated = true};
    *test_r(REGISTER_RCX) = UINT64_C(0x100000000);
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_NEXT);
    access.address_size   = 2;
    *test_r(REGISTER_RCX) = 0x10000;
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_NEXT);
    assert_int_equal(*test_r(REGISTER_RCX), 0x10000);
    access.address_size   = 8;
    access.linear_address = 0x5000;
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_RESUME); /* no segment */
    assert_int_equal(injected_vector, 13);
    assert_string_equal(test_printed(), "");
}

/* An exit transfers what is in the page of the first element, up to a maximum. */
static void test_batches(void **state)
{
    (void)state;
    static const struct {
        bool is_downward;
        uint8_t size;
        uint64_t linear, count, done;
    } rows[] = {
        {false, 1, 0x5000, 5000, STRING_ELEMENTS_MAX},
        {false, 4, 0x5FF0, 5000, 4},
        {false, 4, 0x5FF2, 5000, 3}, /* and one in two pages */
        {false, 4, 0x5FFE, 5000, 1},
        {true, 2, 0x5004, 5000, 3},
        {true, 2, 0x5003, 5000, 2},
        {true, 4, 0x5FFE, 5000, 1},
        {true, 1, 0x5000, 1, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *test_r(REGISTER_RDI)       = rows[i].linear;
        *test_r(REGISTER_RCX)       = rows[i].count;
        test_registers[VCPU_RFLAGS] = rows[i].is_downward ? 1 << 10 : 0;
        assert_int_equal(access_string(true, true, rows[i].size, rows[i].linear),
                         rows[i].count == rows[i].done ? EXIT_NEXT : EXIT_REPEAT);
        assert_int_equal(rows[i].count - *test_r(REGISTER_RCX), rows[i].done);
        uint64_t distance = rows[i].done * rows[i].size;
        assert_int_equal(*test_r(REGISTER_RDI), rows[i].is_downward
                                                    ? rows[i].linear - distance
                                                    : rows[i].linear + distance);
    }
    /* One element at a time if a later one may violate the segment or wraps around. */
    struct string_access access = {.port           = 0x80,
                                   .size           = 1,
                                   .address_size   = 2,
                                   .is_in          = true,
                                   .is_repeated    = true,
                                   .linear_address = 0x5FFE,
                                   .segment        = {0, 0x5FFE, 0x4093, 0}};
    test_registers[VCPU_RFLAGS] = 0;
    *test_r(REGISTER_RDI)       = 0x5FFE;
    *test_r(REGISTER_RCX)       = 2;
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_REPEAT);
    access.linear_address++;
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_RESUME);
    assert_int_equal(injected_vector, 13);
    access.segment        = (struct vcpu_segment){0, UINT32_MAX, 0xC093, 0x100};
    access.linear_address = 0x100FE;
    *test_r(REGISTER_RDI) = 0xFFFE;
    *test_r(REGISTER_RCX) = 3;
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_REPEAT);
    assert_int_equal(*test_r(REGISTER_RDI), 0xFFFF);
}

static void test_misaligned(void **state)
{
    (void)state;
    test_registers[VCPU_CR0]    = 0x40011;
    test_registers[VCPU_RFLAGS] = 1 << 18;
    assert_int_equal(access_string(true, false, 2, 0x5001), EXIT_NEXT); /* CPL 0 */
    test_registers[VCPU_CPL] = 3;
    assert_int_equal(access_string(true, false, 4, 0x5002), EXIT_RESUME);
    assert_int_equal(injected_vector, 17);
    injected_vector = -1;
    assert_int_equal(access_string(true, false, 1, 0x5001), EXIT_NEXT);
    assert_int_equal(access_string(true, false, 2, 0x5002), EXIT_NEXT);
    assert_int_equal(injected_vector, -1);
}

/* A data breakpoint traps after its element; with one, or TF, elements go one by one. */
static void test_breakpoints(void **state)
{
    (void)state;
    test_registers[VCPU_DR_0]     = 0x5001;
    test_registers[VCPU_DR_0 + 3] = 0x5002;
    test_registers[VCPU_DR7] = 0xF0010081; /* 0: writes of 1 byte; 3: accesses of 4 */
    *test_r(REGISTER_RCX)    = 3;
    assert_int_equal(access_string(true, true, 1, 0x5000), EXIT_REPEAT);
    assert_int_equal(debug_causes, 8);
    debug_causes = 0;
    assert_int_equal(access_string(true, true, 1, 0x5001), EXIT_REPEAT);
    assert_int_equal(debug_causes, 9);
    debug_causes = 0;
    assert_int_equal(access_string(true, true, 1, 0x5004), EXIT_NEXT);
    assert_int_equal(debug_causes, 0);
    assert_int_equal(access_string(false, false, 4, 0x4FFE), EXIT_NEXT);
    assert_int_equal(debug_causes, 8); /* reads hit only the second */
    test_registers[VCPU_DR7]    = 0xF0010000;
    test_registers[VCPU_RFLAGS] = 1 << 8;
    *test_r(REGISTER_RCX)       = 3;
    assert_int_equal(access_string(true, true, 1, 0x5000), EXIT_REPEAT);
    assert_int_equal(*test_r(REGISTER_RCX), 2);
    assert_int_equal(debug_causes, 8);
}

static void test_ins_over_a_page(void **state)
{
    (void)state;
    use_long_mode();
    *test_r(REGISTER_RDI)       = 0xFFE;
    test_registers[VCPU_RFLAGS] = 1 << 10;                               /* downward */
    assert_int_equal(access_string(true, false, 4, 0xFFE), EXIT_RESUME); /* #PF */
    assert_int_equal(injected_vector, 14);
    assert_int_equal(injected_code, 3);
    assert_int_equal(test_registers[VCPU_CR2], 0x1000);
    uint32_t value = 42;
    assert_true(guest_memory_read(&test_vm.memory, gpa(0x5FFE), &value, 2));
    assert_int_equal(value, 0);
    assert_int_equal(*test_r(REGISTER_RDI), 0xFFE);
    put_entry(PT, 1, 0x8000 | 7); /* not contiguous with the first */
    assert_int_equal(access_string(true, false, 4, 0xFFE), EXIT_NEXT);
    assert_int_equal(*test_r(REGISTER_RDI), 0xFFA);
    value = 0;
    assert_true(guest_memory_read(&test_vm.memory, gpa(0x5FFE), &value, 2));
    assert_int_equal(value, 0xFFFF);
    assert_true(guest_memory_read(&test_vm.memory, gpa(0x8000), &value, 2));
    assert_int_equal(value, 0xFFFF);
}

/* An element may be in RAM and beyond it, where writes are ignored and ones are read. */
static void test_string_at_end_of_memory(void **state)
{
    (void)state;
    uint16_t value           = 0;
    test_registers[VCPU_CR0] = 0x11;
    *test_r(REGISTER_RCX)    = 2;
    *test_r(REGISTER_RDI)    = GUEST_SIZE - 2;
    assert_int_equal(access_string(true, true, 4, GUEST_SIZE - 2), EXIT_REPEAT);
    assert_int_equal(*test_r(REGISTER_RCX), 1);
    assert_int_equal(*test_r(REGISTER_RDI), GUEST_SIZE + 2);
    assert_true(guest_memory_read(&test_vm.memory, gpa(GUEST_SIZE - 2), &value, 2));
    assert_int_equal(value, 0xFFFF);
    put_guest(GUEST_SIZE - 1, "x", 1);
    assert_int_equal(access_string(false, false, 2, GUEST_SIZE - 1), EXIT_NEXT);
    assert_string_equal(test_printed(), "x");
    assert_int_equal(access_string(false, false, 1, GUEST_SIZE), EXIT_NEXT);
    assert_string_equal(test_printed(), "\xFF");
}

static void test_16_bit_addresses(void **state)
{
    (void)state;
    struct string_access access = {
        .port = 0x80, .size = 2, .is_repeated = true, .address_size = 2};
    access.segment        = flat_segment;
    *test_r(REGISTER_RSI) = 0x1234FFFF;
    *test_r(REGISTER_RCX) = 0x12340001;
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_NEXT);
    assert_int_equal(*test_r(REGISTER_RSI), 0x12340001);
    assert_int_equal(*test_r(REGISTER_RCX), 0x12340000);
}

/* A segment violation changes no register, memory or port. */
static void test_string_segment(void **state)
{
    (void)state;
    struct string_access access = {
        .port = 0x3F8, .size = 1, .address_size = 4, .linear_address = 0x5000};
    access.segment = (struct vcpu_segment){.limit = 0x4FFF, .access_rights = 0x4093};
    put_guest(0x5000, "x", 1);
    *test_r(REGISTER_RSI) = 0x5000;
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_RESUME);
    assert_int_equal(injected_vector, 13);
    assert_int_equal(injected_code, 0);
    access.is_stack = true;
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_RESUME);
    assert_int_equal(injected_vector, 12);
    assert_string_equal(test_printed(), "");
    assert_int_equal(*test_r(REGISTER_RSI), 0x5000);
    access.is_64_bit = true; /* which ignores segment limits */
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_NEXT);
    assert_string_equal(test_printed(), "x");
    access.linear_address = UINT64_C(1) << 47; /* not canonical */
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_RESUME);
    assert_int_equal(injected_vector, 12);
    test_registers[VCPU_EFER] = 0x500;
    test_registers[VCPU_CR4]  = 1 << 12; /* LA57 */
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_NEXT);
    assert_string_equal(test_printed(), "\xFF"); /* beyond RAM */
}

static uint32_t written[4];
static size_t write_count;

static enum exit_outcome note_write(void *device, uint16_t port, uint32_t value)
{
    (void)device;
    (void)port;
    written[write_count++] = value;
    return EXIT_NEXT;
}

/* An element that begins at a device's last port is split, as one of OUT is. */
static void test_split_element(void **state)
{
    (void)state;
    test_registers[VCPU_CR0] = 0x11;
    write_count              = 0;
    port_map_add(&test_vm.ports,
                 (struct port_device){0x300, 0x301, 2, NULL, NULL, note_write});
    put_guest(0x5000, "\x11\x22\x33\x44", 4);
    struct string_access access = {
        .port           = 0x300,
        .size           = 2,
        .address_size   = 4,
        .linear_address = 0x5000,
        .segment        = {.limit = UINT32_MAX, .access_rights = 0xC093},
    };
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_NEXT);
    access.port = 0x301;
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_NEXT);
    assert_int_equal(write_count, 2);
    assert_int_equal(written[0], 0x2211);
    assert_int_equal(written[1], 0x11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_outs),
                                       TEST(test_count_of_0),
                                       TEST(test_batches),
                                       TEST(test_misaligned),
                                       TEST(test_breakpoints),
                                       TEST(test_ins_over_a_page),
                                       TEST(test_string_at_end_of_memory),
                                       TEST(test_16_bit_addresses),
                                       TEST(test_string_segment),
                                       TEST(test_split_element)};
    return cmocka_run_group_tests_name("string_io", tests, NULL, NULL);
}
