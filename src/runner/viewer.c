/* See viewer.h. */
#include "runner/viewer.h"

#include "console/console.h"
#include "console/screen.h"
#include "lib/log.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/power.h"
#include "report/navigation.h"
#include "runner/boot_next.h"
#include "runner/input.h"

/* Bytes that can be typed while a page is drawn; more are dropped. */
#define QUEUE_SIZE 64

static struct sheet sheet;

/* Filled in interrupts and emptied by viewer_run: both on the boot CPU, never at once. */
static uint8_t queue[QUEUE_SIZE];
static size_t queue_length;

static void viewer_queue_byte(uint8_t byte)
{
    if (queue_length < QUEUE_SIZE)
        queue[queue_length++] = byte;
}

static const struct options *viewer_options;

/* Logs where keys can be typed. */
static void log_keys(void)
{
    TEXT_DECLARE(keys, LOG_LINE_SIZE);
    TEXT_DECLARE(remedy, LOG_LINE_SIZE);

    key_hint_append_keys(input_sources(), &keys);
    key_hint_append_remedy(input_sources(), &remedy);
    if (keys.length > 0)
        log_info("%s", keys.buffer);
    if (remedy.length > 0)
        log_info("%s; GRUB's menu also chooses pages", remedy.buffer);
}

void viewer_start(const struct options *options)
{
    viewer_options = options;
    input_start(options, viewer_queue_byte, NULL);
    if (machine_get()->boot.module_count == 0)
        log_keys();
}

/* Handles the queued keys; returns whether the page must be redrawn. */
static bool viewer_handle_keys(struct navigation *navigation)
{
    bool has_changed = false;

    for (size_t i = 0; i < queue_length; i++) {
        switch (navigation_handle_byte(navigation, queue[i])) {
        case NAVIGATION_SAME:
            break;
        case NAVIGATION_CHANGED:
            has_changed = true;
            break;
        case NAVIGATION_POWER_OFF:
            power_exit(END_POWEROFF, console_drain);
        case NAVIGATION_REBOOT:
            power_exit(END_REBOOT, console_drain);
        case NAVIGATION_BOOT_NEXT:
            navigation_refuse(navigation, boot_next());
            input_start(viewer_options, viewer_queue_byte, NULL); /* polls again */
            has_changed = true;
        }
    }
    queue_length = 0;
    return has_changed;
}

/* Pages that turn by themselves, until a key is pressed. */
static struct {
    unsigned int seconds; /* of each page; 0: they do not turn */
    struct deadline deadline;
} turning;

static void set_turning(unsigned int seconds)
{
    turning.seconds  = seconds;
    turning.deadline = deadline_in(seconds * 1000000);
}

/* Turns the page on the screen if it is time to; the serial line shows it after a key. */
static void turn_page(struct navigation *navigation)
{
    if (turning.seconds == 0 || !deadline_has_passed(&turning.deadline))
        return;
    set_turning(turning.seconds);
    navigation_turn(navigation, viewer_options->page != 0);
    navigation_compose(navigation, &sheet);
    screen_show(&sheet);
}

/* Handles keys, the first of which ends the turning of pages and changes the hint. */
static void handle_keys(struct navigation *navigation)
{
    bool has_hint = navigation->hint.row[0] != '\0';

    if (queue_length == 0)
        return;
    set_turning(0);
    key_hint_compose(input_sources(), 0, &navigation->hint);
    if (viewer_handle_keys(navigation) || has_hint) {
        navigation_compose(navigation, &sheet);
        console_show_page(&sheet);
    }
}

_Noreturn void viewer_run(const struct report_facts *facts)
{
    static struct navigation navigation;
    static struct report_facts shown;
    static char error[LOG_LINE_SIZE];
    unsigned int page = viewer_options->page;

    log_copy_newest_error(error);
    shown       = *facts;
    shown.error = error;
    navigation_start(&navigation, &shown);
    navigation_select(&navigation, page == 0 ? REPORT_VERDICT : page - 1);
    set_turning(viewer_options->page_seconds);
    if (page != 0 && report_page_count(page - 1, &shown) == 1)
        set_turning(0);
    key_hint_compose(input_sources(), turning.seconds, &navigation.hint);
    navigation_compose(&navigation, &sheet);
    screen_show(&sheet);
    for (;;) {
        handle_keys(&navigation);
        turn_page(&navigation);
        input_wait();
    }
}
