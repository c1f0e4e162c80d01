/* src/svm/vcpu_events.c: NMIs, and the single step past the IRET that ends one. */
#include "svm_vcpu.h"

#define NMI UINT64_C(0x80000202)

/* An NMI comes first, and blocks further ones until the end of IRET. */
static void test_nmi(void **state)
{
    (void)state;
    vmcb->rflags = RFLAGS_FIXED;
    svm_request_nmi(&vcpu);
    svm_request_nmi(&vcpu);
    svm_request_interrupt(&vcpu, true);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, NMI);
    assert_true(has_window());
    assert_true((vmcb->intercept_1 & BIT(20)) != 0); /* IRET */
    assert_true(svm.blocks_nmi);
    assert_int_equal(svm.waiting, WAITING_INTERRUPT); /* two requests are one */
    vmcb->event_injection = 0;
    svm_request_nmi(&vcpu); /* the second waits */
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, 0);
    assert_int_equal(svm_iret_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(vmcb->rflags & RFLAGS_TF, RFLAGS_TF);
    assert_int_equal(vmcb->intercept_1 & BIT(20), 0);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, 0);
    vmcb->exit_code = SVM_EXIT_EXCEPTION + VECTOR_DB;
    vmcb->rflags    = RFLAGS_FIXED; /* popped */
    vmcb->dr6 |= DR6_SINGLE_STEP;
    assert_int_equal(svm_exception_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(vmcb->event_injection, 0); /* a #DB of Hymir */
    assert_int_equal(vmcb->dr6, DR6_AFTER_RESET);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, NMI);
    /* A blocked one does not look like an interrupt. */
    svm_vcpu_start(NULL);
    svm.blocks_nmi = true;
    svm_request_nmi(&vcpu);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, 0);
    assert_false(has_window());
}

/* An NMI waits behind another event, or a shadow, until IRET at the latest. */
static void test_waiting_nmi(void **state)
{
    (void)state;
    static const struct {
        uint64_t injecting, shadow;
    } rows[] = {{0x80000301, 0}, {0, 1}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        svm_vcpu_start(NULL);
        vmcb->event_injection  = rows[i].injecting;
        vmcb->interrupt_shadow = rows[i].shadow;
        svm_request_nmi(&vcpu);
        svm_events_deliver(&svm);
        assert_int_equal(vmcb->event_injection, rows[i].injecting);
        assert_false(svm.blocks_nmi);
        assert_true((vmcb->intercept_1 & BIT(20)) != 0); /* IRET */
        vmcb->event_injection = 0;
        assert_int_equal(svm_iret_handle_exit(&vcpu), EXIT_RESUME);
        assert_int_equal(vmcb->event_injection, NMI); /* before the IRET */
        assert_true(svm.blocks_nmi && !svm.steps_past_iret);
        assert_int_equal(vmcb->rflags & RFLAGS_TF, 0);
        assert_true((vmcb->intercept_1 & BIT(20)) != 0); /* its own */
        assert_int_equal(svm.waiting, 0);
    }
}

