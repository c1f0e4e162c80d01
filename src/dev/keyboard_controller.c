/* See keyboard_controller.h. */
#include "dev/keyboard_controller.h"

#include "lib/bits.h"
#include "lib/clamp.h"
#include "x86/i8042.h"

#define OUTPUT_PORT (0xCCU | I8042_OUTPUT_A20 | I8042_OUTPUT_NOT_RESET)

/* Commands that change bits of the command byte and, unless 0, respond with a byte. */
static const struct {
    uint8_t command, cleared, set, response;
} rows[] = {
    {I8042_TEST_PASSWORD, 0, 0, I8042_NO_PASSWORD},
    {I8042_NO_MOUSE, 0, I8042_CONFIG_NO_MOUSE, 0},
    {I8042_MOUSE, I8042_CONFIG_NO_MOUSE, 0, 0},
    {I8042_TEST_MOUSE, 0, 0, I8042_LINE_CLOCK_LOW},
    {I8042_TEST, 0, I8042_CONFIG_SYSTEM, I8042_TEST_PASSED},
    {I8042_TEST_LINE, 0, 0, I8042_LINE_CLOCK_LOW},
    {I8042_NO_KEYBOARD, 0, I8042_CONFIG_NO_KEYBOARD, 0},
    {I8042_KEYBOARD, I8042_CONFIG_NO_KEYBOARD, 0, 0},
    {I8042_READ_INPUT, 0, 0, I8042_INPUT_NOT_INHIBITED},
    {I8042_READ_OUTPUT, 0, 0, OUTPUT_PORT},
    {I8042_READ_LINES, 0, 0, I8042_LINES_DATA}, /* as the line tests: the clock is low */
};

/* A byte of the mouse has an interrupt of its own. */
static void update_interrupts(struct keyboard_controller *controller)
{
    uint8_t config = controller->ram[0];
    uint8_t source = controller->output & (I8042_STATUS_OUTPUT_FULL | I8042_STATUS_MOUSE);

    interrupt_line_set(controller->interrupt, source == I8042_STATUS_OUTPUT_FULL &&
                                                  (config & I8042_CONFIG_INTERRUPT) != 0);
    interrupt_line_set(controller->mouse_interrupt,
                       (source & I8042_STATUS_MOUSE) != 0 &&
                           (config & I8042_CONFIG_MOUSE_INTERRUPT) != 0);
}

/* Fills the output buffer; flags: more bits of the status while it is full. */
static void set_output(struct keyboard_controller *controller, uint8_t byte,
                       unsigned int flags)
{
    controller->data   = byte;
    controller->output = (uint8_t)(I8042_STATUS_OUTPUT_FULL | flags);
    update_interrupts(controller);
}

static uint8_t status_of(const struct keyboard_controller *controller)
{
    return (uint8_t)(I8042_STATUS_NOT_LOCKED | controller->output |
                     (controller->ram[0] & I8042_CONFIG_SYSTEM) |
                     (controller->wrote_command ? I8042_STATUS_COMMAND : 0));
}

static enum exit_outcome write_output_port(const struct keyboard_controller *controller,
                                           uint8_t value)
{
    bool is_reset = (value & I8042_OUTPUT_NOT_RESET) == 0;
    return is_reset ? vcpu_end_by_reset(*controller->accessor, "reset by port 0x64")
                    : EXIT_NEXT;
}

/*
 * Writes the byte that a command waits for. One for keyboard or mouse, which are absent,
 * times out at once.
 */
static enum exit_outcome write_data(struct keyboard_controller *controller, uint8_t value)
{
    uint8_t command = controller->command;

    controller->command = 0;
    switch (command) {
    case I8042_WRITE_OUTPUT:
        return write_output_port(controller, value);
    case I8042_WRITE_BUFFER:
        set_output(controller, value, 0);
        break;
    case I8042_WRITE_MOUSE_BUFFER:
        set_output(controller, value, I8042_STATUS_MOUSE);
        break;
    case I8042_WRITE_MOUSE:
        set_output(controller, I8042_TIMED_OUT,
                   I8042_STATUS_MOUSE | I8042_STATUS_TIMEOUT);
        break;
    case 0:
        set_output(controller, I8042_TIMED_OUT, I8042_STATUS_TIMEOUT);
        break;
    default:
        controller->ram[clamp_index(command - I8042_WRITE_RAM, KEYBOARD_CONTROLLER_RAM)] =
            value;
        update_interrupts(controller);
        break;
    }
    return EXIT_NEXT;
}

/* Returns whether a command, of those from first on, accesses a byte of the RAM. */
static bool is_for_ram(uint8_t command, uint8_t first)
{
    return command >= first && command < first + KEYBOARD_CONTROLLER_RAM;
}

static bool waits_for_byte(uint8_t command)
{
    return is_for_ram(command, I8042_WRITE_RAM) ||
           (command >= I8042_WRITE_OUTPUT && command <= I8042_WRITE_MOUSE);
}

static enum exit_outcome write_command(struct keyboard_controller *controller,
                                       uint8_t command)
{
    controller->command = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].command != command)
            continue;
        controller->ram[0] &= (uint8_t)~rows[i].cleared;
        controller->ram[0] |= rows[i].set;
        if (rows[i].response != 0)
            set_output(controller, rows[i].response, 0);
    }
    if (command >= I8042_PULSE)
        return write_output_port(controller, command);
    if (is_for_ram(command, I8042_READ_RAM))
        set_output(controller,
                   controller->ram[clamp_index(command - I8042_READ_RAM,
                                               KEYBOARD_CONTROLLER_RAM)],
                   0);
    else if (waits_for_byte(command))
        controller->command = command;
    return EXIT_NEXT;
}

static uint32_t read_port(void *device, uint16_t port)
{
    struct keyboard_controller *controller = device;

    if (port == I8042_PORT_COMMAND)
        return status_of(controller);
    controller->output = 0;
    update_interrupts(controller);
    return controller->data;
}

static enum exit_outcome write_port(void *device, uint16_t port, uint32_t value)
{
    struct keyboard_controller *controller = device;

    controller->wrote_command = port == I8042_PORT_COMMAND;
    return controller->wrote_command ? write_command(controller, (uint8_t)value)
                                     : write_data(controller, (uint8_t)value);
}

void keyboard_controller_init(struct keyboard_controller *controller,
                              struct port_map *ports, struct interrupt_line *interrupt,
                              struct interrupt_line *mouse_interrupt)
{
    *controller = (struct keyboard_controller){
        .ram = {I8042_CONFIG_SYSTEM | I8042_CONFIG_NO_KEYBOARD | I8042_CONFIG_NO_MOUSE |
                I8042_CONFIG_TRANSLATES},
        .interrupt       = interrupt,
        .mouse_interrupt = mouse_interrupt,
        .accessor        = &ports->accessor,
    };
    port_map_add(ports, (struct port_device){I8042_PORT_DATA, I8042_PORT_DATA, 1,
                                             controller, read_port, write_port});
    port_map_add(ports, (struct port_device){I8042_PORT_COMMAND, I8042_PORT_COMMAND, 1,
                                             controller, read_port, write_port});
}
