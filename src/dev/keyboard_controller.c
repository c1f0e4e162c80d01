/* See keyboard_controller.h. */
#include "dev/keyboard_controller.h"

#include "lib/string.h"
#include "x86/i8042.h"

/* The output port; the lines to devices are high. */
#define OUTPUT_PORT (0xCCU | I8042_OUTPUT_A20 | I8042_OUTPUT_NOT_RESET)

static void update(struct keyboard_controller *controller)
{
    controller->output(controller->context,
                       controller->is_full &&
                           (controller->ram[0] & I8042_CONFIG_INTERRUPT) != 0);
}

static void put(struct keyboard_controller *controller, uint8_t byte)
{
    controller->data    = byte;
    controller->is_full = true;
    update(controller);
}

static uint8_t status_of(const struct keyboard_controller *controller)
{
    return (uint8_t)(I8042_STATUS_NOT_LOCKED |
                     (controller->is_full ? I8042_STATUS_OUTPUT_FULL : 0) |
                     (controller->ram[0] & I8042_CONFIG_SYSTEM) |
                     (controller->wrote_command ? I8042_STATUS_COMMAND : 0));
}

static enum exit_outcome write_output(struct vcpu *vcpu, uint8_t value)
{
    return (value & I8042_OUTPUT_NOT_RESET) == 0 ? vcpu_end(vcpu, "reset by port 0x64")
                                                 : EXIT_NEXT;
}

/* The byte that a command has waited for. */
static enum exit_outcome write_argument(struct keyboard_controller *controller,
                                        struct vcpu *vcpu, uint8_t value)
{
    uint8_t command = controller->command;

    controller->command = 0;
    if (command == I8042_WRITE_OUTPUT)
        return write_output(vcpu, value);
    if (command == I8042_WRITE_BUFFER)
        put(controller, value);
    else if (command >= I8042_WRITE_RAM)
        controller->ram[command - I8042_WRITE_RAM] = value;
    update(controller);
    return EXIT_NEXT;
}

static void set_config(struct keyboard_controller *controller, uint8_t bit, bool value)
{
    controller->ram[0] = (uint8_t)(value ? controller->ram[0] | bit
                                         : controller->ram[0] & ~(unsigned int)bit);
}

static void execute(struct keyboard_controller *controller, uint8_t command)
{
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
        put(controller, I8042_TEST_PASSED);
        break;
    case I8042_TEST_LINE:
    case I8042_TEST_MOUSE:
        put(controller, I8042_LINE_CLOCK_LOW);
        break;
    case I8042_READ_INPUT:
        put(controller, I8042_INPUT_NOT_INHIBITED);
        break;
    case I8042_READ_OUTPUT:
        put(controller, OUTPUT_PORT);
        break;
    case I8042_WRITE_OUTPUT:
    case I8042_WRITE_BUFFER:
        controller->command = command;
        break;
    default:
        if (command >= I8042_READ_RAM &&
            command < I8042_READ_RAM + KEYBOARD_CONTROLLER_RAM)
            put(controller, controller->ram[command - I8042_READ_RAM]);
        else if (command >= I8042_WRITE_RAM &&
                 command < I8042_WRITE_RAM + KEYBOARD_CONTROLLER_RAM)
            controller->command = command;
        break;
    }
}

static uint32_t read_data(void *device, uint16_t port, unsigned int size)
{
    struct keyboard_controller *controller = device;

    (void)port;
    (void)size;
    controller->is_full = false;
    update(controller);
    return controller->data;
}

static enum exit_outcome write_data(void *device, struct vcpu *vcpu, uint16_t port,
                                    unsigned int size, uint32_t value)
{
    struct keyboard_controller *controller = device;

    (void)port;
    (void)size;
    controller->wrote_command = false;
    if (controller->command == 0)
        return EXIT_NEXT; /* for the keyboard, which is not there */
    return write_argument(controller, vcpu, (uint8_t)value);
}

static uint32_t read_status(void *device, uint16_t port, unsigned int size)
{
    (void)port;
    (void)size;
    return status_of(device);
}

static enum exit_outcome write_command(void *device, struct vcpu *vcpu, uint16_t port,
                                       unsigned int size, uint32_t value)
{
    struct keyboard_controller *controller = device;
    uint8_t command                        = (uint8_t)value;

    (void)port;
    (void)size;
    controller->wrote_command = true;
    controller->command       = 0;
    if (command >= I8042_PULSE)
        return write_output(vcpu, command);
    execute(controller, command);
    return EXIT_NEXT;
}

void keyboard_controller_init(struct keyboard_controller *controller,
                              keyboard_controller_output *output, void *context)
{
    memset(controller, 0, sizeof(*controller));
    controller->ram[0] = I8042_CONFIG_SYSTEM | I8042_CONFIG_NO_KEYBOARD |
                         I8042_CONFIG_NO_MOUSE | I8042_CONFIG_TRANSLATES;
    controller->output  = output;
    controller->context = context;
}

void keyboard_controller_devices(struct keyboard_controller *controller,
                                 struct port_device devices[KEYBOARD_CONTROLLER_DEVICES])
{
    devices[0] = (struct port_device){.first  = I8042_PORT_DATA,
                                      .last   = I8042_PORT_DATA,
                                      .width  = 1,
                                      .device = controller,
                                      .read   = read_data,
                                      .write  = write_data};
    devices[1] = (struct port_device){.first  = I8042_PORT_COMMAND,
                                      .last   = I8042_PORT_COMMAND,
                                      .width  = 1,
                                      .device = controller,
                                      .read   = read_status,
                                      .write  = write_command};
}
