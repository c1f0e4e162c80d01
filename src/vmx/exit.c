/*
 * See vcpu.h: what happens at a VM exit.
 *
 * SDM 3C, "VM Exits", "VM-Exit Information Fields"; SDM 3D, "VMX Basic Exit Reasons". A
 * table of rows by exit reason, each with what answers it. A reason without a row ends
 * the guest with a report: no guest gets further than that.
 */
#include "cpu/cpuid.h"
#include "lib/log.h"
#include "vmx/qualification.h"
#include "vmx/vcpu.h"
#include "vmx/vmcs.h"
#include "x86/exceptions.h"

_Static_assert(EXIT_REASON_COUNT <= EXIT_ROWS, "a row for each reason");

/* The guest's instructions that its CPUID does not offer. */
static enum exit_outcome undefined(struct vcpu *vcpu)
{
    vcpu->backend->inject_exception(vcpu, VECTOR_UD, 0);
    return EXIT_RESUME;
}

enum exit_outcome vcpu_general_protection(struct vcpu *vcpu)
{
    vcpu->backend->inject_exception(vcpu, VECTOR_GP, 0);
    return EXIT_RESUME;
}

/* What has no effect that another guest, or Hymir, should feel. */
static enum exit_outcome skip(struct vcpu *vcpu)
{
    (void)vcpu;
    return EXIT_NEXT;
}

static enum exit_outcome again(struct vcpu *vcpu)
{
    (void)vcpu;
    return EXIT_RESUME;
}

/* The exit qualification, which goes into the exit's record. */
static uint64_t take_qualification(struct vcpu *vcpu)
{
    return vcpu->newest->detail = vmcs_get(VMCS_EXIT_QUALIFICATION);
}

/* The guest-physical address of the exit; likewise. */
static uint64_t take_address(struct vcpu *vcpu)
{
    return vcpu->newest->address = vmcs_get(VMCS_GUEST_PHYSICAL_ADDRESS);
}

/* IN leaves the rest of RAX alone, but for EAX, which clears the upper half. */
static enum exit_outcome handle_in(struct vcpu *vcpu, uint64_t qualification)
{
    uint64_t *rax     = &vcpu->run.registers.r[REGISTER_RAX];
    unsigned int size = IO_SIZE(qualification);
    uint32_t value    = vcpu->handlers->port_read(vcpu, IO_PORT(qualification), size);

    if (size == sizeof(uint8_t))
        *(uint8_t *)rax = (uint8_t)value;
    else if (size == sizeof(uint16_t))
        *(uint16_t *)rax = (uint16_t)value;
    else
        *rax = value;
    return EXIT_NEXT;
}

static enum exit_outcome handle_io(struct vcpu *vcpu)
{
    uint64_t qualification = take_qualification(vcpu);

    if ((qualification & IO_STRING) != 0)
        return handle_string_io(vcpu, qualification);
    if ((qualification & IO_IN) != 0)
        return handle_in(vcpu, qualification);
    return vcpu->handlers->port_write(vcpu, IO_PORT(qualification),
                                      IO_SIZE(qualification),
                                      (uint32_t)vcpu->run.registers.r[REGISTER_RAX]);
}

/* XCR0 as XSETBV takes it: SDM 1, "XSAVE-Supported Features and State-Component Bitmaps".
 */
static enum exit_outcome handle_xsetbv(struct vcpu *vcpu)
{
    const uint64_t *r = vcpu->run.registers.r;
    uint64_t value =
        (r[REGISTER_RDX] & UINT32_MAX) << 32 | (r[REGISTER_RAX] & UINT32_MAX);

    if ((uint32_t)r[REGISTER_RCX] != 0 || (value & ~(uint64_t)GUEST_XCR0_ALLOWED) != 0 ||
        xsetbv_safe(value) != FAULT_NONE)
        return vcpu_general_protection(vcpu);
    return EXIT_NEXT;
}

/* The machine's own: it is still to be taken. It may be the APIC's timer. */
static enum exit_outcome handle_interrupt(struct vcpu *vcpu)
{
    interrupts_handle_pending();
    vcpu_check_alarm(vcpu);
    return vcpu->handlers->interrupted(vcpu);
}

static enum exit_outcome handle_triple_fault(struct vcpu *vcpu)
{
    return vcpu_end_abnormally(vcpu, "triple fault at 0x%lx:0x%lx",
                               vmcs_get(VMCS_GUEST_CS_SELECTOR),
                               vmcs_get(VMCS_GUEST_RIP));
}

/* SDM 3C, "Exit Qualification for EPT Violations". */
static enum exit_outcome handle_ept_violation(struct vcpu *vcpu)
{
    uint64_t qualification            = take_qualification(vcpu);
    const struct memory_access access = {
        .address  = gpa(take_address(vcpu)),
        .is_write = (qualification & EPT_VIOLATION_WRITE) != 0,
        .is_fetch = (qualification & EPT_VIOLATION_FETCH) != 0,
    };
    vcpu_deliver_again();
    return vcpu->handlers->memory(vcpu, &access);
}

static enum exit_outcome handle_ept_misconfiguration(struct vcpu *vcpu)
{
    return vcpu_end_abnormally(vcpu, "EPT misconfiguration at 0x%lx", take_address(vcpu));
}

static enum exit_outcome handle_task_switch(struct vcpu *vcpu)
{
    (void)take_qualification(vcpu);
    return vcpu_end_abnormally(
        vcpu,
        "a hardware task switch at 0x%lx:0x%lx, which VMX leaves to "
        "software and Hymir does not do",
        vmcs_get(VMCS_GUEST_CS_SELECTOR), vmcs_get(VMCS_GUEST_RIP));
}

