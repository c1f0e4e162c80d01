/* src/guest/translate.c. */
#include "paging.h"

#include "guest/translate.h"

#include <pthread.h>
#include <sched.h>

static void assert_translates(uint64_t linear, bool is_write, uint64_t expected)
{
    gpa_t physical  = gpa(0);
    injected_vector = -1;
    assert_int_equal(linear_address_translate(test_vcpu, linear, is_write, &physical),
                     EXIT_NEXT);
    assert_int_equal(physical.value, expected);
    assert_int_equal(injected_vector, -1);
}

static void assert_faults(uint64_t linear, bool is_write, uint32_t code)
{
    gpa_t physical  = gpa(42);
    injected_vector = -1;
    assert_int_equal(linear_address_translate(test_vcpu, linear, is_write, &physical),
                     EXIT_RESUME);
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
    test_registers[VCPU_EFER]    = 0;
    test_registers[VCPU_CR3]     = 0;      /* not used: the registers count */
    test_registers[VCPU_PDPTE_0] = PD | 1; /* no access rights on this level */
    assert_translates(0x123, true, 0x5123);
    assert_int_equal(test_registers[VCPU_PDPTE_0], PD | 1);
    put_entry(PT, 0, UINT64_C(1) << 52 | 0x5000 | 7); /* ignored in 4-level paging */
    assert_faults(0x123, true, 0xB);
    put_entry(PT, 0, 0x5000 | 7);
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

/* Bits that must be 0 in entries, by paging mode: #PF with RSVD. */
static void test_reserved_bits(void **state)
{
    (void)state;
    static const struct {
        uint64_t table;
        uint64_t entry, linear;
        bool is_fault;
    } rows[] = {
        {PT, UINT64_C(1) << 40 | 0x5007, 0, true}, /* beyond MAXPHYADDR */
        {PT, UINT64_C(1) << 51 | 0x5007, 0, true},
        {PT, UINT64_C(0x7FF) << 52 | 0x5007, 0, false}, /* ignored */
        {PT, UINT64_C(1) << 63 | 0x5007, 0, true},      /* XD without NXE */
        {PT, 0x5087, 0, false},                         /* PAT */
        {PD, UINT64_C(1) << 40 | PT | 7, 0, true},
        {PD, 0x200087, 0, false},
        {PD, 0x201087, 0, false}, /* PAT of a large page */
        {PD, 0x202087, 0, true},
        {PD, 0x300087, 0, true},
        {PDPT, 0x87, 0, false},
        {PDPT, 0x200087, 0, true},
        {PDPT, 0x20000087, 0, true},
        {PML4, PDPT | 0x87, 0, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        use_long_mode();
        put_entry(rows[i].table, 0, rows[i].entry);
        gpa_t physical;
        injected_vector = -1;
        assert_int_equal(linear_address_translate(test_vcpu, 0, true, &physical),
                         rows[i].is_fault ? EXIT_RESUME : EXIT_NEXT);
        if (rows[i].is_fault)
            assert_int_equal(injected_code, 0xB);
    }
    use_long_mode();
    put_entry(PT, 0, UINT64_C(1) << 63 | 0x5007);
    test_registers[VCPU_EFER] = 0xD00;
    assert_translates(0, true, 0x5000);
    test_cpu.cpuid.extended[1].edx = 0; /* without pages of 1 GiB, PS is reserved */
    assert_faults(0x40000000, false, 9);
    test_cpu.cpuid.extended[8].eax = 52;
    put_entry(PT, 0, UINT64_C(1) << 51 | 0x5007);
    assert_translates(0, true, UINT64_C(1) << 51 | 0x5000);
    put_entry(PT, 0, UINT64_C(1) << 36 | 0x5007);
    static const uint32_t invalid[] = {0, 31, 53, 255}; /* taken as 36 */
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        test_cpu.cpuid.extended[8].eax = invalid[i];
        assert_faults(0, true, 0xB);
    }
}

/* Pages of 4 MiB have address bits 39:32, as far as MAXPHYADDR allows. */
static void test_pse_36(void **state)
{
    (void)state;
    uint32_t entry           = 0x1FE087;
    test_registers[VCPU_CR0] = 0x80010011;
    test_registers[VCPU_CR3] = UINT64_C(0xFF00000000) | PD; /* 32 bits are used */
    test_registers[VCPU_CR4] = 0x10;
    put_guest(PD, &entry, 4);
    assert_translates(0x123, true, 0xFF00000123);
    test_cpu.cpuid.extended[8].eax = 39;
    assert_faults(0x123, false, 9);
    entry = 0x200087;
    put_guest(PD, &entry, 4);
    assert_faults(0x123, true, 0xB);
    test_registers[VCPU_CR4] = 0; /* PS is ignored, and there is no such table */
    assert_faults(0x123, true, 2);
}

static void test_smap(void **state)
{
    (void)state;
    use_long_mode();
    test_registers[VCPU_CR4] |= 1 << 21;
    assert_faults(0, false, 1);
    assert_faults(0, true, 3);
    assert_translates(0x2000, true, 0x7000); /* a supervisor page */
    test_registers[VCPU_RFLAGS] = 1 << 18;   /* AC */
    assert_translates(0, true, 0x5000);
    test_registers[VCPU_RFLAGS] = 0;
    test_registers[VCPU_CPL]    = 3;
    assert_translates(0, true, 0x5000);
}

static void test_protection_keys(void **state)
{
    (void)state;
    use_long_mode();
    put_entry(PT, 0, UINT64_C(5) << 59 | 0x5007);
    put_entry(PT, 2, UINT64_C(5) << 59 | 0x7003);
    test_registers[VCPU_PKRU] = 3 << 10;
    assert_translates(0, true, 0x5000); /* CR4.PKE is 0 */
    test_registers[VCPU_CR4] |= 1 << 22;
    assert_faults(0, false, 0x21);
    assert_translates(0x2000, true, 0x7000); /* a supervisor page */
    test_registers[VCPU_PKRU] = 2 << 10;     /* write-protected */
    assert_translates(0, false, 0x5000);
    assert_faults(0, true, 0x23);
    test_registers[VCPU_CR0] = 0x80000011; /* without WP, for the supervisor too */
    assert_translates(0, true, 0x5000);
    test_registers[VCPU_CPL] = 3;
    assert_faults(0, true, 0x27);
    test_registers[VCPU_EFER]    = 0; /* PAE paging has no keys */
    test_registers[VCPU_PDPTE_0] = PD | 1;
    put_entry(PT, 0, 0x5007);
    test_registers[VCPU_PKRU] = UINT32_MAX;
    assert_translates(0, true, 0x5000);
}

static void test_5_levels(void **state)
{
    (void)state;
    use_long_mode();
    test_registers[VCPU_CR4] |= 1 << 12;
    test_registers[VCPU_CR3] = 0x9000;
    put_entry(0x9000, 1, PML4 | 7);
    assert_translates(UINT64_C(1) << 48 | 0x123, true, 0x5123);
    assert_int_equal(get_entry(0x9000, 1), PML4 | 0x27);
    assert_faults(0x123, false, 0);
    put_entry(0x9000, 1, PML4 | 0x87); /* PS is reserved */
    assert_faults(UINT64_C(1) << 48 | 0x123, false, 9);
}

/* A walk that ends in a fault sets no flags. */
static void test_flags_after_a_fault(void **state)
{
    (void)state;
    use_long_mode();
    assert_faults(0x3000, true, 2);
    assert_faults(0x1000, true, 3);
    assert_int_equal(get_entry(PML4, 0), PDPT | 7);
    assert_int_equal(get_entry(PDPT, 0), PD | 7);
    assert_int_equal(get_entry(PT, 1), 0x6005);
    assert_translates(0x1000, false, 0x6000);
    assert_int_equal(get_entry(PML4, 0), PDPT | 0x27);
    assert_int_equal(get_entry(PD, 0), PT | 0x27);
    assert_int_equal(get_entry(PT, 1), 0x6025);
}

static void assert_leaves_ram(uint64_t linear, const char *address)
{
    gpa_t physical;
    char expected[80];

    *test_vcpu->end = (struct guest_end){0};
    snprintf(expected, sizeof(expected), "read at guest-physical %s, beyond", address);
    assert_int_equal(linear_address_translate(test_vcpu, linear, false, &physical),
                     EXIT_STOP);
    assert_non_null(strstr(test_vcpu->end->text, expected));
}

/* An entry outside RAM ends the guest, as its own access does; circles are valid. */
static void test_hostile_tables(void **state)
{
    (void)state;
    use_long_mode();
    test_registers[VCPU_CR3] = 0x000FFFFFFFFFF000;
    assert_leaves_ram(0, "0xffffffffff000");
    test_registers[VCPU_CR3] = PML4;
    put_entry(PML4, 0, 0x000000FFFFFFF007);
    assert_leaves_ram(0x123456000, "0xfffffff020");
    put_entry(PML4, 0, PML4 | 7);
    assert_translates(0, false, PML4);
    put_entry(PDPT, 0, UINT64_MAX);
    put_entry(PML4, 0, PDPT | 7);
    assert_faults(0, true, 0xB);
}

/* Another vCPU, which maps and unmaps a page without looking at the flags. */
#define CHANGES 20000U
static atomic_uint changes;
static atomic_bool is_to_end;
static unsigned int resurrections;

static void *change_page(void *pointer)
{
    uint64_t *entry = pointer;

    while (!atomic_load(&is_to_end)) {
        atomic_fetch_add(&changes, 1);
        __atomic_store_n(entry, 0x5000 | 7, __ATOMIC_SEQ_CST);
        sched_yield();
        __atomic_store_n(entry, 0, __ATOMIC_SEQ_CST);
        for (int i = 0; i < 100; i++)
            resurrections += __atomic_load_n(entry, __ATOMIC_SEQ_CST) != 0;
    }
    return NULL;
}

/* Flags are set only in an entry that still maps the page, as by a processor. */
static void test_concurrent_change(void **state)
{
    (void)state;
    pthread_t other;
    gpa_t physical;
    unsigned int outcomes[EXIT_ALL_REGISTERS + 1] = {0};

    use_long_mode();
    atomic_store(&changes, 0);
    atomic_store(&is_to_end, false);
    resurrections = 0;
    void *entry   = guest_memory_pointer(&test_vm.memory, gpa(PT), 8);
    assert_int_equal(pthread_create(&other, NULL, change_page, entry), 0);
    while (atomic_load(&changes) < CHANGES ||
           ((outcomes[EXIT_NEXT] == 0 || outcomes[EXIT_RESUME] == 0) &&
            atomic_load(&changes) < 1000 * CHANGES))
        outcomes[linear_address_translate(test_vcpu, 0, true, &physical)]++;
    atomic_store(&is_to_end, true);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(resurrections, 0);
    assert_true(outcomes[EXIT_NEXT] > 0 && outcomes[EXIT_RESUME] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {GUEST_TEST(test_no_paging),
                                       GUEST_TEST(test_long_mode),
                                       GUEST_TEST(test_pae),
                                       GUEST_TEST(test_32_bit),
                                       GUEST_TEST(test_reserved_bits),
                                       GUEST_TEST(test_pse_36),
                                       GUEST_TEST(test_smap),
                                       GUEST_TEST(test_protection_keys),
                                       GUEST_TEST(test_5_levels),
                                       GUEST_TEST(test_flags_after_a_fault),
                                       GUEST_TEST(test_hostile_tables),
                                       GUEST_TEST(test_concurrent_change)};
    return cmocka_run_group_tests_name("translate", tests, NULL, NULL);
}
