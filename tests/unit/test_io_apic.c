/*
 * src/platform/io_apic.c, on a simulated I/O APIC: Intel 82093AA, "Register Description".
 * Its page is inaccessible, so that each access faults; it is made accessible for one
 * instruction, and the effect of the access is simulated after that.
 */
#define _GNU_SOURCE
#include "unit.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "../../src/platform/io_apic.c"

#define REGISTERS    256
#define WRITES       32
#define PAGE_FAULT_W 2       /* of a page fault's error code */
#define TRAP_FLAG    0x100   /* of RFLAGS */
#define AS_FOUND     0x1E7FF /* an entry with all bits set, and masked */

static volatile uint32_t *page; /* the first word selects, the fifth is the window */
static uint32_t registers[REGISTERS];
static uint32_t selected;
static uintptr_t accessed; /* the offset */
static bool is_write;
static struct {
    uint32_t number, value;
} written[WRITES];
static size_t write_count;

static void page_protect(int protection)
{
    if (mprotect((void *)page, 4096, protection) != 0)
        abort();
}

static void before_access(int signal, siginfo_t *information, void *context)
{
    greg_t *saved = ((ucontext_t *)context)->uc_mcontext.gregs;
    accessed      = (uintptr_t)information->si_addr - (uintptr_t)page;
    is_write      = (saved[REG_ERR] & PAGE_FAULT_W) != 0;
    if (signal != SIGSEGV || (accessed != 0 && accessed != 0x10))
        abort();
    page_protect(PROT_READ | PROT_WRITE);
    page[0] = selected;
    page[4] = registers[selected % REGISTERS];
    saved[REG_EFL] |= TRAP_FLAG;
}

static void after_access(int signal, siginfo_t *information, void *context)
{
    greg_t *saved = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)signal;
    (void)information;
    saved[REG_EFL] &= ~TRAP_FLAG;
    if (is_write && accessed == 0) {
        selected = page[0];
    } else if (is_write && write_count < WRITES) {
        registers[selected % REGISTERS] = page[4];
        written[write_count].number     = selected;
        written[write_count++].value    = page[4];
    }
    page_protect(PROT_NONE);
}

static int map_page(void **state)
{
    (void)state;
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED;
}

/* Installs the handlers. Called in each test, because cmocka sets its own before it. */
static void catch_accesses(void)
{
    struct sigaction before = {.sa_sigaction = before_access, .sa_flags = SA_SIGINFO};
    struct sigaction after  = {.sa_sigaction = after_access, .sa_flags = SA_SIGINFO};
    assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
    assert_int_equal(sigaction(SIGTRAP, &after, NULL), 0);
}

/* Makes an I/O APIC with inputs 0 to last. */
static void make_io_apic(uint32_t last)
{
    memset(registers, 0, sizeof(registers));
    registers[1] = last << 16 | 0x8011; /* a version, and reserved bits */
    for (uint32_t i = 0; i <= last; i++) {
        registers[(0x10 + 2 * i) % REGISTERS]     = AS_FOUND;
        registers[(0x10 + 2 * i + 1) % REGISTERS] = 0xA5A5A5A5;
    }
    selected    = 0x77;
    write_count = 0;
    catch_accesses();
}

/* Asserts that the entry was only changed while masked, and that no other entry was. */
static void assert_enabled(uint32_t number, uint32_t low, uint32_t high)
{
    uint32_t entry = 0x10 + 2 * number;
    assert_true(write_count > 0 && write_count < WRITES);
    for (size_t i = 0; i < write_count; i++) {
        bool is_last = i == write_count - 1;
        assert_int_equal(written[i].number == entry || written[i].number == entry + 1, 1);
        if (written[i].number == entry && !is_last)
            assert_int_equal(written[i].value & 0x10000, 0x10000);
    }
    assert_int_equal(written[write_count - 1].number, entry);
    assert_int_equal(registers[entry], low);
    assert_int_equal(registers[entry + 1], high);
}

static void assert_refused(const struct io_apic_input *input, uint32_t apic_id)
{
    assert_int_equal(io_apic_enable(input, 0x40, apic_id), STATUS_OUT_OF_RANGE);
    assert_int_equal(write_count, 0);
}

/*
 * Polarity is bit 13, trigger mode bit 15; fixed delivery, physical destination, not
 * masked.
 */
static void test_modes(void **state)
{
    (void)state;
    static const struct {
        bool is_active_low, is_level;
        uint32_t low;
    } rows[] = {{false, false, 0x000041},
                {true, false, 0x002041},
                {false, true, 0x008041},
                {true, true, 0x00A041}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct io_apic_input input = {.registers     = page,
                                            .number        = 4,
                                            .is_active_low = rows[i].is_active_low,
                                            .is_level      = rows[i].is_level};
        make_io_apic(23);
        assert_int_equal(io_apic_enable(&input, 0x41, 7), STATUS_OK);
        assert_enabled(4, rows[i].low, 7 << 24);
    }
}

