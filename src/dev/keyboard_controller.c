/* See keyboard_controller.h. */
#include "dev/keyboard_controller.h"

#include "lib/string.h"

#define DATA_PORT    0x60
#define COMMAND_PORT 0x64 /* read: status */

#define STATUS_FULL         0x01U /* of the output buffer */
#define STATUS_SYSTEM       0x04U
#define STATUS_COMMAND      0x08U /* the last write */
#define STATUS_NOT_LOCKED   0x10U
#define CONFIG_INTERRUPT    0x01U /* the command byte */
#define CONFIG_SYSTEM       0x04U
#define CONFIG_NO_KEYBOARD  0x10U
#define CONFIG_NO_MOUSE     0x20U
#define CONFIG_TRANSLATES   0x40U
#define OUTPUT_NOT_RESET    0x01U /* the output port */
#define OUTPUT_A20          0x02U
#define OUTPUT_PORT         (0xCCU | OUTPUT_A20 | OUTPUT_NOT_RESET)
#define TEST_PASSED         0x55U
#define LINE_CLOCK_LOW      0x01U /* result of a line test without a device */
#define INPUT_NOT_INHIBITED 0x80U

enum command {
    COMMAND_READ_RAM     = 0x20, /* and the 31 after it */
    COMMAND_WRITE_RAM    = 0x60,
    COMMAND_NO_MOUSE     = 0xA7,
    COMMAND_MOUSE        = 0xA8,
    COMMAND_TEST_MOUSE   = 0xA9,
    COMMAND_TEST         = 0xAA,
    COMMAND_TEST_LINE    = 0xAB,
    COMMAND_NO_KEYBOARD  = 0xAD,
    COMMAND_KEYBOARD     = 0xAE,
    COMMAND_READ_INPUT   = 0xC0,
    COMMAND_READ_OUTPUT  = 0xD0,
    COMMAND_WRITE_OUTPUT = 0xD1,
    COMMAND_WRITE_BUFFER = 0xD2,
    COMMAND_PULSE        = 0xF0, /* and above: bits that are 0 are pulsed */
};

static void update_interrupt(struct keyboard_controller *controller)
{
    interrupt_line_set(controller->interrupt,
                       controller->is_full &&
                           (controller->ram[0] & CONFIG_INTERRUPT) != 0);
}

static void respond(struct keyboard_controller *controller, uint8_t byte)
{
    controller->data    = byte;
    controller->is_full = true;
    update_interrupt(controller);
}

static uint8_t status_of(const struct keyboard_controller *controller)
{
    return (uint8_t)(STATUS_NOT_LOCKED | (controller->is_full ? STATUS_FULL : 0) |
                     (controller->ram[0] & CONFIG_SYSTEM) |
                     (controller->wrote_command ? STATUS_COMMAND : 0));
}

static enum exit_outcome write_output_port(struct vcpu *vcpu, uint8_t value)
{
    return (value & OUTPUT_NOT_RESET) == 0 ? vcpu_end(vcpu, "reset by port 0x64")
                                           : EXIT_NEXT;
}

/* Writes the byte that a command waits for. */
static enum exit_outcome write_argument(struct keyboard_controller *controller,
                                        struct vcpu *vcpu, uint8_t value)
{
    uint8_t command = controller->command;

    controller->command = 0;
    if (command == COMMAND_WRITE_OUTPUT)
        return write_output_port(vcpu, value);
    if (command == COMMAND_WRITE_BUFFER)
        respond(controller, value);
    else if (command >= COMMAND_WRITE_RAM)
        controller->ram[command - COMMAND_WRITE_RAM] = value;
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
    case COMMAND_NO_MOUSE:
    case COMMAND_MOUSE:
        set_config(controller, CONFIG_NO_MOUSE, command == COMMAND_NO_MOUSE);
        break;
    case COMMAND_NO_KEYBOARD:
    case COMMAND_KEYBOARD:
        set_config(controller, CONFIG_NO_KEYBOARD, command == COMMAND_NO_KEYBOARD);
        break;
    case COMMAND_TEST:
        set_config(controller, CONFIG_SYSTEM, true);
        respond(controller, TEST_PASSED);
        break;
    case COMMAND_TEST_LINE:
    case COMMAND_TEST_MOUSE:
        respond(controller, LINE_CLOCK_LOW);
        break;
    case COMMAND_READ_INPUT:
        respond(controller, INPUT_NOT_INHIBITED);
        break;
    case COMMAND_READ_OUTPUT:
        respond(controller, OUTPUT_PORT);
        break;
    case COMMAND_WRITE_OUTPUT:
    case COMMAND_WRITE_BUFFER:
        controller->command = command;
        break;
    default:
        if (command >= COMMAND_PULSE)
            return write_output_port(vcpu, command);
        if (command >= COMMAND_READ_RAM &&
            command < COMMAND_READ_RAM + KEYBOARD_CONTROLLER_RAM)
            respond(controller, controller->ram[command - COMMAND_READ_RAM]);
        else if (command >= COMMAND_WRITE_RAM &&
                 command < COMMAND_WRITE_RAM + KEYBOARD_CONTROLLER_RAM)
            controller->command = command;
        break;
    }
    return EXIT_NEXT;
}

static uint32_t read(void *device, uint16_t port, unsigned int size)
{
    struct keyboard_controller *controller = device;

    (void)size;
    if (port == COMMAND_PORT)
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
    controller->wrote_command = port == COMMAND_PORT;
    if (port == COMMAND_PORT)
        return write_command(controller, vcpu, (uint8_t)value);
    if (controller->command != 0)
        return write_argument(controller, vcpu, (uint8_t)value);
    return EXIT_NEXT; /* a byte for the keyboard, which is not present */
}

void keyboard_controller_init(struct keyboard_controller *controller,
                              struct port_map *ports, struct interrupt_line *interrupt)
{
    memset(controller, 0, sizeof(*controller));
    controller->ram[0] =
        CONFIG_SYSTEM | CONFIG_NO_KEYBOARD | CONFIG_NO_MOUSE | CONFIG_TRANSLATES;
    controller->interrupt = interrupt;
    port_map_add(ports,
                 (struct port_device){DATA_PORT, DATA_PORT, 1, controller, read, write});
    port_map_add(ports, (struct port_device){COMMAND_PORT, COMMAND_PORT, 1, controller,
                                             read, write});
}
