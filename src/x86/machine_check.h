/*
 * The machine-check architecture: MSRs and their bits.
 *
 * SDM 3B, "Machine-Check Architecture", "Interpreting Machine-Check Error Codes"; APM 2,
 * "Machine Check Architecture"; AMD's Processor Programming References, "Machine Check
 * Architecture", for MCA_CONFIG.
 */
#ifndef HYMIR_X86_MACHINE_CHECK_H
#define HYMIR_X86_MACHINE_CHECK_H

#include "lib/bits.h"

enum machine_check_msr {
    MSR_IA32_MCG_CAP    = 0x179,
    MSR_IA32_MCG_STATUS = 0x17A,
    MSR_IA32_MCG_CTL    = 0x17B,
    MSR_IA32_MC0_CTL    = 0x400,
    MSR_MCA_CTL_BANK0   = 0xC0002000, /* AMD, with scalable MCA */
};

/* Offsets of a bank's registers; the banks follow each other. */
enum machine_check_register {
    MC_CTL    = 0,
    MC_STATUS = 1,
    MC_ADDR   = 2,
    MC_MISC   = 3,
    MC_CONFIG = 4, /* this and the following with scalable MCA */
    MC_DESTAT = 8, /* a deferred error: as MC_STATUS and MC_ADDR */
    MC_DEADDR = 9,
};
#define MC_BANK_SIZE          4U
#define MC_BANKS              32U /* the MSRs after IA32_MC31_MISC are others */
#define MC_SCALABLE_BANK_SIZE 16U

/* IA32_MCG_CAP */
#define MCG_CAP_COUNT(value) ((unsigned int)BITS_GET(value, 7, 0))
#define MCG_CAP_CTL_P        BIT(8)  /* IA32_MCG_CTL exists */
#define MCG_CAP_SER_P        BIT(24) /* Intel: software error recovery */

/* Of family 6; on an earlier one, software must not write IA32_MC0_CTL. */
#define MC0_CTL_LEAST_MODEL 0x1AU

/* IA32_MCG_STATUS */
#define MCG_STATUS_RIPV BIT(0) /* execution can go on where it was interrupted */
#define MCG_STATUS_EIPV BIT(1) /* the error is that of the interrupted instruction */
#define MCG_STATUS_MCIP BIT(2) /* another machine check shuts the processor down */
#define MCG_STATUS_LMCE BIT(3) /* Intel: no other processor got this one */

/* IA32_MCi_STATUS */
#define MC_STATUS_CODE(value) ((uint16_t)BITS_GET(value, 15, 0))
#define MC_STATUS_LSB(value)  ((unsigned int)BITS_GET(value, 29, 24)) /* AMD */
#define MC_STATUS_POISON      BIT(43) /* AMD: corrupt data was used */
#define MC_STATUS_DEFERRED    BIT(44) /* AMD: uncorrected, and not used yet */
#define MC_STATUS_PADDRV      BIT(54) /* AMD: the address is a physical one */
#define MC_STATUS_AR          BIT(55) /* Intel: the interrupted code must not go on */
#define MC_STATUS_TCC         BIT(55) /* AMD: the interrupted thread is corrupt */
#define MC_STATUS_S           BIT(56) /* Intel: a machine check signals the error */
#define MC_STATUS_PCC         BIT(57) /* the processor's context is corrupt */
#define MC_STATUS_ADDRV       BIT(58)
#define MC_STATUS_MISCV       BIT(59)
#define MC_STATUS_EN          BIT(60) /* IA32_MCi_CTL enables its signal */
#define MC_STATUS_UC          BIT(61) /* uncorrected */
#define MC_STATUS_OVER        BIT(62) /* an earlier error of the bank is lost */
#define MC_STATUS_VAL         BIT(63)

/* IA32_MCi_MISC of Intel: how to read IA32_MCi_ADDR. */
#define MC_MISC_ADDRESS_LSB(value)  ((unsigned int)BITS_GET(value, 5, 0))
#define MC_MISC_ADDRESS_MODE(value) ((unsigned int)BITS_GET(value, 8, 6))
#define MC_MISC_PHYSICAL            2U

/* AMD's MCA_CONFIG */
#define MC_CONFIG_MCAX          BIT(0)  /* MC_CONFIG_ENABLE_MCAX exists */
#define MC_CONFIG_DEFERRED_LOG  BIT(2)  /* MC_DESTAT exists */
#define MC_CONFIG_LSB_IN_STATUS BIT(8)  /* MC_STATUS_LSB instead of MC_ADDR_LSB */
#define MC_CONFIG_PADDRV        BIT(11) /* MC_STATUS_PADDRV exists */
#define MC_CONFIG_ENABLE_MCAX   BIT(32) /* else an uncorrected error is always fatal */

/* AMD's MCA_ADDR: the least significant valid bit of the address, and where that ends. */
#define MC_ADDR_LSB(value)         ((unsigned int)BITS_GET(value, 61, 56))
#define MC_ADDR_HIGH               55U
#define MC_ADDR_HIGH_LSB_IN_STATUS 56U

/* Intel's codes of errors that require action. */
#define MC_CODE_DATA_LOAD         0x0134U
#define MC_CODE_INSTRUCTION_FETCH 0x0150U

/* Bits of error codes that do not matter for the kind: corrections are filtered. */
#define MC_CODE_FILTERED BIT(12)

#endif
