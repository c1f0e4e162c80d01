/* See apic_timer.h. */
#include "dev/apic_timer.h"

#include "dev/local_apic_interrupts.h"

static uint32_t timer_mode(const struct local_apic *apic)
{
    return local_apic_get(apic, APIC_LVT_TIMER) & LVT_TIMER_MODE;
}

static unsigned int divide_shift(const struct local_apic *apic)
{
    return DIVIDE_SHIFT(local_apic_get(apic, APIC_DIVIDE));
}

/* Returns the time in ticks of the timer before its divider. */
static uint64_t timer_now(const struct local_apic *apic)
{
    const struct device_clock *clock = apic->setup.clock;
    return ticks_convert(device_clock_now(clock), clock->hz, apic->setup.timer_hz);
}

static uint64_t guest_tsc(const struct local_apic *apic)
{
    return apic->setup.read_tsc(apic->setup.context);
}

/* Returns the initial count in ticks before the divider, at least the shortest period. */
static uint64_t timer_period(const struct local_apic *apic)
{
    uint64_t period = (uint64_t)local_apic_get(apic, APIC_INITIAL_COUNT)
                      << divide_shift(apic);
    uint64_t shortest = apic->setup.timer_hz / APIC_TIMER_MAX_HZ;

    return timer_mode(apic) == LVT_PERIODIC && period < shortest ? shortest : period;
}

/* Returns the first expiry after now of a periodic timer. */
static uint64_t next_expiry(const struct local_apic *apic, uint64_t now)
{
    uint64_t expiry = apic->timer.expiry, period = timer_period(apic);
    return expiry > now ? expiry : expiry + ((now - expiry) / period + 1) * period;
}

uint64_t apic_timer_read_deadline(const struct local_apic *apic)
{
    return apic->timer.tsc_deadline > guest_tsc(apic) ? apic->timer.tsc_deadline : 0;
}

/* Delivers the interrupt if the timer has expired, and finds its next expiry. */
static void deliver_expiry(struct local_apic *apic)
{
    struct apic_timer *timer = &apic->timer;

    if (timer->tsc_deadline != 0) {
        if (apic_timer_read_deadline(apic) != 0)
            return;
        timer->tsc_deadline = 0;
    } else {
        uint64_t now = timer->expiry == TICKS_NEVER ? 0 : timer_now(apic);
        if (timer->expiry > now)
            return;
        timer->expiry =
            timer_mode(apic) == LVT_PERIODIC ? next_expiry(apic, now) : TICKS_NEVER;
    }
    local_apic_deliver_entry(apic, APIC_LVT_TIMER);
}

/* Returns the time of the deadline on the vCPU's clock. */
static uint64_t deadline_time(const struct local_apic *apic)
{
    /* In this order, so that the time is not before the deadline. */
    uint64_t tsc = guest_tsc(apic), now = device_clock_now(apic->setup.clock);
    uint64_t deadline  = apic->timer.tsc_deadline;
    uint64_t remaining = deadline > tsc ? deadline - tsc : 0;

    return remaining < TICKS_NEVER - now ? now + remaining : TICKS_NEVER;
}

/* An alarm is an exit of the guest, so there is none for a masked timer. */
static void set_alarm(struct local_apic *apic)
{
    const struct local_apic_setup *setup = &apic->setup;
    uint64_t time                        = TICKS_NEVER;

    if ((local_apic_get(apic, APIC_LVT_TIMER) & LVT_MASKED) == 0)
        time = apic->timer.tsc_deadline != 0
                   ? deadline_time(apic)
                   : ticks_until(apic->timer.expiry, setup->timer_hz, setup->clock->hz);
    device_timer_set(&apic->timer.alarm, time);
}

void apic_timer_update(struct local_apic *apic)
{
    deliver_expiry(apic);
    set_alarm(apic);
}

/* An alarm for a deadline is never early. */
static void alarm_expired(void *device)
{
    struct local_apic *apic = device;

    if (apic->timer.tsc_deadline == 0) {
        apic_timer_update(apic);
        return;
    }
    apic->timer.tsc_deadline = 0;
    local_apic_deliver_entry(apic, APIC_LVT_TIMER);
}

void apic_timer_init(struct local_apic *apic)
{
    device_timer_init(&apic->timer.alarm, apic->setup.clock, alarm_expired, apic);
    apic_timer_stop(apic);
}

void apic_timer_stop(struct local_apic *apic)
{
    apic->timer.expiry       = TICKS_NEVER;
    apic->timer.tsc_deadline = 0;
}

void apic_timer_write_entry(struct local_apic *apic, uint32_t value)
{
    bool is_deadline = (value & LVT_TIMER_MODE) == LVT_TSC_DEADLINE;

    deliver_expiry(apic); /* with the previous entry */
    if ((timer_mode(apic) == LVT_TSC_DEADLINE) != is_deadline) {
        apic_timer_stop(apic);
        local_apic_set(apic, APIC_INITIAL_COUNT, 0);
    }
    local_apic_set(apic, APIC_LVT_TIMER, value);
    set_alarm(apic);
}

void apic_timer_write_count(struct local_apic *apic, uint32_t value)
{
    if (timer_mode(apic) == LVT_TSC_DEADLINE)
        return;
    deliver_expiry(apic);
    local_apic_set(apic, APIC_INITIAL_COUNT, value);
    apic->timer.expiry = value == 0 ? TICKS_NEVER : timer_now(apic) + timer_period(apic);
    set_alarm(apic);
}

uint32_t apic_timer_read_count(const struct local_apic *apic)
{
    unsigned int shift = divide_shift(apic);
    uint64_t now = timer_now(apic), expiry = apic->timer.expiry;
    uint64_t initial = local_apic_get(apic, APIC_INITIAL_COUNT);

    if (expiry == TICKS_NEVER)
        return 0;
    if (timer_mode(apic) == LVT_PERIODIC)
        expiry = next_expiry(apic, now);
    if (expiry <= now)
        return 0;
    uint64_t count = (expiry - now + BIT(shift) - 1) >> shift;
    return (uint32_t)(count < initial ? count : initial);
}

void apic_timer_write_divide(struct local_apic *apic, uint32_t value)
{
    deliver_expiry(apic);
    uint64_t count = apic_timer_read_count(apic);
    local_apic_set(apic, APIC_DIVIDE, value);
    if (count != 0)
        apic->timer.expiry = timer_now(apic) + (count << divide_shift(apic));
    set_alarm(apic);
}

void apic_timer_write_deadline(struct local_apic *apic, uint64_t value)
{
    if (timer_mode(apic) != LVT_TSC_DEADLINE)
        return;
    deliver_expiry(apic);
    apic->timer.tsc_deadline = value;
    apic_timer_update(apic);
}
