/*
 * src/guest/vm_cpu.c: pauses, ends, alarms and TLBs.
 */
#include "vm_cpus.h"

/* ---- Pauses */

/* The request to pause ends in the second wait of a CPU. */
static void end_pause(unsigned int wait)
{
    assert_int_equal(vm.is_paused, current == 0);
    now += 500000;
    if (wait == 2)
        vm_request_pause(&vm, false);
}

/* Asserts a time, which each read of the clock advances by 1. */
static void assert_close(uint64_t is, uint64_t should)
{
    assert_in_range(is, should, should + 20);
}

static uint64_t read_timer(size_t index)
{
    return device_clock_now(&cpus[index].clock);
}

static void pause_first(void)
{
    at_wait = end_pause;
    waits   = 0;
    vm_request_pause(&vm, true);
    become(0);
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_RESUME);
    assert_int_equal(waits, 2);
    assert_false(vm.is_paused);
    assert_int_equal(vm.is_to_pause, false);
}

/* The devices' clock and the vCPU's own clock and TSC leave out the pause. */
static void test_pause_of_first(void **state)
{
    (void)state;
    cpus[0].is_running        = true;
    uint64_t start            = read_clock();
    vm.clock.start            = start;
    cpus[0].clock.start       = start;
    first->tsc_start          = start;
    uint64_t *tsc             = &backends[0].registers[VCPU_TSC_OFFSET];
    struct device_timer timer = {.deadline = TICKS_NEVER};
    device_timer_init(&timer, &cpus[0].clock, NULL, NULL);
    device_timer_set(&timer, 2000);
    assert_int_equal(backends[0].alarm, start + 2000);
    *tsc = 5000000;
    pause_first();
    for (size_t i = 0; i < CPUS; i++)
        assert_true(kicks[i] >= 2); /* for its start and its end */
    assert_close(device_clock_now(&vm.clock), 0);
    assert_close(read_timer(0), 0);
    assert_close(5000000 - *tsc, 1000000);
    assert_int_equal(5000000 - *tsc, first->tsc_start - start);
    assert_int_equal(backends[0].alarm, cpus[0].clock.start + 2000);
    device_timer_set(&timer, TICKS_NEVER);
}

/* The pause of another vCPU ends after the first's, which measures it. */
static void end_both_pauses(unsigned int wait)
{
    assert_int_equal(current, 1);
    now += 1000;
    if (wait == 2) {
        vm_request_pause(&vm, false);
    } else if (wait == 3) { /* the first vCPU ends its pause */
        assert_true(cpus[1].is_in_pause);
        vm.clock.start += 2900;
        vm.paused_ticks += 2900;
        vm.is_paused = false;
    }
}

static void test_pause_of_other(void **state)
{
    (void)state;
    become(1);
    cpus[1].is_running  = true;
    cpus[1].clock.start = now;
    uint64_t begin      = now;
    uint64_t *tsc       = &backends[1].registers[VCPU_TSC_OFFSET];
    *tsc                = 10000;
    vm.is_paused        = true;
    at_wait             = end_both_pauses;
    vm_request_pause(&vm, true);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(waits, 3);
    assert_int_equal(*tsc, 10000 - 2900);
    assert_false(cpus[1].is_in_pause);
    assert_close(read_timer(1), now - begin - 2900);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(*tsc, 10000 - 2900);
}

/* A pause that another vCPU has missed, because it was short, is left out too. */
static void test_missed_pause(void **state)
{
    (void)state;
    become(1);
    cpus[1].is_running                     = true;
    backends[1].registers[VCPU_TSC_OFFSET] = 10000;
    vm.paused_ticks                        = 70;
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(backends[1].registers[VCPU_TSC_OFFSET], 10000 - 70);
}

/* A pause does not outlast the VM. */
static void stop_in_pause(unsigned int wait)
{
    if (wait == 1 && current == 0)
        vm_request_stop(&vm, false);
    else
        vcpu_end(first, "powered off");
}

static void test_end_in_pause(void **state)
{
    (void)state;
    at_wait = stop_in_pause;
    vm_request_pause(&vm, true);
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_STOP);
    assert_string_equal(vm.end.text, "stopped at the console");
    start_cpus(NULL);
    become(1);
    vm.is_paused = true;
    at_wait      = stop_in_pause;
    vm_request_pause(&vm, true);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_STOP);
    assert_string_equal(vm.end.text, "powered off");
    assert_int_equal(waits, 1);
}

