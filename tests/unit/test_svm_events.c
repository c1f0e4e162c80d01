/* src/svm/vcpu_events.c: exceptions, interrupts and the alarm. */
#include "svm_vcpu.h"

#define INTERRUPT_31 UINT64_C(0x80000031)

/* EVENTINJ as APM 2, "Event Injection" has it. */
static void test_exceptions(void **state)
{
    (void)state;
    static const struct {
        uint8_t vector;
        uint64_t event;
    } rows[] = {
        {0, 0x80000300},
        {6, 0x80000306},
        {7, 0x80000307},
        {8, UINT64_C(0xABCD80000B08)},
        {9, 0x80000309},
        {10, UINT64_C(0xABCD80000B0A)},
        {11, UINT64_C(0xABCD80000B0B)},
        {12, UINT64_C(0xABCD80000B0C)},
        {13, UINT64_C(0xABCD80000B0D)},
        {14, UINT64_C(0xABCD80000B0E)},
        {16, 0x80000310},
        {17, UINT64_C(0xABCD80000B11)},
        {19, 0x80000313},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        svm_vcpu_start(NULL);
        svm_exception_inject(&vcpu, rows[i].vector, 0xABCD);
        assert_int_equal(vmcb->event_injection, rows[i].event);
        assert_int_equal(vmcb->rflags, 0x10202); /* RF */
        vmcb->cr0 = 0; /* real-address mode has no error codes */
        svm_exception_inject(&vcpu, rows[i].vector, 0xABCD);
        assert_int_equal(vmcb->event_injection, 0x80000300 | rows[i].vector);
    }
}

/* #DB at the end of an instruction is a trap, so that RF stays as it is. */
static void test_debug_causes(void **state)
{
    (void)state;
    for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
        svm_vcpu_start(NULL);
        svm.has_lbr_virtualization = is_virtual != 0;
        vmcb->debugctl = svm.debugctl = 0x43; /* BTF, LBR and another */
        vmcb->dr6                     = 0xFFFF0FF2;
        vmcb->dr7                     = 0x2401; /* GD */
        svm_debug_causes_add(&vcpu, 0x4001);
        assert_int_equal(vmcb->event_injection, 0x80000301);
        assert_int_equal(vmcb->rflags, 0x202);
        assert_int_equal(vmcb->dr6, 0xFFFF4FF1); /* B1 replaced by B0, BS added */
        assert_int_equal(vmcb->dr7, 0x401);
        assert_int_equal(vmcb->debugctl, is_virtual != 0 ? 0x40 : 0x43);
        assert_int_equal(svm.debugctl, is_virtual != 0 ? 0x43 : 0x40);
        assert_int_equal(vmcb->clean, CLEAN_ALL & ~(BIT(6) | BIT(10)));
        svm_debug_causes_add(&vcpu, 0x8); /* of the same instruction */
        assert_int_equal(vmcb->dr6, 0xFFFF4FF9);
    }
}

/* EXITINTINFO has the event that was being delivered at the exit. */
static void test_redelivery(void **state)
{
    (void)state;
    static const struct {
        uint64_t interrupted, injected;
    } rows[] = {
        {0, 0},
        {0x00000031, 0}, /* not valid */
        {0x80000031, 0x80000031},
        {0x80000202, 0x80000202},
        {UINT64_C(0x200080000B0E), UINT64_C(0x200080000B0E)}, /* #PF, error code 2000H */
        {0x80000301, 0x80000301},
        /* INT n, INT3 and INTO, which are executed again. */
        {0x80000480, 0},
        {0x80000403, 0},
        {0x80000303, 0},
        {0x80000304, 0},
        {0x80000003, 0x80000003}, /* an interrupt with the vector of INT3 */
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        vmcb->event_injection     = 0;
        vmcb->exit_interrupt_info = rows[i].interrupted;
        svm_event_redeliver(vmcb);
        assert_int_equal(vmcb->event_injection, rows[i].injected);
        vmcb->event_injection = 0;
        assert_int_equal(svm_nmi_handle_exit(&vcpu), EXIT_RESUME);
        assert_int_equal(vmcb->event_injection, rows[i].injected);
        vmcb->event_injection = 0;
        assert_int_equal(svm_interrupt_handle_exit(&vcpu), EXIT_RESUME);
        assert_int_equal(vmcb->event_injection, rows[i].injected);
    }
}

