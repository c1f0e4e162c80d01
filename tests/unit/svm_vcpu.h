/*
 * A vCPU of AMD-V whose VMCB no processor reads, on a CPU with a clock that the test
 * sets: for src/svm/exit.c, on_exit.c, vcpu_events.c and vcpu_state.c, which it
 * includes.
 */
#ifndef HYMIR_TESTS_SVM_VCPU_H
#define HYMIR_TESTS_SVM_VCPU_H

#include "machine_checks.h"
#include "unit.h"

#include "cpu/guest_state.h"
#include "cpu/speculation.h"
#include "cpu/traps.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "platform/smp.h"
#include "svm/exit.h"
#include "svm/vcpu.h"
#include "svm/vcpu_events.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

/* The CPU. */
static uint64_t tsc;
static unsigned int interrupts, halts;
static uint64_t apic_timer;
static unsigned int timer_writes;
static uint64_t cpu_xcr0, cpu_cr4;
static uint32_t svm_features;        /* CPUID.8000000AH:EDX */
static uint32_t extended_features_2; /* CPUID.80000008H:EBX */
static void (*at_halt)(void);        /* what happens while it halts */

static uint64_t fake_rdtsc(void)
{
    return tsc;
}

static uint32_t fake_rdtsc_low(void)
{
    return (uint32_t)tsc;
}

static void fake_interrupts_handle_pending(void)
{
    interrupts++;
}

static void fake_halt(void)
{
    halts++;
    assert_true(halts < 100);
    at_halt();
}

static uint64_t fake_read_xcr0(void)
{
    return cpu_xcr0;
}

static uint32_t fake_xsetbv_safe(uint64_t value)
{
    if ((value & XCR0_X87) == 0)
        return FAULT_RAISED | VECTOR_GP;
    cpu_xcr0 = value;
    return FAULT_NONE;
}

static uint64_t fake_read_cr3(void)
{
    return 0x1000;
}

static uint64_t fake_read_cr4(void)
{
    return cpu_cr4;
}

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
    assert_int_equal(subleaf, 0);
    if (leaf == CPUID_LEAF_EXTENDED)
        return (struct cpuid_result){.eax = CPUID_LEAF_SVM};
    if (leaf == CPUID_LEAF_ADDRESS_SIZES)
        return (struct cpuid_result){.eax = 48, .ebx = extended_features_2};
    if (leaf == CPUID_LEAF_SVM)
        return (struct cpuid_result){.ebx = 16, .edx = svm_features};
    return (struct cpuid_result){0};
}

static uint64_t fake_read_cr0(void)
{
    return CR0_PE | CR0_PG;
}

static unsigned int state_restarts;

void guest_state_restart(void)
{
    state_restarts++;
}

size_t speculation_passed_msrs(uint32_t msrs[SPECULATION_MSRS])
{
    msrs[0] = 0x48;
    msrs[1] = 0x49;
    return 2;
}

void apic_set_timer(uint64_t tsc_ticks)
{
    apic_timer = tsc_ticks;
    timer_writes++;
}

#undef skip /* of cmocka */
#define rdtsc                     fake_rdtsc
#define rdtsc_low                 fake_rdtsc_low
#define interrupts_handle_pending fake_interrupts_handle_pending
#define halt_until_interrupt      fake_halt
#define guest_state_read_xcr0     fake_read_xcr0
#define xsetbv_safe               fake_xsetbv_safe
#define read_cr0                  fake_read_cr0
#define read_cr3                  fake_read_cr3
#define read_cr4                  fake_read_cr4
#define cpuid                     fake_cpuid
#include "../../src/svm/entry_report.c"
#undef cpuid /* a handler of exits has this name */
#define cpuid(leaf, subleaf) fake_cpuid(leaf, subleaf)
#include "../../src/svm/exit.c"
#include "../../src/svm/on_exit.c"
#include "../../src/svm/vcpu_events.c"
#include "../../src/svm/vcpu_state.c"

static struct vcpu vcpu;
static struct guest_end guest_end;
static struct svm_vcpu svm;
static struct vmcb *const vmcb = &svm.vmcb;

/* The VM. */
static uint8_t code[INSTRUCTION_LENGTH_MAX]; /* at RIP, if it must be fetched */
static unsigned int fetches;
static _Alignas(4096) uint8_t ram[0x7000];
static unsigned int alarms;
static bool can_be_woken, asked_for_interrupts, keeps_requesting;
static uint64_t next_alarm;
static enum exit_outcome after_interrupt;

static uint8_t take_interrupt(struct vcpu *of)
{
    svm_request_interrupt(of, keeps_requesting);
    return 0x31;
}

static void note_alarm(struct vcpu *of)
{
    alarms++;
    if (next_alarm != TICKS_NEVER)
        svm_set_alarm(of, next_alarm);
}

