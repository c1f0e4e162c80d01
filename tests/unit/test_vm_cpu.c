/*
 * src/guest/vm_cpu.c: what a vCPU is told by others, and what wakes it. SDM 3A,
 * "Multiple-Processor (MP) Initialization".
 */
#include "vm_cpus.h"

#define SELECTOR_9A 0x9A00

/*
 * SDM 3A, "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT", with
 * CS as the startup IPI sets it: "MP Initialization Protocol Algorithm for MP Systems".
 */
static void assert_after_init(const struct vcpu_start *start, uint16_t selector,
                              uint64_t rip)
{
    assert_int_equal(start->rip, rip);
    assert_int_equal(start->cr0, 0x60000010);
    assert_int_equal(start->cr3 | start->cr4 | start->efer, 0);
    assert_int_equal(start->code.selector, selector);
    assert_int_equal(start->code.base, (uint64_t)selector << 4);
    assert_int_equal(start->code.limit, 0xFFFF);
    assert_int_equal(start->code.access_rights, 0x9B); /* present, read, accessed */
    assert_int_equal(start->data.selector, 0);
    assert_int_equal(start->data.base, 0);
    assert_int_equal(start->data.limit, 0xFFFF);
    assert_int_equal(start->data.access_rights, 0x93); /* present, written, accessed */
    assert_int_equal(start->gdt.base, 0);
    assert_int_equal(start->gdt.limit, 0xFFFF);
    assert_int_equal(start->rax | start->rbx | start->rsi, 0);
    assert_int_equal(start->rdx, 0x306C3); /* the family, model and stepping */
}

static uint32_t apic_register(size_t index, uint32_t offset)
{
    return (uint32_t)local_apic_read(&cpus[index].apic, offset, 4);
}

/* The first is in virtual wire mode; the others' local APICs are as after power-up. */
static void test_reset(void **state)
{
    (void)state;
    for (size_t i = 0; i < CPUS; i++) {
        bool is_first = i == 0;
        uint64_t base;
        become(i);
        assert_int_equal(apic_register(i, 0x20) >> 24, i); /* the ID */
        assert_int_equal(apic_register(i, 0xF0), is_first ? 0x1FF : 0xFF);
        assert_int_equal(apic_register(i, 0x350), is_first ? 0x700 : 0x10000);
        assert_int_equal(apic_register(i, 0x360), is_first ? 0x400 : 0x10000);
        assert_true(local_apic_read_msr(&cpus[i].apic, 0x1B, &base));
        assert_int_equal(base, is_first ? 0xFEE00900 : 0xFEE00800);
        assert_int_equal(cpus[i].is_asleep, !is_first);
    }
    assert_ptr_equal(first->start, &vm.start);
}

/* ---- INIT and startup IPIs */

static unsigned int runs;

static void end_at_once(struct vcpu *vcpu)
{
    runs++;
    vcpu_end(vcpu, "run %u", runs);
}

/* A vCPU that has not run is started by a startup IPI, not by INIT or an NMI. */
static void send_to_waiting(unsigned int wait)
{
    assert_true(cpus[1].is_asleep);
    assert_false(cpus[1].apic.is_notified);
    assert_int_equal(runs, 0);
    if (wait <= 2)
        send_from(0, 1, wait == 1 ? APIC_INIT : APIC_NMI, 0);
    else if (wait == 3)
        send_from(0, 1, APIC_STARTUP, 0x9A);
}

static void wait_as_second(unsigned int wait)
{
    if (vcpu_has_ended(second))
        vm_release(&vm);
    else
        send_to_waiting(wait);
}

static void test_startup(void **state)
{
    (void)state;
    runs      = 0;
    run_guest = end_at_once;
    at_wait   = wait_as_second;
    vm.runs   = 1;
    vm.others = 2;
    become(1);
    vm_cpu_run_others(&cpus[1]);
    assert_int_equal(runs, 1);
    assert_int_equal(waits, 4); /* the last one for the next run */
    assert_int_equal(vm.others, 1);
    assert_string_equal(vm.end.text, "run 1");
    assert_after_init(&backends[1].start, SELECTOR_9A, 0);
    assert_int_equal(backends[1].nmis, 0);
    assert_true(kicks[0] > 0); /* it may wait for this vCPU */
}

