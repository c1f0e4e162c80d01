/*
 * What the registers of a machine-check bank say: how bad an error is, which memory it
 * is in, and its description. Pure.
 *
 * SDM 3B, "Machine-Check Architecture", "Recovery of Uncorrected Recoverable (UCR)
 * Errors"; APM 2, "Machine Check Architecture", "Machine Check Recovery"; AMD's Processor
 * Programming References, "Machine Check Architecture".
 */
#ifndef HYMIR_CPU_MACHINE_CHECK_RULES_H
#define HYMIR_CPU_MACHINE_CHECK_RULES_H

#include "lib/format.h"
#include "x86/machine_check.h"

#include <stdbool.h>
#include <stdint.h>

/* The registers of a bank with a valid error; address and misc are 0 if not valid. */
struct machine_check_bank {
    unsigned int number;
    uint64_t status, address, misc;
    uint64_t config; /* AMD's MCA_CONFIG, with scalable MCA */
};

/* What of the processor decides how its banks are read. */
struct machine_check_rules {
    bool is_amd;
    bool has_recovery;          /* Intel: MCG_SER_P; AMD: SUCCOR */
    bool has_overflow_recovery; /* AMD: lost errors were not worse than the one kept */
    bool is_scalable;           /* AMD: each bank has 16 registers */
};

enum machine_check_severity {
    MACHINE_CHECK_HARMLESS, /* corrected, or not enabled: nothing is lost */
    MACHINE_CHECK_LATENT,   /* data is lost that no code has used yet */
    MACHINE_CHECK_USED,     /* data is lost that interrupted code has used */
    MACHINE_CHECK_FATAL,    /* the processor's state is lost, or it is unknown what is */
};

enum machine_check_severity machine_check_judge(const struct machine_check_bank *bank,
                                                const struct machine_check_rules *rules);

/*
 * Returns whether the error raises #MC, whose handler then has the bank; all others are
 * found only by looking.
 */
bool machine_check_is_signaled(const struct machine_check_bank *bank,
                               const struct machine_check_rules *rules);

/*
 * Finds the physical address of the lost data, without its invalid low bits. False if it
 * is unknown, or the data of more than a page.
 */
bool machine_check_find_address(const struct machine_check_bank *bank,
                                const struct machine_check_rules *rules,
                                uint64_t *address);

/* Returns "corrected", "deferred" or "uncorrected". */
const char *machine_check_kind(const struct machine_check_bank *bank, bool is_amd);

/* Appends the registers by name, the names of the bits of status and of the error. */
void machine_check_describe(const struct machine_check_bank *bank, bool is_amd,
                            struct text *words);

#endif
