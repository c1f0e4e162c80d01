/*
 * See vcpu_events.h.
 *
 * APM 2, "Event Injection", "Virtual Interrupts", "Interrupt Shadows", "EXITINTINFO",
 * "NMI Support". An event that the guest accepts is injected; for any other the guest is
 * made to exit in time: by a virtual interrupt that exits instead of being delivered,
 * when interrupts are accepted, and at IRET when NMIs are. A processor that saves no next
 * RIP delivers interrupts as virtual ones, because QEMU's TCG, which is one, sometimes
 * delivers an injected interrupt twice: docs/EMULATORS.md. There is no preemption timer:
 * the local APIC's timer interrupts the guest for its alarms.
 */
#include "svm/vcpu_events.h"

#include "cpu/instructions.h"
#include "cpu/traps.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "virt/exception_rules.h"
#include "virt/exit_handlers.h"

static bool is_injecting(const struct vmcb *vmcb)
{
    return (vmcb->event_injection & EVENT_VALID) != 0;
}

/* Returns whether the virtual interrupt is a window, which exits. */
static bool has_open_window(const struct vmcb *vmcb)
{
    return (vmcb->intercept_1 & INTERCEPT_VINTR) != 0;
}

/* Returns whether the guest has yet to take an interrupt that was acknowledged. */
static bool has_virtual_interrupt(const struct vmcb *vmcb)
{
    return (vmcb->virtual_interrupt & V_IRQ) != 0 && !has_open_window(vmcb);
}

static void clear_virtual_interrupt(struct vmcb *vmcb)
{
    vmcb->virtual_interrupt &= ~V_IRQ;
    vmcb_mark_dirty(vmcb, CLEAN_VIRTUAL_INTERRUPT);
}

static bool has_shadow(const struct vmcb *vmcb)
{
    return (vmcb->interrupt_shadow & INTERRUPT_SHADOW) != 0;
}

/* The exit because of a #DB, which may be a trap, has saved the right RF already. */
void svm_exception_inject(struct vcpu *vcpu, uint8_t vector, uint32_t error_code)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;
    bool has_code     = exception_has_error_code(vector, vmcb->cr0);

    if (vector != VECTOR_DB)
        vmcb->rflags |= RFLAGS_RF;
    vmcb->event_injection =
        EVENT_VALID | EVENT_EXCEPTION | vector |
        (has_code ? EVENT_ERROR_CODE | (uint64_t)error_code << EVENT_ERROR_CODE_SHIFT
                  : 0);
}

static uint64_t *debugctl_of(struct svm_vcpu *svm)
{
    return svm->has_lbr_virtualization ? &svm->vmcb.debugctl : &svm->debugctl;
}

/* Injects #DB as a trap: the instruction is over when the guest is entered. */
void svm_debug_causes_add(struct vcpu *vcpu, uint64_t causes)
{
    struct svm_vcpu *svm = svm_of(vcpu);
    struct vmcb *vmcb    = &svm->vmcb;
    uint64_t *debugctl   = debugctl_of(svm);
    uint64_t earlier     = is_injecting(vmcb) ? vmcb->dr6 & DR6_BREAKPOINTS : 0;

    vmcb->dr6 = dr6_after_debug_exception(vmcb->dr6, causes) | earlier;
    vmcb->dr7 = dr7_after_debug_exception(vmcb->dr7);
    *debugctl = debugctl_after_debug_exception(*debugctl);
    vmcb_mark_dirty(vmcb, CLEAN_DEBUG_REGISTERS | CLEAN_LBR);
    svm_exception_inject(vcpu, VECTOR_DB, 0);
}

/*
 * A software interrupt, INT3 and INTO are executed again instead: RIP is still at the
 * instruction.
 */
void svm_event_redeliver(struct vmcb *vmcb)
{
    uint64_t event = vmcb->exit_interrupt_info;
    uint64_t type  = event & EVENT_TYPE;
    uint8_t vector = EVENT_VECTOR(event);
    bool is_instruction =
        type == EVENT_SOFTWARE ||
        (type == EVENT_EXCEPTION && (vector == VECTOR_BP || vector == VECTOR_OF));

    if ((event & EVENT_VALID) == 0 || is_instruction)
        return;
    vmcb->event_injection = event;
    if (type == EVENT_INTERRUPT && has_virtual_interrupt(vmcb))
        clear_virtual_interrupt(vmcb);
}

