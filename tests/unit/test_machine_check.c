/* src/cpu/machine_check.c, on banks that the test fills. */
#include "unit.h"

#include "cpu/cpuid.h"
#include "cpu/percpu.h"

#define LEGACY_BANKS   4
#define SCALABLE_BANKS 40
#define SCALABLE       0xC0002000U

static struct cpu fake_cpu;
static uint64_t msrs[0x480], scalable[0x1000];
static bool has_msrs;
static uint32_t fake_signature, amd_features; /* CPUID.80000007H:EBX, or 0 of Intel's */
static uint64_t ended; /* the address for which a guest was ended */
static unsigned int pauses, finding_pause;

static uint64_t *msr_at(uint32_t msr)
{
    if (msr >= SCALABLE && msr - SCALABLE < ARRAY_SIZE(scalable) &&
        (amd_features & 8) != 0)
        return &scalable[msr - SCALABLE];
    return has_msrs && msr < ARRAY_SIZE(msrs) ? &msrs[msr] : NULL;
}

static uint32_t fake_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    const uint64_t *register_of = msr_at(msr);

    *value = register_of == NULL ? 0 : *register_of;
    return register_of == NULL ? FAULT_RAISED | 13 : FAULT_NONE;
}

static uint32_t fake_wrmsr_safe(uint32_t msr, uint64_t value)
{
    assert_non_null(msr_at(msr));
    *msr_at(msr) = value;
    return FAULT_NONE;
}

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
    assert_int_equal(subleaf, 0);
    if (leaf == 0)
        return amd_features != 0
                   ? (struct cpuid_result){13, 0x68747541, 0x444D4163, 0x69746E65}
                   : (struct cpuid_result){13, 0x756E6547, 0x6C65746E, 0x49656E69};
    if (leaf == 0x80000000)
        return (struct cpuid_result){.eax = 0x80000008};
    if (leaf == 0x80000007)
        return (struct cpuid_result){.ebx = amd_features};
    assert_int_equal(leaf, 1);
    return (struct cpuid_result){.eax = fake_signature, .edx = 1 << 7 | 1 << 14};
}

/* Another CPU finds the error at one of them. */
static void fake_pause(void);

#define rdmsr_safe fake_rdmsr_safe
#define wrmsr_safe fake_wrmsr_safe
#define cpuid      fake_cpuid
#define cpu_pause  fake_pause
#define this_cpu() (&fake_cpu)
#include "../../src/cpu/machine_check.c"
#include "machine_check_bits.h"

static void fake_pause(void)
{
    if (++pauses == finding_pause)
        atomic_fetch_add(&found_count, 1);
}

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

static void set_scalable_bank(unsigned int number, uint64_t status, uint64_t address)
{
    scalable[16 * number + 1] = status;
    scalable[16 * number + 2] = address;
}

/* Starts a processor of Intel's in a #MC. */
static int banks_start(void **state)
{
    memset(msrs, 0, sizeof(msrs));
    memset(scalable, 0, sizeof(scalable));
    memset(&fake_cpu, 0, sizeof(fake_cpu));
    fake_cpu.index = 3;
    has_msrs       = true;
    amd_features   = 0;
    fake_signature = 0x306C3;
    msrs[0x179]    = 1 << 24 | 1 << 8 | LEGACY_BANKS; /* MCG_SER_P, MCG_CTL_P */
    msrs[0x17A]    = 5;                               /* RIPV, MCIP */
    ended          = 0;
    pauses = finding_pause = 0;
    atomic_store(&found_count, 0);
    machine_check_set_owner(own);
    return start_log(state);
}

/* The same of AMD's, with SUCCOR, overflow recovery and scalable MCA. */
static void banks_start_amd(void)
{
    banks_start(NULL);
    amd_features = 0xB;
    msrs[0x179]  = 1 << 8 | SCALABLE_BANKS;
}

#define TEST(name) cmocka_unit_test_setup(name, banks_start)

#define STOP      MACHINE_CHECK_STOP
#define RESUME    MACHINE_CHECK_RESUME
#define END_GUEST MACHINE_CHECK_END_GUEST

