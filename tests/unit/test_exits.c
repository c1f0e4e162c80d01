/* src/guest/exits.c and hypercall.c. */
#include "guest.h"

#include "guest/hypercall.h"

static int devices_start(void **state)
{
    start_guest(state);
    return vm_add_devices(&test_vm) == STATUS_OK ? 0 : -1;
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
    assert_string_equal(test_printed(), "hello\n");
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
    assert_string_equal(test_printed(), "");
    /* Outside ring 0, all of these but the version are refused. */
    test_registers[VCPU_CPL] = 3;
    for (uint64_t number = HYPERCALL_VERSION; number <= HYPERCALL_NMI; number++)
        assert_int_equal(hypercall(number, 0, 1), number == HYPERCALL_VERSION
                                                      ? HYPERCALL_INTERFACE
                                                      : HYPERCALL_ERROR);
    assert_int_equal(requested_nmis, 1);
    assert_string_equal(test_printed(), "");
    test_registers[VCPU_CPL] = 0;
    /* 32-bit code has no upper halves of the registers. */
    test_registers[VCPU_CODE_SIZE] = CODE_32;
    assert_int_equal(hypercall(UINT64_MAX << 32 | HYPERCALL_VERSION, 0, 0),
                     HYPERCALL_INTERFACE);
    assert_int_equal(hypercall(UINT64_MAX << 32 | HYPERCALL_PRINT,
                               (uint64_t)1 << 32 | 0x1FFFFD, (uint64_t)1 << 32 | 2),
                     0);
    assert_string_equal(test_printed(), "he");
    *test_r(REGISTER_RAX) = HYPERCALL_END;
    *test_r(REGISTER_RBX) = 42;
    assert_int_equal(hypercall_handle(test_vcpu), EXIT_STOP);
    assert_string_equal(test_vcpu->end->text, "ended by hypercall with value 0x2a");
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
    assert_string_equal(test_vcpu->end->text,
                        "write at guest-physical 0x400000, beyond guest memory "
                        "(4 MiB), RIP 0x1234");
    assert_int_equal(test_vm.end.kind, GUEST_END_ABNORMAL);
    /* The first reason is kept. */
    vcpu_end(test_vcpu, "something else");
    assert_true(strncmp(test_vcpu->end->text, "write", 5) == 0);
}

/* The first execution in a large page, and one in none. */
static void test_execution(void **state)
{
    (void)state;
    static _Alignas(PAGE_SIZE) uint8_t pages[4][PAGE_SIZE];
    struct page_table table = {.format = &test_format.table, .root = hpa_of(pages)};
    struct page_mapping mapping;

    memset(pages, 0, sizeof(pages));
    test_vm.tables = (struct page_pool){.pages = pages, .count = 4};
    nested_paging_choose_pages(PAGE_SIZE_2_MIB, true);
    assert_int_equal(nested_paging_map(&test_format, &test_vm.tables, gpa(0),
                                       hpa(0x40000000), PAGE_SIZE_2_MIB),
                     STATUS_OK);
    invalidations = 0;
    assert_int_equal(vm_exit_handlers.execute_ram(test_vcpu, gpa(0x1234)), EXIT_RESUME);
    assert_int_equal(invalidations, 1);
    assert_int_equal(test_kicks, 0);
    assert_int_equal(page_table_lookup(&table, 0x1FF234, &mapping), STATUS_OK);
    assert_int_equal(mapping.page_size, PAGE_SIZE);
    assert_int_equal(mapping.attributes, 0x37);
    assert_int_equal(mapping.physical.value, 0x401FF234);
    assert_int_equal(vm_exit_handlers.execute_ram(test_vcpu, gpa(0x200000)), EXIT_STOP);
    assert_int_equal(invalidations, 1);
    assert_string_equal(test_vcpu->end->text,
                        "execution at guest-physical 0x200000 refused");
}

/* CR8 has four bits: SDM 3A, "Control Registers". */
static void test_cr8(void **state)
{
    (void)state;
    assert_int_equal(vm_exit_handlers.write_cr8(test_vcpu, 15), EXIT_NEXT);
    assert_int_equal(vm_exit_handlers.read_cr8(test_vcpu), 15);
    assert_int_equal(injected_vector, -1);
    assert_int_equal(vm_exit_handlers.write_cr8(test_vcpu, 16), EXIT_RESUME);
    assert_int_equal(injected_vector, 13);
    assert_int_equal(vm_exit_handlers.read_cr8(test_vcpu), 15);
}

/* Unclaimed memory reads as ones and ignores writes, wherever it is. */
static void test_unclaimed_memory(void **state)
{
    (void)state;
    uint64_t ignored = test_vm.ignored_accesses;

    assert_int_equal(vm_memory_read(test_vcpu, 0xC0000000, 4) & UINT32_MAX, UINT32_MAX);
    assert_int_equal(vm_memory_read(test_vcpu, UINT64_C(1) << 40, 8), UINT64_MAX);
    vm_memory_write(test_vcpu, 0xC0000000, 1, 0);
    assert_int_equal(vm_memory_read(test_vcpu, 0xC0000000, 1) & 0xFF, 0xFF);
    assert_int_equal(test_vm.ignored_accesses, ignored + 4);
}

/* What a processor that virtualizes the local APIC learns, and what it reports. */
static void test_virtualized_apic(void **state)
{
    (void)state;
    uint32_t *registers = test_cpu.apic.registers;
    assert_ptr_equal(test_vcpu->apic.page, registers);
    assert_int_equal(test_vcpu->apic.base, 0xFEE00900);
    apic_updates = 0;
    vm_memory_write(test_vcpu, 0xFEE00080, 4, 0x70);
    vm_memory_write(test_vcpu, 0xFEE00300, 4, 0x44061); /* to itself */
    assert_int_equal(test_vcpu->apic.threshold, 6);
    assert_true(test_vcpu->apic.needs_eoi);
    assert_int_equal(apic_updates, 0); /* it does not run */
    test_cpu.is_running    = true;
    registers[0x80 / 4]    = 0x50; /* by the processor */
    is_interrupt_requested = false;
    vm_exit_handlers.tpr_changed(test_vcpu);
    assert_true(is_interrupt_requested);
    assert_int_equal(test_vcpu->apic.threshold, 0);
    assert_int_equal(apic_updates, 1);
    assert_int_equal(vm_exit_handlers.take_interrupt(test_vcpu), 0x61);
    assert_int_equal(test_vcpu->apic.in_service, 0x61);
    assert_false(test_vcpu->apic.needs_eoi);
    registers[0x300 / 4] = 0x44071;
    vm_exit_handlers.apic_written(test_vcpu, 0x300);
    assert_true(is_interrupt_requested);
    *test_r(REGISTER_RCX) = 0x1B;
    *test_r(REGISTER_RAX) = 0xFEE00D00;
    *test_r(REGISTER_RDX) = 0;
    assert_int_equal(vm_exit_handlers.write_msr(test_vcpu), EXIT_NEXT);
    assert_int_equal(test_vcpu->apic.base, 0xFEE00D00);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hypercalls),       TEST(test_statistics), TEST(test_memory_violation),
        TEST(test_virtualized_apic), TEST(test_execution),  TEST(test_cr8),
        TEST(test_unclaimed_memory)};
    return cmocka_run_group_tests_name("exits", tests, NULL, NULL);
}