static bool guest_single_steps(struct svm_vcpu *svm)
{
    return instruction_end_traps(svm->vmcb.rflags, *debugctl_of(svm));
}

/* Exceptions of IRET: its TF must be restored before the guest sees one. */
#define IRET_EXCEPTIONS                                                             \
    ((uint32_t)(BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) | BIT(VECTOR_GP) | \
                BIT(VECTOR_PF)))

/* Restores what the single step changed, because IRET has raised an exception instead. */
static void restore_flags_at_iret(struct svm_vcpu *svm)
{
    struct vmcb *vmcb = &svm->vmcb;

    if (!svm->iret_had_trap_flag)
        vmcb->rflags &= ~RFLAGS_TF;
    vmcb->dr6 = svm->dr6_at_iret;
    if (vmcb->exit_code == SVM_EXIT_EXCEPTION + VECTOR_PF) {
        vmcb->cr2 = vmcb->exit_info_2;
        vmcb_mark_dirty(vmcb, CLEAN_CR2);
    }
}

/*
 * Handles the exception after or of an IRET, which ends the blocking of NMIs in either
 * case. Returns whether the guest must see it too: a #DB only if the guest single-steps,
 * or breakpoints caused it as well.
 */
static bool end_step_past_iret(struct svm_vcpu *svm)
{
    struct vmcb *vmcb = &svm->vmcb;

    svm->steps_past_iret = false;
    svm->blocks_nmi      = false;
    vmcb->intercept_exceptions &= ~IRET_EXCEPTIONS;
    vmcb_mark_dirty(vmcb, CLEAN_INTERCEPTS | CLEAN_DEBUG_REGISTERS);
    if (vmcb->exit_code != SVM_EXIT_EXCEPTION + VECTOR_DB) {
        restore_flags_at_iret(svm);
        return true;
    }
    uint64_t hidden = svm->iret_had_trap_flag ? 0 : DR6_SINGLE_STEP;
    uint64_t causes = vmcb->dr6 & ~hidden;
    bool is_seen    = svm->iret_had_trap_flag || (causes & DR6_BREAKPOINTS) != 0;
    vmcb->dr6 =
        is_seen ? dr6_after_debug_exception(svm->dr6_at_iret, causes) : svm->dr6_at_iret;
    return is_seen;
}

/* Programs the local APIC's timer, which interrupts the guest at least every 20 ms. */
static void set_timer(const struct svm_vcpu *svm)
{
    uint64_t now = rdtsc();

    apic_set_timer(svm->alarm > now ? svm->alarm - now : 0);
}

/*
 * Handles a host interrupt, which is still pending or has just been handled, and the
 * alarm if it is due, whose handler usually sets the next one: programs the timer once.
 */
static enum exit_outcome handle_interrupt(struct vcpu *vcpu)
{
    struct svm_vcpu *svm = svm_of(vcpu);

    interrupts_handle_pending();
    exit_look_at_machine_check();
    svm->defers_timer = true;
    if (rdtsc() >= svm->alarm) {
        svm->alarm = TICKS_NEVER;
        vcpu->handlers->alarm(vcpu);
    }
    enum exit_outcome outcome = vcpu->handlers->interrupted(vcpu);
    svm->defers_timer         = false;
    set_timer(svm);
    return outcome;
}

/*
 * The processor has updated DR6 and DR7 for a #DB that exits. Exceptions whose delivery
 * raises them again leave no time at which the processor takes host interrupts.
 *
 * All are delivered in place of the event whose delivery they interrupt, as by the
 * processor (SDM 3A, "Interrupt 8 - Double Fault Exception (#DF)"), which has then
 * acknowledged an external interrupt in vain.
 */
enum exit_outcome svm_exception_handle_exit(struct vcpu *vcpu)
{
    struct svm_vcpu *svm = svm_of(vcpu);
    struct vmcb *vmcb    = &svm->vmcb;
    uint8_t vector       = (uint8_t)(vmcb->exit_code - SVM_EXIT_EXCEPTION);