static void test_panic(void **state)
{
    (void)state;
    machine_check_log();
    assert_logged("hymir: panic: cpu 3: no error in any of its 4 machine-check banks; "
                  "IA32_MCG_STATUS 0x5\n");
    start_log(state);
    set_bank(2, IN_MEMORY | 0x90, 0x123000, PHYSICAL);
    machine_check_log();
    assert_string_equal(captured_log,
                        "hymir: panic: cpu 3: uncorrected machine-check error: "
                        "MC2_STATUS 0xbc00000000000090 (VAL UC EN MISCV ADDRV), memory "
                        "controller; MC2_ADDR 0x123000; MC2_MISC 0x8c\n");
    assert_int_equal(msrs[0x409], IN_MEMORY | 0x90); /* is kept */
}

/* SDM 3B, "SRAR Error and Affected Logical Processors": RIPV 1, EIPV 2, MCIP 4. */
static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        uint64_t mcg_status, status, address;
        enum machine_check_outcome in_guest, in_hymir;
    } cases[] = {
        {5, DATA_LOAD, 0x123000, RESUME, RESUME}, /* another thread has used it */
        {7, DATA_LOAD, 0x123000, END_GUEST, STOP},
        {6, DATA_LOAD, 0x123000, END_GUEST, STOP},
        {4, DATA_LOAD, 0x123000, END_GUEST, STOP},
        {5, DATA_LOAD, 0x200000, STOP, STOP}, /* not in a guest's memory */
        {5, DATA_LOAD | OVERFLOW, 0x123000, STOP, STOP},
        {5, DATA_LOAD | CORRUPT, 0x123000, STOP, STOP},
        {5, IN_MEMORY | SIGNALED | 0xC0, 0x123000, RESUME, RESUME},
        {5, IN_MEMORY | SIGNALED | 0xC0, 0x200000, RESUME, RESUME}, /* no action needed */
        {4, IN_MEMORY | SIGNALED | 0xC0, 0x200000, END_GUEST, STOP},
    };

    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        bool is_in_guest = i % 2 == 0;
        enum machine_check_outcome expected =
            is_in_guest ? cases[i / 2].in_guest : cases[i / 2].in_hymir;
        banks_start(NULL);
        msrs[0x17A] = cases[i / 2].mcg_status;
        set_bank(1, cases[i / 2].status, cases[i / 2].address, PHYSICAL);
        set_bank(3, VALID | ADDRESS, 0x200000, 0); /* corrected: does not matter */
        assert_int_equal(machine_check_take(is_in_guest), expected);
        assert_int_equal(msrs[0x405], expected == STOP ? cases[i / 2].status : 0);
        assert_int_equal(msrs[0x17A], expected == STOP ? cases[i / 2].mcg_status : 0);
        assert_int_equal(msrs[0x40D], VALID | ADDRESS);
        assert_int_equal(fake_cpu.has_machine_check, expected != STOP);
        assert_int_equal(ended, 0);
        assert_nothing_logged();
    }
    machine_check_set_owner(NULL);
    set_bank(1, DATA_LOAD, 0x123000, PHYSICAL);
    assert_int_equal(machine_check_take(true), STOP);
    has_msrs = false; /* an emulator that reports machine checks and has no registers */
    assert_int_equal(machine_check_take(true), STOP);
}

/* The same of AMD's: data with UC has been used. Banks are those of scalable MCA. */
static void test_outcomes_of_amd(void **state)
{
    (void)state;
    const uint64_t poison = VALID | UNCORRECTED | ENABLED | ADDRESS | POISON;
    const struct {
        uint64_t mcg_status, status, address;
        enum machine_check_outcome in_guest, in_hymir;
    } cases[] = {
        {5, poison, 0x123000 | 6ULL << 56, RESUME, RESUME},
        {7, poison, 0x123000, END_GUEST, STOP},
        {5, poison | BIT_55, 0x123000, END_GUEST, STOP}, /* TCC */
        {5, poison, 0x200000, STOP, STOP},
        {5, poison & ~POISON, 0x123000, STOP, STOP}, /* an unknown address */
        {5, poison | CORRUPT, 0x123000, STOP, STOP},
    };

    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        bool is_in_guest = i % 2 == 0;
        enum machine_check_outcome expected =
            is_in_guest ? cases[i / 2].in_guest : cases[i / 2].in_hymir;
        banks_start_amd();
        msrs[0x17A] = cases[i / 2].mcg_status;
        set_scalable_bank(SCALABLE_BANKS - 1, cases[i / 2].status, cases[i / 2].address);
        assert_int_equal(machine_check_take(is_in_guest), expected);
        assert_int_equal(scalable[16 * (SCALABLE_BANKS - 1) + 1],
                         expected == STOP ? cases[i / 2].status : 0);
    }
    amd_features = 0x9; /* no SUCCOR */
    set_scalable_bank(0, poison, 0x123000);
    assert_int_equal(machine_check_take(true), STOP);
}