/* An interrupt is injected if the guest accepts it, else a window is opened. */
static void test_interrupts(void **state)
{
    (void)state;
    static const struct {
        uint64_t rflags, shadow, injecting;
        bool is_delivered;
    } rows[] = {{RFLAGS_IF, 0, 0, true},
                {0, 0, 0, false},
                {RFLAGS_IF, 1, 0, false},
                {RFLAGS_IF, 2, 0, true}, /* GUEST_INTERRUPT_MASK */
                {RFLAGS_IF, 0, 0x80000306, false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        svm_vcpu_start(NULL);
        vmcb->rflags           = rows[i].rflags;
        vmcb->interrupt_shadow = rows[i].shadow;
        vmcb->event_injection  = rows[i].injecting;
        svm_request_interrupt(&vcpu, true);
        svm_events_deliver(&svm);
        assert_int_equal(vmcb->event_injection,
                         rows[i].is_delivered ? INTERRUPT_31 : rows[i].injecting);
        assert_int_equal(has_window(), !rows[i].is_delivered);
        assert_int_equal(vmcb->clean, rows[i].is_delivered
                                          ? CLEAN_ALL
                                          : CLEAN_ALL & ~(BIT(0) | BIT(3)));
        assert_int_equal(svm.waiting, rows[i].is_delivered ? 0 : WAITING_INTERRUPT);
    }
    /* The window is closed at its exit; delivery follows. */
    assert_int_equal(svm_interrupt_window_handle_exit(&vcpu), EXIT_RESUME);
    assert_false(has_window());
    vmcb->event_injection = 0;
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, INTERRUPT_31);
    assert_int_equal(vcpu.newest->address, 0x31);
}

/* A request that is withdrawn closes the window. */
static void test_withdrawal(void **state)
{
    (void)state;
    vmcb->rflags = 0;
    svm_request_interrupt(&vcpu, true);
    svm_events_deliver(&svm);
    assert_true(has_window());
    svm_request_interrupt(&vcpu, false);
    assert_false(has_window());
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, 0);
    assert_false(has_window());
    assert_int_equal(svm.waiting, 0);
}

/* After an interrupt, another one that is requested already needs a window. */
static void test_second_interrupt(void **state)
{
    (void)state;
    keeps_requesting = true;
    svm_request_interrupt(&vcpu, true);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, INTERRUPT_31);
    assert_true(has_window());
}

/* Requests an interrupt that is delivered as a virtual one, and is not taken yet. */
static void deliver_virtually(void)
{
    svm_vcpu_start(NULL);
    svm.has_next_rip = false;
    vmcb->rflags     = RFLAGS_IF;
    svm_request_interrupt(&vcpu, true);
    svm_events_deliver(&svm);
}

static void assert_virtual(bool is_pending)
{
    assert_false(has_window());
    assert_int_equal((vmcb->virtual_interrupt & V_IRQ) != 0, is_pending);
    assert_int_equal((vmcb->intercept_1 & INTERCEPT_VINTR) != 0, false);
}

/* A processor that saves no next RIP may deliver an injected interrupt twice. */
static void test_virtual_interrupts(void **state)
{
    (void)state;
    deliver_virtually();
    assert_virtual(true);
    assert_int_equal(vmcb->event_injection, 0);
    assert_int_equal(vmcb->virtual_interrupt >> 32, 0x31);
    assert_int_equal(vmcb->clean, CLEAN_ALL & ~BIT(3));
    assert_int_equal(svm.waiting, 0);
    svm_request_interrupt(&vcpu, false); /* it was acknowledged */
    assert_virtual(true);
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_NEXT); /* it wakes the guest */
    assert_int_equal(halts, 0);
    /* The window for it is closed when it is delivered. */
    deliver_virtually();
    vmcb->virtual_interrupt &= ~V_IRQ;
    vmcb->rflags = 0;
    svm_request_interrupt(&vcpu, true);
    svm_events_deliver(&svm);
    assert_true(has_window());
    vmcb->rflags = RFLAGS_IF;
    assert_int_equal(svm_interrupt_window_handle_exit(&vcpu), EXIT_RESUME);
    svm_events_deliver(&svm);
    assert_virtual(true);
}

/* One that is not taken yet keeps V_IRQ: another waits, for an exit soon. */
static void test_virtual_interrupt_waits(void **state)
{
    (void)state;
    deliver_virtually();
    apic_timer = UINT64_MAX;
    svm_request_interrupt(&vcpu, true);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, 0);
    assert_virtual(true);
    assert_int_equal(apic_timer, 0);
    vmcb->virtual_interrupt &= ~V_IRQ; /* taken */
    vmcb->rflags = 0;
    svm_events_deliver(&svm);
    assert_true(has_window());
    deliver_virtually();
    svm_request_nmi(&vcpu);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection & 0x7FF, 0x202); /* the NMI comes first */
    assert_virtual(true);
    deliver_virtually();
    vmcb->event_injection = 0x80000306;
    svm_request_interrupt(&vcpu, true);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, 0x80000306);
    assert_virtual(true);
    /* Its delivery has caused an exit. */
    deliver_virtually();
    vmcb->exit_interrupt_info = INTERRUPT_31;
    svm_event_redeliver(vmcb);
    assert_int_equal(vmcb->event_injection, INTERRUPT_31);
    assert_virtual(false);
    svm_vcpu_start(NULL);
    svm.has_next_rip = false;
    vmcb->rflags     = RFLAGS_IF;
    keeps_requesting = true;
    svm_request_interrupt(&vcpu, true);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, 0);
    assert_virtual(true);
    assert_int_equal(svm.waiting, WAITING_INTERRUPT);
}

