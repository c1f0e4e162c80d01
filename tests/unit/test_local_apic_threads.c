/*
 * src/dev/apic_bus.c and local_apic_interrupts.c with CPUs that send to each other, as
 * threads: no interrupt is lost, though each CPU receives only when it is notified.
 */
#include "unit.h"

#include "dev/local_apic.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#define CPUS    3
#define TOKENS  16
#define SECONDS 60 /* a thread ends without success */

/*
 * Tokens go back and forth between each two CPUs, half of them first from each: an
 * interrupt that arrives is sent back. A lost one is never replaced. Each sender has a
 * vector for each token.
 */
#define VECTOR(sender, token) ((uint8_t)(0x40 + TOKENS * (sender) + (token)))

static struct cpu {
    struct local_apic apic;
    pthread_t thread;
    atomic_bool is_woken;
    unsigned int nmis, twins, arrived[CPUS][TOKENS], sent[CPUS][TOKENS];
    bool is_finished;
} cpus[CPUS];

static size_t tokens;         /* at most TOKENS; with few, each wake-up matters */
static unsigned int messages; /* with each token, in each direction */
static struct apic_bus bus;
static struct device_clock test_clock;

static uint64_t read_clock(void)
{
    return 0;
}

static uint64_t read_tsc(void *context)
{
    (void)context;
    return 0;
}

static void ignore_change(void *context)
{
    (void)context;
}

static void output_changed(void *listener, const struct interrupt_line *line)
{
    (void)listener;
    (void)line;
}

static void wake_cpu(void *context, size_t index)
{
    (void)context;
    if (atomic_exchange(&cpus[index].is_woken, true))
        cpus[index].twins++; /* notified twice: only a broken model comes here */
}

static void end_of_interrupt(void *context, uint8_t vector)
{
    (void)context;
    (void)vector;
}

/* Sends the next interrupt with a token, and an NMI now and then. */
static void send_token(size_t from, size_t to, size_t token)
{
    unsigned int *sent          = &cpus[from].sent[to][token];
    struct apic_message message = {.destination = (uint32_t)to,
                                   .vector      = VECTOR(from, token),
                                   .is_level    = *sent % 4 == 0};

    if (*sent == messages)
        return;
    ++*sent;
    apic_bus_send(&bus, &message);
    message.mode = APIC_NMI;
    if (*sent % 16 == 0)
        apic_bus_send(&bus, &message);
}

/* Receives, delivers everything and answers. */
static void serve(size_t own)
{
    struct cpu *cpu = &cpus[own];
    uint8_t startup_vector;

    local_apic_receive(&cpu->apic);
    if (local_apic_take_events(&cpu->apic, &startup_vector) != 0)
        cpu->nmis++;
    while (cpu->apic.setup.output.is_high) {
        int vector    = local_apic_acknowledge(&cpu->apic) - VECTOR(0, 0);
        size_t sender = (size_t)vector / TOKENS, token = (size_t)vector % TOKENS;
        local_apic_write(&cpu->apic, 0xB0, 4, 0);
        cpu->arrived[sender][token]++;
        send_token(own, sender, token);
    }
}

static bool is_finished(size_t own)
{
    for (size_t i = 0; i < CPUS; i++)
        for (size_t token = 0; i != own && token < tokens; token++)
            if (cpus[own].arrived[i][token] < messages)
                return false;
    return true;
}

static void *run_cpu(void *argument)
{
    size_t own   = (size_t)argument;
    time_t limit = time(NULL) + SECONDS;

    for (size_t i = 0; i < CPUS; i++)
        for (size_t token = i < own ? 0 : 1; i != own && token < tokens; token += 2)
            send_token(own, i, token);
    while (!is_finished(own)) {
        while (!atomic_exchange(&cpus[own].is_woken, false)) {
            if (time(NULL) > limit)
                return NULL;
            sched_yield();
        }
        serve(own);
    }
    cpus[own].is_finished = true;
    return NULL;
}