/* What answers an exit reason, whatever the VM is. */
static vcpu_answer *const own_answers[EXIT_REASON_COUNT] = {
    [EXIT_REASON_EXCEPTION_OR_NMI]     = handle_exception,
    [EXIT_REASON_EXTERNAL_INTERRUPT]   = handle_interrupt,
    [EXIT_REASON_TRIPLE_FAULT]         = handle_triple_fault,
    [EXIT_REASON_INIT]                 = again,
    [EXIT_REASON_SIPI]                 = again,
    [EXIT_REASON_INTERRUPT_WINDOW]     = handle_interrupt_window,
    [EXIT_REASON_NMI_WINDOW]           = handle_nmi_window,
    [EXIT_REASON_TASK_SWITCH]          = handle_task_switch,
    [EXIT_REASON_GETSEC]               = undefined,
    [EXIT_REASON_HLT]                  = handle_hlt,
    [EXIT_REASON_INVD]                 = skip,
    [EXIT_REASON_RDPMC]                = vcpu_general_protection,
    [EXIT_REASON_RSM]                  = undefined,
    [EXIT_REASON_VMCLEAR]              = undefined,
    [EXIT_REASON_VMLAUNCH]             = undefined,
    [EXIT_REASON_VMPTRLD]              = undefined,
    [EXIT_REASON_VMPTRST]              = undefined,
    [EXIT_REASON_VMREAD]               = undefined,
    [EXIT_REASON_VMRESUME]             = undefined,
    [EXIT_REASON_VMWRITE]              = undefined,
    [EXIT_REASON_VMXOFF]               = undefined,
    [EXIT_REASON_VMXON]                = undefined,
    [EXIT_REASON_CONTROL_REGISTER]     = control_register_access,
    [EXIT_REASON_IO_INSTRUCTION]       = handle_io,
    [EXIT_REASON_MWAIT]                = undefined,
    [EXIT_REASON_MONITOR]              = undefined,
    [EXIT_REASON_PAUSE]                = skip,
    [EXIT_REASON_EPT_VIOLATION]        = handle_ept_violation,
    [EXIT_REASON_EPT_MISCONFIGURATION] = handle_ept_misconfiguration,
    [EXIT_REASON_INVEPT]               = undefined,
    [EXIT_REASON_PREEMPTION_TIMER]     = handle_preemption_timer,
    [EXIT_REASON_INVVPID]              = undefined,
    [EXIT_REASON_WBINVD]               = skip,
    [EXIT_REASON_XSETBV]               = handle_xsetbv,
    [EXIT_REASON_VMFUNC]               = undefined,
    [EXIT_REASON_ENCLS]                = undefined,
    [EXIT_REASON_XSAVES]               = undefined,
    [EXIT_REASON_XRSTORS]              = undefined,
    [EXIT_REASON_UMWAIT]               = undefined,
    [EXIT_REASON_TPAUSE]               = undefined,
};

/* SDM 3C, "VM-Entry Failures During or After Loading Guest State". */
static void entry_failed_late(struct vcpu *vcpu, uint32_t reason)
{
    uint64_t qualification = take_qualification(vcpu);

    log_error("cpu %u: VM entry failed: %s, qualification 0x%lx; the VMCS was:", vcpu->id,
              exit_reason_name(EXIT_REASON_BASIC(reason)), qualification);
    vmcs_log();
    vcpu_end_abnormally(vcpu, "VM entry failed: %s",
                        exit_reason_name(EXIT_REASON_BASIC(reason)));
}

void vcpu_entry_failed(struct vmx_vcpu *vmx, enum vmx_result result)
{
    struct vcpu *vcpu       = vmx->vcpu;
    const char *instruction = vcpu->run.is_launched ? "VMRESUME" : "VMLAUNCH";
    const char *error       = "VMfailInvalid: no current VMCS";

    if (result == VMX_FAIL_VALID)
        error = vmx_error_name(vmcs_instruction_error());
    log_error("cpu %u: %s failed: %s; the VMCS was:", vcpu->id, instruction, error);
    vmcs_log();
    vcpu_end_abnormally(vcpu, "%s failed: %s", instruction, error);
}

/* A reason that has no answer, or a failed entry, which looks like an exit. */
static enum exit_outcome unanswered(struct vcpu *vcpu)
{
    uint32_t reason = (uint32_t)vmcs_get(VMCS_EXIT_REASON);

    if ((reason & EXIT_REASON_ENTRY_FAILURE) != 0) {
        entry_failed_late(vcpu, reason);
        return EXIT_STOP;
    }
    return vcpu_end_abnormally(
        vcpu, "VM exit with reason %u (%s), which Hymir has no answer to, at 0x%lx:0x%lx",
        reason, exit_reason_name(reason), vmcs_get(VMCS_GUEST_CS_SELECTOR),
        vmcs_get(VMCS_GUEST_RIP));
}

void vcpu_choose_answers(struct vcpu *vcpu)
{
    const struct exit_handlers *handlers = vcpu->handlers;

    for (uint32_t i = 0; i < EXIT_ROWS; i++)
        vcpu->row[i].answer = unanswered;
    for (uint32_t i = 0; i < EXIT_REASON_COUNT; i++) {
        if (own_answers[i] != NULL)
            vcpu->row[i].answer = own_answers[i];
    }
    vcpu->row[EXIT_REASON_CPUID].answer  = handlers->cpuid;
    vcpu->row[EXIT_REASON_RDMSR].answer  = handlers->read_msr;
    vcpu->row[EXIT_REASON_WRMSR].answer  = handlers->write_msr;
    vcpu->row[EXIT_REASON_VMCALL].answer = handlers->hypercall;
}
