/*
 * See vcpu.h: exceptions and NMIs that exit, and events that an exit has interrupted.
 *
 * SDM 3C, "Information for VM Exits Due to Vectored Events", "Event Injection".
 */
#include "x86/exceptions.h"
#include "vmx/vcpu.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"
#include "x86/debug_registers.h"

/* A software interrupt or exception is an instruction that is still to be passed. */
static void deliver(uint32_t event)
{
    vmcs_set(VMCS_ENTRY_INTERRUPTION_INFORMATION, event & ~INTERRUPTION_UNDEFINED);
    vmcs_set(VMCS_ENTRY_INSTRUCTION_LENGTH, vmcs_get(VMCS_EXIT_INSTRUCTION_LENGTH));
}

/* SDM 3C, "Information for VM Exits That Occur During Event Delivery": delivers it again.
 */
void vcpu_deliver_again(void)
{
    uint32_t event = (uint32_t)vmcs_get(VMCS_IDT_VECTORING_INFORMATION);

    if ((event & INTERRUPTION_VALID) == 0)
        return;
    if ((event & INTERRUPTION_TYPE) == INTERRUPTION_NMI)
        vmcs_set(VMCS_GUEST_INTERRUPTIBILITY_STATE, /* it blocks again when delivered */
                 vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE) & ~INTERRUPTIBILITY_NMI);
    deliver(event);
    if ((event & INTERRUPTION_ERROR_CODE) != 0)
        vmcs_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE,
                 vmcs_get(VMCS_IDT_VECTORING_ERROR_CODE));
}

void vcpu_add_pending_debug(uint64_t bits)
{
    vmcs_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS,
             vmcs_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) | bits);
}

/*
 * What a #DB does to the debug registers: it exits before that, and the qualification has
 * what DR6 would have become. SDM 3C, "Guest Non-Register State" (checks): a guest that
 * steps needs its trap to be pending in the shadow of STI and MOV SS.
 */
static void take_debug_exception(void)
{
    uint64_t pending = vmcs_get(VMCS_EXIT_QUALIFICATION);
    uint64_t shadow  = vmcs_get(VMCS_GUEST_INTERRUPTIBILITY_STATE);

    write_dr6((read_dr6() & ~UINT64_C(0xF)) | pending);
    vmcs_set(VMCS_GUEST_DR7, vmcs_get(VMCS_GUEST_DR7) & ~DR7_GENERAL_DETECT);
    if ((vmcs_get(VMCS_GUEST_RFLAGS) & RFLAGS_TF) != 0 &&
        (shadow & INTERRUPTIBILITY_STI_OR_MOV_SS) != 0)
        vcpu_add_pending_debug(PENDING_DEBUG_SINGLE_STEP);
}

enum exit_outcome handle_exception(struct vcpu *vcpu)
{
    uint32_t event = (uint32_t)vmcs_get(VMCS_EXIT_INTERRUPTION_INFORMATION);
    uint8_t vector = (uint8_t)INTERRUPTION_VECTOR(event);

    vcpu->newest->detail = event;
    if (vector == VECTOR_NMI) {
        vcpu_deliver_again();
        raise_nmi();
        return EXIT_RESUME;
    }
    if (vector == VECTOR_MC) {
        raise_machine_check();
        return vcpu_end_abnormally(vcpu, "machine check");
    }
    if (vector == VECTOR_DB)
        take_debug_exception();
    if ((event & INTERRUPTION_TYPE) == INTERRUPTION_PRIVILEGED_SOFTWARE) {
        deliver(event); /* INT1 */
        return EXIT_RESUME;
    }
    uint32_t error_code = (event & INTERRUPTION_ERROR_CODE) != 0
                              ? (uint32_t)vmcs_get(VMCS_EXIT_INTERRUPTION_ERROR_CODE)
                              : 0;
    vcpu->backend->inject_exception(vcpu, vector, error_code);
    return EXIT_RESUME;
}
