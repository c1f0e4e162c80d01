/* src/guest/exits.c, hypercall.c, string_io.c and translate.c. */
#include "guest.h"

#include "guest/hypercall.h"
#include "guest/string_io.h"
#include "guest/translate.h"
#include "vmx/guest_policy.h"

static int devices_start(void **state)
{
    start_guest(state);
    msr_policy_reset(&test_vm.msrs, &vmx_guest_msrs);
    return vm_add_devices(&test_vm, TEST_TIME) == STATUS_OK ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, devices_start, end_guest)

static uint64_t hypercall(uint64_t number, uint64_t rbx, uint64_t rcx)
{
    *test_r(REGISTER_RAX) = number;
    *test_r(REGISTER_RBX) = rbx;
    *test_r(REGISTER_RCX) = rcx;
    assert_int_equal(hypercall_handle(test_vcpu), EXIT_NEXT);
    assert_int_equal(*test_r(REGISTER_RBX), rbx);
    assert_int_equal(*test_r(REGISTER_RCX), rcx);
    return *test_r(REGISTER_RAX);
}

static void test_hypercalls(void **state)
{
    (void)state;
    assert_int_equal(hypercall(HYPERCALL_VERSION, 0, 0), HYPERCALL_INTERFACE);
    put_guest(0x1FFFFD, "hello\n", 6); /* across the end of a piece */
    assert_int_equal(hypercall(HYPERCALL_PRINT, 0x1FFFFD, 6), 0);
    assert_string_equal(printed, "hello\n");
    static const uint64_t bad[][2] = {{GUEST_SIZE - 5, 6},
                                      {GUEST_SIZE, 1},
                                      {UINT64_MAX, 2},
                                      {0, HYPERCALL_PRINT_MAX + 1},
                                      {0, UINT64_MAX}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(hypercall(HYPERCALL_PRINT, bad[i][0], bad[i][1]),
                         HYPERCALL_ERROR);
    assert_int_equal(hypercall(HYPERCALL_NMI, 0, 0), 0);
    assert_int_equal(requested_nmis, 1);
    assert_int_equal(hypercall(HYPERCALL_REASON + 1, 0, 0), HYPERCALL_ERROR);
    assert_int_equal(hypercall(UINT64_MAX - 1, 0, 0), HYPERCALL_ERROR);
    assert_string_equal(printed, "hello\n");
    /* Outside ring 0, all of these but the version are refused. */
    test_registers[VCPU_CPL] = 3;
    for (uint64_t number = HYPERCALL_VERSION; number <= HYPERCALL_NMI; number++)
        assert_int_equal(hypercall(number, 0, 1), number == HYPERCALL_VERSION
                                                      ? HYPERCALL_INTERFACE
                                                      : HYPERCALL_ERROR);
    assert_int_equal(requested_nmis, 1);
    assert_string_equal(printed, "hello\n");
    test_registers[VCPU_CPL] = 0;
    /* 32-bit code has no upper halves of the registers. */
    test_registers[VCPU_IS_64_BIT] = 0;
    assert_int_equal(hypercall(UINT64_MAX << 32 | HYPERCALL_VERSION, 0, 0),
                     HYPERCALL_INTERFACE);
    assert_int_equal(hypercall(UINT64_MAX << 32 | HYPERCALL_PRINT,
                               (uint64_t)1 << 32 | 0x1FFFFD, (uint64_t)1 << 32 | 2),
                     0);
    assert_string_equal(printed, "hello\nhe");
    *test_r(REGISTER_RAX) = HYPERCALL_END;
    *test_r(REGISTER_RBX) = 42;
    assert_int_equal(hypercall_handle(test_vcpu), EXIT_STOP);
    assert_string_equal(test_vcpu->end, "ended by hypercall with value 0x2a");
}

/* The exit statistics, as a program in the guest reads them. */
static void test_statistics(void **state)
{
    (void)state;
    char name[24]                       = "";
    test_registers[VCPU_CPL]            = 3;
    test_vcpu->row[10].exits            = 5;
    test_vcpu->row[10].ticks            = 600;
    test_vcpu->row[TEST_ROWS - 1].exits = 7;
    assert_int_equal(hypercall(HYPERCALL_EXITS, 10, 0), 5);
    assert_int_equal(hypercall(HYPERCALL_TICKS, 10, 0), 600);
    assert_int_equal(hypercall(HYPERCALL_EXITS, TEST_ROWS - 1, 0), 7);
    for (uint64_t offset = 0; offset < sizeof(name) - 8; offset += 8) {
        uint64_t piece = hypercall(HYPERCALL_REASON, 10, offset);
        memcpy(name + offset, &piece, 8);
    }
    assert_string_equal(name, "reason number 10");
    assert_int_equal(hypercall(HYPERCALL_REASON, 10, 14), '1' | '0' << 8);
    assert_int_equal(hypercall(HYPERCALL_REASON, 10, 16), 0);
    assert_int_equal(hypercall(HYPERCALL_REASON, 10, UINT64_MAX), 0);
    for (uint64_t number = HYPERCALL_EXITS; number <= HYPERCALL_REASON; number++) {
        assert_int_equal(hypercall(number, TEST_ROWS, 0), HYPERCALL_ERROR);
        assert_int_equal(hypercall(number, UINT64_MAX, 0), HYPERCALL_ERROR);
        assert_int_equal(hypercall(number, (uint64_t)1 << 32 | 10, 0), HYPERCALL_ERROR);
    }
}

static void test_memory_violation(void **state)
{
    (void)state;
    test_registers[VCPU_RIP]          = 0x1234;
    const struct memory_access access = {.address = gpa(0x400000), .kind = MEMORY_WRITE};
    assert_int_equal(vm_exit_handlers.memory(test_vcpu, &access), EXIT_STOP);
    assert_string_equal(test_vcpu->end,
                        "write at guest-physical 0x400000, beyond guest memory "
                        "(4 MiB), RIP 0x1234");
    assert_true(test_vcpu->end_is_abnormal);
    /* The first reason is kept. */
    vcpu_end(test_vcpu, "something else");
    assert_true(strncmp(test_vcpu->end, "write", 5) == 0);
}

/* ---- Paging in software */

#define PML4 0x1000
#define PDPT 0x2000
#define PD   0x3000
#define PT   0x4000

static void put_entry(uint64_t table, unsigned int index, uint64_t entry)
{
    put_guest(table + 8 * index, &entry, 8);
}

static uint64_t get_entry(uint64_t table, unsigned int index)
{
    uint64_t entry;
    assert_true(guest_memory_read(&test_vm.memory, gpa(table + 8 * index), &entry, 8));
    return entry;
}

/* Sets up four levels: 4-KiB pages at 0, a 2-MiB page at 2 MiB, a 1-GiB page at 1 GiB. */
static void use_long_mode(void)
{
    test_registers[VCPU_CR0]  = 0x80010011;
    test_registers[VCPU_CR4]  = 0x20;
    test_registers[VCPU_EFER] = 0x500;
    test_registers[VCPU_CR3]  = PML4;
    put_entry(PML4, 0, PDPT | 7);
    put_entry(PML4, 511, PDPT | 7);
    put_entry(PDPT, 0, PD | 7);
    put_entry(PDPT, 1, 0x40000000 | 0x87);
    put_entry(PD, 0, PT | 7);
    put_entry(PD, 1, 0x200000 | 0x87);
    put_entry(PT, 0, 0x5000 | 7);
    put_entry(PT, 1, 0x6000 | 5); /* read-only */
    put_entry(PT, 2, 0x7000 | 3); /* supervisor only */
    put_entry(PT, 3, 0);
}

static void assert_translates(uint64_t linear, bool is_write, uint64_t expected)
{
    gpa_t physical  = gpa(0);
    injected_vector = -1;
    assert_true(linear_address_translate(test_vcpu, linear, is_write, &physical));
    assert_int_equal(physical.value, expected);
    assert_int_equal(injected_vector, -1);
}

static void assert_faults(uint64_t linear, bool is_write, uint32_t code)
{
    gpa_t physical  = gpa(42);
    injected_vector = -1;
    assert_false(linear_address_translate(test_vcpu, linear, is_write, &physical));
    assert_int_equal(injected_vector, 14);
    assert_int_equal(injected_code, code);
    assert_int_equal(test_registers[VCPU_CR2], linear);
}

static void test_no_paging(void **state)
{
    (void)state;
    test_registers[VCPU_CR0] = 0x11;
    assert_translates(0x123456789, true, 0x23456789);
}

static void test_long_mode(void **state)
{
    (void)state;
    use_long_mode();
    assert_translates(0x123, false, 0x5123);
    assert_translates(0xFFFFFF8000000123, true, 0x5123);
    assert_translates(0x234567, true, 0x234567);
    assert_translates(0x45678901, false, 0x45678901);
    assert_int_equal(get_entry(PT, 0) & 0x60, 0x60); /* accessed, dirty */
    assert_int_equal(get_entry(PD, 1) & 0x60, 0x60);
    assert_int_equal(get_entry(PDPT, 1) & 0x60, 0x20);
    assert_int_equal(get_entry(PML4, 0) & 0x20, 0x20);
    assert_faults(0x3000, false, 0);
    assert_faults(0x3000, true, 2);
    assert_faults(0x1000, true, 3);
    assert_int_equal(get_entry(PT, 1) & 0x40, 0);
    assert_translates(0x1000, false, 0x6000);
    test_registers[VCPU_CR0] = 0x80000011; /* without WP, supervisor writes are allowed */
    assert_translates(0x1000, true, 0x6000);
    test_registers[VCPU_CPL] = 3;
    assert_faults(0x1000, true, 7);
    assert_faults(0x2000, false, 5);
    assert_faults(0x3000, false, 4);
    assert_translates(0, true, 0x5000);
}

static void test_pae(void **state)
{
    (void)state;
    use_long_mode();
    test_registers[VCPU_EFER] = 0;
    test_registers[VCPU_CR3]  = PDPT | 0x18; /* PWT and PCD are ignored */
    put_entry(PDPT, 0, PD | 1);              /* no access rights on this level */
    put_entry(PDPT, 1, 0);
    assert_translates(0x123, true, 0x5123);
    assert_int_equal(get_entry(PDPT, 0), PD | 1);
    assert_translates(0x200000, true, 0x200000);
    assert_faults(0x40000000, false, 0);
    assert_translates(UINT64_C(0x100000123), false, 0x5123); /* only 32 bits are used */
}

static void test_32_bit(void **state)
{
    (void)state;
    uint32_t entry           = PT | 7;
    test_registers[VCPU_CR0] = 0x80010011;
    test_registers[VCPU_CR3] = PD;
    put_guest(PD, &entry, 4);
    entry = 0x5000 | 7;
    put_guest(PT + 4, &entry, 4);
    entry = 0x00000087;
    put_guest(PD + 4, &entry, 4); /* a 4-MiB page, if CR4.PSE is set */
    assert_translates(0x1123, true, 0x5123);
    assert_faults(0x400123, false, 0);
    test_registers[VCPU_CR4] = 0x10;
    assert_translates(0x400123, false, 0x123);
}

/* Tables that are outside RAM, or reference themselves, end the walk. */
static void test_hostile_tables(void **state)
{
    (void)state;
    use_long_mode();
    test_registers[VCPU_CR3] = 0x000FFFFFFFFFF000;
    assert_faults(0, false, 0);
    test_registers[VCPU_CR3] = PML4;
    put_entry(PML4, 0, 0x000FFFFFFFFFF007);
    assert_faults(0, false, 0);
    put_entry(PML4, 0, PML4 | 7);
    assert_translates(0, false, PML4);
    put_entry(PDPT, 0, UINT64_MAX);
    gpa_t physical;
    put_entry(PML4, 0, PDPT | 7);
    (void)linear_address_translate(test_vcpu, 0, true, &physical);
}

/* ---- INS and OUTS */

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
    assert_int_equal(access_string(false, true, 1, 0x5000), EXIT_REPEAT);
    assert_int_equal(access_string(false, true, 1, 0x5001), EXIT_REPEAT);
    assert_int_equal(access_string(false, true, 1, 0x5002), EXIT_NEXT);
    assert_string_equal(printed, "hi\n");
    assert_int_equal(*test_r(REGISTER_RSI), 0x5003);
    assert_int_equal(*test_r(REGISTER_RCX), 0);
}

