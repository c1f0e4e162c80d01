/*
 * Hymir's own VMCS on a recorded processor: compiles the sources that write it, with
 * VMWRITE and the registers of the machine replaced. Included once.
 */
#ifndef HYMIR_TESTS_RECORDED_VMCS_H
#define HYMIR_TESTS_RECORDED_VMCS_H

#include "recordings.h"

#include "cpu/setup.h"
#include "cpu/speculation.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/test_hooks.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "virt/control_register_rules.h"
#include "vmx/control_registers.h"
#include "vmx/ept.h"
#include "vmx/fixed_bits.h"
#include "vmx/guest_policy.h"
#include "vmx/rules.h"
#include "vmx/trial.h"
#include "vmx/vcpu.h"
#include "vmx/vcpu_events.h"
#include "vmx/vmcs_areas.h"
#include "vmx/vmx.h"
#include "x86/exceptions.h"
#include "x86/msr.h"
#include "x86/paging.h"

/* The CPU of the machine, as Hymir has set it up in VMX operation. */
static struct cpu machine_cpu;
static uint64_t machine_cr0, machine_cr4;

/* What has been written with VMWRITE, and what the rules know of the processor. */
static struct entry_snapshot written;

/* A field keeps only the bits of its width. */
static bool machine_vmcs_write(enum vmcs_field field, uint64_t value)
{
    static const uint64_t masks[] = {UINT16_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX};
    uint32_t number               = vmx_entry_value_of_field(field);

    assert_true(number != VALUE_NONE);
    entry_snapshot_set(&written, number, value & masks[field >> 13 & 3]);
    return true;
}

static bool machine_vmcs_write_rows(const struct vmcs_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)machine_vmcs_write(rows[i].field, rows[i].value);
    return true;
}

/* Reads a field that has been written. */
static uint64_t machine_vmcs_get(enum vmcs_field field)
{
    uint32_t number = vmx_entry_value_of_field(field);

    assert_true(number != VALUE_NONE && entry_snapshot_has(&written, number));
    return written.value[number];
}

static void machine_vmcs_set(enum vmcs_field field, uint64_t value)
{
    (void)machine_vmcs_write(field, value);
}

static uint64_t machine_rdmsr(uint32_t number)
{
    switch (number) {
    case MSR_IA32_EFER:
        return EFER_LMA | EFER_LME | EFER_NXE | EFER_SCE;
    case MSR_IA32_PAT:
        return UINT64_C(0x0007040100070406);
    case MSR_IA32_GS_BASE:
        return UINT64_C(0xFFFFFFFF80200000);
    default:
        return 0;
    }
}

#define vmcs_write                      machine_vmcs_write
#define vmcs_write_rows                 machine_vmcs_write_rows
#define vmcs_get                        machine_vmcs_get
#define vmcs_set                        machine_vmcs_set
#define rdmsr                           machine_rdmsr
#define rdtsc()                         UINT64_C(1000000)
#define read_cr0()                      machine_cr0
#define read_cr3()                      UINT64_C(0x119000)
#define read_cr4()                      machine_cr4
#define this_cpu()                      (&machine_cpu)
#define cpu_idt_base()                  UINT64_C(0xFFFFFFFF8008A000)
#define apic_is_enabled()               true
#define ept_invalidate(of)              ((void)(of), true)
#define ept_invalidate_translations(of) (void)(of)
#define vcpu_on_exit                    NULL
#define vmx_run(run)                    ((void)(run), VMX_SUCCEED)
#define raise_nmi()                     (void)0
#define vmx_trial_run_guest             recorded_trial_run_guest
#define vmx_trial_exit_by_cpuid         recorded_trial_exit_by_cpuid
#define vmx_trial_exit_by_vmcall        recorded_trial_exit_by_vmcall

#include "../../src/vmx/vmcs_areas.c"

#include "../../src/vmx/apic_virtualization.c"

#include "../../src/vmx/vcpu_state.c"