static void run_threads(size_t token_count, unsigned int message_count)
{
    tokens   = token_count;
    messages = message_count;
    memset(cpus, 0, sizeof(cpus));
    test_clock = (struct device_clock){.hz = 1000000000, .read = read_clock};
    bus = (struct apic_bus){.notify = wake_cpu, .end_of_interrupt = end_of_interrupt};
    device_clock_init(&test_clock);
    for (size_t i = 0; i < CPUS; i++) {
        local_apic_reset(&cpus[i].apic, &(struct local_apic_setup){
                                            .id       = (uint32_t)i,
                                            .bus      = &bus,
                                            .clock    = &test_clock,
                                            .timer_hz = 1000000000,
                                            .read_tsc = read_tsc,
                                            .changed  = ignore_change,
                                            .output   = {.changed = output_changed}});
        local_apic_write(&cpus[i].apic, 0xF0, 4, 0x1FF);
    }
    for (size_t i = 0; i < CPUS; i++)
        assert_int_equal(pthread_create(&cpus[i].thread, NULL, run_cpu, (void *)i), 0);
    for (size_t i = 0; i < CPUS; i++)
        assert_int_equal(pthread_join(cpus[i].thread, NULL), 0);
    for (size_t i = 0; i < CPUS; i++) {
        assert_true(cpus[i].is_finished);
        for (size_t sender = 0; sender < CPUS; sender++)
            for (size_t token = 0; token < tokens; token++)
                assert_int_equal(cpus[i].arrived[sender][token],
                                 sender == i ? 0 : messages);
        assert_int_equal(cpus[i].twins, 0);
        assert_in_range(cpus[i].nmis, 1, (CPUS - 1) * TOKENS * (messages / 16));
    }
}

static void test_few_tokens(void **state)
{
    (void)state;
    run_threads(2, 3000);
}

static void test_many_tokens(void **state)
{
    (void)state;
    run_threads(TOKENS, 1500);
}

/*
 * A sender that never waits, so that it sends while the other CPU receives. It sends a
 * vector again when it has arrived.
 */
#define FLOOD_VECTORS 64U
#define FLOOD         100000U

static atomic_bool has_arrived[FLOOD_VECTORS];
static atomic_bool is_over;

static void *flood(void *argument)
{
    unsigned int sent = 0;
    time_t limit      = time(NULL) + SECONDS;
    while (sent < FLOOD && time(NULL) <= limit)
        for (unsigned int i = 0; i < FLOOD_VECTORS; i++)
            if (atomic_exchange(&has_arrived[i], false)) {
                sent++;
                apic_bus_send(&bus, &(struct apic_message){.vector = (uint8_t)(0x40 + i),
                                                           .is_level = sent % 8 == 0});
            }
    is_over = true;
    return argument;
}

static void receive_flood(struct local_apic *apic)
{
    if (atomic_exchange(&cpus[0].is_woken, false))
        local_apic_receive(apic);
    while (apic->setup.output.is_high) {
        int vector = local_apic_acknowledge(apic);
        local_apic_write(apic, 0xB0, 4, 0);
        has_arrived[vector - 0x40] = true;
    }
}

static void test_flood(void **state)
{
    (void)state;
    pthread_t sender;
    for (unsigned int i = 0; i < FLOOD_VECTORS; i++)
        has_arrived[i] = true;
    assert_int_equal(pthread_create(&sender, NULL, flood, NULL), 0);
    while (!is_over)
        receive_flood(&cpus[0].apic);
    assert_int_equal(pthread_join(sender, NULL), 0);
    receive_flood(&cpus[0].apic);
    for (unsigned int i = 0; i < FLOOD_VECTORS; i++)
        assert_true(has_arrived[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_tokens),
        cmocka_unit_test(test_many_tokens),
        cmocka_unit_test(test_flood),
    };
    return cmocka_run_group_tests_name("local APIC threads", tests, NULL, NULL);
}
