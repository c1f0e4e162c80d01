/*
 * See vcpu.h: what a guest does not cause itself. Interrupts and NMIs that wait until it
 * can take them, the alarm, and the sleep between them.
 *
 * SDM 3C, "Interrupt-Window Exiting and Virtual-Interrupt Delivery", "Virtual NMIs",
 * "VMX-Preemption Timer", "Activity State". A request only opens a window, even if the
 * guest could take it at once: the processor then says when, with all its own rules of
 * what comes first, and the way of an exit has nothing to look after.
 */
#include "cpu/instructions.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "vmx/vcpu.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

#define TIMER_LONGEST UINT64_C(0xFFFFFFFF) /* units of the preemption timer */

static void set_window(struct vmx_vcpu *vmx, uint32_t window, bool is_open)
{
    uint32_t *primary = &vmx->controls.field[CONTROL_PRIMARY];

    if (((*primary & window) != 0) == is_open)
        return;
    *primary ^= window;
    vmcs_set(VMCS_PRIMARY_CONTROLS, *primary);
    if (is_open) /* a guest that sleeps has interrupts on: it wakes in front of it */
        vmcs_set(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE);
}

void vcpu_request_interrupt(struct vcpu *vcpu, bool is_requested)
{
    set_window(vmx_of(vcpu), PRIMARY_INTERRUPT_WINDOW_EXITING, is_requested);
}

void vcpu_request_nmi(struct vcpu *vcpu)
{
    set_window(vmx_of(vcpu), PRIMARY_NMI_WINDOW_EXITING, true);
}

enum exit_outcome handle_interrupt_window(struct vcpu *vcpu)
{
    uint8_t vector = vcpu->handlers->take_interrupt(vcpu);

    vcpu->newest->detail = vector;
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION,
             INTERRUPTION_VALID | INTERRUPTION_EXTERNAL | vector);
    return EXIT_RESUME;
}

enum exit_outcome handle_nmi_window(struct vcpu *vcpu)
{
    set_window(vmx_of(vcpu), PRIMARY_NMI_WINDOW_EXITING, false);
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION,
             INTERRUPTION_VALID | INTERRUPTION_NMI | VECTOR_NMI);
    return EXIT_RESUME;
}

/* Until the alarm, a unit later, or as long as the timer can count. */
static void choose_turn(struct vmx_vcpu *vmx)
{
    uint64_t unit   = BIT(vmx->preemption_timer_shift);
    uint64_t latest = rdtsc() + (TIMER_LONGEST << vmx->preemption_timer_shift);

    vmx->entry_until = vmx->alarm + unit < latest ? vmx->alarm + unit : latest;
    vcpu_write_preemption_timer(vmx);
}

/* A guest that waits for no alarm does not pay for it at its exits. */
void vcpu_set_alarm(struct vcpu *vcpu, uint64_t time)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);
    uint64_t now         = rdtsc();

    vmx->alarm = time;
    if (vmx->uses_preemption_timer) {
        vcpu->run.on_exit = time == TICKS_NEVER ? vcpu_on_exit : vcpu_on_exit_with_alarm;
        choose_turn(vmx);
    } else if (time == TICKS_NEVER) {
        apic_set_timer(TICKS_NEVER);
    } else {
        apic_set_timer(time > now ? time - now : 0);
    }
}

/* The timer may be early: by its unit, or because it cannot count as far. */
void vcpu_check_alarm(struct vcpu *vcpu)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);
    uint64_t time        = vmx->alarm;

    if (rdtsc() < time) {
        vcpu_set_alarm(vcpu, time);
        return;
    }
    vcpu_set_alarm(vcpu, TICKS_NEVER);
    vcpu->handlers->alarm(vcpu);
}

enum exit_outcome handle_preemption_timer(struct vcpu *vcpu)
{
    vcpu_check_alarm(vcpu);
    interrupts_handle_pending(); /* this exit has priority over them */
    return vcpu->handlers->interrupted(vcpu);
}

/*
 * A guest sleeps in the processor's HLT activity state: interrupts of the machine and the
 * timer are exits there as elsewhere, and nothing runs until one comes.
 */
enum exit_outcome handle_hlt(struct vcpu *vcpu)
{
    const struct vmx_vcpu *vmx = vmx_of(vcpu);
    uint32_t windows = PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_NMI_WINDOW_EXITING;

    if ((vmcs_get(VMCS_GUEST_RFLAGS) & RFLAGS_IF) == 0)
        return vcpu_end(vcpu, "HLT with interrupts off");
    if ((vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE) & INTERRUPTIBILITY_NMI) != 0)
        windows &= ~(uint32_t)PRIMARY_NMI_WINDOW_EXITING;
    if ((vmx->controls.field[CONTROL_PRIMARY] & windows) != 0 ||
        (vmcs_get(VMCS_GUEST_RFLAGS) & RFLAGS_TF) != 0)
        return EXIT_NEXT; /* it wakes at once */
    if (!vcpu->handlers->can_wake(vcpu))
        return vcpu_end(vcpu, "HLT with interrupts on, and all of them masked");
    vmcs_set(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
    return EXIT_NEXT;
}
