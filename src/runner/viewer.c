/* See viewer.h. */
#include "runner/viewer.h"

#include "console/console.h"
#include "console/screen.h"
#include "cpu/instructions.h"
#include "lib/log.h"
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

void viewer_start(const struct options *options)
{
    viewer_options = options;
    input_start(options, viewer_queue_byte, NULL, true);
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
            viewer_start(viewer_options); /* boot_next may have changed the timer */
            has_changed = true;
        }
    }
    queue_length = 0;
    return has_changed;
}

_Noreturn void viewer_run(const struct report_facts *facts)
{
    static struct navigation navigation;
    static struct report_facts shown;
    static char error[LOG_LINE_SIZE];

    log_copy_newest_error(error);
    shown       = *facts;
    shown.error = error;
    navigation_start(&navigation, &shown);
    navigation_compose(&navigation, &sheet);
    screen_show(&sheet);
    for (;;) {
        if (viewer_handle_keys(&navigation)) {
            navigation_compose(&navigation, &sheet);
            console_show_page(&sheet);
        }
        halt_until_interrupt();
    }
}
