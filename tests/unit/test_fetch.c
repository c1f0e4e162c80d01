/* src/guest/fetch.c. */
#include "paging.h"

#include "guest/fetch.h"
#include "guest/translate.h"

#define ACCESSED 0x20
#define XD       (UINT64_C(1) << 63)

/* Fills two pages of RAM with different bytes, and sets RIP. */
static void put_code(uint64_t rip)
{
    uint8_t bytes[0x2000];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i + i / 0x1000 * 0x80);
    put_guest(0x5000, bytes, sizeof(bytes));
    test_registers[VCPU_RIP] = rip;
}

/* The bytes must be those of RAM at that address, and no entry may have changed. */
static void assert_fetches(size_t count, uint64_t physical)
{
    static uint8_t before[PT + 0x1000], after[sizeof(before)];
    uint8_t bytes[INSTRUCTION_LENGTH_MAX], expected[INSTRUCTION_LENGTH_MAX] = {0};

    assert_true(guest_memory_read(&test_vm.memory, gpa(0), before, sizeof(before)));
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(instruction_fetch(test_vcpu, bytes), count);
    assert_true(guest_memory_read(&test_vm.memory, gpa(physical), expected, count));
    assert_memory_equal(bytes, expected, sizeof(bytes));
    assert_true(guest_memory_read(&test_vm.memory, gpa(0), after, sizeof(after)));
    assert_memory_equal(before, after, sizeof(before));
    assert_int_equal(injected_vector, -1);
}

static void test_one_page(void **state)
{
    (void)state;
    use_long_mode();
    put_code(0x123);
    assert_fetches(15, 0x5123);
    test_registers[VCPU_RIP] = 0xFFFFFF8000000FF1;
    assert_fetches(15, 0x5FF1);
    test_registers[VCPU_CS_BASE] = 0x1000; /* ignored by 64-bit code */
    assert_fetches(15, 0x5FF1);
    test_registers[VCPU_RIP] = 0x3123;
    assert_fetches(0, 0);
    test_registers[VCPU_RIP] = 0x40000123; /* mapped to no RAM */
    assert_fetches(0, 0);
}

static void test_page_crossing(void **state)
{
    (void)state;
    use_long_mode();
    put_code(0xFF8);
    assert_fetches(15, 0x5FF8);
    put_entry(PT, 1, 0);
    assert_fetches(8, 0x5FF8);
    put_entry(PT, 1, 0x5005);
    uint8_t bytes[INSTRUCTION_LENGTH_MAX];
    assert_int_equal(instruction_fetch(test_vcpu, bytes), 15);
    assert_int_equal(bytes[7], 0xFF);
    assert_int_equal(bytes[8], 0);
    put_entry(PT, 1, UINT64_C(0xFFFFF000) | 5); /* beyond RAM */
    assert_fetches(8, 0x5FF8);
    put_entry(PT, 0, 0x3FF007); /* the last page of RAM */
    put_entry(PT, 1, 0x400007);
    assert_fetches(8, 0x3FFFF8);
}

static void test_rights(void **state)
{
    (void)state;
    use_long_mode();
    put_code(0xFF8);
    put_entry(PT, 1, XD | 0x6007);
    assert_fetches(8, 0x5FF8); /* XD is reserved */
    test_registers[VCPU_EFER] |= 1 << 11;
    assert_fetches(8, 0x5FF8);
    put_entry(PT, 1, 0x6007);
    put_entry(PD, 0, XD | PT | 7);
    assert_fetches(0, 0);
    put_entry(PD, 0, PT | 7);
    put_entry(PT, 1, 0x6003); /* supervisor only */
    assert_fetches(15, 0x5FF8);
    test_registers[VCPU_CPL] = 3;
    assert_fetches(8, 0x5FF8);
    test_registers[VCPU_CPL] = 0;
    put_entry(PT, 0, 0x5003);
    put_entry(PT, 1, 0x6007);
    test_registers[VCPU_CR4] |= 1 << 20; /* SMEP */
    assert_fetches(8, 0x5FF8);
    test_registers[VCPU_CR4]  = 0x20 | 1 << 21 | 1 << 22; /* SMAP and PKE are for data */
    test_registers[VCPU_PKRU] = UINT32_MAX;
    assert_fetches(15, 0x5FF8);
}

static void test_canonical(void **state)
{
    (void)state;
    use_long_mode();
    put_entry(PML4, 255, PDPT | 7);
    put_entry(PML4, 256, PDPT | 7);
    put_entry(PDPT, 511, PD | 7);
    put_entry(PD, 511, PT | 7);
    put_entry(PT, 511, 0x5007);
    put_code(0x7FFFFFFFFFF8);
    assert_fetches(8, 0x5FF8);
    test_registers[VCPU_CR4] |= 1 << 12; /* LA57 */
    test_registers[VCPU_CR3] = 0x9000;
    put_entry(0x9000, 0, PML4 | 7);
    put_entry(PT, 0, 0x6007);
    assert_fetches(15, 0x5FF8);
}

/* Outside 64-bit code, CS has a base, and addresses have 32 bits. */
static void test_segment(void **state)
{
    (void)state;
    put_code(0xFFF8);
    test_registers[VCPU_CODE_SIZE] = CODE_16;
    test_registers[VCPU_CR0]       = 0x11;
    test_registers[VCPU_CS_BASE]   = UINT64_C(0xFFFF6000); /* 0x5FF8 after a wrap */
    assert_fetches(15, 0x5FF8);
    test_registers[VCPU_RIP] = 0xFFFFFFF8;
    assert_fetches(0, 0);
    test_registers[VCPU_CS_BASE] = 0x6000;
    assert_fetches(15, 0x5FF8);
    test_registers[VCPU_CODE_SIZE] = CODE_32;
    use_long_mode();
    test_registers[VCPU_EFER]    = 0; /* PAE paging, from the last page to the first */
    test_registers[VCPU_PDPTE_0] = PD | 1;
    test_registers[VCPU_PDPTE_3] = PD | 1;
    put_entry(PD, 511, PT | 7);
    put_entry(PT, 511, 0x5007);
    put_entry(PT, 0, 0x6007);
    test_registers[VCPU_CS_BASE] = 0;
    assert_fetches(15, 0x5FF8);
    test_registers[VCPU_EFER]    = 0x500; /* 32-bit code in long mode */
    test_registers[VCPU_RIP]     = 0xFF8;
    test_registers[VCPU_CS_BASE] = 0xFFFFF000;
    put_entry(PDPT, 3, PD | 7);
    put_entry(PDPT, 4, 0);
    assert_fetches(15, 0x5FF8);
    test_registers[VCPU_CS_BASE] = 0xFFFFFFFF;
    put_entry(PT, 0, 0x5007);
    test_registers[VCPU_RIP] = 0x11;
    assert_fetches(15, 0x5010);
}

/* The accessed flags that an access to data would have set. */
static void test_flags(void **state)
{
    (void)state;
    gpa_t physical;

    use_long_mode();
    put_code(0xFF8);
    assert_fetches(15, 0x5FF8);
    assert_int_equal(get_entry(PT, 1) & ACCESSED, 0);
    assert_int_equal(linear_address_translate(test_vcpu, 0x1000, false, &physical),
                     EXIT_NEXT);
    assert_int_equal(get_entry(PT, 1) & ACCESSED, ACCESSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_one_page), GUEST_TEST(test_page_crossing),
        GUEST_TEST(test_rights),   GUEST_TEST(test_canonical),
        GUEST_TEST(test_segment),  GUEST_TEST(test_flags)};
    return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