    vcpu->newest->detail = vector;
    if (vector == VECTOR_MC) {
        svm_event_redeliver(vmcb);
        exit_take_machine_check(vcpu);
        return handle_interrupt(vcpu);
    }
    if (svm->steps_past_iret && !end_step_past_iret(svm))
        return EXIT_RESUME;
    if (vector == VECTOR_DB) {
        uint64_t *debugctl = debugctl_of(svm);
        vmcb->dr7          = dr7_after_debug_exception(vmcb->dr7);
        *debugctl          = debugctl_after_debug_exception(*debugctl);
        vmcb_mark_dirty(vmcb, CLEAN_DEBUG_REGISTERS | CLEAN_LBR);
    }
    svm_exception_inject(vcpu, vector, (uint32_t)vmcb->exit_info_1);
    return handle_interrupt(vcpu);
}

/* When entry.asm set GIF, the host handled its NMI, or ignored its INIT as #SX. */
enum exit_outcome svm_nmi_handle_exit(struct vcpu *vcpu)
{
    svm_event_redeliver(&svm_of(vcpu)->vmcb);
    return EXIT_RESUME;
}

/* Opens or closes the window: a virtual interrupt that exits when it would be taken. */
static void set_window(struct vmcb *vmcb, bool is_open)
{
    vmcb->virtual_interrupt = (vmcb->virtual_interrupt & ~V_IRQ) | (is_open ? V_IRQ : 0);
    vmcb_mark_dirty(vmcb, CLEAN_VIRTUAL_INTERRUPT);
    svm_set_intercept_1(vmcb, INTERCEPT_VINTR, is_open);
}

void svm_request_interrupt(struct vcpu *vcpu, bool is_requested)
{
    struct svm_vcpu *svm = svm_of(vcpu);

    if (is_requested) {
        svm->waiting |= WAITING_INTERRUPT;
        return;
    }
    svm->waiting &= (uint8_t)~WAITING_INTERRUPT;
    if (has_open_window(&svm->vmcb))
        set_window(&svm->vmcb, false);
}

void svm_request_nmi(struct vcpu *vcpu)
{
    svm_of(vcpu)->waiting |= WAITING_NMI;
}

/* What follows the exit delivers the interrupt. */
enum exit_outcome svm_interrupt_window_handle_exit(struct vcpu *vcpu)
{
    set_window(&svm_of(vcpu)->vmcb, false);
    return EXIT_RESUME;
}

static void inject_nmi(struct svm_vcpu *svm)
{
    svm->vmcb.event_injection = EVENT_VALID | EVENT_NMI | VECTOR_NMI;
    svm->waiting &= (uint8_t)~WAITING_NMI;
    svm->blocks_nmi = true;
    svm_set_intercept_1(&svm->vmcb, INTERCEPT_IRET, true);
}

/*
 * NMIs are blocked until the IRET is over: single-steps it. If they are not, one has
 * waited behind another event, and is delivered before the IRET.
 */
enum exit_outcome svm_iret_handle_exit(struct vcpu *vcpu)
{
    struct svm_vcpu *svm = svm_of(vcpu);

    svm_set_intercept_1(&svm->vmcb, INTERCEPT_IRET, false);
    if (!svm->blocks_nmi) {
        inject_nmi(svm);
        return EXIT_RESUME;
    }
    svm->steps_past_iret    = true;
    svm->iret_had_trap_flag = (svm->vmcb.rflags & RFLAGS_TF) != 0;
    svm->dr6_at_iret        = svm->vmcb.dr6;
    svm->vmcb.rflags |= RFLAGS_TF;
    svm->vmcb.intercept_exceptions |= IRET_EXCEPTIONS;
    svm->vmcb.dr6 &= ~(DR6_BREAKPOINTS | DR6_SINGLE_STEP);
    vmcb_mark_dirty(&svm->vmcb, CLEAN_INTERCEPTS | CLEAN_DEBUG_REGISTERS);
    return EXIT_RESUME;
}

/* Delivers an NMI at once, or at the next IRET if another event or a shadow is first. */
static void deliver_nmi(struct svm_vcpu *svm)
{
    if (is_injecting(&svm->vmcb) || has_shadow(&svm->vmcb))
        svm_set_intercept_1(&svm->vmcb, INTERCEPT_IRET, true);
    else
        inject_nmi(svm);
}

