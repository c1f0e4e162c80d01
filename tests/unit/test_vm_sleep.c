/* src/guest/vm_cpu.c: what can end the HLT of a vCPU. */
#include "vm_cpus.h"

#include <signal.h>

/* Puts the vCPUs of a mask to sleep, as HLT with interrupts off does. */
static void put_to_sleep(unsigned int mask)
{
    for (size_t i = 0; i < CPUS; i++)
        cpus[i].is_asleep = (mask >> i & 1) != 0;
}

/* A vCPU that accepts no interrupts wakes only by what another one sends. */
static void test_sleep(void **state)
{
    (void)state;
    for (unsigned int mask = 0; mask < 1 << CPUS; mask++) {
        for (size_t i = 0; i < CPUS; i++) {
            put_to_sleep(mask);
            become(i);
            assert_int_equal(vm_cpu_can_wake(&cpus[i].vcpu, false),
                             (mask | 1U << i) != 7);
            assert_true(cpus[i].is_asleep);
        }
    }
    put_to_sleep(7);
    become(1);
    send_from(0, 2, APIC_NMI, 0); /* which may wake this one */
    assert_true(vm_cpu_can_wake(second, false));
    become(2);
    assert_int_equal(vm_cpu_handle_requests(&cpus[2].vcpu), EXIT_RESUME);
    assert_false(cpus[2].is_asleep);
    become(1);
    assert_true(vm_cpu_can_wake(second, false));
    become(2);
    assert_false(vm_cpu_can_wake(&cpus[2].vcpu, false));
    become(1);
    assert_false(vm_cpu_can_wake(second, false));
}

/* What can interrupt one that accepts interrupts, while all others sleep. */
static void test_wake_sources(void **state)
{
    (void)state;
    put_to_sleep(7);
    assert_false(vm_cpu_can_wake(first, true)); /* all controllers are masked */
    assert_true(cpus[0].is_asleep);
    assert_int_equal(vm_port_write(first, 0x21, 1, 0xFE), EXIT_NEXT);
    put_to_sleep(6);
    assert_true(vm_cpu_can_wake(first, true)); /* the 8259A */
    assert_false(cpus[0].is_asleep);           /* and not another vCPU */
    assert_false(vm_cpu_can_wake(first, false));
    become(1);
    put_to_sleep(7);
    assert_false(vm_cpu_can_wake(second, true)); /* it has no 8259A */
    become(0);
    local_apic_write(&cpus[0].apic, 0x350, 4, 0x10700); /* LINT0 is masked */
    assert_false(vm_cpu_can_wake(first, true));
    vm_memory_write(second, 0xFEC00000, 4, 0x10 + 2 * 4);
    vm_memory_write(second, 0xFEC00010, 4, 0x31);
    for (size_t i = 0; i < CPUS; i++) {
        become(i);
        assert_true(vm_cpu_can_wake(&cpus[i].vcpu, true)); /* the I/O APIC */
        assert_false(vm_cpu_can_wake(&cpus[i].vcpu, false));
    }
    vm_memory_write(second, 0xFEC00010, 4, 0x10031);
    become(1);
    assert_false(vm_cpu_can_wake(second, true));
    local_apic_write(&cpus[1].apic, 0xF0, 4, 0x1FF);
    local_apic_write(&cpus[1].apic, 0x320, 4, 0x32);
    local_apic_write(&cpus[1].apic, 0x380, 4, 1000000);
    assert_true(vm_cpu_can_wake(second, true)); /* its timer */
    assert_false(vm_cpu_can_wake(second, false));
    become(0);
    assert_false(vm_cpu_can_wake(first, true)); /* which interrupts no other */
}

/* The second vCPU is woken, replies and sleeps again. On its CPU. */
static void reply_and_sleep(void)
{
    become(1);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    send(0, APIC_NMI, 0);
    assert_true(vm_cpu_can_wake(second, false));
    become(0);
}

static volatile unsigned int steps_left; /* until the second vCPU does that */

static void handle_step(int number)
{
    (void)number;
    if (steps_left > 0 && --steps_left == 0)
        reply_and_sleep();
}

static void set_trap_flag(bool is_set)
{
    unsigned long long flags = __builtin_ia32_readeflags_u64() & ~0x100ULL;

    __builtin_ia32_writeeflags_u64(flags | (is_set ? 0x100 : 0));
}

/*
 * The first vCPU wakes the second and sleeps until it replies. It may sleep, whenever
 * during its look at the others the second has finished: after each of its instructions.
 */
static void test_sleep_while_another_replies(void **state)
{
    unsigned int steps = 0;
    bool can_wake;

    assert_true(signal(SIGTRAP, handle_step) != SIG_ERR);
    do {
        start_cpus(state);
        put_to_sleep(6);
        send(1, APIC_NMI, 0);
        steps_left = ++steps;
        set_trap_flag(true);
        can_wake = vm_cpu_can_wake(first, false);
        set_trap_flag(false);
        assert_true(can_wake);
    } while (steps_left == 0);
    assert_in_range(steps, 30, 10000);
}

static void leave_wait(unsigned int wait)
{
    assert_int_equal(wait, 1);
    assert_true(cpus[1].is_asleep);
    vcpu_end(first, "powered off");
}

/*
 * vCPUs that sleep look again when the last one that could wake them begins to wait for
 * a startup IPI. One that goes on waiting kicks nobody.
 */
static void test_sleep_after_init(void **state)
{
    (void)state;
    put_to_sleep(5);
    send_from(0, 1, APIC_INIT, 0);
    become(1);
    kicks[0] = kicks[2]           = 0;
    at_wait                       = leave_wait;
    second->run.has_all_registers = true;
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_STOP);
    assert_int_equal(kicks[0], 1);
    assert_int_equal(kicks[2], 1);
}

static void count_wait(unsigned int wait)
{
    assert_true(cpus[1].is_asleep);
    assert_int_equal(kicks[0] + kicks[1] + kicks[2], 0);
    if (wait == 5)
        vm_release(&vm);
    if (wait == 4)
        vcpu_end(first, "powered off");
}

static void test_wait_is_quiet(void **state)
{
    (void)state;
    vm.runs   = 1;
    vm.others = 2;
    at_wait   = count_wait;
    first->id = VCPU_WITHOUT_CPU; /* not told that this one has left */
    become(1);
    vm_cpu_run_others(&cpus[1]);
    assert_int_equal(waits, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sleep),
        TEST(test_wake_sources),
        TEST(test_sleep_while_another_replies),
        TEST(test_sleep_after_init),
        TEST(test_wait_is_quiet),
    };
    return cmocka_run_group_tests_name("vm_sleep", tests, NULL, NULL);
}
