/* See timer.h. */
#include "dev/timer.h"

void device_clock_init(struct device_clock *clock)
{
    clock->first      = NULL;
    clock->earliest   = TICKS_NEVER;
    clock->is_running = false;
}

void device_timer_init(struct device_timer *timer, struct device_clock *clock,
                       void (*expired)(void *device), void *device)
{
    *timer = (struct device_timer){TICKS_NEVER, expired, device, clock, NULL};
}

static void insert_timer(struct device_timer *timer)
{
    struct device_timer **link = &timer->clock->first;

    while (*link != NULL && (*link)->deadline <= timer->deadline)
        link = &(*link)->next;
    timer->next = *link;
    *link       = timer;
}

static void remove_timer(const struct device_timer *timer)
{
    struct device_timer **link = &timer->clock->first;

    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
}

static void request_alarm(struct device_clock *clock)
{
    uint64_t earliest = clock->first == NULL ? TICKS_NEVER : clock->first->deadline;

    if (earliest == clock->earliest)
        return;
    clock->earliest = earliest;
    clock->alarm(clock->context, earliest);
}

void device_timer_set(struct device_timer *timer, uint64_t deadline)
{
    if (timer->deadline == deadline)
        return;
    if (timer->deadline != TICKS_NEVER)
        remove_timer(timer);
    timer->deadline = deadline;
    if (deadline != TICKS_NEVER)
        insert_timer(timer);
    if (!timer->clock->is_running)
        request_alarm(timer->clock);
}

void device_clock_run(struct device_clock *clock)
{
    uint64_t now      = device_clock_now(clock);
    clock->is_running = true;

    for (struct device_timer *timer;
         (timer = clock->first) != NULL && timer->deadline <= now;) {
        clock->first    = timer->next;
        timer->deadline = TICKS_NEVER;
        timer->expired(timer->device);
    }
    clock->is_running = false;
    clock->earliest   = TICKS_NEVER; /* the alarm has fired: request it again */
    request_alarm(clock);
}
