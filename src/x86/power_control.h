/*
 * Registers that put a PC to sleep or reset it.
 *
 * ACPI 6.5, "PM1 Control Registers"; Intel 300 Series data sheet, "Reset Control
 * Register".
 */
#ifndef HYMIR_X86_POWER_CONTROL_H
#define HYMIR_X86_POWER_CONTROL_H

#define PM1_SCI_EN        0x0001U
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP_MASK  0x1C00U
#define PM1_SLP_EN        0x2000U

#define RESET_CONTROL_PORT   0xCF9
#define RESET_CONTROL_SYSTEM 0x02U /* a hard reset */
#define RESET_CONTROL_CPU    0x04U /* resets when it becomes 1 */

#endif