/* A vCPU that waits leaves a run that ends, and waits for the next run. */
static void end_run(unsigned int wait)
{
    if (wait == 1)
        vcpu_end(first, "powered off");
    else
        vm_release(&vm);
}

static void test_end_before_startup(void **state)
{
    (void)state;
    at_wait   = end_run;
    vm.runs   = 1;
    vm.others = 2;
    become(2);
    vm_cpu_run_others(&cpus[2]);
    assert_int_equal(waits, 2);
    assert_int_equal(vm.others, 1);
    start_cpus(NULL);
    vm.runs       = 1;
    vm.others     = 2;
    vm.is_to_stop = true;
    at_wait       = end_run;
    waits         = 1;
    become(2);
    vm_cpu_run_others(&cpus[2]);
    assert_int_equal(vm.others, 1);
    assert_int_equal(waits, 2);
}

/* INIT is handled when the backend has stored all registers. */
static void test_init_of_first(void **state)
{
    (void)state;
    send(0, APIC_INIT, 0);
    assert_int_equal(kicks[0], 1); /* this CPU's vCPU must exit */
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_ALL_REGISTERS);
    assert_int_equal(backends[0].restarts, 0);
    assert_int_equal(kicks[0], 2); /* HLT would wait again */
    assert_true(vm_cpu_can_wake(first, false));
    first->run.has_all_registers = true;
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_RESUME);
    assert_int_equal(backends[0].restarts, 1);
    assert_after_init(&backends[0].start, 0xF000, 0xFFF0);
    /* "Local APIC State After an INIT Reset": the base is kept. */
    assert_int_equal(apic_register(0, 0xF0), 0xFF);
    assert_int_equal(apic_register(0, 0x350), 0x10000);
    assert_int_equal(cpus[0].apic.base, 0xFEE00900);
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_RESUME);
    assert_int_equal(backends[0].restarts, 1);
}

static void start_second(unsigned int wait)
{
    assert_int_equal(backends[1].restarts, 0);
    assert_true(cpus[1].is_asleep);
    if (wait == 3)
        send_from(0, 1, APIC_STARTUP, 0x12);
}

static void init_second(void)
{
    become(1);
    cpus[1].is_asleep             = false;
    second->run.has_all_registers = true;
    send_from(0, 1, APIC_INIT, 0);
}

static void test_init_of_other(void **state)
{
    (void)state;
    init_second();
    at_wait = start_second;
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(waits, 3);
    assert_int_equal(backends[1].restarts, 1);
    assert_after_init(&backends[1].start, 0x1200, 0);
    assert_false(cpus[1].is_asleep);
    /* Both at once; the startup IPI of a running vCPU is ignored. */
    at_wait = fail_at_wait;
    send_from(0, 1, APIC_STARTUP, 0x34);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(backends[1].restarts, 1);
    init_second();
    send_from(0, 1, APIC_STARTUP, 0x56);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(backends[1].restarts, 2);
    assert_after_init(&backends[1].start, 0x5600, 0);
}

/* A second INIT, before the registers are stored, drops the first startup IPI. */
static void test_second_init(void **state)
{
    (void)state;
    init_second();
    second->run.has_all_registers = false;
    send_from(0, 1, APIC_STARTUP, 0x34);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_ALL_REGISTERS);
    second->run.has_all_registers = true;
    send_from(0, 1, APIC_INIT, 0);
    at_wait = start_second;
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(waits, 3);
    assert_after_init(&backends[1].start, 0x1200, 0);
}

static void end_while_waiting(unsigned int wait)
{
    if (wait == 2)
        vcpu_end(first, "powered off");
}

static void test_end_after_init(void **state)
{
    (void)state;
    init_second();
    at_wait = end_while_waiting;
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_STOP);
    assert_int_equal(waits, 2);
    assert_int_equal(backends[1].restarts, 0);
}

/* No INIT of a run that has ended reaches the next one. */
static void test_init_at_end(void **state)
{
    (void)state;
    send(0, APIC_INIT, 0);
    vm_request_stop(&vm, false);
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_STOP);
    assert_int_equal(vm_reset(&vm), STATUS_OK);
    first->run.has_all_registers = true;
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_RESUME);
    assert_int_equal(backends[0].restarts, 0);
    assert_int_equal(vm.is_to_stop, false);
}