/* Exceptions that exit are injected; #DB changes registers as its delivery does. */
static void test_exception_exits(void **state)
{
    (void)state;
    vmcb->exit_code   = SVM_EXIT_EXCEPTION + VECTOR_DB;
    vmcb->exit_info_1 = 0x1234;
    vmcb->dr7         = 0x2401;
    svm.debugctl      = 3;
    assert_int_equal(svm_exception_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(vmcb->event_injection, 0x80000301);
    assert_int_equal(vmcb->dr7, 0x401);
    assert_int_equal(svm.debugctl, 0);
    assert_int_equal(vmcb->dr6, DR6_AFTER_RESET);
    assert_int_equal(vmcb->rflags, 0x202);
    assert_int_equal(vcpu.newest->detail, 1);
    vmcb->exit_code           = SVM_EXIT_EXCEPTION + VECTOR_AC;
    vmcb->exit_info_1         = 0;
    vmcb->exit_interrupt_info = 0x80000031; /* is delivered in place of an interrupt */
    assert_int_equal(svm_exception_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(vmcb->event_injection, 0x80000B11);
    assert_int_equal(vmcb->rflags, 0x10202);
}

/* An error in a guest's memory; one elsewhere; a guest that cannot go on. */
static void test_machine_checks(void **state)
{
    (void)state;
    vmcb->exit_interrupt_info = 0x80000031;
    vmcb->exit_code           = SVM_EXIT_EXCEPTION + VECTOR_MC;
    assert_int_equal(svm_exception_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(vmcb->event_injection, 0x80000031);
    assert_int_equal(machine_checks, 0);
    assert_int_equal(looks, 1);
    assert_int_equal(interrupts, 1);
    looks                    = 0;
    outcome_of_machine_check = MACHINE_CHECK_STOP;
    (void)svm_exception_handle_exit(&vcpu);
    assert_int_equal(machine_checks, 1);
    looks                    = 0;
    outcome_of_machine_check = MACHINE_CHECK_END_GUEST;
    (void)svm_exception_handle_exit(&vcpu);
    assert_string_equal(vcpu.end->text, "machine check; the guest cannot go on");
    assert_int_equal(guest_end.kind, GUEST_END_ABNORMAL);
}

/* A machine check that interrupted Hymir leaves the look at the banks to an exit. */
static void test_machine_check_in_hymir(void **state)
{
    (void)state;
    machine_check_cpu.has_machine_check = true;
    assert_int_equal(svm_interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(looks, 1);
}

/* Host interrupts and alarms are handled between exceptions that never cease. */
static void test_endless_exceptions(void **state)
{
    (void)state;
    vmcb->exit_code = SVM_EXIT_EXCEPTION + VECTOR_DB;
    svm_set_alarm(&vcpu, 1000);
    assert_int_equal(svm_exception_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(interrupts, 1);
    assert_int_equal(alarms, 1);
    after_interrupt = EXIT_STOP;
    assert_int_equal(svm_exception_handle_exit(&vcpu), EXIT_STOP);
    assert_int_equal(interrupts, 2);
}

static void test_alarm(void **state)
{
    (void)state;
    svm_set_alarm(&vcpu, 1320);
    assert_int_equal(apic_timer, 320);
    tsc = 1319;
    assert_int_equal(svm_interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(alarms, 0);
    assert_int_equal(apic_timer, 1); /* the timer was at its maximum */
    tsc = 1320;
    assert_int_equal(svm_interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(alarms, 1);
    assert_int_equal(interrupts, 2);                  /* the host's */
    assert_int_equal(apic_timer, TICKS_NEVER - 1320); /* it does not stop */
    assert_int_equal(svm.alarm, TICKS_NEVER);
    next_alarm = 1400;
    svm_set_alarm(&vcpu, 5); /* in the past */
    assert_int_equal(apic_timer, 0);
    timer_writes = 0;
    assert_int_equal(svm_interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(timer_writes, 1);
    assert_int_equal(alarms, 2);
    assert_int_equal(apic_timer, 80);
    after_interrupt = EXIT_STOP;
    assert_int_equal(svm_interrupt_handle_exit(&vcpu), EXIT_STOP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_machine_checks),
        TEST(test_machine_check_in_hymir),
        TEST(test_exceptions),
        TEST(test_debug_causes),
        TEST(test_redelivery),
        TEST(test_interrupts),
        TEST(test_withdrawal),
        TEST(test_second_interrupt),
        TEST(test_exception_exits),
        TEST(test_endless_exceptions),
        TEST(test_alarm),
        TEST(test_virtual_interrupts),
        TEST(test_virtual_interrupt_waits),
    };
    return cmocka_run_group_tests_name("svm_events", tests, NULL, NULL);
}
