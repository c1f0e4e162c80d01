/* src/vmx/vcpu_events.c: interrupts, NMIs, HLT and the alarm. */
#include "vcpu_events.h"

static void test_windows(void **state)
{
    (void)state;
    fields[VMCS_GUEST_ACTIVITY_STATE] = ACTIVITY_HLT;
    vcpu_request_interrupt(&vcpu, true); /* with interrupts off, it sleeps on */
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS], PRIMARY_INTERRUPT_WINDOW_EXITING);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_HLT);
    vcpu_request_interrupt(&vcpu, false);
    fields[VMCS_GUEST_RFLAGS] = RFLAGS_IF;
    vcpu_request_interrupt(&vcpu, true);
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS], PRIMARY_INTERRUPT_WINDOW_EXITING);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_ACTIVE);
    assert_int_equal(interrupt_window_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS], 0);
    vcpu_request_nmi(&vcpu);
    vcpu_request_nmi(&vcpu);
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS], PRIMARY_NMI_WINDOW_EXITING);
    assert_int_equal(nmi_window_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000202);
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS], 0);
}

/* An NMI wakes a halted guest, unless that is in the handler of another NMI. */
static void test_nmi_while_halted(void **state)
{
    (void)state;
    fields[VMCS_GUEST_ACTIVITY_STATE]         = ACTIVITY_HLT;
    fields[VMCS_GUEST_INTERRUPTIBILITY_STATE] = INTERRUPTIBILITY_NMI;
    vcpu_request_nmi(&vcpu);
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS], PRIMARY_NMI_WINDOW_EXITING);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_HLT);
    assert_int_equal(nmi_window_handle_exit(&vcpu), EXIT_RESUME);
    fields[VMCS_GUEST_INTERRUPTIBILITY_STATE] = 0;
    vcpu_request_nmi(&vcpu);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_ACTIVE);
}

/* An interrupt that an alarm requests needs no window if the guest accepts it at once. */
static void test_delivery_at_once(void **state)
{
    static const struct {
        uint64_t rflags, blocking, pending_debug;
        bool is_delivered;
    } rows[] = {{RFLAGS_IF, 0, 0, true},
                {0, 0, 0, false},
                {RFLAGS_IF, 1, 0, false}, /* STI */
                {RFLAGS_IF, 2, 0, false}, /* MOV SS */
                {RFLAGS_IF, 0, 1, false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fields[VMCS_ENTRY_INTERRUPTION_INFORMATION] = 0;
        fields[VMCS_GUEST_RFLAGS]                   = rows[i].rflags;
        fields[VMCS_GUEST_INTERRUPTIBILITY_STATE]   = rows[i].blocking;
        fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS] = rows[i].pending_debug;
        vcpu_request_interrupt(&vcpu, true);
        assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
        assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION],
                         rows[i].is_delivered ? 0x80000031 : 0);
        assert_int_equal(fields[VMCS_PRIMARY_CONTROLS],
                         rows[i].is_delivered ? 0 : PRIMARY_INTERRUPT_WINDOW_EXITING);
    }
    fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS] = 0;
    vcpu_request_interrupt(&vcpu, false);
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
    vcpu_request_interrupt(&vcpu, true);
    vcpu_request_nmi(&vcpu); /* has priority */
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
}

/* What the handlers request during an exit takes effect at its end. */
static void test_requests_during_exit(void **state)
{
    (void)state;
    requests_at_alarm = true;
    for (int is_on = 0; is_on < 2; is_on++) {
        fields[VMCS_GUEST_RFLAGS]         = is_on != 0 ? RFLAGS_IF : 0;
        fields[VMCS_GUEST_ACTIVITY_STATE] = ACTIVITY_HLT;
        vcpu_set_alarm(&vcpu, tsc);
        assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
        assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], 37);
        assert_int_equal(fields[VMCS_PRIMARY_CONTROLS],
                         is_on != 0 ? 0 : PRIMARY_INTERRUPT_WINDOW_EXITING);
        /* The delivery wakes it, and nothing does with interrupts off. */
        assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_HLT);
        assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION],
                         is_on != 0 ? 0x80000031 : 0);
    }
    assert_int_equal(alarms, 2);
    assert_int_equal(apic_updates, 0);
    vmx.apic.is_outdated = true; /* what processors virtualize of the APIC follows too */
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(apic_updates, 1);
}

static void test_halt(void **state)
{
    (void)state;
    can_be_woken = false;
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_STOP);
    assert_false(asked_for_interrupts);
    assert_string_equal(vcpu.end->text, "HLT with interrupts off");
    assert_int_equal(guest_end.kind, GUEST_END_REQUESTED);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_ACTIVE);
    *vcpu.end    = (struct guest_end){0};
    can_be_woken = true; /* by an NMI */
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_HLT);
    fields[VMCS_GUEST_RFLAGS] = RFLAGS_IF;
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_HLT);
    /* A pending event prevents sleeping, except an NMI while NMIs are blocked. */
    vcpu_request_nmi(&vcpu);
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_ACTIVE);
    fields[VMCS_GUEST_INTERRUPTIBILITY_STATE] = INTERRUPTIBILITY_NMI;
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_HLT);
    can_be_woken = false;
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_STOP);
    assert_true(asked_for_interrupts);
    assert_string_equal(vcpu.end->text, "HLT with all interrupts masked");
}

