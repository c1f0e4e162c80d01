/* src/dev/timer.c, compared with a list that is searched. */
#include "unit.h"

#include "dev/timer.h"
#include "random.h"

#define TIMERS 5

static struct device_clock test_clock;
static struct device_timer timer[TIMERS];
static uint64_t now, alarm_time;
static unsigned int alarms, expiries;
static uint64_t expired_deadline;  /* of the last timer that expired in this run */
static uint64_t deadlines[TIMERS]; /* the model */
static uint64_t set_again[TIMERS]; /* what a callback sets its own timer to */

static uint64_t read_clock(void)
{
    return 50 + now;
}

static void set_alarm(void *context, uint64_t deadline)
{
    assert_ptr_equal(context, &alarms);
    alarms++;
    alarm_time = deadline;
}

static void expired(void *device)
{
    size_t i = (size_t)((uint64_t *)device - deadlines);
    assert_true(deadlines[i] <= now);
    assert_true(deadlines[i] >= expired_deadline);
    expired_deadline = deadlines[i];
    expiries++;
    deadlines[i] = set_again[i];
    device_timer_set(&timer[i], set_again[i]);
}

static uint64_t earliest(void)
{
    uint64_t first = TICKS_NEVER;
    for (size_t i = 0; i < TIMERS; i++)
        first = deadlines[i] < first ? deadlines[i] : first;
    return first;
}

static int clock_start(void **state)
{
    (void)state;
    now        = 0;
    alarm_time = TICKS_NEVER;
    alarms     = 0;
    device_clock_init(&test_clock);
    test_clock.read    = read_clock;
    test_clock.start   = 50;
    test_clock.alarm   = set_alarm;
    test_clock.context = &alarms;
    for (size_t i = 0; i < TIMERS; i++) {
        deadlines[i] = set_again[i] = TICKS_NEVER;
        device_timer_init(&timer[i], &test_clock, expired, &deadlines[i]);
    }
    return 0;
}

static void set_timer(size_t i, uint64_t deadline)
{
    deadlines[i] = deadline;
    device_timer_set(&timer[i], deadline);
    assert_int_equal(alarm_time, earliest());
}

/* Runs the clock, which calls each timer that is due once, in order. */
static void run_clock(void)
{
    unsigned int due = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        due += deadlines[i] <= now;
        set_again[i] =
            random_number() % 2 != 0 ? TICKS_NEVER : now + 1 + random_number() % 20;
    }
    expiries         = 0;
    expired_deadline = 0;
    alarm_time       = TICKS_NEVER; /* it has fired */
    device_clock_run(&test_clock);
    assert_int_equal(expiries, due);
    assert_int_equal(alarm_time, earliest());
}

static void test_random_timers(void **state)
{
    (void)state;
    for (unsigned int step = 0; step < 20000; step++) {
        size_t i = random_number() % TIMERS;
        if (random_number() % 4 == 0)
            set_timer(i, TICKS_NEVER);
        else
            set_timer(i, now + random_number() % 20);
        now += random_number() % 6;
        if (now >= alarm_time)
            run_clock();
    }
}

/* An alarm is requested only if the earliest deadline changes. */
static void test_few_alarms(void **state)
{
    (void)state;
    set_timer(0, 100);
    set_timer(0, 100);
    set_timer(1, 200);
    set_timer(2, 100);
    set_timer(0, TICKS_NEVER);
    assert_int_equal(alarms, 1);
    set_timer(2, TICKS_NEVER);
    assert_int_equal(alarms, 2);
    set_timer(1, TICKS_NEVER);
    set_timer(1, TICKS_NEVER);
    assert_int_equal(alarms, 3);
}

#define TEST(name) cmocka_unit_test_setup(name, clock_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_timers),
        TEST(test_few_alarms),
    };
    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
