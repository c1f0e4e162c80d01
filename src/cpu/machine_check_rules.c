/* See machine_check_rules.h. */
#include "cpu/machine_check_rules.h"

#include <stddef.h>

#define PAGE_BITS 12U

bool machine_check_is_signaled(const struct machine_check_bank *bank,
                               const struct machine_check_rules *rules)
{
    const uint64_t enabled = MC_STATUS_UC | MC_STATUS_EN;

    return (bank->status & enabled) == enabled &&
           (rules->is_amd || !rules->has_recovery ||
            (bank->status & (MC_STATUS_S | MC_STATUS_PCC)) != 0);
}

/* SDM 3B, "UCR Error Classification", "UCR Error Overwrite Rules". */
static enum machine_check_severity judge_recoverable(uint64_t status)
{
    const uint64_t required = MC_STATUS_S | MC_STATUS_AR;
    uint16_t code           = MC_STATUS_CODE(status) & (uint16_t)~MC_CODE_FILTERED;

    if ((status & MC_STATUS_AR) == 0)
        return MACHINE_CHECK_LATENT;
    return (status & required) == required && (status & MC_STATUS_OVER) == 0 &&
                   (code == MC_CODE_DATA_LOAD || code == MC_CODE_INSTRUCTION_FETCH)
               ? MACHINE_CHECK_USED
               : MACHINE_CHECK_FATAL;
}

enum machine_check_severity machine_check_judge(const struct machine_check_bank *bank,
                                                const struct machine_check_rules *rules)
{
    uint64_t status = bank->status;

    if (rules->is_amd &&
        (status & (MC_STATUS_UC | MC_STATUS_DEFERRED)) == MC_STATUS_DEFERRED)
        return MACHINE_CHECK_LATENT;
    if ((status & MC_STATUS_UC) == 0 || (status & MC_STATUS_EN) == 0)
        return MACHINE_CHECK_HARMLESS;
    if ((status & MC_STATUS_PCC) != 0 || !rules->has_recovery)
        return MACHINE_CHECK_FATAL;
    if (!rules->is_amd)
        return judge_recoverable(status);
    return (status & MC_STATUS_OVER) != 0 && !rules->has_overflow_recovery
               ? MACHINE_CHECK_FATAL
               : MACHINE_CHECK_USED;
}

/* Clears the bits of an address below the least valid one. False if a page has fewer. */
static bool clear_low_bits(uint64_t address, unsigned int lsb, uint64_t *cleared)
{
    if (lsb > PAGE_BITS)
        return false;
    *cleared = address & ~(BIT(lsb) - 1);
    return true;
}

/*
 * With scalable MCA, an address may be the memory controller's own: one that was used is
 * physical.
 */
static bool find_address_of_amd(const struct machine_check_bank *bank,
                                const struct machine_check_rules *rules,
                                uint64_t *address)
{
    bool is_in_status = (bank->config & MC_CONFIG_LSB_IN_STATUS) != 0;
    unsigned int high = is_in_status ? MC_ADDR_HIGH_LSB_IN_STATUS : MC_ADDR_HIGH;
    uint64_t is_physical =
        (bank->config & MC_CONFIG_PADDRV) != 0 ? MC_STATUS_PADDRV : MC_STATUS_POISON;

    if (!rules->is_scalable)
        return clear_low_bits(bank->address, 0, address);
    return (bank->status & is_physical) != 0 &&
           clear_low_bits(bank->address & BITS_MASK(high, 0),
                          is_in_status ? MC_STATUS_LSB(bank->status)
                                       : MC_ADDR_LSB(bank->address),
                          address);
}

bool machine_check_find_address(const struct machine_check_bank *bank,
                                const struct machine_check_rules *rules,
                                uint64_t *address)
{
    if (!rules->has_recovery || (bank->status & MC_STATUS_ADDRV) == 0)
        return false;
    if (rules->is_amd)
        return find_address_of_amd(bank, rules, address);
    return (bank->status & MC_STATUS_MISCV) != 0 &&
           MC_MISC_ADDRESS_MODE(bank->misc) == MC_MISC_PHYSICAL &&
           clear_low_bits(bank->address, MC_MISC_ADDRESS_LSB(bank->misc), address);
}

const char *machine_check_kind(const struct machine_check_bank *bank, bool is_amd)
{
    if ((bank->status & MC_STATUS_UC) != 0)
        return "uncorrected";
    return is_amd && (bank->status & MC_STATUS_DEFERRED) != 0 ? "deferred" : "corrected";
}

/* Names of bits of IA32_MCi_STATUS, by vendor; VAL is always set. */
static const struct bit_name {
    uint8_t bit;
    const char *intel, *amd;
} bit_names[] = {
    {62, "OVER", "OVER"},   {61, "UC", "UC"},       {60, "EN", "EN"},
    {59, "MISCV", "MISCV"}, {58, "ADDRV", "ADDRV"}, {57, "PCC", "PCC"},
    {56, "S", NULL},        {55, "AR", "TCC"},      {44, NULL, "Deferred"},
    {43, NULL, "Poison"},   {54, NULL, "PADDRV"},
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
