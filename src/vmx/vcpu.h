/*
 * Intel's backend of virt/backend.h: a vCPU as a VMCS that runs on one CPU.
 */
#ifndef HYMIR_VMX_VCPU_H
#define HYMIR_VMX_VCPU_H

#include "cpu/instructions.h"
#include "virt/backend.h"
#include "vmx/capabilities.h"
#include "vmx/entry.h"
#include "vmx/guest_state.h"
#include "vmx/vcpu_controls.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"

#include <stdbool.h>
#include <stdint.h>

extern const struct backend vmx_backend;

/* What the backend keeps of a vCPU; its own CPU alone touches it while it runs. */
struct vmx_vcpu {
    struct vcpu *vcpu;
    const struct vcpu_plan *plan;
    void *vmxon_region, *vmcs, *msr_bitmap, *io_bitmaps; /* a page each, the last two */
    struct vmx_capabilities capabilities;
    struct vcpu_controls controls;
    uint64_t cr8;
    uint64_t alarm;             /* of the TSC; TICKS_NEVER */
    uint64_t entry_until;       /* when the preemption timer is to end the guest's turn */
    bool uses_preemption_timer; /* for the alarm; else the local APIC's */
    uint8_t preemption_timer_shift; /* its unit is 1 << that of the TSC's */
};

/*
 * The part of it that is written before each run: the guest-state area, the control
 * fields, the bitmaps. vmx/vcpu_state.c. STATUS_UNSUPPORTED if a field is refused.
 */
enum status MUST_CHECK vcpu_state_write(struct vmx_vcpu *vcpu);

/* The backend's part of a vCPU. */
static inline struct vmx_vcpu *vmx_of(struct vcpu *vcpu)
{
    return vcpu->arch;
}

/* Fills in the answers: this backend's own, and the VM's handlers. vmx/exit.c. */
void vcpu_choose_answers(struct vcpu *vcpu);

/*
 * What happens at a VM exit, to the run of a struct vcpu; the second one while an alarm
 * of the preemption timer's is set. vmx/on_exit.c.
 */
enum run_next vcpu_on_exit(struct vcpu_run *run);
enum run_next vcpu_on_exit_with_alarm(struct vcpu_run *run);

/*
 * How long the guest may run, in units of a power of two of the TSC's. entry_until is at
 * most as far away as the timer can count.
 */
static inline void vcpu_write_preemption_timer(const struct vmx_vcpu *vmx)
{
    int64_t left = (int64_t)(vmx->entry_until - rdtsc());

    vmcs_set(VMCS_GUEST_PREEMPTION_TIMER,
             left < 0 ? 0 : (uint64_t)left >> vmx->preemption_timer_shift);
}

/* Exceptions, NMIs, interrupted events, pending #DBs: vmx/exceptions.c. */
enum exit_outcome handle_exception(struct vcpu *vcpu);
void vcpu_deliver_again(void);
void vcpu_add_pending_debug(uint64_t bits);

/* Logs why an entry failed, with the VMCS, and ends the vCPU. vmx/exit.c. */
void vcpu_entry_failed(struct vmx_vcpu *vmx, enum vmx_result result);

/*
 * Has the CPU forget all translations of guests: what MOV to CR0 does where it changes
 * paging. vmx/vcpu.c.
 */
void vcpu_forget_translations(const struct vmx_capabilities *capabilities);

/* CR0, CR4 and CR8 as the guest may have them: vmx/control_registers.c. */
#define GUEST_CR0_OWNED (CR0_NE | CR0_NW | CR0_CD)
#define GUEST_CR4_ALLOWED                                                              \
    (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCE |    \
     CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE | \
     CR4_SMEP | CR4_SMAP)
uint64_t guest_cr0(void);
uint64_t guest_cr4(void);
enum exit_outcome control_register_access(struct vcpu *vcpu);

/* Interrupts, NMIs, the alarm, sleep: vmx/vcpu_events.c. */
void vcpu_request_interrupt(struct vcpu *vcpu, bool is_requested);
void vcpu_request_nmi(struct vcpu *vcpu);
void vcpu_set_alarm(struct vcpu *vcpu, uint64_t time);
void vcpu_check_alarm(struct vcpu *vcpu); /* calls the VM's handler if it is due */
enum exit_outcome handle_interrupt_window(struct vcpu *vcpu);
enum exit_outcome handle_nmi_window(struct vcpu *vcpu);
enum exit_outcome handle_preemption_timer(struct vcpu *vcpu);
enum exit_outcome handle_hlt(struct vcpu *vcpu);

/* True if the guest executes 64-bit code: SDM 3A, "IA-32e Mode Code Segment Descriptors".
 */
static inline bool guest_is_64_bit(void)
{
    return (vmcs_get(VMCS_GUEST_IA32_EFER) & EFER_LMA) != 0 &&
           (vmcs_get(VMCS_GUEST_CS_ACCESS_RIGHTS) & CODE_SEGMENT_L) != 0;
}

/* INS and OUTS: vmx/string_access.c. */
enum exit_outcome handle_string_io(struct vcpu *vcpu, uint64_t qualification);

/* Raises #GP(0) in the guest. Returns EXIT_RESUME. vmx/exit.c. */
enum exit_outcome vcpu_general_protection(struct vcpu *vcpu);

#endif
