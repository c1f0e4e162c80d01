/* src/cpu/machine_check.c, on banks that the test fills. */
#include "unit.h"

#include "cpu/cpuid.h"
#include "cpu/percpu.h"

#define BANKS 4

static struct cpu fake_cpu;
static uint64_t msrs[0x480];
static bool has_msrs, has_amd;
static uint32_t fake_signature;
static uint64_t ended; /* the address for which a guest was ended */

static uint32_t fake_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    *value = has_msrs && msr < ARRAY_SIZE(msrs) ? msrs[msr] : 0;
    return has_msrs ? FAULT_NONE : FAULT_RAISED | 13;
}

static uint32_t fake_wrmsr_safe(uint32_t msr, uint64_t value)
{
    assert_true(msr < ARRAY_SIZE(msrs));
    msrs[msr] = value;
    return FAULT_NONE;
}

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
    assert_int_equal(subleaf, 0);
    if (leaf == 0)
        return has_amd ? (struct cpuid_result){13, 0x68747541, 0x444D4163, 0x69746E65}
                       : (struct cpuid_result){13, 0x756E6547, 0x6C65746E, 0x49656E69};
    return (struct cpuid_result){.eax = fake_signature, .edx = 1 << 7 | 1 << 14};
}

#define rdmsr_safe           fake_rdmsr_safe
#define wrmsr_safe           fake_wrmsr_safe
#define cpuid(leaf, subleaf) fake_cpuid(leaf, subleaf)
#define this_cpu()           (&fake_cpu)
#include "../../src/cpu/machine_check.c"

#define VALID       (UINT64_C(1) << 63)
#define OVERFLOW    (UINT64_C(1) << 62)
#define UNCORRECTED (UINT64_C(1) << 61)
#define ENABLED     (UINT64_C(1) << 60)
#define MISC        (UINT64_C(1) << 59)
#define ADDRESS     (UINT64_C(1) << 58)
#define CORRUPT     (UINT64_C(1) << 57)
#define BIT_55      (UINT64_C(1) << 55)
#define IN_MEMORY   (VALID | UNCORRECTED | ENABLED | MISC | ADDRESS)
#define PHYSICAL    0x8C /* a physical address, of 4 KiB */

/* A guest has the memory from 1 to 2 MiB. */
static bool own(uint64_t address, bool is_to_end)
{
    bool is_owned = address >= 0x100000 && address < 0x200000;

    if (is_owned && is_to_end)
        ended = address;
    return is_owned;
}

static void set_bank(unsigned int number, uint64_t status, uint64_t address,
                     uint64_t misc)
{
    msrs[0x401 + 4 * number] = status;
    msrs[0x402 + 4 * number] = address;
    msrs[0x403 + 4 * number] = misc;
}

static int banks_start(void **state)
{
    memset(msrs, 0, sizeof(msrs));
    memset(&fake_cpu, 0, sizeof(fake_cpu));
    fake_cpu.index = 3;
    has_msrs       = true;
    has_amd        = false;
    fake_signature = 0x306C3;
    msrs[0x179]    = 1 << 24 | 1 << 8 | BANKS; /* MCG_SER_P, MCG_CTL_P */
    msrs[0x17A]    = 5;                        /* RIPV, MCIP */
    ended          = 0;
    machine_check_set_owner(own);
    return start_log(state);
}

#define TEST(name) cmocka_unit_test_setup(name, banks_start)

static void test_description(void **state)
{
    (void)state;
    machine_check_log();
    assert_nothing_logged();
    set_bank(2, IN_MEMORY | BIT_55 | OVERFLOW | 0x1090, 0x123000, PHYSICAL);
    machine_check_log();
    assert_logged(
        "hymir: panic: cpu 3: uncorrected machine-check error: MC2_STATUS "
        "0xfc80000000001090 (VAL OVER UC EN MISCV ADDRV AR), memory controller; "
        "MC2_ADDR 0x123000; MC2_MISC 0x8c\n");
    assert_int_equal(msrs[0x409], IN_MEMORY | BIT_55 | OVERFLOW | 0x1090); /* is kept */
    has_amd = true;
    start_log(state);
    set_bank(2, VALID | BIT_55 | UINT64_C(1) << 43 | 0x010B, 1, 1);
    machine_check_log();
    assert_logged("hymir: panic: cpu 3: corrected machine-check error: MC2_STATUS "
                  "0x808008000000010b (VAL TCC Poison), cache\n");
}

