/* src/vmx/vcpu_events.c, on a VMCS that is an array. */
#include "unit.h"

#include "cpu/traps.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "platform/smp.h"
#include "vmx/on_exit.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

static uint64_t fields[0x8000];
static uint64_t debug_status, tsc;
static unsigned int nmis, machine_checks, interrupts;
static uint64_t apic_timer;
static struct cpu cpus[2] = {{.apic_id = 4}, {.apic_id = 6}};
static uint32_t interrupted_apic;

static uint64_t fake_get(enum vmcs_field field)
{
    return fields[field];
}

static void fake_set(enum vmcs_field field, uint64_t value)
{
    fields[field] = value;
}

static void fake_add_pending_debug(uint64_t causes)
{
    fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS] |= causes;
}

static uint64_t fake_read_dr6(void)
{
    return debug_status;
}

static void fake_write_dr6(uint64_t value)
{
    debug_status = value;
}

static void fake_nmi(void)
{
    nmis++;
}

static void fake_machine_check(void)
{
    machine_checks++;
}

static void fake_interrupts_handle_pending(void)
{
    interrupts++;
}

static uint64_t fake_rdtsc(void)
{
    return tsc;
}

void apic_set_timer(uint64_t tsc_ticks)
{
    apic_timer = tsc_ticks;
}

enum status apic_send(uint32_t id, uint32_t command)
{
    assert_int_equal(command, ICR_FIXED | VECTOR_WAKE);
    interrupted_apic = id;
    return STATUS_OK;
}

struct cpu *smp_cpu(size_t index)
{
    assert_true(index < 2);
    return &cpus[index];
}

static struct cpu *fake_this_cpu(void)
{
    return &cpus[0];
}

#define vmcs_get                  fake_get
#define vmcs_set                  fake_set
#define vmcs_add_pending_debug    fake_add_pending_debug
#define read_dr6                  fake_read_dr6
#define write_dr6                 fake_write_dr6
#define raise_nmi                 fake_nmi
#define raise_machine_check       fake_machine_check
#define interrupts_handle_pending fake_interrupts_handle_pending
#define rdtsc                     fake_rdtsc
#define this_cpu                  fake_this_cpu
#include "../../src/vmx/vcpu_events.c"

static struct vcpu vcpu;
static struct vmx_vcpu vmx;
static int injected;
static uint32_t injected_code;
static unsigned int alarms;
static bool can_be_woken, requests_at_alarm;

static void note_injection(struct vcpu *of, uint8_t vector, uint32_t code)
{
    (void)of;
    injected      = vector;
    injected_code = code;
}

static uint8_t accept_vector(struct vcpu *of)
{
    vcpu_request_interrupt(of, false);
    return 0x31;
}

static void note_alarm(struct vcpu *of)
{
    alarms++;
    if (requests_at_alarm) {
        vcpu_request_interrupt(of, true);
        vcpu_set_alarm(of, tsc + 100);
    }
}

static bool can_wake(struct vcpu *of)
{
    (void)of;
    return can_be_woken;
}

static enum exit_outcome interrupted(struct vcpu *of)
{
    (void)of;
    return EXIT_RESUME;
}

static const struct backend backend        = {.inject_exception = note_injection};
static const struct exit_handlers handlers = {.take_interrupt = accept_vector,
                                              .alarm          = note_alarm,
                                              .can_wake       = can_wake,
                                              .interrupted    = interrupted};

static int vcpu_start(void **state)
{
    memset(fields, 0, sizeof(fields));
    memset(&vcpu, 0, sizeof(vcpu));
    memset(&vmx, 0, sizeof(vmx));
    vcpu_reset(&vcpu, NULL);
    vcpu.backend              = &backend;
    vcpu.handlers             = &handlers;
    vcpu.arch                 = &vmx;
    vmx.vcpu                  = &vcpu;
    vmx.alarm                 = TICKS_NEVER;
    vmx.uses_preemption_timer = true;
    debug_status              = 0xFFFF0FF0;
    tsc                       = 1000;
    nmis = machine_checks = interrupts = alarms = 0;
    injected                                    = -1;
    can_be_woken                                = true;
    requests_at_alarm                           = false;
    return start_log(state);
}

#define TEST(name) cmocka_unit_test_setup(name, vcpu_start)

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
    assert_int_equal(exit_by(0x80000B11, 0), EXIT_RESUME); /* #AC */
    assert_int_equal(injected, VECTOR_AC);
    assert_int_equal(injected_code, 0);
    assert_int_equal(exit_by(0x80000202, 0), EXIT_RESUME); /* the machine's NMI */
    assert_int_equal(nmis, 1);
    assert_int_equal(exit_by(0x80000312, 0), EXIT_STOP);
    assert_int_equal(machine_checks, 1);
    assert_string_equal(vcpu.end, "machine check");
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

static void test_kick(void **state)
{
    (void)state;
    interrupted_apic = 0;
    vcpu.id          = VCPU_WITHOUT_CPU;
    assert_int_equal(vcpu_kick(&vcpu), STATUS_OK);
    vcpu.id = 0;
    assert_int_equal(vcpu_kick(&vcpu), STATUS_OK);
    assert_int_equal(interrupted_apic, 0);
    vcpu.id = 1;
    assert_int_equal(vcpu_kick(&vcpu), STATUS_OK);
    assert_int_equal(interrupted_apic, 6);
}

static void test_windows(void **state)
{
    (void)state;
    fields[VMCS_GUEST_ACTIVITY_STATE] = ACTIVITY_HLT;
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
        assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], 101);
        assert_int_equal(fields[VMCS_PRIMARY_CONTROLS],
                         is_on != 0 ? 0 : PRIMARY_INTERRUPT_WINDOW_EXITING);
        assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE],
                         is_on != 0 ? ACTIVITY_HLT : ACTIVITY_ACTIVE);
        assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION],
                         is_on != 0 ? 0x80000031 : 0);
    }
    assert_int_equal(alarms, 2);
}

static void test_halt(void **state)
{
    (void)state;
    assert_int_equal(hlt_handle_exit(&vcpu), EXIT_STOP);
    assert_string_equal(vcpu.end, "HLT with interrupts off");
    vcpu.end[0]               = '\0';
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
}

static void test_alarm(void **state)
{
    (void)state;
    vmx.preemption_timer_shift = 5;
    vcpu_set_alarm(&vcpu, 1000 + 320);
    assert_int_equal(vcpu.run.alarm_check, 1320 + 512);
    assert_int_equal(fields[VMCS_GUEST_PREEMPTION_TIMER], 11); /* not too early */
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
    assert_int_equal(apic_timer, TICKS_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_delivered_again),
        TEST(test_exceptions),
        TEST(test_debug_exceptions),
        TEST(test_windows),
        TEST(test_halt),
        TEST(test_alarm),
        TEST(test_delivery_at_once),
        TEST(test_injection),
        TEST(test_kick),
        TEST(test_requests_during_exit),
    };
    return cmocka_run_group_tests_name("exceptions", tests, NULL, NULL);
}
