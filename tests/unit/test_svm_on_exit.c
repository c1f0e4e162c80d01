/* src/svm/on_exit.c: the steps before and after the handler of an exit. */
#include "svm_vcpu.h"

static enum exit_outcome outcome;
static unsigned int handled;
static uint64_t handler_ticks;

static enum exit_outcome note_exit(struct vcpu *of)
{
    assert_int_equal(vmcb->clean, svm.clean);
    assert_int_equal(vmcb->tlb_control, TLB_CONTROL_NOTHING);
    handled++;
    tsc += handler_ticks;
    return outcome == EXIT_ALL_REGISTERS ? vcpu_request_all_registers(of) : outcome;
}

/* Prepares a CPUID exit that ends as told, and a guest that needs all that follows it. */
static int on_exit_start(void **state)
{
    svm_vcpu_start(state);
    svm_exit_rows_init(&svm);
    for (size_t i = 0; i < SVM_EXIT_ROWS; i++)
        svm.rows[i].handler = note_exit;
    vmcb->exit_code        = SVM_EXIT_CPUID;
    vmcb->clean            = 0;
    vmcb->tlb_control      = TLB_CONTROL_FLUSH_ALL;
    vmcb->interrupt_shadow = 1;
    vmcb->rflags |= RFLAGS_RF;
    outcome       = EXIT_NEXT;
    handled       = 0;
    handler_ticks = 50;
    return 0;
}

static void assert_state(uint64_t rip, uint64_t shadow, uint64_t rflags)
{
    assert_int_equal(handled, 1);
    assert_int_equal(vmcb->rip, rip);
    assert_int_equal(vmcb->interrupt_shadow, shadow);
    assert_int_equal(vmcb->rflags, rflags);
}

/* An emulated instruction ends the interrupt shadow and RF. */
static void test_outcomes(void **state)
{
    (void)state;
    assert_int_equal(svm_on_exit(&vcpu.run), RUN_AGAIN);
    assert_state(0x1002, 0, 0x202);
    on_exit_start(NULL);
    outcome = EXIT_RESUME;
    assert_int_equal(svm_on_exit(&vcpu.run), RUN_AGAIN);
    assert_state(0x1000, 1, 0x10202);
    on_exit_start(NULL);
    outcome      = EXIT_REPEAT; /* breakpoints apply to the first iteration only */
    vmcb->rflags = 0x202;
    assert_int_equal(svm_on_exit(&vcpu.run), RUN_AGAIN);
    assert_state(0x1000, 0, 0x10202);
    on_exit_start(NULL);
    outcome = EXIT_SKIP; /* by the length that the handler found */
    vcpu.newest->next->instruction_length = 7;
    assert_int_equal(svm_on_exit(&vcpu.run), RUN_AGAIN);
    assert_state(0x1007, 0, 0x202);
    assert_int_equal(vcpu.newest->rip, 0x1000);
    on_exit_start(NULL);
    outcome                               = EXIT_SKIP;
    vcpu.newest->next->instruction_length = 7;
    vmcb->segment[SEGMENT_CS].attributes  = CODE_32_ATTRIBUTES;
    vmcb->rip                             = 0xFFFFFFFE;
    assert_int_equal(svm_on_exit(&vcpu.run), RUN_AGAIN);
    assert_state(5, 0, 0x202);
    on_exit_start(NULL);
    outcome = EXIT_STOP;
    assert_int_equal(svm_on_exit(&vcpu.run), RUN_STOP);
    assert_state(0x1000, 1, 0x10202);
    assert_int_equal(vmcb->event_injection, 0);
}

/* Single-stepping traps after an instruction and after an iteration, not on branches. */
static void test_single_step(void **state)
{
    (void)state;
    static const enum exit_outcome ends[] = {EXIT_NEXT, EXIT_SKIP, EXIT_REPEAT};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        on_exit_start(NULL);
        outcome = ends[i];
        vmcb->rflags |= RFLAGS_TF;
        assert_int_equal(svm_on_exit(&vcpu.run), RUN_AGAIN);
        assert_int_equal(vmcb->event_injection, 0x80000301);
        assert_int_equal(vmcb->dr6, 0xFFFF4FF0);
        on_exit_start(NULL);
        outcome      = ends[i];
        svm.debugctl = 2; /* BTF */
        vmcb->rflags |= RFLAGS_TF;
        assert_int_equal(svm_on_exit(&vcpu.run), RUN_AGAIN);
        assert_int_equal(vmcb->event_injection, 0);
    }
    on_exit_start(NULL);
    outcome = EXIT_RESUME;
    vmcb->rflags |= RFLAGS_TF;
    assert_int_equal(svm_on_exit(&vcpu.run), RUN_AGAIN);
    assert_int_equal(vmcb->event_injection, 0);
}

