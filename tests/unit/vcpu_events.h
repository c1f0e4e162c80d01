/*
 * src/vmx/vcpu_events.c, on a VMCS that is an array.
 */
#ifndef HYMIR_TESTS_VCPU_EVENTS_H
#define HYMIR_TESTS_VCPU_EVENTS_H

#include "machine_checks.h"
#include "vmcs_array.h"

static uint64_t debug_status, tsc;
static unsigned int nmis, interrupts;
static uint64_t apic_timer;

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

static void fake_interrupts_handle_pending(void)
{
    interrupts++;
}

static uint64_t fake_rdtsc(void)
{
    return tsc;
}

#define CLOCK_HZ 100000

uint64_t clock_frequency(void)
{
    return CLOCK_HZ;
}

void apic_set_timer(uint64_t tsc_ticks)
{
    apic_timer = tsc_ticks;
}

#define read_dr6                  fake_read_dr6
#define write_dr6                 fake_write_dr6
#define raise_nmi                 fake_nmi
#define interrupts_handle_pending fake_interrupts_handle_pending
#define rdtsc                     fake_rdtsc
#include "../../src/vmx/vcpu_events.c"

static struct vcpu vcpu;
static struct guest_end guest_end;
static struct vmx_vcpu vmx;
static int injected;
static uint32_t injected_code;
static unsigned int alarms;
static bool can_be_woken, asked_for_interrupts, requests_at_alarm;

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

static bool note_can_wake(struct vcpu *of, bool accepts_interrupts)
{
    (void)of;
    asked_for_interrupts = accepts_interrupts;
    return can_be_woken;
}

/* The guest has changed TPR without an exit: it blocks the interrupt, or no longer. */
static unsigned int tpr_looks;
static bool tpr_blocks;

static void look_at_tpr(struct vcpu *of)
{
    tpr_looks++;
    vcpu_request_interrupt(of, !tpr_blocks);
}

static enum exit_outcome outcome_of_interrupt;

static enum exit_outcome interrupted(struct vcpu *of)
{
    (void)of;
    return outcome_of_interrupt;
}

static unsigned int apic_updates;

static void note_apic_update(struct vcpu *of)
{
    (void)of;
    apic_updates++;
}

static const struct backend backend        = {.inject_exception = note_injection,
                                              .update_apic      = note_apic_update};
static const struct exit_handlers handlers = {.take_interrupt = accept_vector,
                                              .alarm          = note_alarm,
                                              .can_wake       = note_can_wake,
                                              .interrupted    = interrupted,
                                              .tpr_changed    = look_at_tpr};

static int vcpu_start(void **state)
{
    memset(fields, 0, sizeof(fields));
    memset(&vcpu, 0, sizeof(vcpu));
    memset(&vmx, 0, sizeof(vmx));
    vcpu_reset(&vcpu, NULL);
    vcpu.backend              = &backend;
    vcpu.handlers             = &handlers;
    vcpu.arch                 = &vmx;
    vcpu.end                  = &guest_end;
    guest_end                 = (struct guest_end){0};
    vmx.vcpu                  = &vcpu;
    vmx.alarm                 = TICKS_NEVER;
    vmx.uses_preemption_timer = true;
    debug_status              = 0xFFFF0FF0;
    tsc                       = 1000;
    nmis = interrupts = alarms = 0;
    machine_checks_start();
    injected             = -1;
    can_be_woken         = true;
    requests_at_alarm    = false;
    tpr_looks            = 0;
    tpr_blocks           = false;
    outcome_of_interrupt = EXIT_RESUME;
    return start_log(state);
}

#define TEST(name) cmocka_unit_test_setup(name, vcpu_start)

#endif
