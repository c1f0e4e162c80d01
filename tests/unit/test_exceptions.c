/* src/vmx/vcpu_events.c: exceptions, and events whose delivery caused an exit. */
#include "vcpu_events.h"

static void interrupted_by(uint64_t event, uint64_t code, uint64_t length)
{
    fields[VMCS_IDT_VECTORING_INFORMATION] = event;
    fields[VMCS_IDT_VECTORING_ERROR_CODE]  = code;
    fields[VMCS_EXIT_INSTRUCTION_LENGTH]   = length;
    event_redeliver();
}

/* SDM 3C, "Information for VM Exits That Occur During Event Delivery". */
static void test_delivered_again(void **state)
{
    (void)state;
    interrupted_by(0, 7, 2); /* nothing was being delivered */
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
    interrupted_by(0x80000031, 0, 0); /* an interrupt */
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
    interrupted_by(0x80001B0E, 6, 0); /* a page fault; bit 12 is undefined */
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000B0E);
    assert_int_equal(fields[VMCS_ENTRY_EXCEPTION_ERROR_CODE], 6);
    interrupted_by(0x80000480, 0, 2); /* INT 0x80 */
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000480);
    assert_int_equal(fields[VMCS_ENTRY_INSTRUCTION_LENGTH], 2);
    fields[VMCS_GUEST_INTERRUPTIBILITY_STATE] = 8;
    interrupted_by(0x80000202, 0, 0); /* an NMI, which must not stay blocked */
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000202);
    assert_int_equal(fields[VMCS_GUEST_INTERRUPTIBILITY_STATE], 0);
}

static enum exit_outcome exit_by(uint64_t event, uint64_t code)
{
    fields[VMCS_EXIT_INTERRUPTION_INFORMATION] = event;
    fields[VMCS_EXIT_INTERRUPTION_ERROR_CODE]  = code;
    return exception_handle_exit(&vcpu);
}

static void test_exceptions(void **state)
{
    (void)state;
    fields[VMCS_IDT_VECTORING_INFORMATION] = 0x80000031;   /* its delivery raises: */
    assert_int_equal(exit_by(0x80000B11, 0), EXIT_RESUME); /* #AC, in its place */
    fields[VMCS_IDT_VECTORING_INFORMATION] = 0;
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
    assert_int_equal(injected, VECTOR_AC);
    assert_int_equal(injected_code, 0);
    assert_int_equal(interrupts, 1); /* the host's: it may raise itself, endlessly */
    outcome_of_interrupt = EXIT_STOP;
    assert_int_equal(exit_by(0x80000B11, 0), EXIT_STOP);
    assert_int_equal(exit_by(0x80000202, 0), EXIT_RESUME); /* the machine's NMI */
    assert_int_equal(nmis, 1);
}

/* An error in a guest's memory; one elsewhere; a guest that cannot go on. */
static void test_machine_checks(void **state)
{
    (void)state;
    fields[VMCS_IDT_VECTORING_INFORMATION] = 0x80000031;
    assert_int_equal(exit_by(0x80000312, 0), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
    assert_int_equal(machine_checks, 0);
    assert_int_equal(looks, 1);
    assert_int_equal(interrupts, 1);
    assert_string_equal(vcpu.end->text, "");
    looks                    = 0;
    outcome_of_machine_check = MACHINE_CHECK_STOP;
    (void)machine_check_handle_exit(&vcpu);
    assert_int_equal(machine_checks, 1);
    looks                    = 0;
    outcome_of_machine_check = MACHINE_CHECK_END_GUEST;
    (void)machine_check_handle_exit(&vcpu);
    assert_string_equal(vcpu.end->text, "machine check; the guest cannot go on");
    assert_int_equal(machine_checks, 1);
}

/* SDM 3C, "Instruction Timeout". */
static void test_instruction_timeout(void **state)
{
    (void)state;
    fields[VMCS_IDT_VECTORING_INFORMATION] = 0x80000031;
    fields[VMCS_EXIT_QUALIFICATION]        = 0x1000;
    assert_int_equal(instruction_timeout_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_GUEST_INTERRUPTIBILITY_STATE], 8);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
    assert_int_equal(interrupts, 1);
    outcome_of_interrupt = EXIT_STOP;
    assert_int_equal(instruction_timeout_handle_exit(&vcpu), EXIT_STOP);
    fields[VMCS_EXIT_QUALIFICATION] = 1;
    assert_int_equal(instruction_timeout_handle_exit(&vcpu), EXIT_STOP);
    assert_string_equal(vcpu.end->text, "instruction timeout; the context is lost");
}

