/*
 * See vcpu_events.h.
 *
 * SDM 3C, "Information for VM Exits Due to Vectored Events", "Event Injection",
 * "Interrupt-Window Exiting and Virtual-Interrupt Delivery", "Virtual NMIs",
 * "VMX-Preemption Timer", "Activity State". A request only opens a window: the processor
 * applies its own priorities and exits in time, so that other exits check nothing. Only
 * the exit of an alarm or a host interrupt looks whether the guest accepts it at once.
 */
#include "vmx/vcpu_events.h"

#include "cpu/instructions.h"
#include "cpu/traps.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "virt/backend.h"
#include "virt/exception_rules.h"
#include "virt/exit_handlers.h"
#include "vmx/qualification.h"
#include "vmx/vcpu.h"

#define TIMER_LONGEST    UINT64_C(0xFFFFFFFF) /* units of the preemption timer */
#define LOOKS_PER_SECOND 50U                  /* of a halted guest with interrupts off */
#define CHECK_AHEAD      UINT64_C(0x40000000) /* ticks of the TSC: less than 2^31 */
#define ENTRY_AND_EXIT   64U /* ticks of the TSC: less than VM entry and VM exit take */
#define CHECK_AFTER      512U /* ticks of the TSC after the alarm: the timer exits sooner */

/* Injects an event; a software interrupt or exception needs its instruction's length. */
static void inject_event(uint32_t event)
{
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION, event & ~INTERRUPTION_UNDEFINED);
    vmcs_set(VMCS_ENTRY_INSTRUCTION_LENGTH, vmcs_get(VMCS_EXIT_INSTRUCTION_LENGTH));
}

/* The exit because of a #DB, which may be a trap, has saved the right RF already. */
void exception_inject(struct vcpu *vcpu, uint8_t vector, uint32_t error_code)
{
    bool has_code = exception_has_error_code(vector, vmcs_get(VMCS_GUEST_CR0));

    (void)vcpu;
    if (vector != VECTOR_DB)
        vmcs_set(VMCS_GUEST_RFLAGS, vmcs_get(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION,
             INTERRUPTION_VALID | INTERRUPTION_HARDWARE_EXCEPTION |
                 (has_code ? INTERRUPTION_ERROR_CODE : 0) | vector);
    if (has_code)
        vmcs_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, error_code);
}

void debug_causes_add(struct vcpu *vcpu, uint64_t causes)
{
    (void)vcpu;
    vmcs_add_pending_debug(causes | PENDING_DEBUG_BREAKPOINT);
}

/* SDM 3C, "Information for VM Exits That Occur During Event Delivery". */
void event_redeliver(void)
{
    uint32_t event = (uint32_t)vmcs_get(VMCS_IDT_VECTORING_INFORMATION);

    if ((event & INTERRUPTION_VALID) == 0)
        return;
    if ((event & INTERRUPTION_TYPE) == INTERRUPTION_NMI)
        vmcs_set(VMCS_GUEST_INTERRUPTIBILITY_STATE, /* delivery blocks NMIs again */
                 vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE) & ~INTERRUPTIBILITY_NMI);
    inject_event(event);
    if ((event & INTERRUPTION_ERROR_CODE) != 0)
        vmcs_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE,
                 vmcs_get(VMCS_IDT_VECTORING_ERROR_CODE));
}

static bool guest_has_interrupts_on(void)
{
    return (vmcs_get(VMCS_GUEST_RFLAGS) & RFLAGS_IF) != 0;
}

static bool guest_blocks_nmi(void)
{
    return (vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE) & INTERRUPTIBILITY_NMI) != 0;
}

static bool guest_single_steps(void)
{
    return instruction_end_traps(vmcs_get(VMCS_GUEST_RFLAGS),
                                 vmcs_get(VMCS_GUEST_IA32_DEBUGCTL));
}

/*
 * Updates the debug registers, because a #DB that exits does not; the qualification has
 * the causes, of which INT1 is none. After STI or MOV SS, VM entry requires the trap of a
 * guest that single-steps to be pending: SDM 3C, "Checks on Guest Non-Register State".
 */