/* A function of both sources has this name. */
#define write_guest_state trial_write_guest_state
#include "../../src/vmx/trial_guest.c"
#undef write_guest_state

/* The guest of the trial, whose code is not executed. */
__asm__(".globl trial_guest_start, trial_guest_vmcall, trial_guest_end\n"
        "trial_guest_start: trial_guest_vmcall: .zero 16\n"
        "trial_guest_end: .zero 1\n");

/* Reports that the tests do not make. */
void entry_check_before(const struct entry_attempt *attempt)
{
    (void)attempt;
}

void entry_failure_explain(const struct entry_attempt *attempt,
                           const struct vmx_entry_failure *failure,
                           struct entry_summary *summary)
{
    (void)attempt;
    (void)failure;
    (void)summary;
}

/* Events, and what INIT resets outside the VMCS. */
void guest_state_restart(void)
{
}

size_t speculation_passed_msrs(uint32_t msrs[SPECULATION_MSRS])
{
    msrs[0] = 0x48;
    msrs[1] = 0x49;
    return 2;
}

void vcpu_cancel_events(struct vcpu *vcpu)
{
    (void)vcpu;
}

void event_redeliver(void)
{
    fail();
}

enum exit_outcome interrupt_resume(struct vcpu *vcpu)
{
    fail_msg("%p", (void *)vcpu);
    return EXIT_RESUME;
}

/* ---- The recorded processor */

static struct vmx_capabilities capabilities;

static void read_capabilities(void)
{
    memset(&capabilities, 0, sizeof(capabilities));
    for (uint32_t i = 0; i < VMX_MSR_COUNT; i++) {
        uint64_t value = recording_msr(VMX_MSR_FIRST + i);
        if (value != NONE)
            capabilities.msr[i] = (struct msr_reading){.value = value, .state = MSR_READ};
    }
}

/* Fits CR0 and CR4 to VMX operation; returns whether Hymir can run there. */
static bool machine_setup(void)
{
    struct fixed_bits_result cr0, cr4;
    bool has_mce   = (recording.snapshot.leaf_1.edx & CPUID_1_EDX_MCE) != 0;
    bool has_xsave = (recording.snapshot.leaf_1.ecx & CPUID_1_ECX_XSAVE) != 0;

    read_capabilities();
    cr0         = fixed_bits_fit_processor(&fixed_bits_cr0, CR0_INITIAL, &capabilities);
    cr4         = fixed_bits_fit_processor(&fixed_bits_cr4,
                                           CR4_INITIAL | CR4_VMXE | (has_mce ? CR4_MCE : 0) |
                                               (has_xsave ? CR4_OSXSAVE : 0),
                                           &capabilities);
    machine_cr0 = cr0.value;
    machine_cr4 = cr4.value;
    return cr0.outcome == FIXED_BITS_OK && cr4.outcome == FIXED_BITS_OK;
}

/* Starts a VMCS: only what the processor itself adds to the fields is known. */
static void written_start(void)
{
    memset(&written, 0, sizeof(written));
    vmx_entry_set_capabilities(&written, &capabilities);
    vmx_entry_set_cpuid(&written, recording_cpuid);
    entry_snapshot_set(&written, VALUE_CURRENT_EFER, machine_rdmsr(MSR_IA32_EFER));
    entry_snapshot_set(&written, VALUE_IN_SMM, 0);
    entry_snapshot_set(&written, VALUE_IS_RESUME, 0);
    entry_snapshot_set(&written, VALUE_IS_LAUNCHED, 0);
    entry_snapshot_set(&written, VALUE_MOV_SS_BLOCKING, 0);
    entry_snapshot_set(&written, VALUE_CURRENT_RTIT_CTL, 0);
    /* entry.asm writes these. */
    entry_snapshot_set(&written, VALUE_HOST_RSP, UINT64_C(0xFFFFFFFF80202DA0));
    entry_snapshot_set(&written, VALUE_HOST_RIP, UINT64_C(0xFFFFFFFF80038CBA));
}

#endif
