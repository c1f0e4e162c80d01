/*
 * See exit.h.
 *
 * SDM 3C, "VM Exits", "VM-Exit Information Fields"; SDM 3D, "VMX Basic Exit Reasons". An
 * exit reason without a handler ends the guest with a report.
 */
#include "vmx/exit.h"

#include "lib/log.h"
#include "virt/exception_rules.h"
#include "virt/exit_handlers.h"
#include "vmx/control_registers.h"
#include "vmx/qualification.h"
#include "vmx/vcpu_events.h"
#include "x86/descriptors.h"

static enum exit_outcome resume(struct vcpu *vcpu)
{
    (void)vcpu;
    return EXIT_RESUME;
}

/* Returns the exit qualification, which the exit trace keeps too. */
static uint64_t read_qualification(struct vcpu *vcpu)
{
    return vcpu->newest->detail = vmread_known(VMCS_EXIT_QUALIFICATION);
}

/* Returns the guest-physical address of the exit, which the exit trace keeps too. */
static uint64_t read_address(struct vcpu *vcpu)
{
    return vcpu->newest->address = vmcs_get(VMCS_GUEST_PHYSICAL_ADDRESS);
}

/* On its own, so that OUT saves no registers for it. */
static __attribute__((noinline)) enum exit_outcome handle_in(struct vcpu *vcpu,
                                                             uint64_t qualification)
{
    return vcpu_read_port(vcpu, IO_PORT(qualification), IO_SIZE(qualification));
}

/* INS and OUTS exit before the processor checks their segment. */
static __attribute__((noinline)) enum exit_outcome
handle_string_io(struct vcpu *vcpu, uint64_t qualification)
{
    uint64_t information = vmcs_get(VMCS_EXIT_INSTRUCTION_INFORMATION);
    bool is_in           = (qualification & IO_IN) != 0;
    uint32_t segment     = is_in ? SEGMENT_ES : STRING_SEGMENT(information);

    if (segment > SEGMENT_GS)
        return exit_inject_gp(vcpu);
    struct string_access access = {
        .port           = IO_PORT(qualification),
        .size           = IO_SIZE(qualification),
        .address_size   = (uint8_t)(2U << STRING_ADDRESS_SIZE(information)),
        .is_in          = is_in,
        .is_repeated    = (qualification & IO_REPEATED) != 0,
        .is_64_bit      = guest_is_64_bit(),
        .is_stack       = segment == SEGMENT_SS && !guest_is_64_bit(),
        .linear_address = vmcs_get(VMCS_GUEST_LINEAR_ADDRESS),
    };
    vcpu->backend->read_segment(vcpu, segment, &access.segment);
    return vcpu->handlers->string_io(vcpu, &access);
}

static enum exit_outcome handle_io(struct vcpu *vcpu)
{
    uint64_t qualification = read_qualification(vcpu);

    if ((qualification & IO_STRING) != 0)
        return handle_string_io(vcpu, qualification);
    if ((qualification & IO_IN) != 0)
        return handle_in(vcpu, qualification);
    return vm_port_write(vcpu, IO_PORT(qualification), IO_SIZE(qualification),
                         (uint32_t)vcpu->run.registers.r[REGISTER_RAX]);
}

/* Ends the vCPU because of an event at the guest's current instruction. */
static enum exit_outcome end_at_instruction(struct vcpu *vcpu, const char *event)
{
    return vcpu_end_abnormally(vcpu, "%s at 0x%lx:0x%lx", event,
                               vmcs_get(VMCS_GUEST_CS_SELECTOR),
                               vmcs_get(VMCS_GUEST_RIP));
}

static enum exit_outcome handle_triple_fault(struct vcpu *vcpu)
{
    return end_at_instruction(vcpu, "triple fault");
}

