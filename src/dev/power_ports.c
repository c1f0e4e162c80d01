/* See power_ports.h. */
#include "dev/power_ports.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/power_control.h"

#define PORT_A           0x92
#define PM1_CONTROL_PIIX 0xB004
#define SHUTDOWN_PORT    0x8900
#define DEBUG_EXIT       0xF4
#define PCI_ADDRESS      0xCF8 /* four bytes, of which RESET_CONTROL_PORT is one */

#define PORT_A_RESET 0x01U
#define PORT_A_A20   0x02U

static const char shutdown_word[] = "Shutdown";

/* A write that sets one of the bits ends the guest. */
static const struct {
    uint16_t first;
    uint8_t width; /* bytes */
    uint32_t bits;
    enum guest_end_kind kind;
    const char *end;
} rows[] = {
    {PORT_A, 1, PORT_A_RESET, GUEST_END_RESET, "reset by port 0x92"},
    {RESET_CONTROL_PORT, 1, RESET_CONTROL_CPU, GUEST_END_RESET, "reset by port 0xcf9"},
    {PM1_CONTROL_PIIX, 2, PM1_SLP_EN, GUEST_END_REQUESTED, "powered off by port 0xb004"},
    {PCI_ADDRESS, 4, 0, 0, NULL},   /* absent; 0xCF9 alone is the row above */
    {SHUTDOWN_PORT, 1, 0, 0, NULL}, /* these two: see write_port */
    {DEBUG_EXIT, 4, 0, 0, NULL},
};

static uint32_t read_port(void *device, uint16_t port)
{
    (void)device;
    return port == PORT_A ? PORT_A_A20 : UINT32_MAX;
}

static enum exit_outcome write_shutdown(struct power_ports *power, uint8_t character)
{
    bool fits = character == (uint8_t)shutdown_word[power->shutdown_length];

    power->shutdown_length = fits ? power->shutdown_length + 1 : 0;
    if (!fits && character == (uint8_t)shutdown_word[0])
        power->shutdown_length = 1;
    if (power->shutdown_length < strlen(shutdown_word))
        return EXIT_NEXT;
    power->shutdown_length = 0;
    return vcpu_end(*power->accessor, "powered off by port 0x8900");
}

static enum exit_outcome write_port(void *device, uint16_t port, uint32_t value)
{
    struct power_ports *power = device;
    size_t i                  = 0;

    if (port == SHUTDOWN_PORT)
        return write_shutdown(power, (uint8_t)value);
    if (port == DEBUG_EXIT)
        return vcpu_end(*power->accessor, "ended by port 0xf4 with value 0x%x", value);
    while (port < rows[i].first || port >= rows[i].first + rows[i].width)
        i++;
    bool ends = (value << 8 * (port - rows[i].first) & rows[i].bits) != 0;
    return ends ? vcpu_record_end(*power->accessor, rows[i].kind, "%s", rows[i].end)
                : EXIT_NEXT;
}

void power_ports_init(struct power_ports *power, struct port_map *ports)
{
    *power = (struct power_ports){.accessor = &ports->accessor};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        port_map_add(ports,
                     (struct port_device){rows[i].first,
                                          (uint16_t)(rows[i].first + rows[i].width - 1),
                                          rows[i].width, power, read_port, write_port});
}
