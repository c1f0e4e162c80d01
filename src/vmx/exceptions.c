/*
 * See exceptions.h.
 *
 * SDM 3C, "Information for VM Exits Due to Vectored Events", "Event Injection".
 */
#include "vmx/exceptions.h"

#include "cpu/instructions.h"
#include "virt/backend.h"
#include "virt/exception_rules.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

/* The length is that of the instruction that raised a software interrupt or exception. */
static void inject_event(uint32_t event)
{
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION, event & ~INTERRUPTION_UNDEFINED);
    vmcs_set(VMCS_ENTRY_INSTRUCTION_LENGTH, vmcs_get(VMCS_EXIT_INSTRUCTION_LENGTH));
}

void exception_inject(struct vcpu *vcpu, uint8_t vector, uint32_t error_code)
{
    bool has_code = exception_has_error_code(vector, vmcs_get(VMCS_GUEST_CR0));

    (void)vcpu;
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION,
             INTERRUPTION_VALID | INTERRUPTION_HARDWARE_EXCEPTION |
                 (has_code ? INTERRUPTION_ERROR_CODE : 0) | vector);
    if (has_code)
        vmcs_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, error_code);
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

void pending_debug_add(uint64_t causes)
{
    vmcs_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS,
             vmcs_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) | causes);
}

/*
 * Updates the debug registers, because #DB exits before it does; the qualification has
 * the causes. In the shadow of STI or MOV SS, VM entry requires the trap of a guest that
 * single-steps to be pending: SDM 3C, "Checks on Guest Non-Register State".
 */
static void update_debug_registers(void)
{
    uint64_t causes = vmcs_get(VMCS_EXIT_QUALIFICATION);
    uint64_t shadow = vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE);

    write_dr6(dr6_after_debug_exception(read_dr6(), causes));
    vmcs_set(VMCS_GUEST_DR7, dr7_after_debug_exception(vmcs_get(VMCS_GUEST_DR7)));
    if (instruction_end_traps(vmcs_get(VMCS_GUEST_RFLAGS)) &&
        (shadow & INTERRUPTIBILITY_STI_OR_MOV_SS) != 0)
        pending_debug_add(PENDING_DEBUG_SINGLE_STEP);
}

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
        raise_machine_check();
        return vcpu_end_abnormally(vcpu, "machine check");
    }
    if (vector == VECTOR_DB)
        update_debug_registers();
    if ((event & INTERRUPTION_TYPE) == INTERRUPTION_PRIVILEGED_SOFTWARE) {
        inject_event(event); /* INT1 */
        return EXIT_RESUME;
    }
    return vcpu_inject_exception(vcpu, vector,
                                 (uint32_t)vmcs_get(VMCS_EXIT_INTERRUPTION_ERROR_CODE));
}