/* Returns the error code of a fault in the gate of an event: SDM 3A, "Error Code". */
static uint32_t gate_error_code(uint32_t event, uint8_t vector)
{
    uint32_t type    = event & INTERRUPTION_TYPE;
    bool is_external = type != INTERRUPTION_SOFTWARE_INTERRUPT &&
                       type != INTERRUPTION_SOFTWARE_EXCEPTION;

    return (uint32_t)vector << ERROR_CODE_INDEX_SHIFT | ERROR_CODE_IDT |
           (is_external ? ERROR_CODE_EXTERNAL : 0);
}

/* SDM 3C, "Exit Qualification for EPT Violations". */
static enum exit_outcome handle_ept_violation(struct vcpu *vcpu)
{
    uint64_t qualification = read_qualification(vcpu);
    uint64_t of_data       = EPT_VIOLATION_OF_LINEAR | EPT_VIOLATION_TRANSLATED;
    bool is_delivery =
        (vmcs_get(VMCS_IDT_VECTORING_INFORMATION) & INTERRUPTION_VALID) != 0;
    const struct memory_access access = {
        .address = gpa(read_address(vcpu)),
        .kind    = (qualification & EPT_VIOLATION_FETCH) != 0   ? MEMORY_FETCH
                   : (qualification & EPT_VIOLATION_WRITE) != 0 ? MEMORY_WRITE
                                                                : MEMORY_READ,
        .is_by_instruction =
            !is_delivery && (qualification & (of_data | EPT_VIOLATION_FETCH)) == of_data,
    };
    event_redeliver();
    if (access.kind == MEMORY_FETCH && (qualification & EPT_VIOLATION_READABLE) != 0)
        return vcpu->handlers->execute_ram(vcpu, access.address);
    return vcpu->handlers->memory(vcpu, &access);
}

static enum exit_outcome handle_ept_misconfiguration(struct vcpu *vcpu)
{
    return vcpu_end_abnormally(vcpu, "EPT misconfiguration at 0x%lx", read_address(vcpu));
}

/*
 * Refuses a hardware task switch with #GP, and says so the first time: SDM 3C, "Exit
 * Qualification for Task Switches". The error code names the TSS, or the vector of a task
 * gate; an exception whose gate it is becomes a double fault.
 */
static enum exit_outcome handle_task_switch(struct vcpu *vcpu)
{
    uint64_t qualification = read_qualification(vcpu);
    uint32_t event         = (uint32_t)vmcs_get(VMCS_IDT_VECTORING_INFORMATION);
    uint8_t vector         = (uint8_t)INTERRUPTION_VECTOR(event);
    uint32_t tss           = (uint32_t)TASK_SWITCH_SELECTOR(qualification);

    if (vcpu->row[EXIT_REASON_TASK_SWITCH].exits == 0)
        log_warning(
            "cpu %u: the guest's hardware task switch to TSS 0x%x at 0x%lx raises "
            "#GP; Hymir performs none",
            vcpu->id, tss, vmcs_get(VMCS_GUEST_RIP));
    if ((event & INTERRUPTION_VALID) == 0)
        return vcpu_inject_exception(vcpu, VECTOR_GP, tss & ~SELECTOR_RPL);
    if ((event & INTERRUPTION_TYPE) != INTERRUPTION_HARDWARE_EXCEPTION)
        return vcpu_inject_exception(vcpu, VECTOR_GP, gate_error_code(event, vector));
    if (vector == VECTOR_DF)
        return handle_triple_fault(vcpu);
    return exception_is_contributory(vector)
               ? vcpu_inject_exception(vcpu, VECTOR_DF, 0)
               : vcpu_inject_exception(vcpu, VECTOR_GP, gate_error_code(event, vector));
}

/*
 * Handles a VM entry that a machine check prevented. The launch state of the VMCS is as
 * before: still clear after VMLAUNCH, which VMRESUME refuses. It is cleared in any case,
 * so that VMLAUNCH enters next, for which entry.asm loads all registers. SDM 3C,
 * "VM-Entry Failures During or After Loading Guest State".
 */