/* SDM 3B, "Interpreting Machine-Check Error Codes". */
static void test_codes(void **state)
{
    (void)state;
    static const struct {
        uint16_t code;
        const char *name;
    } cases[] = {
        {0x0000, "no error"},
        {0x0001, "unclassified"},
        {0x0005, "internal parity"},
        {0x0400, "internal timer"},
        {0x0401, "internal unclassified"},
        {0x000E, "cache hierarchy"},
        {0x0010, "TLB"},
        {0x001F, "TLB"},
        {0x0090, "memory controller"},
        {0x0290, "extended memory"},
        {0x0135, "cache"},
        {0x1135, "cache"},
        {0x0E0B, "I/O error"},
        {0x0E0F, "bus or interconnect"},
        {0x8000, "unknown error"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(code_name(cases[i].code), cases[i].name);
}

static void test_confined(void **state)
{
    (void)state;
    static const struct {
        uint64_t status, misc;
        bool on_intel, without_recovery, on_amd;
    } cases[] = {
        {IN_MEMORY, PHYSICAL, true, false, true},
        {IN_MEMORY | CORRUPT, PHYSICAL, false, false, false},
        {IN_MEMORY | OVERFLOW, PHYSICAL, false, false, false},
        {IN_MEMORY & ~ADDRESS, PHYSICAL, false, false, false},
        {IN_MEMORY & ~MISC, PHYSICAL, false, false, true},
        {IN_MEMORY, PHYSICAL | 0x40, false, false, true},   /* another kind of address */
        {IN_MEMORY, PHYSICAL + 1, false, false, true},      /* of more than a page */
        {IN_MEMORY | BIT_55, PHYSICAL, true, false, false}, /* AR; TCC */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct machine_check_bank bank = {.status = cases[i].status,
                                                .misc   = cases[i].misc};
        assert_int_equal(machine_check_is_confined(
                             &bank, &(struct machine_check_rules){.has_recovery = true}),
                         cases[i].on_intel);
        assert_int_equal(
            machine_check_is_confined(&bank, &(struct machine_check_rules){0}),
            cases[i].without_recovery);
        assert_int_equal(machine_check_is_confined(
                             &bank, &(struct machine_check_rules){.is_amd = true}),
                         cases[i].on_amd);
    }
}

static void test_continues(void **state)
{
    (void)state;
    assert_true(machine_check_can_continue(false)); /* the error is another CPU's */
    msrs[0x17A] = 4;
    assert_false(machine_check_can_continue(false));
    assert_true(machine_check_can_continue(true));
    set_bank(1, IN_MEMORY, 0x123000, PHYSICAL);
    assert_true(machine_check_can_continue(true));
    set_bank(3, IN_MEMORY, 0x200000, PHYSICAL);
    assert_false(machine_check_can_continue(true));
    msrs[0x17A] = 5;
    set_bank(3, VALID | ADDRESS, 0x200000, 0); /* corrected */
    assert_true(machine_check_can_continue(false));
    machine_check_set_owner(NULL);
    assert_false(machine_check_can_continue(false));
    assert_int_equal(ended, 0);
    assert_nothing_logged();
}

static void test_look(void **state)
{
    (void)state;
    set_bank(0, VALID | ADDRESS | 0x136, 0x200000, 0);
    set_bank(1, IN_MEMORY | 0x134, 0x123000, PHYSICAL);
    machine_check_acknowledge();
    assert_int_equal(msrs[0x17A], 0);
    assert_true(fake_cpu.has_machine_check);
    machine_check_look();
    assert_false(fake_cpu.has_machine_check);
    assert_logged("cpu 3: corrected machine-check error: MC0_STATUS");
    assert_logged("cpu 3: uncorrected machine-check error: MC1_STATUS");
    assert_int_equal(ended, 0x123000);
    start_log(state);
    machine_check_look();
    assert_nothing_logged();
    /* A corrected error ends no guest. */
    ended = 0;
    set_bank(0, VALID | ADDRESS | MISC | 0x136, 0x123000, PHYSICAL);
    machine_check_look();
    assert_int_equal(ended, 0);
}

static void test_enable(void **state)
{
    (void)state;
    set_bank(1, VALID | UNCORRECTED | CORRUPT | 5, 0, 0);
    machine_check_enable();
    assert_logged("cpu 3: uncorrected machine-check error from before the start: MC1_");
    assert_int_equal(msrs[0x405], 0);
    assert_int_equal(msrs[0x17A], 0);
    assert_int_equal(msrs[0x17B], UINT64_MAX);
    for (size_t i = 0; i < BANKS; i++)
        assert_int_equal(msrs[0x400 + 4 * i], UINT64_MAX);
    assert_int_equal(msrs[0x400 + 4 * BANKS], 0);
    /* Core 2 */
    banks_start(state);
    fake_signature = 0x10676;
    msrs[0x179]    = BANKS;
    machine_check_enable();
    assert_int_equal(msrs[0x400], 0);
    assert_int_equal(msrs[0x404], UINT64_MAX);
    assert_int_equal(msrs[0x17B], 0);
    /* An emulator that reports machine checks and has none of the registers. */
    has_msrs = false;
    assert_int_equal(machine_check_bank_count(), 0);
    assert_false(machine_check_can_continue(true));
    machine_check_log();
    assert_nothing_logged();
    has_msrs    = true;
    msrs[0x179] = 0xFF;
    assert_int_equal(machine_check_bank_count(), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_description), TEST(test_codes), TEST(test_confined),
        TEST(test_continues),   TEST(test_look),  TEST(test_enable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