/* A vCPU that waits for a startup IPI during a pause starts with the VM's time. */
static void pause_while_waiting(unsigned int wait)
{
    if (wait == 1) {
        pause_first();
        become(1);
        at_wait = pause_while_waiting;
        waits   = 1;
        send_from(0, 1, APIC_STARTUP, 1);
    } else {
        vm_release(&vm);
    }
}

static uint64_t tsc_of_second;

static void end_after_start(struct vcpu *vcpu)
{
    tsc_of_second = backends[1].registers[VCPU_TSC];
    vcpu_end(vcpu, "done");
}

static void test_pause_while_waiting(void **state)
{
    (void)state;
    vm.clock.start = cpus[0].clock.start = cpus[1].clock.start = now;
    first->tsc_start = second->tsc_start = now;
    vm.runs                              = 1;
    vm.others                            = 2;
    run_guest                            = end_after_start;
    at_wait                              = pause_while_waiting;
    become(1);
    vm_cpu_run_others(&cpus[1]);
    assert_in_range(vm.paused_ticks, 1000000, 1000100);
    assert_int_equal(second->tsc_start, cpus[1].clock.start);
    assert_true(tsc_of_second < 200);
}

static uint64_t passing_clock(void)
{
    return now += 1000000;
}

/* A pause begins without a vCPU whose CPU does not react. */
static void test_pause_without_one(void **state)
{
    (void)state;
    cpus[1].is_asleep = false;
    vm.clock.read     = passing_clock;
    uint64_t begin    = now;
    pause_first();
    assert_in_range(now - begin, 1000000000, 1100000000);
}

/* ---- Ends */

static void test_stop(void **state)
{
    (void)state;
    vm_request_stop(&vm, false);
    for (size_t i = 0; i < CPUS; i++)
        assert_int_equal(kicks[i], 1);
    become(2);
    assert_int_equal(vm_cpu_handle_requests(&cpus[2].vcpu), EXIT_STOP);
    assert_string_equal(vm.end.text, "stopped at the console");
    assert_int_equal(vm.end.kind, GUEST_END_REQUESTED);
    assert_ptr_equal(vm.end.vcpu, &cpus[2].vcpu);
    become(0);
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_STOP);
    start_cpus(NULL);
    vm_request_stop(&vm, true);
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_STOP);
    assert_string_equal(vm.end.text, "reset at the console");
}

/* Another vCPU's end stops a vCPU; what it was doing is kept if the end was abnormal. */
static void test_end_by_other(void **state)
{
    (void)state;
    static const struct {
        enum guest_end_kind kind;
        bool is_recorded;
    } rows[] = {{GUEST_END_REQUESTED, false},
                {GUEST_END_RESET, false},
                {GUEST_END_ABNORMAL, true}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        start_cpus(NULL);
        become(1);
        assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
        become(0);
        assert_int_equal(vcpu_record_end(first, rows[i].kind, "ended"), EXIT_STOP);
        become(1);
        backends[1].registers[VCPU_RIP]       = 0x1234;
        backends[1].registers[VCPU_CR3]       = 0x5000;
        second->run.registers.r[REGISTER_RDX] = 0x77;
        assert_int_equal(vm_cpu_handle_requests(second), EXIT_STOP);
        assert_string_equal(cpus[1].last_state,
                            rows[i].is_recorded
                                ? "RIP 0x1234, CS base 0x0, RFLAGS 0x0, CR0 0x0, CR3 "
                                  "0x5000, CR4 0x0, RAX 0x0, RBX 0x0, RCX 0x0, RDX 0x77"
                                : "");
        assert_string_equal(vm.end.text, "ended");
    }
    vm_log_abnormal_end(&vm);
    assert_logged("hymir: vm a: vCPU 1: RIP 0x1234, ");
    assert_logged("hymir: vm a: vCPU 2: waits for a startup IPI\n");
    assert_null(strstr(captured_log, "vCPU 0"));
}

/* ---- Alarms */

static unsigned int expirations;
static size_t expired_on;

static void count_expiration(void *device)
{
    assert_ptr_equal(device, &expirations);
    expirations++;
    expired_on = current;
}