static enum exit_outcome handle_entry_machine_check(struct vcpu *vcpu)
{
    hpa_t vmcs = hpa_of(vmx_of(vcpu)->vmcs);

    if (!vcpu->run.has_all_registers)
        return EXIT_ALL_REGISTERS;
    if (vmclear(vmcs) != VMX_SUCCEED || vmptrld(vmcs) != VMX_SUCCEED)
        return vcpu_end_abnormally(vcpu, "machine check in VM entry; VMCLEAR or VMPTRLD "
                                         "failed after it");
    vcpu->run.is_launched = false;
    return machine_check_handle_exit(vcpu);
}

/* The handlers that are the same for all VMs. */
static exit_handler *const own_handlers[EXIT_REASON_COUNT] = {
    [EXIT_REASON_EXCEPTION_OR_NMI]               = exception_handle_exit,
    [EXIT_REASON_EXTERNAL_INTERRUPT]             = interrupt_handle_exit,
    [EXIT_REASON_TRIPLE_FAULT]                   = handle_triple_fault,
    [EXIT_REASON_INIT... EXIT_REASON_SIPI]       = resume,
    [EXIT_REASON_INTERRUPT_WINDOW]               = interrupt_window_handle_exit,
    [EXIT_REASON_NMI_WINDOW]                     = nmi_window_handle_exit,
    [EXIT_REASON_TASK_SWITCH]                    = handle_task_switch,
    [EXIT_REASON_GETSEC]                         = exit_inject_ud,
    [EXIT_REASON_HLT]                            = hlt_handle_exit,
    [EXIT_REASON_INVD]                           = exit_skip,
    [EXIT_REASON_RDPMC]                          = exit_inject_gp,
    [EXIT_REASON_RSM]                            = exit_inject_ud,
    [EXIT_REASON_VMCLEAR... EXIT_REASON_VMXON]   = exit_inject_ud,
    [EXIT_REASON_CONTROL_REGISTER]               = control_register_handle_exit,
    [EXIT_REASON_IO_INSTRUCTION]                 = handle_io,
    [EXIT_REASON_MWAIT]                          = exit_inject_ud,
    [EXIT_REASON_MONITOR]                        = exit_inject_ud,
    [EXIT_REASON_PAUSE]                          = exit_skip,
    [EXIT_REASON_MACHINE_CHECK]                  = handle_entry_machine_check,
    [EXIT_REASON_TPR_BELOW_THRESHOLD]            = tpr_handle_exit,
    [EXIT_REASON_APIC_ACCESS]                    = apic_access_handle_exit,
    [EXIT_REASON_EPT_VIOLATION]                  = handle_ept_violation,
    [EXIT_REASON_EPT_MISCONFIGURATION]           = handle_ept_misconfiguration,
    [EXIT_REASON_INVEPT]                         = exit_inject_ud,
    [EXIT_REASON_PREEMPTION_TIMER]               = interrupt_handle_exit,
    [EXIT_REASON_INVVPID]                        = exit_inject_ud,
    [EXIT_REASON_WBINVD]                         = exit_skip,
    [EXIT_REASON_XSETBV]                         = exit_handle_xsetbv,
    [EXIT_REASON_APIC_WRITE]                     = apic_write_handle_exit,
    [EXIT_REASON_VMFUNC]                         = exit_inject_ud,
    [EXIT_REASON_ENCLS]                          = exit_inject_ud,
    [EXIT_REASON_XSAVES... EXIT_REASON_XRSTORS]  = exit_inject_ud,
    [EXIT_REASON_PCONFIG]                        = exit_inject_ud,
    [EXIT_REASON_UMWAIT... EXIT_REASON_ENCLV]    = exit_inject_ud,
    [EXIT_REASON_BUS_LOCK]                       = bus_lock_handle_exit,
    [EXIT_REASON_INSTRUCTION_TIMEOUT]            = instruction_timeout_handle_exit,
    [EXIT_REASON_SEAMCALL... EXIT_REASON_TDCALL] = exit_inject_ud,
};