/* Every exit is counted, with its time, and recorded. */
static void test_statistics(void **state)
{
    (void)state;
    const struct exit_row *row = &svm.rows[SVM_EXIT_CPUID];

    (void)svm_on_exit(&vcpu.run);
    handler_ticks = 20;
    (void)svm_on_exit(&vcpu.run);
    assert_int_equal(row->exits, 2);
    assert_int_equal(row->ticks, 70);
    assert_int_equal(row->longest, 50);
    assert_int_equal(vcpu.newest->reason, SVM_EXIT_CPUID);
    assert_int_equal(vcpu.newest->rip, 0x1002);
    assert_int_equal(vcpu.newest->start, 1050);
    vmcb->exit_code = UINT64_MAX;
    (void)svm_on_exit(&vcpu.run);
    assert_int_equal(svm.rows[SVM_EXIT_OTHER].exits, 1);
    vmcb->exit_code = SVM_EXIT_VMGEXIT;
    (void)svm_on_exit(&vcpu.run);
    assert_int_equal(svm.rows[SVM_EXIT_OTHER - 1].exits, 1);
    vmcb->exit_code = SVM_EXIT_HLT;
    vmcb->rip       = 0x3000;
    outcome         = EXIT_RESUME;
    (void)svm_on_exit(&vcpu.run);
    assert_int_equal(svm.rows[SVM_EXIT_HLT].exits, 1);
    assert_int_equal(svm.rows[SVM_EXIT_HLT].ticks, 20);
    assert_int_equal(vcpu.newest->rip, 0x3000);
}

/* A handler that needs all registers runs again, as the same exit. */
static void test_all_registers(void **state)
{
    (void)state;
    const struct exit_record *newest = vcpu.newest;

    outcome = EXIT_ALL_REGISTERS;
    assert_int_equal(svm_on_exit(&vcpu.run), RUN_ALL_REGISTERS);
    assert_state(0x1000, 1, 0x10202);
    assert_ptr_equal(vcpu.newest, newest);
    assert_int_equal(svm.rows[SVM_EXIT_CPUID].exits, 0);
}

/* What waits is delivered with the state after the instruction. */
static void test_delivery(void **state)
{
    (void)state;
    svm_request_interrupt(&vcpu, true);
    (void)svm_on_exit(&vcpu.run);
    assert_int_equal(vmcb->event_injection, 0x80000031);
    on_exit_start(NULL);
    outcome = EXIT_RESUME; /* in the interrupt shadow */
    svm_request_interrupt(&vcpu, true);
    (void)svm_on_exit(&vcpu.run);
    assert_int_equal(vmcb->event_injection, 0);
    assert_int_equal(vmcb->virtual_interrupt, V_IRQ);
}

/* Components of XCR0 that a guest enabled without an exit are taken back at the next. */
static void test_xcr0(void **state)
{
    (void)state;
    outcome  = EXIT_RESUME;
    cpu_xcr0 = XCR0_X87 | XCR0_SSE | BIT(17); /* tiles */
    (void)svm_on_exit(&vcpu.run);
    assert_int_equal(cpu_xcr0, XCR0_X87 | XCR0_SSE);
    cpu_xcr0 = GUEST_XCR0_ALLOWED;
    (void)svm_on_exit(&vcpu.run);
    assert_int_equal(cpu_xcr0, GUEST_XCR0_ALLOWED);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, on_exit_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_outcomes),      TEST(test_single_step), TEST(test_statistics),
        TEST(test_all_registers), TEST(test_delivery),    TEST(test_xcr0),
    };
    return cmocka_run_group_tests_name("svm_on_exit", tests, NULL, NULL);
}
