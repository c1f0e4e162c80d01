/* See machine_check.h. */
#include "cpu/machine_check.h"

#include "cpu/cpuid.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "x86/machine_check.h"

#include <stddef.h>

#define BANKS_MAX \
    32U /* IA32_MC0_CTL to IA32_MC31_MISC; the numbers that follow are others */

#define DESCRIPTION_SIZE 320

static machine_check_owner *find_owner;

void machine_check_set_owner(machine_check_owner *owner)
{
    find_owner = owner;
}

/* ---- Pure
 * -------------------------------------------------------------------------------- */

/* Names of bits of IA32_MCi_STATUS, by vendor; VAL is always set. */
static const struct bit_name {
    uint8_t bit;
    const char *intel, *amd;
} bit_names[] = {
    {62, "OVER", "OVER"},   {61, "UC", "UC"},       {60, "EN", "EN"},
    {59, "MISCV", "MISCV"}, {58, "ADDRV", "ADDRV"}, {57, "PCC", "PCC"},
    {56, "S", NULL},        {55, "AR", "TCC"},      {44, NULL, "Deferred"},
    {43, NULL, "Poison"},
};

/* Kinds of errors, by the bits of the code that are not a parameter of theirs. */
static const struct code_name {
    uint16_t mask, code;
    const char *name;
} code_names[] = {
    {0xFFFF, 0x0000, "no error"},
    {0xFFFF, 0x0001, "unclassified"},
    {0xFFFF, 0x0002, "microcode ROM parity"},
    {0xFFFF, 0x0003, "external error"},
    {0xFFFF, 0x0004, "functional redundancy check"},
    {0xFFFF, 0x0005, "internal parity"},
    {0xFFFF, 0x0006, "code access outside SMRAM in SMM"},
    {0xFFFF, 0x0400, "internal timer"},
    {0xFFFF, 0x0E0B, "I/O error"},
    {0xFC00, 0x0400, "internal unclassified"},
    {0xFFFC, 0x000C, "cache hierarchy"},
    {0xFFF0, 0x0010, "TLB"},
    {0xFF80, 0x0080, "memory controller"},
    {0xFF80, 0x0280, "extended memory"},
    {0xFF00, 0x0100, "cache"},
    {0xF800, 0x0800, "bus or interconnect"},
};

static const char *code_name(uint16_t code)
{
    uint16_t kind = code & (uint16_t)~MC_CODE_FILTERED;

    for (size_t i = 0; i < ARRAY_SIZE(code_names); i++) {
        if ((kind & code_names[i].mask) == code_names[i].code)
            return code_names[i].name;
    }
    return "unknown error";
}

void machine_check_describe(const struct machine_check_bank *bank, bool is_amd,
                            struct text *words)
{
    text_append(words, "MC%u_STATUS 0x%016lx (VAL", bank->number, bank->status);
    for (size_t i = 0; i < ARRAY_SIZE(bit_names); i++) {
        const char *name = is_amd ? bit_names[i].amd : bit_names[i].intel;
        if (name != NULL && (bank->status >> bit_names[i].bit & 1) != 0)
            text_append(words, " %s", name);
    }
    text_append(words, "), %s", code_name(MC_STATUS_CODE(bank->status)));
    if ((bank->status & MC_STATUS_ADDRV) != 0)
        text_append(words, "; MC%u_ADDR 0x%lx", bank->number, bank->address);
    if ((bank->status & MC_STATUS_MISCV) != 0)
        text_append(words, "; MC%u_MISC 0x%lx", bank->number, bank->misc);
}

bool machine_check_is_confined(const struct machine_check_bank *bank,
                               const struct machine_check_rules *rules)
{
    const uint64_t lost = MC_STATUS_PCC | MC_STATUS_OVER;
    uint64_t status     = bank->status;

    if ((status & lost) != 0 || (status & MC_STATUS_ADDRV) == 0)
        return false;
    if (rules->is_amd)
        return (status & MC_STATUS_TCC) == 0;
    return rules->has_recovery && (status & MC_STATUS_MISCV) != 0 &&
           MC_MISC_ADDRESS_MODE(bank->misc) == MC_MISC_PHYSICAL &&
           BIT(MC_MISC_ADDRESS_LSB(bank->misc)) <= PAGE_SIZE;
}

/* ---- The executing CPU
 * ------------------------------------------------------------------- */

static uint64_t read_or_zero(uint32_t msr)
{
    uint64_t value;

    (void)rdmsr_safe(msr, &value);
    return value;
}

unsigned int machine_check_bank_count(void)
{
    uint64_t needed = CPUID_1_EDX_MCE | CPUID_1_EDX_MCA;

    if ((cpuid(CPUID_LEAF_FEATURES, 0).edx & needed) != needed)
        return 0;
    unsigned int count = MCG_CAP_COUNT(read_or_zero(MSR_IA32_MCG_CAP));
    return count < BANKS_MAX ? count : BANKS_MAX;
}