/*
 * Logs the VMCS and the rules that it violates after a failed VM entry, and ends the
 * vCPU.
 */
static enum exit_outcome end_after_failed_entry(struct vcpu *vcpu,
                                                const struct vmx_entry_failure *failure,
                                                const char *instruction,
                                                const char *error)
{
    struct entry_attempt attempt = vcpu_entry_attempt(vmx_of(vcpu));
    struct entry_summary summary = {0};
    TEXT_DECLARE(violation, GUEST_END_SIZE);

    log_error("cpu %u: %s failed: %s; the VMCS was:", vcpu->id, instruction, error);
    vmcs_log();
    if (vmx_entry_phases(failure) != 0)
        entry_failure_explain(&attempt, failure, &summary);
    entry_summary_append(&summary, &violation);
    return vcpu_end_abnormally(vcpu, "%s failed: %s%s", instruction, error,
                               violation.buffer);
}

void entry_failure_report(struct vcpu *vcpu, enum vmx_result result)
{
    const struct vmx_entry_failure failure = {
        .error = result == VMX_FAIL_VALID ? vmcs_instruction_error() : 0};

    end_after_failed_entry(vcpu, &failure,
                           vcpu->run.is_launched ? "VMRESUME" : "VMLAUNCH",
                           result == VMX_FAIL_VALID ? vmx_error_name(failure.error)
                                                    : "VMfailInvalid: no current VMCS");
}

/*
 * Handles unexpected exit reasons and VM-entry failures, which arrive as exits: SDM 3C,
 * "VM-Entry Failures During or After Loading Guest State".
 */
static enum exit_outcome handle_unexpected(struct vcpu *vcpu)
{
    uint32_t reason        = (uint32_t)vmcs_get(VMCS_EXIT_REASON);
    uint64_t qualification = read_qualification(vcpu);
    TEXT_DECLARE(event, 80);

    if ((reason & EXIT_REASON_ENTRY_FAILURE) != 0) {
        const struct vmx_entry_failure failure = {.reason = reason};
        text_append(&event, "%s, qualification 0x%lx",
                    exit_reason_name(EXIT_REASON_BASIC(reason)), qualification);
        return end_after_failed_entry(vcpu, &failure, "VM entry", event.buffer);
    }
    text_append(&event, "unhandled VM exit: reason %u (%s)", reason,
                exit_reason_name(reason));
    return end_at_instruction(vcpu, event.buffer);
}

/*
 * A failed entry has the row of its basic reason, for which no other handler exists than
 * that of machine checks.
 * All reasons fit in bits 7:0, because processors number them without gaps.
 */
void exit_rows_init(struct vmx_vcpu *vmx)
{
    const struct exit_handlers *handlers = vmx->vcpu->handlers;
    struct exit_row *rows                = vmx->rows;

    for (uint32_t i = 0; i < VMX_EXIT_ROWS; i++) {
        bool has_own    = i < EXIT_REASON_COUNT && own_handlers[i] != NULL;
        rows[i].handler = has_own ? own_handlers[i] : handle_unexpected;
    }
    rows[EXIT_REASON_CPUID].handler  = handlers->cpuid;
    rows[EXIT_REASON_RDMSR].handler  = handlers->read_msr;
    rows[EXIT_REASON_WRMSR].handler  = handlers->write_msr;
    rows[EXIT_REASON_VMCALL].handler = handlers->hypercall;
    for (uint32_t i = 0; i < ARRAY_SIZE(vmx->row_of_reason); i++)
        vmx->row_of_reason[i] = &rows[i < EXIT_REASON_COUNT ? i : EXIT_REASON_COUNT];
    vmx->vcpu->row       = rows;
    vmx->vcpu->row_count = VMX_EXIT_ROWS;
}