/* No error raised the #MC: Intel's goes to all CPUs, of which one has it. */
static void test_no_error(void **state)
{
    (void)state;
    set_bank(0, IN_MEMORY, 0x123000, PHYSICAL); /* not signaled */
    finding_pause = 5;
    assert_int_equal(machine_check_take(false), RESUME);
    assert_int_equal(pauses, 5);
    msrs[0x17A] = 5;
    assert_int_equal(machine_check_take(true), STOP); /* none for the next one */
    atomic_fetch_add(&found_count, 1);
    assert_int_equal(machine_check_take(true), RESUME); /* found before */
    for (uint64_t mcg_status = 4; mcg_status < 16; mcg_status++) {
        finding_pause = pauses + 1;
        msrs[0x17A]   = mcg_status; /* LMCE 8 */
        assert_int_equal(machine_check_take(true), mcg_status == 5 ? RESUME : STOP);
    }
    banks_start_amd(); /* to the one CPU that has it */
    finding_pause = 1;
    assert_int_equal(machine_check_take(true), STOP);
    assert_int_equal(pauses, 0);
}

/* An error that a #MC has left is no longer in its bank when the next one comes. */
static void test_errors_before_look(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < MACHINE_CHECK_QUEUE; i++) {
        set_bank(2, DATA_LOAD, 0x123000 + 0x1000 * i, PHYSICAL);
        assert_int_equal(machine_check_take(false), RESUME);
        msrs[0x17A] = 5;
    }
    set_bank(2, DATA_LOAD, 0x123000, PHYSICAL);
    assert_int_equal(machine_check_take(false), STOP); /* more than it can keep */
    msrs[0x409] = 0;
    machine_check_look();
    assert_false(fake_cpu.has_machine_check);
    assert_logged("warning: cpu 3: uncorrected machine-check error: MC2_STATUS "
                  "0xbd80000000000134 (VAL UC EN MISCV ADDRV S AR), cache; MC2_ADDR "
                  "0x123000; ");
    assert_logged("MC2_ADDR 0x132000; ");
    assert_int_equal(ended, 0x132000);
    start_log(state);
    machine_check_look();
    assert_nothing_logged();
    set_bank(2, DATA_LOAD, 0x123000, PHYSICAL);
    assert_int_equal(machine_check_take(false), RESUME);
    machine_check_log(); /* what a panic before the look prints */
    assert_logged("hymir: panic: cpu 3: uncorrected machine-check error: MC2_STATUS");
}

/* The look leaves an error to the handler of its #MC. */
static void test_look(void **state)
{
    (void)state;
    set_bank(0, VALID | ADDRESS | MISC | 0x136, 0x150000, PHYSICAL);
    set_bank(1, DATA_LOAD, 0x123000, PHYSICAL);
    machine_check_look();
    assert_string_equal(captured_log,
                        "warning: cpu 3: corrected machine-check error: MC0_STATUS "
                        "0x8c00000000000136 (VAL MISCV ADDRV), cache; MC0_ADDR 0x150000; "
                        "MC0_MISC 0x8c\n");
    assert_int_equal(ended, 0); /* nothing is lost */
    assert_int_equal(msrs[0x401], 0);
    assert_int_equal(msrs[0x405], DATA_LOAD);
    /* UCNA: the data is lost, and not used yet. */
    start_log(state);
    set_bank(0, IN_MEMORY | 0x136, 0x151000, PHYSICAL);
    machine_check_look();
    assert_logged("cpu 3: uncorrected machine-check error: MC0_STATUS");
    assert_int_equal(ended, 0x151000);
}

