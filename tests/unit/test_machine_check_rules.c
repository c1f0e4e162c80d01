/* src/cpu/machine_check_rules.c: what the registers of a bank say. */
#include "unit.h"

#include "cpu/machine_check_rules.h"
#include "lib/bits.h"
#include "machine_check_bits.h"

static const struct machine_check_rules intel       = {.has_recovery = true};
static const struct machine_check_rules early_intel = {0};
static const struct machine_check_rules early_amd   = {.is_amd = true};
static const struct machine_check_rules amd         = {.is_amd                = true,
                                                       .has_recovery          = true,
                                                       .has_overflow_recovery = true,
                                                       .is_scalable           = true};

static void test_description(void **state)
{
    (void)state;
    TEXT_DECLARE(words, 320);
    TEXT_DECLARE(words_of_amd, 320);

    machine_check_describe(&(struct machine_check_bank){2, DATA_LOAD | OVERFLOW | 0x1000,
                                                        0x123000, PHYSICAL, 0},
                           false, &words);
    assert_string_equal(words.buffer,
                        "MC2_STATUS 0xfd80000000001134 (VAL OVER UC EN MISCV ADDRV S "
                        "AR), cache; MC2_ADDR 0x123000; MC2_MISC 0x8c");
    machine_check_describe(
        &(struct machine_check_bank){
            40, VALID | BIT_55 | POISON | DEFERRED | PADDRV | 0x010B, 1, 1, 0},
        true, &words_of_amd);
    assert_string_equal(words_of_amd.buffer,
                        "MC40_STATUS 0x80c018000000010b (VAL TCC Deferred Poison "
                        "PADDRV), cache");
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        uint64_t status;
        const char *intel, *amd;
    } cases[] = {
        {VALID, "corrected", "corrected"},
        {VALID | DEFERRED, "corrected", "deferred"},
        {VALID | UNCORRECTED, "uncorrected", "uncorrected"},
        {VALID | UNCORRECTED | DEFERRED, "uncorrected", "uncorrected"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct machine_check_bank bank = {.status = cases[i].status};
        assert_string_equal(machine_check_kind(&bank, false), cases[i].intel);
        assert_string_equal(machine_check_kind(&bank, true), cases[i].amd);
    }
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

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct machine_check_bank bank = {.status = VALID | cases[i].code};
        TEXT_DECLARE(words, 320);
        machine_check_describe(&bank, false, &words);
        assert_string_equal(strstr(words.buffer, ", ") + 2, cases[i].name);
    }
}

#define HARMLESS MACHINE_CHECK_HARMLESS
#define LATENT   MACHINE_CHECK_LATENT
#define USED     MACHINE_CHECK_USED
#define FATAL    MACHINE_CHECK_FATAL

/* SDM 3B, "UCR Error Classification": UCNA, SRAO and SRAR. */
static void test_intel(void **state)
{
    (void)state;
    static const struct {
        uint64_t status;
        enum machine_check_severity severity, without_recovery;
        bool is_signaled;
    } cases[] = {
        {VALID | ENABLED | MISC | ADDRESS | SIGNALED, HARMLESS, HARMLESS, false},
        {IN_MEMORY, LATENT, FATAL, false},
        {IN_MEMORY | OVERFLOW, LATENT, FATAL, false},
        {IN_MEMORY & ~ENABLED, HARMLESS, HARMLESS, false},
        {IN_MEMORY | SIGNALED | 0xC0, LATENT, FATAL, true},
        {IN_MEMORY | SIGNALED | OVERFLOW | 0x17A, LATENT, FATAL, true},
        {DATA_LOAD, USED, FATAL, true},
        {DATA_LOAD | 0x1000, USED, FATAL, true},
        {IN_MEMORY | SIGNALED | BIT_55 | 0x150, USED, FATAL, true},
        {IN_MEMORY | SIGNALED | BIT_55 | 0x151, FATAL, FATAL, true}, /* unknown */
        {DATA_LOAD | OVERFLOW, FATAL, FATAL, true},
        {DATA_LOAD & ~SIGNALED, FATAL, FATAL, false}, /* AR without S */
        {DATA_LOAD | CORRUPT, FATAL, FATAL, true},
        {IN_MEMORY | CORRUPT, FATAL, FATAL, true},
        {(DATA_LOAD | CORRUPT) & ~ENABLED, HARMLESS, HARMLESS, false},
        {VALID | DEFERRED, HARMLESS, HARMLESS, false}, /* another bit of Intel's */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct machine_check_bank bank = {.status = cases[i].status};
        const uint64_t signal                = UNCORRECTED | ENABLED;
        assert_int_equal(machine_check_judge(&bank, &intel), cases[i].severity);
        assert_int_equal(machine_check_judge(&bank, &early_intel),
                         cases[i].without_recovery);
        assert_int_equal(machine_check_is_signaled(&bank, &intel), cases[i].is_signaled);
        assert_int_equal(machine_check_is_signaled(&bank, &early_intel),
                         (bank.status & signal) == signal);
    }
}

