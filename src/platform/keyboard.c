/*
 * See keyboard.h.
 *
 * A byte of the mouse's port, such as a touchpad's, fills the buffer that the keyboard
 * shares: it is read and dropped wherever it appears.
 */
#include "platform/keyboard.h"

#include "cpu/instructions.h"
#include "lib/test_hooks.h"
#include "platform/clock.h"
#include "x86/i8042.h"

#define CONTROLLER_TIMEOUT_US 500000
#define ANSWER_TIMEOUT_US     200000
#define BYTE_TIMEOUT_US       50 /* between two bytes in the controller */
#define ATTEMPTS              3
#define NO_CONTROLLER         UINT8_MAX

/* Waits until the status bits are all set, or all clear. */
static bool wait_for_status(uint8_t bits, bool are_set, uint32_t timeout_us)
{
    struct deadline deadline = deadline_in(timeout_us);

    for (;;) {
        bool has_passed = deadline_has_passed(&deadline);
        if ((io_in8(I8042_PORT_COMMAND) & bits) == (are_set ? bits : 0))
            return true;
        if (has_passed)
            return false;
        cpu_pause();
    }
}

static bool send_byte(uint16_t port, uint8_t byte)
{
    if (!wait_for_status(I8042_STATUS_INPUT_FULL, false, CONTROLLER_TIMEOUT_US))
        return false;
    io_out8(port, byte);
    return true;
}

static bool send_command(enum i8042_command command)
{
    return send_byte(I8042_PORT_COMMAND, command);
}

/* Discards pending bytes; false if there is no end of them. */
static bool discard_output(void)
{
    for (int i = 0; i < KEYBOARD_BYTES_MAX; i++) {
        if (!wait_for_status(I8042_STATUS_OUTPUT_FULL, true, BYTE_TIMEOUT_US))
            return true;
        (void)io_in8(I8042_PORT_DATA);
    }
    return false;
}

/* Waits for a byte that is not of the mouse's port; *status is the status before it. */
static bool wait_for_byte(uint32_t timeout_us, uint8_t *status, uint8_t *byte)
{
    for (int i = 0; i < KEYBOARD_BYTES_MAX; i++) {
        if (!wait_for_status(I8042_STATUS_OUTPUT_FULL, true, timeout_us))
            return false;
        *status = io_in8(I8042_PORT_COMMAND);
        *byte   = io_in8(I8042_PORT_DATA);
        if ((*status & I8042_STATUS_MOUSE) == 0)
            return true;
    }
    return false;
}

/* Enables the keyboard's interrupt and disables the mouse's port. */
static bool configure(void)
{
    uint8_t status, byte;

    if (!send_command(I8042_READ_RAM) ||
        !wait_for_byte(CONTROLLER_TIMEOUT_US, &status, &byte))
        return false;
    unsigned int config = byte | I8042_CONFIG_INTERRUPT | I8042_CONFIG_TRANSLATES;
    config &= ~(I8042_CONFIG_MOUSE_INTERRUPT | I8042_CONFIG_NO_KEYBOARD);
    config |= I8042_CONFIG_NO_MOUSE;
    return send_command(I8042_WRITE_RAM) && send_byte(I8042_PORT_DATA, (uint8_t)config);
}

static bool is_muted(void)
{
    return test_hook_mute_keyboard != NULL && test_hook_mute_keyboard();
}

enum answer {
    ANSWER_NONE,
    ANSWER_RESEND,
    ANSWER_RECEIVED,
};

/* Waits for an acknowledgement, or for the given answer; skips codes of keys. */
static enum answer wait_for_answer(uint8_t answer)
{
    uint8_t status, byte;

    for (int i = 0; i < KEYBOARD_BYTES_MAX; i++) {
        if (!wait_for_byte(ANSWER_TIMEOUT_US, &status, &byte) ||
            (status & I8042_STATUS_TIMEOUT) != 0)
            return ANSWER_NONE;
        if (byte == KEYBOARD_ACKNOWLEDGES || byte == answer)
            return ANSWER_RECEIVED;
        if (byte == KEYBOARD_RESEND)
            return ANSWER_RESEND;
    }
    return ANSWER_NONE;
}

/* Sends a command to the keyboard; returns whether it answers. */
static bool ask(enum keyboard_command command, uint8_t answer)
{
    enum answer received = ANSWER_RESEND;

    for (int i = 0; i < ATTEMPTS && received == ANSWER_RESEND; i++) {
        if (is_muted() || !send_byte(I8042_PORT_DATA, command))
            return false;
        received = wait_for_answer(answer);
    }
    return received == ANSWER_RECEIVED;
}

/* Asks for the identification, for keyboards that firmware emulates without an echo. */
static bool identify(void)
{
    uint8_t status, byte;
    bool answers = ask(KEYBOARD_IDENTIFY, KEYBOARD_ACKNOWLEDGES);

    for (int i = 0; answers && i < KEYBOARD_ID_BYTES; i++) {
        if (!wait_for_byte(ANSWER_TIMEOUT_US, &status, &byte))
            break;
    }
    return answers;
}

enum keyboard_state keyboard_start(void)
{
    if (io_in8(I8042_PORT_COMMAND) == NO_CONTROLLER || !discard_output() ||
        !send_command(I8042_NO_KEYBOARD) || !send_command(I8042_NO_MOUSE) ||
        !discard_output())
        return KEYBOARD_NO_CONTROLLER;
    (void)configure(); /* firmware's emulation may work without it */
    if (!send_command(I8042_KEYBOARD))
        return KEYBOARD_NO_CONTROLLER;
    bool answers = ask(KEYBOARD_ECHO, KEYBOARD_ECHO) || identify();
    answers |= ask(KEYBOARD_ENABLE, KEYBOARD_ACKNOWLEDGES);
    return answers ? KEYBOARD_ANSWERS : KEYBOARD_SILENT;
}

bool keyboard_receive(uint8_t *code)
{
    for (int i = 0; i < KEYBOARD_BYTES_MAX; i++) {
        uint8_t status = io_in8(I8042_PORT_COMMAND);
        if (status == NO_CONTROLLER || (status & I8042_STATUS_OUTPUT_FULL) == 0)
            return false;
        *code = io_in8(I8042_PORT_DATA);
        if ((status & I8042_STATUS_MOUSE) == 0)
            return true;
    }
    return false;
}
