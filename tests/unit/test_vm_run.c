/*
 * src/guest/vm.c: runs of a VM whose vCPUs are threads, which are interrupted as CPUs
 * are.
 */
#include "vm_cpus.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

/* ---- CPUs: threads with interrupts that are pending until they wait or exit */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wakeup = PTHREAD_COND_INITIALIZER;
static bool is_pending[CPUS];

static uint64_t thread_clock(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static enum status thread_interrupt(uint32_t id)
{
    pthread_mutex_lock(&mutex);
    is_pending[id - FIRST_ID] = true;
    pthread_cond_broadcast(&wakeup);
    pthread_mutex_unlock(&mutex);
    return STATUS_OK;
}

/* Without the timer of 20 ms, so that a lost interrupt is noticed. */
static void thread_wait(void)
{
    pthread_mutex_lock(&mutex);
    while (!is_pending[current])
        pthread_cond_wait(&wakeup, &mutex);
    is_pending[current] = false;
    pthread_mutex_unlock(&mutex);
}

static bool take_pending(void)
{
    pthread_mutex_lock(&mutex);
    bool was_pending    = is_pending[current];
    is_pending[current] = false;
    pthread_mutex_unlock(&mutex);
    return was_pending;
}

/* ---- Guests */

/* Executes HLT with interrupts off, until INIT restarts the vCPU or the guest ends. */
static void halt_for_ever(struct vcpu *vcpu)
{
    unsigned int restarts = backends[current].restarts;

    while (backends[current].restarts == restarts) {
        if (!vm_cpu_can_wake(vcpu, false)) {
            vcpu_end(vcpu, "all vCPUs sleep");
            return;
        }
        thread_wait();
        vcpu->run.has_all_registers = true;
        if (vm_cpu_handle_requests(vcpu) != EXIT_RESUME)
            return;
    }
}

/* Runs until something else ends the guest. */
static void spin(struct vcpu *vcpu)
{
    for (;;) {
        vcpu->run.has_all_registers = true;
        if (take_pending() && vm_cpu_handle_requests(vcpu) != EXIT_RESUME)
            return;
        sched_yield();
    }
}

static void start_others(unsigned int first_vector)
{
    for (unsigned int i = 1; i < CPUS; i++) {
        send(i, APIC_INIT, 0);
        send(i, APIC_STARTUP, (uint8_t)(first_vector + i));
    }
}

static atomic_uint started; /* vCPUs besides the first */

/* The first starts the others and ends; they run on. */
static void end_as_first(struct vcpu *vcpu)
{
    if (current != 0) {
        started++;
        spin(vcpu);
        return;
    }
    start_others(0x10);
    while (started < CPUS - 1)
        sched_yield();
    vcpu_end(vcpu, "powered off");
}

/* The last one ends the guest; the first and the second run on. */
static void end_as_last(struct vcpu *vcpu)
{
    if (current == 0)
        start_others(0x20);
    if (current == CPUS - 1)
        vcpu_end_abnormally(vcpu, "triple fault");
    else
        spin(vcpu);
}

/* All go to sleep, in any order. */
static void sleep_all(struct vcpu *vcpu)
{
    if (current == 0)
        start_others(0x30);
    halt_for_ever(vcpu);
}

/* The first sleeps and the others get INIT: none is left to wake it. */
static void init_others(struct vcpu *vcpu)
{
    if (current != 0) {
        started++;
        spin(vcpu);
        return;
    }
    start_others(0x40);
    while (started < CPUS - 1)
        sched_yield();
    for (size_t i = 1; i < CPUS; i++)
        send(i, APIC_INIT, 0);
    halt_for_ever(vcpu);
}

/* Does nothing: the others wait for startup IPIs all the time. */
static void end_alone(struct vcpu *vcpu)
{
    vcpu_end(vcpu, "alone");
}

/* ---- The tests */

static void *run_others(void *cpu)
{
    current = ((struct vm_cpu *)cpu)->index;
    vm_cpu_run_others(cpu);
    return NULL;
}

static pthread_t threads[CPUS];

static int start_threads(void **state)
{
    start_cpus(state);
    vm.environment.read_clock         = thread_clock;
    vm.environment.wait_for_interrupt = thread_wait;
    vm.environment.interrupt_cpu      = thread_interrupt;
    memset(is_pending, 0, sizeof(is_pending));
    for (size_t i = 1; i < CPUS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_others, &cpus[i]), 0);
    return 0;
}

