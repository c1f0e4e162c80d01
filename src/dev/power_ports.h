/*
 * The ports by which guests reset or power off, as PCs, QEMU and Bochs have them: system
 * control port A (0x92), the reset control register (0xCF9), the PM1 control register of
 * Bochs's machine (0xB004), Bochs's shutdown port (0x8900) and QEMU's debug exit (0xF4).
 * Reset by the keyboard controller: dev/keyboard_controller.h; power-off by ACPI, whose
 * PM1 control register is at QEMU's port: dev/acpi_pm.h.
 *
 * Port A reports that address line 20 is on; reads of the others return all ones. PCI's
 * configuration address, of which 0xCF9 is a byte, is claimed so that a guest that looks
 * for PCI resets nothing.
 */
#ifndef HYMIR_DEV_POWER_PORTS_H
#define HYMIR_DEV_POWER_PORTS_H

#include "dev/port_map.h"

#include <stddef.h>

struct power_ports {
    struct vcpu *const *accessor; /* the vCPU to end */
    size_t shutdown_length;       /* characters of "Shutdown" received at 0x8900 */
};

/* Resets them and adds them to ports. */
void power_ports_init(struct power_ports *power, struct port_map *ports);

#endif
