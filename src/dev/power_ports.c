/* See power_ports.h. */
#include "dev/power_ports.h"

#include "lib/string.h"
#include "x86/power_control.h"

#define PORT_A           0x92
#define PM1_CONTROL_QEMU 0x604
#define PM1_CONTROL_PIIX 0xB004
#define SHUTDOWN_PORT    0x8900
#define DEBUG_EXIT       0xF4

#define PORT_A_RESET 0x01U
#define PORT_A_A20   0x02U

static const char shutdown_word[] = "Shutdown";

static uint32_t read(void *device, uint16_t port, unsigned int size)
{
    (void)device;
    (void)size;
    return port == PORT_A ? PORT_A_A20 : UINT32_MAX;
}

static enum exit_outcome write_shutdown(struct power_ports *ports, struct vcpu *vcpu,
                                        uint8_t character)
{
    bool fits = character == (uint8_t)shutdown_word[ports->shutdown_length];

    ports->shutdown_length = fits ? ports->shutdown_length + 1 : 0;
    if (!fits && character == (uint8_t)shutdown_word[0])
        ports->shutdown_length = 1;
    if (ports->shutdown_length < strlen(shutdown_word))
        return EXIT_NEXT;
    ports->shutdown_length = 0;
    return vcpu_end(vcpu, "powered off by port 0x8900");
}

static enum exit_outcome write_pm1(struct vcpu *vcpu, unsigned int port, uint32_t value)
{
    return (value & PM1_SLP_EN) != 0 ? vcpu_end(vcpu, "powered off by port 0x%x", port)
                                     : EXIT_NEXT;
}

static enum exit_outcome write(void *device, struct vcpu *vcpu, uint16_t port,
                               unsigned int size, uint32_t value)
{
    value &= UINT32_MAX >> (32 - 8 * size);
    switch (port) {
    case PORT_A:
        return (value & PORT_A_RESET) != 0 ? vcpu_end(vcpu, "reset by port 0x92")
                                           : EXIT_NEXT;
    case RESET_CONTROL_PORT:
        return (value & RESET_CONTROL_CPU) != 0 ? vcpu_end(vcpu, "reset by port 0xcf9")
                                                : EXIT_NEXT;
    case PM1_CONTROL_QEMU + 1: /* its upper byte */
    case PM1_CONTROL_PIIX + 1:
        return write_pm1(vcpu, port - 1U, value << 8);
    case PM1_CONTROL_QEMU:
    case PM1_CONTROL_PIIX:
        return write_pm1(vcpu, port, value);
    case SHUTDOWN_PORT:
        return write_shutdown(device, vcpu, (uint8_t)value);
    case DEBUG_EXIT:
        return vcpu_end(vcpu, "ended by port 0xf4 with value 0x%x", value);
    default:
        return EXIT_NEXT;
    }
}

void power_ports_devices(struct power_ports *ports, struct port_device *devices)
{
    static const struct {
        uint16_t first, last;
    } ranges[POWER_PORTS_COUNT] = {
        {PORT_A, PORT_A},
        {RESET_CONTROL_PORT, RESET_CONTROL_PORT},
        {PM1_CONTROL_QEMU, PM1_CONTROL_QEMU + 1},
        {PM1_CONTROL_PIIX, PM1_CONTROL_PIIX + 1},
        {SHUTDOWN_PORT, SHUTDOWN_PORT},
        {DEBUG_EXIT, DEBUG_EXIT},
    };

    ports->shutdown_length = 0;
    for (size_t i = 0; i < POWER_PORTS_COUNT; i++)
        devices[i] = (struct port_device){.first  = ranges[i].first,
                                          .last   = ranges[i].last,
                                          .width  = sizeof(uint32_t),
                                          .device = ports,
                                          .read   = read,
                                          .write  = write};
}