/* A host interrupt may not reach a guest that is halted with IF clear: INIT waits. */
static void test_looks_while_deaf(void **state)
{
    (void)state;
    fields[VMCS_GUEST_PREEMPTION_TIMER] = UINT32_MAX;
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], CLOCK_HZ / 50 + 1);
    fields[VMCS_GUEST_PREEMPTION_TIMER] = 0; /* and again */
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], CLOCK_HZ / 50 + 1);
    vcpu_set_alarm(&vcpu, tsc + 64 + 7); /* an earlier alarm comes in time */
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], 8);
    vcpu_set_alarm(&vcpu, TICKS_NEVER);
    fields[VMCS_GUEST_RFLAGS] = RFLAGS_IF;
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], UINT32_MAX);
}

/* A guest that sleeps ends if the last vCPU that could wake it has gone to sleep. */
static void test_end_while_halted(void **state)
{
    (void)state;
    fields[VMCS_GUEST_RFLAGS] = RFLAGS_IF;
    can_be_woken              = false;
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME); /* it is not asleep */
    fields[VMCS_GUEST_ACTIVITY_STATE] = ACTIVITY_HLT;
    can_be_woken                      = true;
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    can_be_woken = false;
    vcpu_request_interrupt(&vcpu, true);
    fields[VMCS_GUEST_ACTIVITY_STATE] = ACTIVITY_HLT;
    assert_int_equal(interrupt_handle_exit(&vcpu),
                     EXIT_RESUME); /* the last one wakes it */
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
    fields[VMCS_ENTRY_INTERRUPTION_INFORMATION] = 0; /* after the entry */
    outcome_of_interrupt = EXIT_ALL_REGISTERS;       /* INIT has arrived */
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_ALL_REGISTERS);
    assert_string_equal(vcpu.end->text, "");
    outcome_of_interrupt = EXIT_RESUME;
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_STOP);
    assert_string_equal(vcpu.end->text, "HLT with all interrupts masked");
}

/* With the TPR shadow, TPR may block an interrupt that did not wait for it. */
static void test_tpr_shadow(void **state)
{
    (void)state;
    fields[VMCS_GUEST_RFLAGS] = RFLAGS_IF;
    vcpu_request_interrupt(&vcpu, true);
    vmx.apic.has_tpr_shadow = true;
    tpr_blocks              = true;
    assert_int_equal(interrupt_window_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS], 0);
    vcpu_request_interrupt(&vcpu, true);
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS], 0);
    vcpu_request_interrupt(&vcpu, true);
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_NEXT); /* there is no event */
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_HLT);
    assert_int_equal(tpr_looks, 3);
    vcpu_request_interrupt(&vcpu, true);
    tpr_blocks = false;
    assert_int_equal(interrupt_resume(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
    assert_int_equal(tpr_looks, 4);
    assert_int_equal(interrupt_resume(&vcpu), EXIT_RESUME); /* there is none */
    assert_int_equal(tpr_looks, 4);
    /* Without it, the model sees all changes. */
    vmx.apic.has_tpr_shadow = false;
    vcpu_request_interrupt(&vcpu, true);
    assert_int_equal(interrupt_window_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(tpr_looks, 4);
}

static void test_alarm(void **state)
{
    (void)state;
    vmx.preemption_timer_shift = 5;
    vcpu_set_alarm(&vcpu, 1000 + 320);
    assert_int_equal(vcpu.run.alarm_check, 1320 + 512);
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER],
                     9); /* VM entry and VM exit take at least 64 ticks */
    tsc                       = 1100;
    can_be_woken              = true;
    fields[VMCS_GUEST_RFLAGS] = RFLAGS_IF;
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER],
                     5); /* it did not count in the exit */
    tsc = 1319;
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(alarms, 0);
    tsc = 1320;
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(alarms, 1);
    assert_int_equal(interrupts, 2); /* the host's, which it would delay */
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], UINT32_MAX);
    assert_true((int32_t)(1320 - vcpu.run.alarm_check) < 0);
    vcpu_set_alarm(&vcpu, UINT64_C(1) << 60); /* beyond the range of the timer */
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], UINT32_MAX);
    vcpu_set_alarm(&vcpu, 5); /* in the past */
    assert_true(fields[VMCS_GUEST_PREEMPTION_TIMER] <= 1);
    /* The timer counts only in the guest; exits notice that the alarm is due. */
    vcpu_set_alarm(&vcpu, 2000);
    fields[VMCS_GUEST_PREEMPTION_TIMER] = 20; /* saved at an exit */
    tsc                                 = 1999;
    (void)vcpu_hasten_alarm(&vcpu);
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], 20);
    tsc = 2000;
    (void)vcpu_hasten_alarm(&vcpu);
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], 0);
    vmx.uses_preemption_timer = false;
    tsc                       = 1320;
    vcpu_set_alarm(&vcpu, 1500);
    assert_int_equal(apic_timer, 180);
    vcpu_set_alarm(&vcpu, TICKS_NEVER);
    assert_int_equal(apic_timer, TICKS_NEVER - 1320); /* it does not stop */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_windows),
        TEST(test_delivery_at_once),
        TEST(test_requests_during_exit),
        TEST(test_nmi_while_halted),
        TEST(test_halt),
        TEST(test_tpr_shadow),
        TEST(test_looks_while_deaf),
        TEST(test_end_while_halted),
        TEST(test_alarm),
    };
    return cmocka_run_group_tests_name("vcpu events", tests, NULL, NULL);
}