static void update_debug_registers(bool is_int1)
{
    uint64_t shadow = vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE);

    if (!is_int1)
        write_dr6(
            dr6_after_debug_exception(read_dr6(), vmcs_get(VMCS_EXIT_QUALIFICATION)));
    vmcs_set(VMCS_GUEST_DR7, dr7_after_debug_exception(vmcs_get(VMCS_GUEST_DR7)));
    vmcs_set(VMCS_GUEST_IA32_DEBUGCTL,
             debugctl_after_debug_exception(vmcs_get(VMCS_GUEST_IA32_DEBUGCTL)));
    if (guest_single_steps() && (shadow & INTERRUPTIBILITY_STI_OR_MOV_SS) != 0)
        vmcs_add_pending_debug(PENDING_DEBUG_SINGLE_STEP);
}

/*
 * Exceptions whose delivery raises them again leave no time at which the processor takes
 * host interrupts.
 *
 * All are delivered in place of the event whose delivery they interrupt, as by the
 * processor (SDM 3A, "Interrupt 8 - Double Fault Exception (#DF)"), which has then
 * acknowledged an external interrupt in vain.
 */
enum exit_outcome exception_handle_exit(struct vcpu *vcpu)
{
    uint32_t event = (uint32_t)vmcs_get(VMCS_EXIT_INTERRUPTION_INFORMATION);
    uint8_t vector = (uint8_t)INTERRUPTION_VECTOR(event);

    vcpu->newest->detail = event;
    if (vector == VECTOR_NMI) {
        event_redeliver();
        raise_nmi();
        return EXIT_RESUME;
    }
    if (vector == VECTOR_MC) {
        event_redeliver();
        return machine_check_handle_exit(vcpu);
    }
    bool is_int1 = (event & INTERRUPTION_TYPE) == INTERRUPTION_PRIVILEGED_SOFTWARE;
    if (vector == VECTOR_DB)
        update_debug_registers(is_int1);
    if (is_int1) {
        inject_event(event);
        return EXIT_RESUME;
    }
    uint32_t error_code = (event & INTERRUPTION_ERROR_CODE) != 0
                              ? (uint32_t)vmcs_get(VMCS_EXIT_INTERRUPTION_ERROR_CODE)
                              : 0;
    vcpu->backend->inject_exception(vcpu, vector, error_code);
    return interrupt_handle_exit(vcpu);
}

enum exit_outcome machine_check_handle_exit(struct vcpu *vcpu)
{
    exit_take_machine_check(vcpu);
    return interrupt_handle_exit(vcpu);
}

/*
 * The guest has accepted no event for too long. Host events are handled now, and the
 * guest goes on: the next timeout comes as soon. SDM 3C, "Instruction Timeout".
 */
enum exit_outcome instruction_timeout_handle_exit(struct vcpu *vcpu)
{
    uint64_t qualification = vmcs_get(VMCS_EXIT_QUALIFICATION);

    vcpu->newest->detail = qualification;
    if ((qualification & TIMEOUT_CONTEXT_INVALID) != 0)
        return vcpu_end_abnormally(vcpu, "instruction timeout; the context is lost");
    if ((qualification & TIMEOUT_UNBLOCKED_NMI) != 0)
        vmcs_set(VMCS_GUEST_INTERRUPTIBILITY_STATE,
                 vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE) | INTERRUPTIBILITY_NMI);
    event_redeliver();
    return interrupt_handle_exit(vcpu);
}

/* The exit follows the bus lock, which the delivery of an event may have acquired. */
enum exit_outcome bus_lock_handle_exit(struct vcpu *vcpu)
{
    (void)vcpu;
    event_redeliver();
    return EXIT_RESUME;
}

static void set_window(struct vmx_vcpu *vmx, uint32_t window, bool is_open)
{
    uint32_t *primary = &vmx->controls.field[GROUP_PRIMARY];

    if (((*primary & window) != 0) == is_open)
        return;
    *primary ^= window;
    vmcs_set(VMCS_PRIMARY_CONTROLS, *primary);
    if (is_open && (window == PRIMARY_NMI_WINDOW_EXITING ? !guest_blocks_nmi()
                                                         : guest_has_interrupts_on()))
        vmcs_set(VMCS_GUEST_ACTIVITY_STATE,
                 ACTIVITY_ACTIVE); /* it wakes a halted guest */
}