static void test_ins_over_a_page(void **state)
{
    (void)state;
    use_long_mode();
    *test_r(REGISTER_RDI)       = 0xFFE;
    test_registers[VCPU_RFLAGS] = 1 << 10; /* downward */
    assert_faults(0x1000, true, 3);
    assert_int_equal(access_string(true, false, 4, 0xFFE), EXIT_RESUME); /* #PF */
    assert_int_equal(injected_vector, 14);
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

static void test_string_at_end_of_memory(void **state)
{
    (void)state;
    test_registers[VCPU_CR0] = 0x11;
    assert_int_equal(access_string(true, true, 4, GUEST_SIZE - 2), EXIT_STOP);
    assert_non_null(strstr(test_vcpu->end, "write at guest-physical 0x400000"));
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
    assert_string_equal(printed, "");
    assert_int_equal(*test_r(REGISTER_RSI), 0x5000);
    access.is_64_bit = true; /* which ignores segment limits */
    assert_int_equal(string_io_handle(test_vcpu, &access), EXIT_NEXT);
    assert_string_equal(printed, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_hypercalls),
                                       TEST(test_statistics),
                                       TEST(test_memory_violation),
                                       TEST(test_no_paging),
                                       TEST(test_long_mode),
                                       TEST(test_pae),
                                       TEST(test_32_bit),
                                       TEST(test_hostile_tables),
                                       TEST(test_outs),
                                       TEST(test_ins_over_a_page),
                                       TEST(test_string_at_end_of_memory),
                                       TEST(test_16_bit_addresses),
                                       TEST(test_string_segment)};
    return cmocka_run_group_tests_name("exits", tests, NULL, NULL);
}