/* APM 2, "Machine Check Recovery": SUCCOR, overflow recovery, deferred errors. */
static void test_amd(void **state)
{
    (void)state;
    static const struct {
        uint64_t status;
        enum machine_check_severity severity, without_overflow, without_recovery;
        bool is_signaled;
    } cases[] = {
        {VALID | ENABLED | ADDRESS, HARMLESS, HARMLESS, HARMLESS, false},
        {VALID | ENABLED | DEFERRED, LATENT, LATENT, LATENT, false},
        {VALID | DEFERRED | OVERFLOW, LATENT, LATENT, LATENT, false},
        {IN_MEMORY | POISON, USED, USED, FATAL, true},
        {IN_MEMORY | POISON | BIT_55, USED, USED, FATAL, true},
        {IN_MEMORY | OVERFLOW, USED, FATAL, FATAL, true},
        {IN_MEMORY | CORRUPT, FATAL, FATAL, FATAL, true},
        {IN_MEMORY & ~ENABLED, HARMLESS, HARMLESS, HARMLESS, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct machine_check_bank bank    = {.status = cases[i].status};
        struct machine_check_rules loses_errors = amd;
        loses_errors.has_overflow_recovery      = false;
        assert_int_equal(machine_check_judge(&bank, &amd), cases[i].severity);
        assert_int_equal(machine_check_judge(&bank, &loses_errors),
                         cases[i].without_overflow);
        assert_int_equal(machine_check_judge(&bank, &early_amd),
                         cases[i].without_recovery);
        assert_int_equal(machine_check_is_signaled(&bank, &amd), cases[i].is_signaled);
    }
}

#define UNKNOWN UINT64_MAX

static void assert_address(const struct machine_check_bank *bank,
                           const struct machine_check_rules *rules, uint64_t expected)
{
    uint64_t address = UNKNOWN;
    bool is_known    = machine_check_find_address(bank, rules, &address);

    assert_int_equal(is_known, expected != UNKNOWN);
    assert_int_equal(address, expected);
}

static void test_addresses_of_intel(void **state)
{
    (void)state;
    static const struct {
        uint64_t status, misc, address;
    } cases[] = {
        {IN_MEMORY, PHYSICAL, 0x123000}, /* of 4 KiB */
        {IN_MEMORY, 0x86, 0x123440},     /* of 64 bytes */
        {IN_MEMORY, 0x80, 0x123456},
        {IN_MEMORY & ~ADDRESS, PHYSICAL, UNKNOWN},
        {IN_MEMORY & ~MISC, PHYSICAL, UNKNOWN},
        {IN_MEMORY, PHYSICAL | 0x40, UNKNOWN}, /* another kind of address */
        {IN_MEMORY, PHYSICAL + 1, UNKNOWN},    /* of 8 KiB */
        {IN_MEMORY, 0xBF, UNKNOWN},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct machine_check_bank bank = {
            .status = cases[i].status, .address = 0x123456, .misc = cases[i].misc};
        assert_address(&bank, &intel, cases[i].address);
        assert_address(&bank, &early_intel, UNKNOWN);
    }
}

/* AMD's Processor Programming References, "MCA_ADDR", "MCA_STATUS", "MCA_CONFIG". */
static void test_addresses_of_amd(void **state)
{
    (void)state;
    static const uint64_t poison = VALID | UNCORRECTED | ENABLED | ADDRESS | POISON;
    static const struct {
        uint64_t status, address, config, found;
    } cases[] = {
        {poison, 0x123456, 0, 0x123456},
        {poison, 0x123456 | 6ULL << 56 | 1ULL << 62, 0, 0x123440},
        {poison, 0x123456 | 12ULL << 56, 0, 0x123000},
        {poison, 0x123456 | 13ULL << 56, 0, UNKNOWN}, /* of 8 KiB */
        {poison & ~ADDRESS, 0x123456, 0, UNKNOWN},
        {poison & ~POISON, 0x123456, 0, UNKNOWN}, /* the memory controller's own */
        {(poison & ~POISON) | PADDRV, 0x123456, 0, UNKNOWN},
        {(poison & ~POISON) | PADDRV, 0x123456, 1 << 11, 0x123456},
        {poison, 0x123456, 1 << 11, UNKNOWN},
        /* The least significant bit is in MCA_STATUS. */
        {poison | 6 << 24, 0x123456 | 1ULL << 56 | 1ULL << 57, 1 << 8,
         0x123440 | 1ULL << 56},
        {poison | 13 << 24, 0x123456, 1 << 8, UNKNOWN},
        {poison | 13 << 24, 0x123456, 0, 0x123456},
    };
    struct machine_check_rules not_scalable = amd;

    not_scalable.is_scalable = false;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct machine_check_bank bank = {.status  = cases[i].status,
                                                .address = cases[i].address,
                                                .config  = cases[i].config};
        bool has_address                     = (bank.status & ADDRESS) != 0;
        assert_address(&bank, &amd, cases[i].found);
        assert_address(&bank, &early_amd, UNKNOWN);
        assert_address(&bank, &not_scalable, has_address ? bank.address : UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_intel),
        cmocka_unit_test(test_amd),
        cmocka_unit_test(test_addresses_of_intel),
        cmocka_unit_test(test_addresses_of_amd),
    };
    return cmocka_run_group_tests_name("machine_check_rules", tests, NULL, NULL);
}