void vcpu_request_interrupt(struct vcpu *vcpu, bool is_requested)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);

    vmx->is_interrupt_requested = is_requested;
    if (!vmx->defers_events)
        set_window(vmx, PRIMARY_INTERRUPT_WINDOW_EXITING, is_requested);
}

void vcpu_request_nmi(struct vcpu *vcpu)
{
    set_window(vmx_of(vcpu), PRIMARY_NMI_WINDOW_EXITING, true);
}

void vcpu_cancel_events(struct vcpu *vcpu)
{
    set_window(vmx_of(vcpu), PRIMARY_NMI_WINDOW_EXITING, false);
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION, 0);
}

/* Returns whether an interrupt is still requested, after changes of TPR without exit. */
static bool is_interrupt_requested(struct vcpu *vcpu)
{
    const struct vmx_vcpu *vmx = vmx_of(vcpu);

    if (vmx->is_interrupt_requested && vmx->apic.has_tpr_shadow)
        vcpu->handlers->tpr_changed(vcpu);
    return vmx->is_interrupt_requested;
}

enum exit_outcome interrupt_window_handle_exit(struct vcpu *vcpu)
{
    if (!is_interrupt_requested(vcpu))
        return EXIT_RESUME;
    uint8_t vector = vcpu->handlers->take_interrupt(vcpu);

    vcpu->newest->detail = vector;
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION,
             INTERRUPTION_VALID | INTERRUPTION_EXTERNAL | vector);
    return EXIT_RESUME;
}

/* Returns whether the guest accepts an interrupt now and no other event comes first. */
static bool guest_accepts_interrupt(const struct vmx_vcpu *vmx)
{
    const uint32_t primary = vmx->controls.field[GROUP_PRIMARY];

    return (primary & PRIMARY_NMI_WINDOW_EXITING) == 0 &&
           (vmcs_get(VMCS_GUEST_RFLAGS) & RFLAGS_IF) != 0 &&
           (vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE) &
            INTERRUPTIBILITY_STI_OR_MOV_SS) == 0 &&
           vmcs_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) == 0 &&
           (vmcs_get(VMCS_ENTRY_INTERRUPTION_INFORMATION) & INTERRUPTION_VALID) == 0;
}

enum exit_outcome interrupt_resume(struct vcpu *vcpu)
{
    const struct vmx_vcpu *vmx = vmx_of(vcpu);

    return vmx->is_interrupt_requested && guest_accepts_interrupt(vmx)
               ? interrupt_window_handle_exit(vcpu)
               : EXIT_RESUME;
}

enum exit_outcome nmi_window_handle_exit(struct vcpu *vcpu)
{
    set_window(vmx_of(vcpu), PRIMARY_NMI_WINDOW_EXITING, false);
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION,
             INTERRUPTION_VALID | INTERRUPTION_NMI | VECTOR_NMI);
    return EXIT_RESUME;
}

/*
 * Sets the timer to expire after the alarm, or to its maximum, and the time of the next
 * look at the alarm, of which bits 31:0 must be comparable.
 */
static void set_preemption_timer(struct vmx_vcpu *vmx)
{
    uint64_t now  = rdtsc() + ENTRY_AND_EXIT;
    uint64_t left = vmx->alarm > now ? vmx->alarm - now : 0;
    uint64_t most = vmx->is_deaf ? clock_frequency() / LOOKS_PER_SECOND : left;

    left          = left < most ? left : most;
    uint64_t wait = (left >> vmx->preemption_timer_shift) + 1;

    vmx->vcpu->run.alarm_check =
        (uint32_t)now + CHECK_AFTER + (uint32_t)(left < CHECK_AHEAD ? left : CHECK_AHEAD);
    vmcs_set(VMCS_GUEST_PREEMPTION_TIMER, wait < TIMER_LONGEST ? wait : TIMER_LONGEST);
}

static __attribute__((noinline)) void set_apic_timer(const struct vmx_vcpu *vmx)
{
    uint64_t now = rdtsc();

    apic_set_timer(vmx->alarm > now ? vmx->alarm - now : 0);
}

static inline void set_timer(struct vmx_vcpu *vmx)
{
    if (vmx->uses_preemption_timer)
        set_preemption_timer(vmx);
    else
        set_apic_timer(vmx);
}

