/* See keyboard_controller.h. */
#include "dev/keyboard_controller.h"

#include "lib/string.h"
#include "x86/i8042.h"

#define OUTPUT_PORT (0xCCU | I8042_OUTPUT_A20 | I8042_OUTPUT_NOT_RESET)

static void update_interrupt(struct keyboard_controller *controller)
{
    interrupt_line_set(controller->interrupt,
                       controller->is_full &&
                           (controller->ram[0] & I8042_CONFIG_INTERRUPT) != 0);
}

static void respond(struct keyboard_controller *controller, uint8_t byte)
{
    controller->data    = byte;
    controller->is_full = true;
    update_interrupt(controller);
}

static uint8_t status_of(const struct keyboard_controller *controller)
{
    return (uint8_t)(I8042_STATUS_NOT_LOCKED |
                     (controller->is_full ? I8042_STATUS_OUTPUT_FULL : 0) |
                     (controller->ram[0] & I8042_CONFIG_SYSTEM) |
                     (controller->wrote_command ? I8042_STATUS_COMMAND : 0));
}

static enum exit_outcome write_output_port(struct vcpu *vcpu, uint8_t value)
{
    return (value & I8042_OUTPUT_NOT_RESET) == 0 ? vcpu_end(vcpu, "reset by port 0x64")
                                                 : EXIT_NEXT;
}

/* Writes the byte that a command waits for. */
static enum exit_outcome write_argument(struct keyboard_controller *controller,
                                        struct vcpu *vcpu, uint8_t value)
{
    uint8_t command = controller->command;

    controller->command = 0;
    if (command == I8042_WRITE_OUTPUT)
        return write_output_port(vcpu, value);
    if (command == I8042_WRITE_BUFFER)
        respond(controller, value);
    else if (command >= I8042_WRITE_RAM)
        controller->ram[command - I8042_WRITE_RAM] = value;
    update_interrupt(controller);
    return EXIT_NEXT;
}

static void set_config(struct keyboard_controller *controller, uint8_t bit, bool value)
{
    controller->ram[0] = (uint8_t)(value ? controller->ram[0] | bit
                                         : controller->ram[0] & ~(unsigned int)bit);
}

static enum exit_outcome write_command(struct keyboard_controller *controller,
                                       struct vcpu *vcpu, uint8_t command)
{
    controller->command = 0;
    switch (command) {
    case I8042_NO_MOUSE:
    case I8042_MOUSE:
        set_config(controller, I8042_CONFIG_NO_MOUSE, command == I8042_NO_MOUSE);
        break;
    case I8042_NO_KEYBOARD:
    case I8042_KEYBOARD:
        set_config(controller, I8042_CONFIG_NO_KEYBOARD, command == I8042_NO_KEYBOARD);
        break;
    case I8042_TEST:
        set_config(controller, I8042_CONFIG_SYSTEM, true);
        respond(controller, I8042_TEST_PASSED);
        break;
    case I8042_TEST_LINE:
    case I8042_TEST_MOUSE:
        respond(controller, I8042_LINE_CLOCK_LOW);
        break;
    case I8042_READ_INPUT:
        respond(controller, I8042_INPUT_NOT_INHIBITED);
        break;
    case I8042_READ_OUTPUT:
        respond(controller, OUTPUT_PORT);
        break;
    case I8042_WRITE_OUTPUT:
    case I8042_WRITE_BUFFER:
        controller->command = command;
        break;
    default:
        if (command >= I8042_PULSE)
            return write_output_port(vcpu, command);
        if (command >= I8042_READ_RAM &&
            command < I8042_READ_RAM + KEYBOARD_CONTROLLER_RAM)
            respond(controller, controller->ram[command - I8042_READ_RAM]);
        else if (command >= I8042_WRITE_RAM &&
                 command < I8042_WRITE_RAM + KEYBOARD_CONTROLLER_RAM)
            controller->command = command;
        break;
    }
    return EXIT_NEXT;
}

static uint32_t read(void *device, uint16_t port, unsigned int size)
{
    struct keyboard_controller *controller = device;

    (void)size;
    if (port == I8042_PORT_COMMAND)
        return status_of(controller);
    controller->is_full = false;
    update_interrupt(controller);
    return controller->data;
}

static enum exit_outcome write(void *device, struct vcpu *vcpu, uint16_t port,
                               unsigned int size, uint32_t value)
{
    struct keyboard_controller *controller = device;

    (void)size;
    controller->wrote_command = port == I8042_PORT_COMMAND;
    if (port == I8042_PORT_COMMAND)
        return write_command(controller, vcpu, (uint8_t)value);
    if (controller->command != 0)
        return write_argument(controller, vcpu, (uint8_t)value);
    return EXIT_NEXT; /* a byte for the keyboard, which is not present */
}

void keyboard_controller_init(struct keyboard_controller *controller,
                              struct port_map *ports, struct interrupt_line *interrupt)
{
    memset(controller, 0, sizeof(*controller));
    controller->ram[0] = I8042_CONFIG_SYSTEM | I8042_CONFIG_NO_KEYBOARD |
                         I8042_CONFIG_NO_MOUSE | I8042_CONFIG_TRANSLATES;
    controller->interrupt = interrupt;
    port_map_add(ports, (struct port_device){I8042_PORT_DATA, I8042_PORT_DATA, 1,
                                             controller, read, write});
    port_map_add(ports, (struct port_device){I8042_PORT_COMMAND, I8042_PORT_COMMAND, 1,
                                             controller, read, write});
}
