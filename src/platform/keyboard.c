/* See keyboard.h. */
#include "platform/keyboard.h"

#include "cpu/instructions.h"
#include "platform/clock.h"

#define PORT_DATA    0x60
#define PORT_COMMAND 0x64
#define TIMEOUT_US   100000

#define STATUS_OUTPUT_FULL 0x01U
#define STATUS_INPUT_FULL  0x02U
#define STATUS_MOUSE       0x20U /* the output buffer's byte is not the keyboard's */
#define NO_CONTROLLER      0xFFU

#define COMMAND_READ_CONFIG    0x20
#define COMMAND_WRITE_CONFIG   0x60
#define COMMAND_ENABLE         0xAE
#define CONFIG_INTERRUPT       0x01U
#define CONFIG_MOUSE_INTERRUPT 0x02U
#define CONFIG_DISABLED        0x10U
#define CONFIG_TRANSLATES      0x40U /* to scan code set 1 */

/* Waits until the status bits are all set, or all clear. */
static bool wait_for_status(uint8_t bits, bool are_set)
{
    struct deadline deadline = deadline_in(TIMEOUT_US);

    while (!deadline_has_passed(&deadline)) {
        uint8_t status = io_in8(PORT_COMMAND);
        if (are_set ? (status & bits) == bits : (status & bits) == 0)
            return true;
        cpu_pause();
    }
    return false;
}

static bool send_byte(uint16_t port, uint8_t byte)
{
    if (!wait_for_status(STATUS_INPUT_FULL, false))
        return false;
    io_out8(port, byte);
    return true;
}

/* Discards pending bytes, at most as many as a controller can hold. */
static void discard_output(void)
{
    for (int i = 0; i < 64 && (io_in8(PORT_COMMAND) & STATUS_OUTPUT_FULL) != 0; i++)
        (void)io_in8(PORT_DATA);
}

bool keyboard_start(void)
{
    if (io_in8(PORT_COMMAND) == NO_CONTROLLER)
        return false;
    discard_output();
    if (!send_byte(PORT_COMMAND, COMMAND_READ_CONFIG) ||
        !wait_for_status(STATUS_OUTPUT_FULL, true))
        return false;
    unsigned int config = io_in8(PORT_DATA);
    config |= CONFIG_INTERRUPT | CONFIG_TRANSLATES;
    config &= ~(CONFIG_MOUSE_INTERRUPT | CONFIG_DISABLED);
    return send_byte(PORT_COMMAND, COMMAND_WRITE_CONFIG) &&
           send_byte(PORT_DATA, (uint8_t)config) &&
           send_byte(PORT_COMMAND, COMMAND_ENABLE);
}

bool keyboard_receive(uint8_t *code)
{
    uint8_t status = io_in8(PORT_COMMAND);

    if (status == NO_CONTROLLER || (status & STATUS_OUTPUT_FULL) == 0)
        return false;
    *code = io_in8(PORT_DATA);
    return (status & STATUS_MOUSE) == 0;
}
