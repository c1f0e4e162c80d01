/* See timer.h. */
#include "dev/timer.h"

void device_clock_init(struct device_clock *clock)
{
    clock->timers     = NULL;
    clock->earliest   = TICKS_NEVER;
    clock->is_running = false;
}

void device_timer_init(struct device_timer *timer, struct device_clock *clock,
                       void (*expired)(void *device), void *device)
{
    *timer = (struct device_timer){TICKS_NEVER, expired, device, clock, clock->timers};
    clock->timers = timer;
}

static void request_alarm(struct device_clock *clock)
{
    uint64_t earliest = TICKS_NEVER;

    for (const struct device_timer *t = clock->timers; t != NULL; t = t->next) {
        if (t->deadline < earliest)
            earliest = t->deadline;
    }
    if (earliest == clock->earliest)
        return;
    clock->earliest = earliest;
    clock->alarm(clock->context, earliest);
}

void device_timer_set(struct device_timer *timer, uint64_t deadline)
{
    timer->deadline = deadline;
    if (!timer->clock->is_running)
        request_alarm(timer->clock);
}

/* A callback may set its own timer and others. */
void device_clock_run(struct device_clock *clock)
{
    uint64_t now      = device_clock_now(clock);
    clock->is_running = true;

    for (struct device_timer *t = clock->timers; t != NULL; t = t->next) {
        if (t->deadline > now)
            continue;
        t->deadline = TICKS_NEVER;
        t->expired(t->device);
    }
    clock->is_running = false;
    clock->earliest   = TICKS_NEVER; /* the alarm has fired: request it again */
    request_alarm(clock);
}