/* The first vCPU's alarm is for its own clock and the devices', others' for their own. */
static void test_alarms(void **state)
{
    (void)state;
    struct device_timer of_vm, of_first, of_second;
    device_timer_init(&of_vm, &vm.clock, count_expiration, &expirations);
    device_timer_init(&of_first, &cpus[0].clock, count_expiration, &expirations);
    device_timer_init(&of_second, &cpus[1].clock, count_expiration, &expirations);
    expirations = 0;
    device_timer_set(&of_vm, 9000);
    assert_int_equal(backends[0].alarm, 9000);
    device_timer_set(&of_first, 8000);
    assert_int_equal(backends[0].alarm, 8000);
    become(1);
    device_timer_set(&of_second, 7000);
    assert_int_equal(backends[1].alarm, 7000);
    now = 7000;
    vm_cpu_handle_alarm(second);
    assert_int_equal(expirations, 1);
    assert_int_equal(backends[1].alarm, TICKS_NEVER);
    now = 8500;
    vm_cpu_handle_alarm(second); /* none of its own */
    assert_int_equal(expirations, 1);
    become(0);
    vm_cpu_handle_alarm(first);
    assert_int_equal(expirations, 2);
    assert_int_equal(backends[0].alarm, 9000);
    now = 9000;
    vm_cpu_handle_alarm(first);
    assert_int_equal(expirations, 3);
    assert_int_equal(expired_on, 0);
    assert_int_equal(backends[0].alarm, TICKS_NEVER);
}

/* Another CPU sets a timer of a device: the first sets its alarm when it is kicked. */
static void test_alarm_of_other(void **state)
{
    (void)state;
    struct device_timer timer;
    device_timer_init(&timer, &vm.clock, count_expiration, &expirations);
    backends[0].alarm = TICKS_NEVER;
    become(1);
    device_timer_set(&timer, 9000);
    device_timer_set(&timer, 8000);
    assert_int_equal(kicks[0], 1); /* once, until it has handled that */
    assert_int_equal(backends[0].alarm, TICKS_NEVER);
    become(0);
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_RESUME);
    assert_int_equal(backends[0].alarm, 8000);
    become(1);
    device_timer_set(&timer, 5000);
    assert_int_equal(kicks[0], 2);
    /* The guest ends before that is handled; the next run's alarms kick again. */
    become(0);
    device_timer_set(&timer, TICKS_NEVER);
    assert_int_equal(vm_reset(&vm), STATUS_OK);
    device_timer_init(&timer, &vm.clock, count_expiration, &expirations);
    become(1);
    device_timer_set(&timer, 6000);
    assert_int_equal(kicks[0], 3);
}

/*
 * After a page was split, each CPU invalidates its own TLB: that of the execution now,
 * the others when they are interrupted.
 */
static void test_split_page(void **state)
{
    (void)state;
    static _Alignas(PAGE_SIZE) uint8_t pages[4][PAGE_SIZE];

    vm.tables = (struct page_pool){.pages = pages, .count = 4};
    nested_paging_choose_pages(PAGE_SIZE_2_MIB, true);
    assert_int_equal(
        nested_paging_map(&format, &vm.tables, gpa(0), hpa(0), PAGE_SIZE_2_MIB),
        STATUS_OK);
    assert_int_equal(vm_exit_handlers.execute_ram(become(1), gpa(0)), EXIT_RESUME);
    for (size_t i = 0; i < CPUS; i++) {
        assert_int_equal(kicks[i], i != 1);
        assert_int_equal(backends[i].invalidations, i == 1);
    }
    for (size_t i = 0; i < CPUS; i++) {
        for (int again = 0; again < 2; again++)
            assert_int_equal(vm_cpu_handle_requests(become(i)), EXIT_RESUME);
        assert_int_equal(backends[i].invalidations, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pause_of_first),
        TEST(test_pause_of_other),
        TEST(test_missed_pause),
        TEST(test_end_in_pause),
        TEST(test_pause_while_waiting),
        TEST(test_pause_without_one),
        TEST(test_stop),
        TEST(test_end_by_other),
        TEST(test_alarms),
        TEST(test_alarm_of_other),
        TEST(test_split_page),
    };
    return cmocka_run_group_tests_name("vm_requests", tests, NULL, NULL);
}
