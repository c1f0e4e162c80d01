/* See keyboard.h. */
#include "platform/keyboard.h"

#include "cpu/instructions.h"
#include "platform/clock.h"
#include "x86/i8042.h"

#define TIMEOUT_US    100000
#define NO_CONTROLLER UINT8_MAX

/* Waits until the status bits are all set, or all clear. */
static bool wait_for_status(uint8_t bits, bool are_set)
{
    struct deadline deadline = deadline_in(TIMEOUT_US);

    while (!deadline_has_passed(&deadline)) {
        if ((io_in8(I8042_PORT_COMMAND) & bits) == (are_set ? bits : 0))
            return true;
        cpu_pause();
    }
    return false;
}

static bool send_byte(uint16_t port, uint8_t byte)
{
    if (!wait_for_status(I8042_STATUS_INPUT_FULL, false))
        return false;
    io_out8(port, byte);
    return true;
}

/* Discards pending bytes, at most as many as a controller can hold. */
static void discard_output(void)
{
    for (int i = 0;
         i < 64 && (io_in8(I8042_PORT_COMMAND) & I8042_STATUS_OUTPUT_FULL) != 0; i++)
        (void)io_in8(I8042_PORT_DATA);
}

bool keyboard_start(void)
{
    if (io_in8(I8042_PORT_COMMAND) == NO_CONTROLLER)
        return false;
    discard_output();
    if (!send_byte(I8042_PORT_COMMAND, I8042_READ_RAM) ||
        !wait_for_status(I8042_STATUS_OUTPUT_FULL, true))
        return false;
    unsigned int config = io_in8(I8042_PORT_DATA);
    config |= I8042_CONFIG_INTERRUPT | I8042_CONFIG_TRANSLATES;
    config &= ~(I8042_CONFIG_MOUSE_INTERRUPT | I8042_CONFIG_NO_KEYBOARD);
    return send_byte(I8042_PORT_COMMAND, I8042_WRITE_RAM) &&
           send_byte(I8042_PORT_DATA, (uint8_t)config) &&
           send_byte(I8042_PORT_COMMAND, I8042_KEYBOARD);
}

bool keyboard_receive(uint8_t *code)
{
    uint8_t status = io_in8(I8042_PORT_COMMAND);

    if (status == NO_CONTROLLER || (status & I8042_STATUS_OUTPUT_FULL) == 0)
        return false;
    *code = io_in8(I8042_PORT_DATA);
    return (status & I8042_STATUS_MOUSE) == 0;
}
