/* src/svm/vcpu_events.c: HLT. */
#include "svm_vcpu.h"

static void wake_at_third(void)
{
    tsc += 100;
    if (halts == 3)
        svm_request_interrupt(&vcpu, true);
}

static void request_nmi(void)
{
    svm_request_nmi(&vcpu);
    if (halts == 5)
        svm_request_interrupt(&vcpu, true);
}

/* HLT waits until an event that the guest accepts arrives, with the alarm. */
static void test_halt(void **state)
{
    (void)state;
    at_halt    = wake_at_third;
    next_alarm = 5000;
    svm_set_alarm(&vcpu, 1200);
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(halts, 3);
    assert_int_equal(alarms, 1);
    assert_int_equal(vcpu.newest->start, 1300);              /* the wait costs nothing */
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_NEXT); /* still waiting */
    assert_int_equal(halts, 3);
    svm_vcpu_start(NULL);
    at_halt = request_nmi;
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(halts, 1);
    svm_vcpu_start(NULL);
    svm.blocks_nmi = true;
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(halts, 5);
    svm_vcpu_start(NULL);
    vmcb->rflags |= RFLAGS_TF; /* #DB follows */
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(halts, 0);
}

static void test_halt_ends(void **state)
{
    (void)state;
    at_halt      = wake_at_third;
    vmcb->rflags = RFLAGS_FIXED;
    can_be_woken = false;
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_STOP);
    assert_false(asked_for_interrupts);
    assert_string_equal(vcpu.end->text, "HLT with interrupts off");
    assert_int_equal(guest_end.kind, GUEST_END_REQUESTED);
    svm_vcpu_start(NULL);
    can_be_woken = false;
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_STOP);
    assert_true(asked_for_interrupts);
    assert_string_equal(vcpu.end->text, "HLT with all interrupts masked");
    assert_int_equal(halts, 0);
    /* An interrupt that it has yet to take does not wake it with interrupts off. */
    svm_vcpu_start(NULL);
    can_be_woken = false;
    vmcb->rflags = RFLAGS_FIXED;
    vmcb->virtual_interrupt |= V_IRQ;
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_STOP);
    assert_string_equal(vcpu.end->text, "HLT with interrupts off");
    svm_vcpu_start(NULL);
    after_interrupt = EXIT_STOP;
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_STOP);
    assert_int_equal(halts, 1);
}

static void sleep_for_ever(void)
{
    can_be_woken = halts < 3;
}

static void restart_at_second(void)
{
    svm.restarts += halts == 2;
}

/* While it waits, the last vCPU that could wake it goes to sleep, or INIT restarts it. */
static void test_halt_of_several(void **state)
{
    (void)state;
    at_halt = sleep_for_ever;
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_STOP);
    assert_int_equal(halts, 3);
    assert_string_equal(vcpu.end->text, "HLT with all interrupts masked");
    svm_vcpu_start(NULL);
    at_halt      = request_nmi;
    vmcb->rflags = RFLAGS_FIXED;
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_NEXT); /* NMIs need no IF */
    assert_int_equal(halts, 1);
    svm_vcpu_start(NULL);
    at_halt = restart_at_second;
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_RESUME); /* at the new RIP */
    assert_int_equal(halts, 2);
    svm_vcpu_start(NULL);
    at_halt         = wake_at_third;
    after_interrupt = EXIT_ALL_REGISTERS; /* INIT has arrived */
    assert_int_equal(svm_hlt_handle_exit(&vcpu), EXIT_ALL_REGISTERS);
    assert_int_equal(halts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_halt),
        TEST(test_halt_ends),
        TEST(test_halt_of_several),
    };
    return cmocka_run_group_tests_name("svm_halt", tests, NULL, NULL);
}
