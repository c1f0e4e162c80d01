/* See console.h. */
#include "console/console.h"

#include "console/screen.h"
#include "console/serial.h"
#include "console/serial_choice.h"
#include "cpu/instructions.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "platform/machine.h"

#define ROOM       128  /* bytes of guests that may be queued */
#define DEBUG_PORT 0xE9 /* of Bochs (port_e9_hack) and QEMU (isa-debugcon) */

static bool is_debug_port_present;

/* The port reads as its own number. */
static void debug_port_init(void)
{
    is_debug_port_present = io_in8(DEBUG_PORT) == DEBUG_PORT;
}

static void debug_port_write(const char *text, size_t length)
{
    for (size_t i = 0; is_debug_port_present && i < length; i++)
        io_out8(DEBUG_PORT, (uint8_t)text[i]);
}

static void write_streams(const char *text, size_t length)
{
    serial_write(text, length);
    debug_port_write(text, length);
}

static bool is_data_on_serial; /* report=json */

/* The cursor is not in column 0, so Hymir's next line starts with a line end. */
static bool is_within_line;

/* The guest has sent an ESC, which may have changed the terminal's state. */
static bool may_be_changed;

static void pass_all(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        may_be_changed |= text[i] == '\x1B';
    serial_send((const uint8_t *)text, length);
    debug_port_write(text, length);
    screen_pass(text, length);
    is_within_line = text[length - 1] != '\n';
}

void console_pass(const char *bytes, size_t size)
{
    if (size > 0)
        log_pass(pass_all, bytes, size);
}

static void update_screen(const char *text, size_t length)
{
    (void)text;
    (void)length;
    screen_update();
}

void console_update(void)
{
    log_pass(update_screen, NULL, 0);
}

void console_start_terminal(terminal_answer *answer)
{
    screen_start_terminal(serial_is_present() ? NULL : answer);
}

/*
 * Leaves the alternate screen, restores the default modes (cursor visible, wrapping,
 * arrow keys, origin, replacement), selects ASCII, resets attributes and the scroll
 * region, and moves the cursor below all existing text.
 */
#define RESET                                                              \
    "\x1B[?1049l\x1B[?25h\x1B[?7h\x1B[?1l\x1B[?6l\x1B[4l\x1B(B\x0F\x1B[0m" \
    "\x1B[r\x1B[999;1H"
#define ERASE "\x1B[H\x1B[2J"

static void send_sequence(const char *text, size_t length)
{
    serial_send((const uint8_t *)text, length);
    screen_pass(text, length);
    may_be_changed = false;
    is_within_line = true;
}

void console_reset_terminal(void)
{
    if (may_be_changed)
        log_pass(send_sequence, RESET, sizeof(RESET) - 1);
}

void console_clear_terminal(void)
{
    log_pass(send_sequence, RESET ERASE, sizeof(RESET ERASE) - 1);
}

static void write_all(const char *text, size_t length)
{
    if (is_within_line) {
        is_within_line = false;
        write_streams("\n", 1);
        screen_write("\n", 1);
    }
    write_streams(text, length);
    screen_write(text, length);
}

/* Selects the screen if the options select other outputs, of which none is present. */
static void require_output(struct options *options)
{
    bool is_none = options->serial == SERIAL_NONE && !options->debug_port;

    if (is_none || options->screen || serial_is_present() || is_debug_port_present)
        return;
    log_warning("console: none of the console= devices is present; using the screen");
    options->screen = true;
}

void console_start_streams(struct options *options)
{
    is_data_on_serial = options->report_json;
    serial_choice_start(options);
    if (options->debug_port)
        debug_port_init();
    log_replay(write_streams);
    log_set_output(write_all);
    if (serial_choice_is_final(options))
        require_output(options);
}

void console_find_serial_port(struct options *options)
{
    if (serial_choice_is_final(options))
        return;
    serial_choice_finish(options);
    require_output(options);
    console_start_screen(options);
}

void console_start_screen(const struct options *options)
{
    static bool was_tried;
    const struct framebuffer *framebuffer = &machine_get()->boot.framebuffer;
    bool is_vga_text =
        framebuffer->type == FRAMEBUFFER_TEXT ||
        (framebuffer->type == FRAMEBUFFER_NONE && !machine_get()->boot.is_efi);

    if (!options->screen || was_tried)
        return;
    was_tried = true;
    if (is_vga_text && vga_text_init(framebuffer)) {
        screen_init(vga_text_draw);
    } else if (framebuffer->type == FRAMEBUFFER_RGB &&
               framebuffer_text_init(framebuffer)) {
        screen_init(framebuffer_text_draw);
    } else {
        log_info("console: no usable screen");
        return;
    }
    log_replay(screen_write);
}

void console_write_line(const char *format, ...)
{
    char line[CONSOLE_LINE_SIZE + 1];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(line, CONSOLE_LINE_SIZE, format, arguments);
    va_end(arguments);
    size_t length  = strlen(line);
    line[length++] = '\n';
    log_pass(write_streams, line, length);
}

static void write_data(const char *text, size_t length)
{
    debug_port_write(text, length);
    if (is_data_on_serial)
        serial_write(text, length);
}

void console_write_data(const char *text, size_t length)
{
    log_pass(write_data, text, length);
}

void console_show(const struct sheet *sheet)
{
    screen_show(sheet);
    for (size_t i = 0; i < sheet->rows; i++)
        console_write_line("%s", sheet->row[i].text);
}

void console_show_page(const struct sheet *sheet)
{
    console_clear_terminal();
    screen_show(sheet);
    for (size_t i = 0; i < sheet->rows; i++) {
        TEXT_DECLARE(row, 3 * SHEET_COLUMNS + 2);
        if (i == SHEET_ROWS - 2 && sheet->row[i].text[0] == '\0')
            continue;
        sheet_append_row(&row, &sheet->row[i]);
        if (i + 1 < sheet->rows)
            text_append(&row, "\n");
        if (row.length > 0)
            log_pass(write_streams, row.buffer, row.length);
    }
    is_within_line = true;
}

void console_send_in_background(void)
{
    serial_send_in_background();
}

/* Small, so that a key's effect is seen soon; much more than a FIFO. */
size_t console_room(void)
{
    size_t queued = serial_queued();
    return queued < ROOM ? ROOM - queued : 0;
}

void console_continue(void)
{
    serial_continue();
}

bool console_is_sending(void)
{
    return serial_queued() > 0;
}

void console_finish(void)
{
    serial_finish();
}

void console_drain(void)
{
    memory_fence(); /* flushes the screen's combined writes */
    serial_drain();
}