/* AMD's deferred errors: in MCA_STATUS, in MCA_DESTAT, or in both. */
static void test_deferred(void **state)
{
    (void)state;
    const uint64_t deferred = VALID | ENABLED | ADDRESS | DEFERRED | POISON | MISC;
    uint64_t *bank          = &scalable[35 * 16];

    banks_start_amd();
    for (int has_destat = 0; has_destat < 2; has_destat++) {
        start_log(state);
        ended   = 0;
        bank[1] = deferred;
        bank[2] = 0x123000;
        bank[3] = 7;
        bank[4] = has_destat == 0 ? 0 : 4;
        bank[8] = deferred;
        machine_check_look();
        assert_string_equal(captured_log,
                            "warning: cpu 3: deferred machine-check error: MC35_STATUS "
                            "0x9c00180000000000 (VAL EN MISCV ADDRV Deferred Poison), no "
                            "error; MC35_ADDR 0x123000; MC35_MISC 0x7\n");
        assert_int_equal(bank[1], 0);
        assert_int_equal(bank[8], has_destat == 0 ? deferred : 0);
        assert_int_equal(ended, 0x123000);
    }
    /* MCA_STATUS has another one. */
    start_log(state);
    bank[1] = VALID;
    bank[8] = deferred;
    bank[9] = 0x124000;
    machine_check_look();
    assert_logged("cpu 3: corrected machine-check error: MC35_STATUS 0x80");
    assert_logged("cpu 3: deferred machine-check error: MC35_STATUS 0x9400180000000000 "
                  "(VAL EN ADDRV Deferred Poison), no error; MC35_ADDR 0x124000\n");
    assert_int_equal(bank[1], 0);
    assert_int_equal(bank[8], 0);
    assert_int_equal(ended, 0x124000);
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
    for (size_t i = 0; i < LEGACY_BANKS; i++)
        assert_int_equal(msrs[0x400 + 4 * i], UINT64_MAX);
    assert_int_equal(msrs[0x400 + 4 * LEGACY_BANKS], 0);
    /* Core 2 */
    banks_start(state);
    fake_signature = 0x10676;
    msrs[0x179]    = LEGACY_BANKS;
    machine_check_enable();
    assert_int_equal(msrs[0x400], 0);
    assert_int_equal(msrs[0x404], UINT64_MAX);
    assert_int_equal(msrs[0x17B], 0);
    /* An emulator that reports machine checks and has none of the registers. */
    has_msrs = false;
    assert_int_equal(machine_check_bank_count(), 0);
    machine_check_enable();
    machine_check_log();
    assert_nothing_logged();
    has_msrs    = true;
    msrs[0x179] = 0xFF;
    assert_int_equal(machine_check_bank_count(), 32); /* other MSRs follow */
}

/* More banks than there are MSRs of the old form; recovery is enabled where it can be. */
static void test_enable_scalable(void **state)
{
    (void)state;
    banks_start_amd();
    scalable[39 * 16 + 8] = VALID | DEFERRED;
    for (size_t i = 0; i < SCALABLE_BANKS; i++)
        scalable[i * 16 + 4] = i == 7 ? 0x24 : 0x25;
    assert_int_equal(machine_check_bank_count(), SCALABLE_BANKS);
    machine_check_enable();
    assert_logged("cpu 3: deferred machine-check error from before the start: MC39_");
    assert_int_equal(scalable[39 * 16 + 8], 0);
    for (size_t i = 0; i < SCALABLE_BANKS; i++) {
        assert_int_equal(scalable[i * 16], UINT64_MAX);
        assert_int_equal(scalable[i * 16 + 4], i == 7 ? 0x24 : 0x25 | UINT64_C(1) << 32);
    }
    assert_int_equal(scalable[16 * SCALABLE_BANKS], 0);
    assert_int_equal(msrs[0x400], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_panic),
        TEST(test_outcomes),
        TEST(test_outcomes_of_amd),
        TEST(test_no_error),
        TEST(test_errors_before_look),
        TEST(test_look),
        TEST(test_deferred),
        TEST(test_enable),
        TEST(test_enable_scalable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