static bool accepts_interrupt(const struct vmcb *vmcb)
{
    return (vmcb->rflags & RFLAGS_IF) != 0 && !has_shadow(vmcb) && !is_injecting(vmcb);
}

/*
 * Delivers an interrupt that the guest accepts. It takes a virtual one at once, unless
 * the host is interrupted first.
 */
static void inject_interrupt(struct svm_vcpu *svm)
{
    struct vmcb *vmcb = &svm->vmcb;
    struct vcpu *vcpu = svm->vcpu;
    uint64_t vector   = vcpu->handlers->take_interrupt(vcpu);

    vcpu->newest->address = vector;
    if (svm->has_next_rip) {
        vmcb->event_injection = EVENT_VALID | EVENT_INTERRUPT | vector;
        return;
    }
    if (has_open_window(vmcb))
        set_window(vmcb, false);
    vmcb->virtual_interrupt = (vmcb->virtual_interrupt & ~V_INTR_VECTOR) | V_IRQ |
                              vector << V_INTR_VECTOR_SHIFT;
    vmcb_mark_dirty(vmcb, CLEAN_VIRTUAL_INTERRUPT);
}

void svm_events_deliver(struct svm_vcpu *svm)
{
    struct vmcb *vmcb = &svm->vmcb;

    if (svm->steps_past_iret) /* delivery would push its TF */
        return;
    if ((svm->waiting & WAITING_NMI) != 0 && !svm->blocks_nmi)
        deliver_nmi(svm);
    if ((svm->waiting & WAITING_INTERRUPT) != 0 && accepts_interrupt(vmcb) &&
        !has_virtual_interrupt(vmcb))
        inject_interrupt(svm);
    if ((svm->waiting & WAITING_INTERRUPT) == 0 || has_open_window(vmcb))
        return;
    if (has_virtual_interrupt(vmcb))
        apic_set_timer(0); /* a window needs V_IRQ: an exit soon after it is taken */
    else
        set_window(vmcb, true);
}

void svm_cancel_events(struct svm_vcpu *svm)
{
    struct vmcb *vmcb = &svm->vmcb;

    set_window(vmcb, false);
    svm_set_intercept_1(vmcb, INTERCEPT_IRET, false);
    vmcb->intercept_exceptions &= ~IRET_EXCEPTIONS;
    svm->steps_past_iret = svm->blocks_nmi = false;
    svm->waiting &= (uint8_t)~WAITING_NMI;
    vmcb->event_injection = vmcb->interrupt_shadow = 0;
}

void svm_set_alarm(struct vcpu *vcpu, uint64_t time)
{
    struct svm_vcpu *svm = svm_of(vcpu);

    svm->alarm = time;
    if (!svm->defers_timer)
        set_timer(svm);
}

/* An injected event that the interrupt preceded is injected again. */
enum exit_outcome svm_interrupt_handle_exit(struct vcpu *vcpu)
{
    svm_event_redeliver(&svm_of(vcpu)->vmcb);
    return handle_interrupt(vcpu);
}

/*
 * Waits in the host until an event for the guest arrives: a VMCB has no state for a
 * halted guest. The wait does not count as the cost of the exit.
 */
enum exit_outcome svm_hlt_handle_exit(struct vcpu *vcpu)
{
    struct svm_vcpu *svm   = svm_of(vcpu);
    bool has_interrupts_on = (svm->vmcb.rflags & RFLAGS_IF) != 0;
    uint8_t accepted       = (uint8_t)((has_interrupts_on ? WAITING_INTERRUPT : 0) |
                                 (svm->blocks_nmi ? 0 : WAITING_NMI));
    unsigned int restarts  = svm->restarts;

    while ((svm->waiting & accepted) == 0 &&
           !(has_interrupts_on && has_virtual_interrupt(&svm->vmcb)) &&
           !guest_single_steps(svm)) {
        if (!vcpu->handlers->can_wake(vcpu, has_interrupts_on))
            return vcpu_end(vcpu, has_interrupts_on ? "HLT with all interrupts masked"
                                                    : "HLT with interrupts off");
        halt_until_interrupt();
        enum exit_outcome outcome = handle_interrupt(vcpu);
        if (outcome != EXIT_RESUME || svm->restarts != restarts)
            return outcome;
        vcpu->newest->start = rdtsc_low();
    }
    return EXIT_NEXT;
}
