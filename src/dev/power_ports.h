/*
 * The ports by which guests end, as PCs, QEMU and Bochs have them: system control port A
 * (0x92), the reset control register (0xCF9), the PM1 control register of QEMU's and
 * Bochs's machines (0x604, 0xB004), Bochs's shutdown port (0x8900) and QEMU's debug exit
 * (0xF4). The keyboard controller's reset is dev/keyboard_controller.h's.
 *
 * Port A says that address line 20 is on; the others read as nobody's port does.
 */
#ifndef HYMIR_DEV_POWER_PORTS_H
#define HYMIR_DEV_POWER_PORTS_H

#include "dev/port_device.h"

#include <stddef.h>

#define POWER_PORTS_COUNT 6

struct power_ports {
    size_t shutdown_length; /* of "Shutdown", how much has come to 0x8900 */
};

/* The devices, POWER_PORTS_COUNT of them. */
void power_ports_devices(struct power_ports *ports, struct port_device *devices);

#endif