/* Reads a bank. Returns whether it has an error. */
static bool read_bank(unsigned int number, struct machine_check_bank *bank)
{
    uint64_t status = read_or_zero(MACHINE_CHECK_MSR(MSR_IA32_MC0_STATUS, number));

    *bank = (struct machine_check_bank){.number = number, .status = status};
    if ((status & MC_STATUS_ADDRV) != 0)
        bank->address = read_or_zero(MACHINE_CHECK_MSR(MSR_IA32_MC0_ADDR, number));
    if ((status & MC_STATUS_MISCV) != 0)
        bank->misc = read_or_zero(MACHINE_CHECK_MSR(MSR_IA32_MC0_MISC, number));
    return (status & MC_STATUS_VAL) != 0;
}

static struct machine_check_rules read_rules(void)
{
    const struct cpuid_snapshot snapshot = {.leaf_0 = cpuid(CPUID_LEAF_BASIC, 0)};
    uint64_t capabilities                = read_or_zero(MSR_IA32_MCG_CAP);

    return (struct machine_check_rules){
        .is_amd       = cpuid_is_amd(&snapshot),
        .has_recovery = (capabilities & MCG_CAP_SER_P) != 0,
    };
}

/* Returns whether the error is in a guest's memory only. May end the guest. */
static bool is_in_guest_memory(const struct machine_check_bank *bank, bool is_to_end)
{
    const struct machine_check_rules rules = read_rules();

    return machine_check_is_confined(bank, &rules) && find_owner != NULL &&
           find_owner(bank->address, is_to_end);
}

bool machine_check_can_resume(void)
{
    return (read_or_zero(MSR_IA32_MCG_STATUS) & MCG_STATUS_RIPV) != 0;
}

bool machine_check_can_continue(bool is_in_guest)
{
    unsigned int count = machine_check_bank_count();
    struct machine_check_bank bank;

    if (count == 0 || (!is_in_guest && !machine_check_can_resume()))
        return false;
    for (unsigned int i = 0; i < count; i++) {
        if (read_bank(i, &bank) && (bank.status & MC_STATUS_UC) != 0 &&
            !is_in_guest_memory(&bank, false))
            return false;
    }
    return true;
}

void machine_check_acknowledge(void)
{
    this_cpu()->has_machine_check = true;
    (void)wrmsr_safe(MSR_IA32_MCG_STATUS, 0);
}

/* For a panic if remark is NULL. */
static void log_bank(const struct machine_check_bank *bank, const char *remark)
{
    const char *kind = (bank->status & MC_STATUS_UC) != 0 ? "uncorrected" : "corrected";
    TEXT_DECLARE(words, DESCRIPTION_SIZE);

    machine_check_describe(bank, read_rules().is_amd, &words);
    if (remark == NULL)
        log_plain("hymir: panic: cpu %u: %s machine-check error: %s", this_cpu()->index,
                  kind, words.buffer);
    else
        log_warning("cpu %u: %s machine-check error%s: %s", this_cpu()->index, kind,
                    remark, words.buffer);
}

/* Logs the errors and clears them, or only logs them, for a panic, if remark is NULL. */
static void visit_banks(const char *remark)
{
    unsigned int count = machine_check_bank_count();
    struct machine_check_bank bank;

    for (unsigned int i = 0; i < count; i++) {
        if (!read_bank(i, &bank))
            continue;
        log_bank(&bank, remark);
        if (remark == NULL)
            continue;
        if ((bank.status & MC_STATUS_UC) != 0)
            (void)is_in_guest_memory(&bank, true);
        (void)wrmsr_safe(MACHINE_CHECK_MSR(MSR_IA32_MC0_STATUS, i), 0);
    }
}

void machine_check_look(void)
{
    this_cpu()->has_machine_check = false;
    visit_banks("");
}

void machine_check_log(void)
{
    visit_banks(NULL);
}

/*
 * Returns the first bank whose IA32_MCi_CTL is for software. On early processors of
 * family 6, that of bank 0 is a setting of the platform's: SDM 3B, "Machine-Check
 * Initialization".
 */
static unsigned int first_writable_bank(void)
{
    const struct cpuid_snapshot snapshot   = {.leaf_1 = cpuid(CPUID_LEAF_FEATURES, 0)};
    const struct cpuid_signature signature = cpuid_signature(&snapshot);

    return signature.family == 6 && signature.model < MC0_CTL_LEAST_MODEL ? 1 : 0;
}

void machine_check_enable(void)
{
    unsigned int count = machine_check_bank_count();

    if (count == 0)
        return;
    if ((read_or_zero(MSR_IA32_MCG_CAP) & MCG_CAP_CTL_P) != 0)
        (void)wrmsr_safe(MSR_IA32_MCG_CTL, UINT64_MAX);
    visit_banks(" from before the start");
    for (unsigned int i = first_writable_bank(); i < count; i++)
        (void)wrmsr_safe(MACHINE_CHECK_MSR(MSR_IA32_MC0_CTL, i), UINT64_MAX);
    (void)wrmsr_safe(MSR_IA32_MCG_STATUS, 0);
}