/* An unmasked input with another vector is masked before it is changed. */
static void test_open_before(void **state)
{
    (void)state;
    const struct io_apic_input input = {.registers = page, .number = 3};
    make_io_apic(23);
    registers[0x16] = 0x31;
    assert_int_equal(io_apic_enable(&input, 0xFE, 254), STATUS_OK);
    assert_int_equal(written[0].number, 0x16);
    assert_int_equal(written[0].value & 0x10000, 0x10000);
    assert_enabled(3, 0xFE, 254U << 24);
}

/* Every input of I/O APICs with 1, 24 and 120 inputs, and none after the last. */
static void test_inputs(void **state)
{
    (void)state;
    static const uint32_t lasts[]  = {0, 23, 119};
    static const uint32_t beyond[] = {
        1, 2, 0x78, 0x7FFFFFF8, 0x80000000 - 23, 0xFFFFFFFF - 119};

    for (size_t i = 0; i < ARRAY_SIZE(lasts); i++) {
        struct io_apic_input input = {.registers = page};
        for (input.number = 0; input.number <= lasts[i]; input.number++) {
            make_io_apic(lasts[i]);
            assert_int_equal(io_apic_enable(&input, 0x41, 0), STATUS_OK);
            assert_enabled(input.number, 0x41, 0);
        }
        for (size_t j = 0; j < ARRAY_SIZE(beyond); j++) {
            make_io_apic(lasts[i]);
            input.number = lasts[i] + beyond[j];
            assert_refused(&input, 0);
        }
    }
}

/* The destination has 8 bits. */
static void test_apic_ids(void **state)
{
    (void)state;
    static const uint32_t too_large[] = {256, 0x1000, 0x80000000, UINT32_MAX};
    const struct io_apic_input input  = {.registers = page, .number = 4};

    for (uint32_t id = 0; id < 255; id++) {
        make_io_apic(23);
        assert_int_equal(io_apic_enable(&input, 0x41, id), STATUS_OK);
        assert_enabled(4, 0x41, id << 24);
    }
    for (size_t i = 0; i < ARRAY_SIZE(too_large); i++) {
        make_io_apic(23);
        assert_refused(&input, too_large[i]);
    }
}

/* All entries are masked as after reset, but those that raise an SMI are not changed. */
static void test_mask(void **state)
{
    (void)state;
    make_io_apic(23);
    registers[0x10] = 0x8040; /* level, not masked */
    registers[0x14] = 0x700;  /* ExtINT, not masked */
    registers[0x18] = 0x200;  /* SMI */
    registers[0x3E] = 0xC0F3; /* the last; waits for an EOI */
    assert_int_equal(io_apic_mask(page), 3);
    for (uint32_t i = 0; i < 24; i++)
        assert_int_equal(registers[0x10 + 2 * i], i == 4 ? 0x200 : 0x10000);
    make_io_apic(23);
    assert_int_equal(io_apic_mask(page), 0);
    make_io_apic(255); /* nothing responds there */
    registers[1] = UINT32_MAX;
    assert_int_equal(io_apic_mask(page), 0);
    registers[1] = 0; /* another device: no version */
    assert_int_equal(io_apic_mask(page), 0);
    assert_int_equal(write_count, 0);
}

/* Of several inputs with the vector, one after the other, and none that is masked. */
static void test_mask_vector(void **state)
{
    (void)state;
    uint32_t input = 99;

    make_io_apic(23);
    assert_int_equal(io_apic_mask_vector(page, 0xFF, &input), STATUS_NOT_FOUND);
    assert_int_equal(write_count, 0);
    registers[0x12] = 0x80F2;
    registers[0x3E] = 0xF2;
    registers[0x14] = 0xF3;
    assert_int_equal(io_apic_mask_vector(page, 0xF2, &input), STATUS_OK);
    assert_int_equal(input, 1);
    assert_int_equal(registers[0x12], 0x180F2);
    assert_int_equal(io_apic_mask_vector(page, 0xF2, &input), STATUS_OK);
    assert_int_equal(input, 23);
    assert_int_equal(io_apic_mask_vector(page, 0xF2, &input), STATUS_NOT_FOUND);
    assert_int_equal(input, 23);
    assert_int_equal(registers[0x14], 0xF3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),  cmocka_unit_test(test_open_before),
        cmocka_unit_test(test_inputs), cmocka_unit_test(test_apic_ids),
        cmocka_unit_test(test_mask),   cmocka_unit_test(test_mask_vector),
    };
    return cmocka_run_group_tests_name("io apic", tests, map_page, NULL);
}
