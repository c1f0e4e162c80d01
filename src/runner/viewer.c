/* See runner/viewer.h. */
#include "runner/viewer.h"

#include "console/console.h"
#include "console/screen.h"
#include "cpu/instructions.h"
#include "platform/power.h"
#include "report/navigation.h"
#include "runner/boot_next.h"
#include "runner/input.h"

/* More than is typed while a page is drawn; what is beyond that is dropped. */
#define TYPED_SIZE 64

static struct sheet sheet;

/* Between the interrupts and viewer_run: both on the boot CPU, never at once. */
static uint8_t typed[TYPED_SIZE];
static size_t typed_count;

static void take(uint8_t byte)
{
    if (typed_count < TYPED_SIZE)
        typed[typed_count++] = byte;
}

static const struct options *viewer_options;

void viewer_start(const struct options *options)
{
    viewer_options = options;
    input_start(options, take, true);
}

static void show(const struct navigation *navigation)
{
    navigation_compose(navigation, &sheet);
    console_show_page(&sheet);
}

/* What was typed since; true if another page is to be shown. */
static bool obey(struct navigation *navigation)
{
    bool has_changed = false;

    for (size_t i = 0; i < typed_count; i++) {
        switch (navigation_take(navigation, typed[i])) {
        case NAVIGATION_SAME:
            break;
        case NAVIGATION_CHANGED:
            has_changed = true;
            break;
        case NAVIGATION_POWER_OFF:
            power_exit(EXIT_POWEROFF, console_drain);
        case NAVIGATION_REBOOT:
            power_exit(EXIT_REBOOT, console_drain);
        case NAVIGATION_BOOT_NEXT:
            navigation_refuse(navigation, boot_next());
            viewer_start(viewer_options); /* the timer may have been boot_next's */
            has_changed = true;
        }
    }
    typed_count = 0;
    return has_changed;
}

_Noreturn void viewer_run(const struct report_facts *facts)
{
    static struct navigation navigation;

    navigation_start(&navigation, facts);
    navigation_compose(&navigation, &sheet);
    screen_show(&sheet);
    for (;;) {
        if (obey(&navigation))
            show(&navigation);
        halt_until_interrupt();
    }
}
