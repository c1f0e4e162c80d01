/*
 * ACPI's fixed hardware, which puts a PC to sleep and reports its events, and the
 * register that resets it.
 *
 * ACPI 6.5, "PM1 Status Registers", "PM1 Enable Registers", "PM1 Control Registers",
 * "Power Management (PM) Timer"; Intel 300 Series data sheet, "Reset Control Register".
 */
#ifndef HYMIR_X86_POWER_CONTROL_H
#define HYMIR_X86_POWER_CONTROL_H

/* Status and enable registers, at offsets 0 and 2 of the event block. */
#define PM1_TMR    0x0001U
#define PM1_GBL    0x0020U
#define PM1_PWRBTN 0x0100U
#define PM1_SLPBTN 0x0200U
#define PM1_RTC    0x0400U

#define PM1_SCI_EN        0x0001U
#define PM1_BM_RLD        0x0002U
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP_MASK  0x1C00U
#define PM1_SLP_EN        0x2000U

#define PM_TIMER_HZ 3579545U

#define RESET_CONTROL_PORT   0xCF9
#define RESET_CONTROL_SYSTEM 0x02U /* a hard reset */
#define RESET_CONTROL_CPU    0x04U /* resets when it becomes 1 */

#endif
