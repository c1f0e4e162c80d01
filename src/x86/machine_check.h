/*
 * The machine-check architecture: MSRs and their bits.
 *
 * SDM 3B, "Machine-Check Architecture", "Interpreting Machine-Check Error Codes"; APM 2,
 * "Machine Check Architecture".
 */
#ifndef HYMIR_X86_MACHINE_CHECK_H
#define HYMIR_X86_MACHINE_CHECK_H

#include "lib/bits.h"

enum machine_check_msr {
    MSR_IA32_MCG_CAP    = 0x179,
    MSR_IA32_MCG_STATUS = 0x17A,
    MSR_IA32_MCG_CTL    = 0x17B,
    MSR_IA32_MC0_CTL    = 0x400, /* of four registers for each bank */
    MSR_IA32_MC0_STATUS = 0x401,
    MSR_IA32_MC0_ADDR   = 0x402,
    MSR_IA32_MC0_MISC   = 0x403,
};
#define MACHINE_CHECK_MSR(of_bank_0, bank) ((uint32_t)(of_bank_0) + 4 * (uint32_t)(bank))

/* IA32_MCG_CAP */
#define MCG_CAP_COUNT(value) ((unsigned int)BITS_GET(value, 7, 0))
#define MCG_CAP_CTL_P        BIT(8)  /* IA32_MCG_CTL exists */
#define MCG_CAP_SER_P        BIT(24) /* Intel: software error recovery */

/* Of family 6; on an earlier one, software must not write IA32_MC0_CTL. */
#define MC0_CTL_LEAST_MODEL 0x1AU

/* IA32_MCG_STATUS */
#define MCG_STATUS_RIPV BIT(0) /* execution can go on where it was interrupted */
#define MCG_STATUS_MCIP BIT(2) /* another machine check shuts the processor down */

/* IA32_MCi_STATUS */
#define MC_STATUS_CODE(value) ((uint16_t)BITS_GET(value, 15, 0))
#define MC_STATUS_TCC         BIT(55) /* AMD: the interrupted thread is corrupt */
#define MC_STATUS_PCC         BIT(57) /* the processor's context is corrupt */
#define MC_STATUS_ADDRV       BIT(58)
#define MC_STATUS_MISCV       BIT(59)
#define MC_STATUS_UC          BIT(61) /* uncorrected */
#define MC_STATUS_OVER        BIT(62) /* an earlier error of the bank is lost */
#define MC_STATUS_VAL         BIT(63)

/* IA32_MCi_MISC of Intel: how to read IA32_MCi_ADDR. */
#define MC_MISC_ADDRESS_LSB(value)  ((unsigned int)BITS_GET(value, 5, 0))
#define MC_MISC_ADDRESS_MODE(value) ((unsigned int)BITS_GET(value, 8, 6))
#define MC_MISC_PHYSICAL            2U

/* Bits of error codes that do not matter for the kind: corrections are filtered. */
#define MC_CODE_FILTERED BIT(12)

#endif