static void test_bus_lock(void **state)
{
    (void)state;
    assert_int_equal(bus_lock_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
    fields[VMCS_IDT_VECTORING_INFORMATION] = 0x80000031;
    assert_int_equal(bus_lock_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
}

/* A machine check that interrupted Hymir leaves the look at the banks to an exit. */
static void test_machine_check_in_hymir(void **state)
{
    (void)state;
    machine_check_cpu.has_machine_check = true;
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(looks, 1);
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(looks, 1);
}

/* SDM 3C, "Checks on Guest Non-Register State": BS in a shadow if TF is set. */
static void test_debug_exceptions(void **state)
{
    (void)state;
    fields[VMCS_EXIT_QUALIFICATION] = 0x4001;
    fields[VMCS_GUEST_DR7]          = 0x2400;
    assert_int_equal(exit_by(0x80000301, 0), EXIT_RESUME);
    assert_int_equal(injected, VECTOR_DB);
    assert_int_equal(debug_status, 0xFFFF4FF1);
    assert_int_equal(fields[VMCS_GUEST_DR7], 0x400);
    assert_int_equal(fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS], 0);
    fields[VMCS_GUEST_RFLAGS]                   = 0x102;
    fields[VMCS_GUEST_INTERRUPTIBILITY_STATE]   = 1;
    fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS] = 0x1002;
    assert_int_equal(exit_by(0x80000301, 0), EXIT_RESUME);
    assert_int_equal(fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS], 0x5002);
    /* A #DB ends single-stepping on branches; then each instruction traps. */
    fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS] = 0;
    fields[VMCS_GUEST_IA32_DEBUGCTL]            = 3;
    assert_int_equal(exit_by(0x80000301, 0), EXIT_RESUME);
    assert_int_equal(fields[VMCS_GUEST_IA32_DEBUGCTL], 0);
    assert_int_equal(fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS], 0x4000);
    uint64_t status_before               = debug_status;
    fields[VMCS_EXIT_QUALIFICATION]      = 0x400F;
    injected                             = -1;
    fields[VMCS_EXIT_INSTRUCTION_LENGTH] = 1;
    assert_int_equal(exit_by(0x80000501, 0), EXIT_RESUME); /* INT1 */
    assert_int_equal(injected, -1);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000501);
    assert_int_equal(fields[VMCS_ENTRY_INSTRUCTION_LENGTH], 1);
    assert_int_equal(debug_status, status_before); /* INT1 is none of its causes */
}

/* An error code exists for some vectors, outside real-address mode. */
static void test_injection(void **state)
{
    (void)state;
    fields[VMCS_GUEST_CR0] = 0x80000011;
    exception_inject(&vcpu, VECTOR_GP, 0x18);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000B0D);
    assert_int_equal(fields[VMCS_ENTRY_EXCEPTION_ERROR_CODE], 0x18);
    exception_inject(&vcpu, VECTOR_UD, 0);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000306);
    fields[VMCS_GUEST_CR0] = 0x10;
    exception_inject(&vcpu, VECTOR_GP, 0);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x8000030D);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_delivered_again),     TEST(test_machine_checks),
        TEST(test_instruction_timeout), TEST(test_machine_check_in_hymir),
        TEST(test_exceptions),          TEST(test_debug_exceptions),
        TEST(test_injection),           TEST(test_bus_lock),
    };
    return cmocka_run_group_tests_name("exceptions", tests, NULL, NULL);
}