static void test_nmi(void **state)
{
    (void)state;
    cpus[1].is_asleep = false;
    send(1, APIC_NMI, 0);
    assert_int_equal(kicks[1], 1);
    become(1);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(backends[1].nmis, 1);
    send(1, APIC_NMI, 0); /* to itself: exits at once */
    assert_int_equal(kicks[1], 2);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_int_equal(backends[1].nmis, 2);
}

/* ---- Interrupts */

/* A message reaches the executing CPU at once, others when their CPU handles the kick. */
static void test_notify(void **state)
{
    (void)state;
    send(0, APIC_FIXED, 0x31);
    assert_true(backends[0].is_requested);
    assert_int_equal(kicks[0], 0);
    assert_int_equal(vm_exit_handlers.take_interrupt(first), 0x31);
    assert_false(backends[0].is_requested);
    become(1);
    local_apic_write(&cpus[1].apic, 0xF0, 4, 0x1FF);
    become(0);
    send(1, APIC_FIXED, 0x42);
    send(1, APIC_FIXED, 0x43);
    assert_int_equal(kicks[1], 1); /* one is enough */
    assert_false(backends[1].is_requested);
    become(1);
    assert_int_equal(vm_cpu_handle_requests(second), EXIT_RESUME);
    assert_true(backends[1].is_requested);
    assert_int_equal(vm_exit_handlers.take_interrupt(second), 0x43);
}

/* Each access to the ports that the vCPUs share takes a ticket of the lock. */
static void test_shared_ports(void **state)
{
    (void)state;
    for (unsigned int size = 1; size <= 4; size *= 2) {
        unsigned int tickets = vm.lock.next;

        (void)vm_port_read(second, 0x21, size);
        assert_int_equal(vm.lock.next, tickets + 1);
        assert_int_equal(vm_port_write(first, 0x80, size, 0), EXIT_NEXT);
        assert_int_equal(vm.lock.next, tickets + 2);
    }
}

/* The 8259A's output, which any CPU can drive, is LINT0 of the first local APIC. */
static void test_pic(void **state)
{
    static const uint8_t words[][2] = {
        {0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1}, {0x21, 0xFF & ~2}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        assert_int_equal(vm_port_write(first, words[i][0], 1, words[i][1]), EXIT_NEXT);
    interrupt_line_set(&vm.isa.line[1], true);
    assert_true(backends[0].is_requested);
    assert_int_equal(vm_exit_handlers.take_interrupt(first), 0x21);
    assert_false(backends[0].is_requested);
    assert_int_equal(vm_port_write(first, 0x20, 1, 0x20), EXIT_NEXT);
    interrupt_line_set(&vm.isa.line[1], false);
    become(1);
    interrupt_line_set(&vm.isa.line[1], true);
    assert_int_equal(kicks[0], 1);
    assert_false(backends[0].is_requested);
    become(0);
    assert_int_equal(vm_cpu_handle_requests(first), EXIT_RESUME);
    assert_true(backends[0].is_requested);
}

/* A vCPU without a CPU is not kicked, and a failure is reported. */
static void test_kick(void **state)
{
    (void)state;
    vm_kick(&vm);
    for (size_t i = 0; i < CPUS; i++)
        assert_int_equal(kicks[i], 1);
    second->id = VCPU_WITHOUT_CPU;
    vm_kick(&vm);
    assert_int_equal(kicks[0], 2);
    assert_int_equal(kicks[1], 1);
    assert_nothing_logged();
    kick_status = STATUS_TIMEOUT;
    vm_kick(&vm);
    assert_logged("error: vm a: cannot interrupt cpu 7\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reset),
        TEST(test_startup),
        TEST(test_end_before_startup),
        TEST(test_init_of_first),
        TEST(test_init_of_other),
        TEST(test_second_init),
        TEST(test_end_after_init),
        TEST(test_init_at_end),
        TEST(test_nmi),
        TEST(test_notify),
        TEST(test_shared_ports),
        TEST(test_pic),
        TEST(test_kick),
    };
    return cmocka_run_group_tests_name("vm_cpu", tests, NULL, NULL);
}
