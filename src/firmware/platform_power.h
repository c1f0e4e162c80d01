/*
 * The ACPI registers for reset and power-off. Filled in by firmware/acpi_power.c, used by
 * platform/power.c.
 *
 * ACPI 6.5, "Generic Address Structure", "Fixed ACPI Description Table (FADT)".
 */
#ifndef HYMIR_FIRMWARE_PLATFORM_POWER_H
#define HYMIR_FIRMWARE_PLATFORM_POWER_H

#include <stdbool.h>
#include <stdint.h>

enum register_space {
    REGISTER_NONE, /* not present */
    REGISTER_MEMORY,
    REGISTER_IO,
    REGISTER_PCI, /* in configuration space: only the reset register */
};

struct platform_register {
    enum register_space space;
    uint64_t address; /* PCI: see PCI_REGISTER_... */
};

/* The address of a register of a function on PCI bus 0: "Generic Address Structure". */
#define PCI_REGISTER_DEVICE(address)   ((uint8_t)((address) >> 32))
#define PCI_REGISTER_FUNCTION(address) ((uint8_t)((address) >> 16))
#define PCI_REGISTER_OFFSET(address)   ((uint8_t)(address))

struct platform_power {
    struct platform_register reset; /* one byte wide */
    uint8_t reset_value;

    /* PM1 registers, two bytes wide, and the SLP_TYP values of \_S5. */
    struct platform_register pm1a_status, pm1b_status, pm1a_control, pm1b_control;
    bool has_s5;
    uint8_t s5_type_a, s5_type_b; /* 0 to 7 */

    /* The port and value that enable ACPI mode; port 0 if it is always enabled. */
    uint16_t smi_command_port;
    uint8_t acpi_enable_value;

    /* The sleep control register of hardware-reduced ACPI, one byte wide. */
    struct platform_register sleep_control;
};

#endif