static int end_threads(void **state)
{
    (void)state;
    vm_release(&vm);
    for (size_t i = 1; i < CPUS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static void run(void (*guest)(struct vcpu *vcpu), const char *end)
{
    started   = 0;
    run_guest = guest;
    assert_int_equal(vm_reset(&vm), STATUS_OK);
    assert_int_equal(vm_run(&vm), STATUS_OK);
    assert_int_equal(vm.others, 0);
    assert_string_equal(vm.end.text, end);
}

/* One run after the other, as a guest that is restarted. */
static void test_runs(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 100; i++) {
        run(end_as_first, "powered off");
        assert_int_equal(started, CPUS - 1);
        assert_int_equal(backends[1].start.code.selector, 0x1100);
        assert_int_equal(backends[2].start.code.selector, 0x1200);
        assert_string_equal(cpus[1].last_state, "");
        run(end_as_last, "triple fault");
        assert_int_equal(vm.end.kind, GUEST_END_ABNORMAL);
        assert_ptr_equal(vm.end.vcpu, &cpus[CPUS - 1].vcpu);
        assert_int_equal(strncmp(cpus[0].last_state, "RIP 0x", 6), 0);
        run(end_alone, "alone");
    }
    assert_nothing_logged();
}

static void test_all_asleep(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 100; i++) {
        run(sleep_all, "all vCPUs sleep");
        run(init_others, "all vCPUs sleep");
    }
}

static void *stop(void *argument)
{
    (void)argument;
    while (started < CPUS - 1)
        sched_yield();
    vm_request_stop(&vm, true);
    return NULL;
}

static void run_until_stopped(struct vcpu *vcpu)
{
    if (current == 0)
        start_others(0x50);
    else
        started++;
    spin(vcpu);
}

/* A request to stop comes during a run, or before it. */
static void test_stop(void **state)
{
    (void)state;
    pthread_t console;
    for (unsigned int i = 0; i < 20; i++) {
        started = 0;
        assert_int_equal(pthread_create(&console, NULL, stop, NULL), 0);
        run(run_until_stopped, "reset at the console");
        assert_true(vm.is_to_restart);
        pthread_join(console, NULL);
    }
    assert_int_equal(vm_reset(&vm), STATUS_OK);
    vm_request_stop(&vm, false);
    assert_int_equal(vm_run(&vm), STATUS_OK);
    assert_string_equal(vm.end.text, "stopped at the console");
    assert_true(vm_has_ended(&vm));
}

/* ---- Pauses */

static atomic_bool is_done;
static atomic_uint backward;
static uint64_t newest_time;

/* Reads the vCPU's clock, which must not be behind what another one has read before. */
static void compare_clock(const struct vm_cpu *cpu)
{
    static pthread_mutex_t comparison = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&comparison);
    uint64_t time = device_clock_now(&cpu->clock);
    backward += time < newest_time;
    newest_time = time;
    pthread_mutex_unlock(&comparison);
}

static void watch_clock(struct vcpu *vcpu)
{
    if (current == 0)
        start_others(0x60);
    else
        started++;
    while (!is_done) {
        compare_clock(vm_cpu_of(vcpu));
        if (take_pending() && vm_cpu_handle_requests(vcpu) != EXIT_RESUME)
            return;
    }
    vcpu_end(vcpu, "done");
}

static void *pause_often(void *argument)
{
    (void)argument;
    while (started < CPUS - 1)
        sched_yield();
    for (unsigned int i = 0; i < 200 || (i < 1000000 && vm.paused_ticks == 0); i++) {
        vm_request_pause(&vm, true);
        for (unsigned int wait = 0; wait < i % 8; wait++)
            sched_yield();
        vm_request_pause(&vm, false);
        sched_yield();
    }
    is_done = true;
    return NULL;
}

/* All vCPUs leave out the same time, and no clock goes back. */
static void test_pauses(void **state)
{
    (void)state;
    pthread_t console;
    started     = 0;
    backward    = 0;
    newest_time = 0;
    is_done     = false;
    assert_int_equal(pthread_create(&console, NULL, pause_often, NULL), 0);
    run(watch_clock, "done");
    pthread_join(console, NULL);
    assert_int_equal(backward, 0);
    assert_true(vm.paused_ticks > 0);
    assert_false(vm.is_paused);
    for (size_t i = 0; i < CPUS; i++)
        assert_true(cpus[i].paused_ticks <= vm.paused_ticks);
}

/* A vCPU that does not leave in time: its CPU is lost, and the VM must not run again. */
static uint64_t passing_clock(void)
{
    return now += 1000000;
}

static void test_lost_cpu(void **state)
{
    (void)state;
    vm.environment.read_clock = passing_clock;
    run_guest                 = end_alone;
    at_wait                   = fail_at_wait;
    assert_int_equal(vm_reset(&vm), STATUS_OK);
    uint64_t begin = now;
    assert_int_equal(vm_run(&vm), STATUS_TIMEOUT); /* no thread is the others' CPU */
    assert_in_range(now - begin, 5000000000, 5100000000);
    assert_in_range(kicks[1], 250, 550); /* in case one was lost */
    assert_int_equal(vm.others, 2);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_threads, end_threads)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_runs),
        TEST(test_all_asleep),
        TEST(test_stop),
        TEST(test_pauses),
        cmocka_unit_test_setup(test_lost_cpu, start_cpus),
    };
    return cmocka_run_group_tests_name("vm_run", tests, NULL, NULL);
}