void vcpu_set_alarm(struct vcpu *vcpu, uint64_t time)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);

    vmx->alarm = time;
    if (!vmx->defers_events)
        set_timer(vmx);
}

struct vcpu *vcpu_hasten_alarm(struct vcpu *vcpu)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);
    uint64_t now         = rdtsc();

    vcpu->run.alarm_check = (uint32_t)(now + CHECK_AHEAD);
    if (vmx->uses_preemption_timer && now >= vmx->alarm)
        vmcs_set(VMCS_GUEST_PREEMPTION_TIMER, 0);
    return vcpu;
}

/*
 * Handles what a host interrupt or the preemption timer brings: the alarm and requests of
 * other CPUs. Delivers an interrupt at once if the guest accepts it, which wakes a halted
 * guest: SDM 3C, "Special Features of VM Entry", "Activity State".
 */
static enum exit_outcome handle_events(struct vcpu *vcpu, struct vmx_vcpu *vmx)
{
    exit_look_at_machine_check();
    if (rdtsc() >= vmx->alarm) { /* a timer at its maximum expires earlier */
        vmx->alarm = TICKS_NEVER;
        vcpu->handlers->alarm(vcpu);
    }
    enum exit_outcome outcome = vcpu->handlers->interrupted(vcpu);
    return outcome == EXIT_RESUME ? interrupt_resume(vcpu) : outcome;
}

static bool can_wake(struct vcpu *vcpu)
{
    return vcpu->handlers->can_wake(vcpu, guest_has_interrupts_on());
}

static enum exit_outcome end_in_hlt(struct vcpu *vcpu)
{
    return vcpu_end(vcpu, guest_has_interrupts_on() ? "HLT with all interrupts masked"
                                                    : "HLT with interrupts off");
}

/*
 * Handles a host interrupt, which is still pending and may be the alarm of the APIC's
 * timer, and the preemption timer, whose exits have priority over pending interrupts.
 * Also called after an exception exit, at which an interrupt may be pending too.
 * Timer and window are set once, to what the handlers request last.
 */
enum exit_outcome interrupt_handle_exit(struct vcpu *vcpu)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);

    interrupts_handle_pending();
    vmx->defers_events        = true;
    enum exit_outcome outcome = handle_events(vcpu, vmx);
    vmx->defers_events        = false;
    set_timer(vmx);
    set_window(vmx, PRIMARY_INTERRUPT_WINDOW_EXITING, vmx->is_interrupt_requested);
    if (vmx->apic.is_outdated)
        vcpu->backend->update_apic(vcpu);
    if (outcome == EXIT_RESUME && vmcs_get(VMCS_GUEST_ACTIVITY_STATE) == ACTIVITY_HLT &&
        (vmcs_get(VMCS_ENTRY_INTERRUPTION_INFORMATION) & INTERRUPTION_VALID) == 0 &&
        !can_wake(vcpu)) /* another vCPU has gone to sleep too */
        return end_in_hlt(vcpu);
    return outcome;
}

/*
 * Puts the guest into the HLT activity state, in which host interrupts and the preemption
 * timer exit as usual; in Bochs, with IF clear, only the timer.
 */
enum exit_outcome hlt_handle_exit(struct vcpu *vcpu)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);
    uint32_t windows     = PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_NMI_WINDOW_EXITING;

    (void)is_interrupt_requested(vcpu); /* closes the window if it is not */
    if (!guest_has_interrupts_on())
        windows &= ~(uint32_t)PRIMARY_INTERRUPT_WINDOW_EXITING;
    if (guest_blocks_nmi())
        windows &= ~(uint32_t)PRIMARY_NMI_WINDOW_EXITING;
    if ((vmx->controls.field[GROUP_PRIMARY] & windows) != 0 || guest_single_steps())
        return EXIT_NEXT; /* an event is pending */
    if (!can_wake(vcpu))
        return end_in_hlt(vcpu);
    vmcs_set(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
    vmx->is_deaf = !guest_has_interrupts_on();
    if (vmx->is_deaf || vmx->uses_preemption_timer) /* it has not counted in this exit */
        set_timer(vmx);
    return EXIT_NEXT;
}