/* The guest sees the #DB after IRET if it single-steps, or has a breakpoint there. */
static void test_debug_after_iret(void **state)
{
    (void)state;
    static const struct {
        uint64_t rflags, before; /* at IRET */
        uint64_t causes;         /* after it */
        bool is_seen;
        uint64_t dr6; /* that the guest reads afterwards */
    } rows[] = {
        {0, 0xFFFF0FF0, 0x4000, false, 0xFFFF0FF0},
        {RFLAGS_TF, 0xFFFF0FF0, 0x4000, true, 0xFFFF4FF0},
        {0, 0xFFFF0FF0, 0x4001, true, 0xFFFF0FF1}, /* a breakpoint; the step is Hymir's */
        {RFLAGS_TF, 0xFFFF0FF0, 0x4008, true, 0xFFFF4FF8},
        /* What earlier exceptions left there is neither a cause nor lost. */
        {0, 0xFFFF4FF2, 0x4000, false, 0xFFFF4FF2},
        {0, 0xFFFF6FF2, 0x4001, true, 0xFFFF6FF1},
        {RFLAGS_TF, 0xFFFF2FF2, 0x4000, true, 0xFFFF6FF0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        svm_vcpu_start(NULL);
        svm.blocks_nmi = true;
        vmcb->rflags |= rows[i].rflags;
        vmcb->dr6 = rows[i].before;
        (void)svm_iret_handle_exit(&vcpu);
        assert_int_equal(vmcb->clean & BIT(6), 0);
        vmcb->exit_code = SVM_EXIT_EXCEPTION + VECTOR_DB;
        vmcb->dr6 |= rows[i].causes; /* as a processor that clears none */
        vmcb->clean = CLEAN_ALL;
        assert_int_equal(svm_exception_handle_exit(&vcpu), EXIT_RESUME);
        assert_int_equal(vmcb->event_injection, rows[i].is_seen ? 0x80000301 : 0);
        assert_int_equal(vmcb->dr6, rows[i].dr6);
        assert_int_equal(vmcb->clean & BIT(6), 0);
        assert_false(svm.blocks_nmi || svm.steps_past_iret);
    }
}

/* An exception of IRET finds TF and DR6 as they were, and ends the blocking of NMIs. */
static void test_fault_of_iret(void **state)
{
    (void)state;
    for (uint64_t tf = 0; tf <= RFLAGS_TF; tf += RFLAGS_TF) {
        svm_vcpu_start(NULL);
        svm.blocks_nmi = true;
        vmcb->cr0      = CR0_PE;
        vmcb->dr6      = 0xFFFF4FF2;
        vmcb->rflags |= tf;
        uint32_t usual = vmcb->intercept_exceptions;
        (void)svm_iret_handle_exit(&vcpu);
        assert_int_equal(vmcb->intercept_exceptions & 0x7C00, 0x7C00); /* #TS to #PF */
        vmcb->exit_code   = SVM_EXIT_EXCEPTION + VECTOR_PF;
        vmcb->exit_info_1 = 2;
        vmcb->exit_info_2 = 0x123456;
        vmcb->clean       = CLEAN_ALL;
        assert_int_equal(svm_exception_handle_exit(&vcpu), EXIT_RESUME);
        assert_int_equal(vmcb->event_injection, 0x280000B0E);
        assert_int_equal(vmcb->rflags & RFLAGS_TF, tf);
        assert_int_equal(vmcb->dr6, 0xFFFF4FF2);
        assert_int_equal(vmcb->cr2, 0x123456);
        assert_int_equal(vmcb->intercept_exceptions, usual);
        assert_int_equal(vmcb->clean & (BIT(0) | BIT(6) | BIT(9)), 0);
        assert_false(svm.blocks_nmi || svm.steps_past_iret);
    }
}

/* An interrupt waits for the end of the step, whose TF it would push. */
static void test_interrupt_while_stepping(void **state)
{
    (void)state;
    svm.blocks_nmi = true;
    vmcb->rflags |= RFLAGS_IF;
    svm_request_interrupt(&vcpu, true);
    (void)svm_iret_handle_exit(&vcpu);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, 0);
    assert_int_equal(vmcb->virtual_interrupt & V_IRQ, 0);
    vmcb->exit_code = SVM_EXIT_EXCEPTION + VECTOR_DB;
    (void)svm_exception_handle_exit(&vcpu);
    svm_events_deliver(&svm);
    assert_int_equal(vmcb->event_injection, 0x80000031);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nmi),
        TEST(test_waiting_nmi),
        TEST(test_debug_after_iret),
        TEST(test_fault_of_iret),
        TEST(test_interrupt_while_stepping),
    };
    return cmocka_run_group_tests_name("svm_nmi", tests, NULL, NULL);
}