static bool can_wake(struct vcpu *of, bool accepts_interrupts)
{
    (void)of;
    asked_for_interrupts = accepts_interrupts;
    return can_be_woken;
}

static enum exit_outcome handle_interrupted(struct vcpu *of)
{
    (void)of;
    return after_interrupt;
}

static size_t fetch_code(struct vcpu *of, uint8_t *bytes)
{
    (void)of;
    fetches++;
    memcpy(bytes, code, sizeof(code));
    return sizeof(code);
}

/* Returns guest memory, of which there are 28 KiB at 0. */
static void *find_ram(struct vcpu *of, gpa_t address, uint64_t size)
{
    (void)of;
    return address.value < sizeof(ram) && size <= sizeof(ram) - address.value
               ? ram + address.value
               : NULL;
}

static uint64_t read_register(struct vcpu *of, enum vcpu_register which)
{
    (void)of;
    if (which == VCPU_CPL)
        return svm.vmcb.cpl;
    assert_int_equal(which, VCPU_DEBUGCTL);
    return *debugctl_of(&svm);
}

static struct exit_handlers handlers = {.take_interrupt = take_interrupt,
                                        .alarm          = note_alarm,
                                        .can_wake       = can_wake,
                                        .interrupted    = handle_interrupted,
                                        .fetch          = fetch_code,
                                        .ram            = find_ram};

/* The CPUID that the guest sees. */
static struct cpuid_result read_guest_cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    return leaf == 0   ? (struct cpuid_result){.eax = 7}
           : leaf == 1 ? (struct cpuid_result){.edx = 0x078BA97F} /* no XSAVE, PCID */
                       : (struct cpuid_result){.ebx = BIT(7)};    /* SMEP */
}

static const struct backend backend = {.read_cpuid       = read_guest_cpuid,
                                       .inject_exception = svm_exception_inject,
                                       .add_debug_causes = svm_debug_causes_add,
                                       .read_register    = read_register,
                                       .read_segment     = svm_segment_read};

#define CODE_64_ATTRIBUTES 0xA9B
#define CODE_32_ATTRIBUTES 0xC9B

/* Starts a guest in 64-bit mode with interrupts on, after an exit. */
static inline int svm_vcpu_start(void **state)
{
    memset(&vcpu, 0, sizeof(vcpu));
    memset(&svm, 0, sizeof(svm));
    memset(code, 0, sizeof(code));
    memset(ram, 0, sizeof(ram));
    svm.vcpu                             = &vcpu;
    svm.alarm                            = TICKS_NEVER;
    svm.clean                            = CLEAN_ALL;
    svm.flush                            = TLB_CONTROL_FLUSH_ASID;
    vcpu.arch                            = &svm;
    vcpu.end                             = &guest_end;
    guest_end                            = (struct guest_end){0};
    vcpu.backend                         = &backend;
    vcpu.handlers                        = &handlers;
    vmcb->cr0                            = CR0_PE | CR0_PG;
    vmcb->cr4                            = CR4_PAE | CR4_MCE;
    vmcb->efer                           = EFER_LMA | EFER_LME | EFER_SVME;
    vmcb->rflags                         = RFLAGS_FIXED | RFLAGS_IF;
    vmcb->dr6                            = DR6_AFTER_RESET;
    vmcb->dr7                            = DR7_AFTER_RESET;
    vmcb->clean                          = CLEAN_ALL;
    vmcb->rip                            = 0x1000;
    vmcb->next_rip                       = 0x1002;
    svm.has_next_rip                     = true;
    vmcb->intercept_1                    = INTERCEPT_HLT;
    vmcb->segment[SEGMENT_CS].attributes = CODE_64_ATTRIBUTES;
    tsc                                  = 1000;
    cpu_xcr0                             = XCR0_X87;
    interrupts = halts = alarms = fetches = 0;
    machine_checks_start();
    next_alarm       = TICKS_NEVER;
    can_be_woken     = true;
    keeps_requesting = false;
    after_interrupt  = EXIT_RESUME;
    vcpu_reset(&vcpu, NULL);
    return start_log(state);
}

/* Returns whether a window for interrupts is open. */
static inline bool has_window(void)
{
    bool is_intercepted = (vmcb->intercept_1 & BIT(4)) != 0;

    bool has_v_irq = (vmcb->virtual_interrupt & BIT(8)) != 0;

    assert_true(has_v_irq || !is_intercepted);
    assert_true(is_intercepted || !has_v_irq || !svm.has_next_rip);
    assert_true((vmcb->intercept_1 & BIT(24)) != 0); /* the other ones stay */
    return is_intercepted;
}

#define TEST(name) cmocka_unit_test_setup(name, svm_vcpu_start)

#endif
