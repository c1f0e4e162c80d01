/*
 * See exit.h.
 *
 * APM 2, "Instruction Intercepts", "Exception Intercepts", "SVM Intercept Exit Codes". An
 * exit code without a handler ends the guest with a report.
 */
#include "svm/exit.h"

#include "cpu/instructions.h"
#include "lib/log.h"
#include "svm/entry_report.h"
#include "svm/next_rip.h"
#include "svm/vcpu_events.h"
#include "virt/exit_handlers.h"

void svm_segment_read(struct vcpu *vcpu, enum segment_number number,
                      struct vcpu_segment *segment)
{
    const struct vmcb_segment *from = &svm_of(vcpu)->vmcb.segment[number];
    bool is_usable                  = (from->attributes & SEGMENT_PRESENT) != 0;

    *segment = (struct vcpu_segment){
        .selector = from->selector,
        .limit    = from->limit,
        .access_rights =
            is_usable ? vmcb_access_rights(from->attributes) : ACCESS_RIGHTS_UNUSABLE,
        .base = from->base,
    };
}

/* Returns the operand of INS or OUTS that is in memory, or NULL. */
static const struct instruction_operand *
find_string_operand(const struct instruction *instruction, bool is_in)
{
    bool is_right_one = instruction->name == (is_in ? INSTRUCTION_INS : INSTRUCTION_OUTS);

    for (size_t i = 0; i < ARRAY_SIZE(instruction->operand); i++) {
        if (is_right_one && instruction->operand[i].kind == OPERAND_MEMORY)
            return &instruction->operand[i];
    }
    return NULL;
}

/*
 * INS and OUTS exit before the processor checks their segment. The instruction is
 * decoded, because not all processors report its segment and address size.
 */
static __attribute__((noinline)) enum exit_outcome handle_string_io(struct vcpu *vcpu,
                                                                    uint64_t info)
{
    const struct vmcb *vmcb = &svm_of(vcpu)->vmcb;
    bool is_in              = (info & IO_IN) != 0;
    bool is_64_bit          = guest_is_64_bit(vmcb);
    struct instruction instruction;

    if (!guest_decode(vcpu, &instruction))
        return exit_inject_ud(vcpu);
    const struct instruction_operand *memory = find_string_operand(&instruction, is_in);
    if (memory == NULL)
        return exit_inject_ud(vcpu);
    struct string_access access = {
        .port         = IO_PORT(info),
        .size         = (uint8_t)IO_SIZE(info),
        .address_size = instruction.address_size,
        .is_in        = is_in,
        .is_repeated  = (info & IO_REPEATED) != 0,
        .is_64_bit    = is_64_bit,
        .is_stack     = memory->segment == SEGMENT_SS && !is_64_bit,
    };
    vcpu->backend->read_segment(vcpu, memory->segment, &access.segment);
    if (is_64_bit && memory->segment < SEGMENT_FS)
        access.segment.base = 0;
    access.linear_address =
        access.segment.base + operand_offset(memory, instruction.address_size,
                                             vcpu->run.registers.r, vmcb->rip);
    if (!is_64_bit)
        access.linear_address = (uint32_t)access.linear_address;
    return vcpu->handlers->string_io(vcpu, &access);
}

/* On its own, so that OUT saves no registers for it. */
static __attribute__((noinline)) enum exit_outcome handle_in(struct vcpu *vcpu,
                                                             uint64_t info)
{
    return vcpu_read_port(vcpu, IO_PORT(info), IO_SIZE(info));
}

static enum exit_outcome handle_io(struct vcpu *vcpu)
{
    uint64_t info = vcpu->newest->detail = svm_of(vcpu)->vmcb.exit_info_1;

    if ((info & IO_STRING) != 0)
        return handle_string_io(vcpu, info);
    if ((info & IO_IN) != 0)
        return handle_in(vcpu, info);
    return vm_port_write(vcpu, IO_PORT(info), IO_SIZE(info),
                         (uint32_t)vcpu->run.registers.r[REGISTER_RAX]);
}

/* Ends the vCPU because of an event at the guest's current instruction. */
static enum exit_outcome end_at_instruction(struct vcpu *vcpu, const char *event)
{
    const struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    return vcpu_end_abnormally(vcpu, "%s at 0x%x:0x%lx", event,
                               vmcb->segment[SEGMENT_CS].selector, vmcb->rip);
}

static enum exit_outcome handle_shutdown(struct vcpu *vcpu)
{
    return end_at_instruction(vcpu, "triple fault");
}

/* APM 2, "Nested Page Faults and Fault Ordering". */
static enum exit_outcome handle_nested_page_fault(struct vcpu *vcpu)
{
    struct vmcb *vmcb                 = &svm_of(vcpu)->vmcb;
    uint64_t info                     = vmcb->exit_info_1;
    const struct memory_access access = {
        .address           = gpa(vmcb->exit_info_2),
        .kind              = (info & NESTED_FAULT_FETCH) != 0   ? MEMORY_FETCH
                             : (info & NESTED_FAULT_WRITE) != 0 ? MEMORY_WRITE
                                                                : MEMORY_READ,
        .is_by_instruction = (vmcb->exit_interrupt_info & EVENT_VALID) == 0 &&
                             (info & (NESTED_FAULT_WALK | NESTED_FAULT_FETCH)) == 0,
    };

    vcpu->newest->detail  = info;
    vcpu->newest->address = vmcb->exit_info_2;
    svm_event_redeliver(vmcb);
    return vcpu->handlers->memory(vcpu, &access);
}

/*
 * Permits one bus lock, so that each has the cost of an exit. The delivery of an event
 * acquires one if it sets the accessed bit of a descriptor that two cache lines share.
 */
static enum exit_outcome handle_bus_lock(struct vcpu *vcpu)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    svm_event_redeliver(vmcb);
    vmcb->bus_lock_counter = 1;
    return EXIT_RESUME;
}

/* The handlers that are the same for all VMs. */
static exit_handler *const own_handlers[SVM_EXIT_CODES] = {
    [SVM_EXIT_CR_READ + 4]  = svm_cr4_read_handle_exit,
    [SVM_EXIT_CR_WRITE + 4] = svm_cr4_write_handle_exit,
    [SVM_EXIT_CR_READ + 8]  = svm_cr8_read_handle_exit,
    [SVM_EXIT_CR_WRITE + 8] = svm_cr8_write_handle_exit,
    [SVM_EXIT_EXCEPTION... SVM_EXIT_EXCEPTION + EXCEPTION_VECTORS - 1] =
        svm_exception_handle_exit,
    [SVM_EXIT_INTR]                                = svm_interrupt_handle_exit,
    [SVM_EXIT_NMI]                                 = svm_nmi_handle_exit,
    [SVM_EXIT_INIT]                                = svm_nmi_handle_exit,
    [SVM_EXIT_VINTR]                               = svm_interrupt_window_handle_exit,
    [SVM_EXIT_RDPMC]                               = exit_inject_gp,
    [SVM_EXIT_RSM]                                 = exit_inject_ud,
    [SVM_EXIT_IRET]                                = svm_iret_handle_exit,
    [SVM_EXIT_INVD]                                = exit_skip,
    [SVM_EXIT_HLT]                                 = svm_hlt_handle_exit,
    [SVM_EXIT_INVLPGA]                             = exit_inject_ud,
    [SVM_EXIT_IO]                                  = handle_io,
    [SVM_EXIT_MSR]                                 = svm_msr_handle_exit,
    [SVM_EXIT_SHUTDOWN]                            = handle_shutdown,
    [SVM_EXIT_VMRUN]                               = exit_inject_ud,
    [SVM_EXIT_VMLOAD... SVM_EXIT_SKINIT]           = exit_inject_ud,
    [SVM_EXIT_WBINVD]                              = exit_skip,
    [SVM_EXIT_MONITOR... SVM_EXIT_MWAIT_ARMED]     = exit_inject_ud,
    [SVM_EXIT_XSETBV]                              = exit_handle_xsetbv,
    [SVM_EXIT_RDPRU]                               = exit_inject_ud,
    [SVM_EXIT_INVLPGB... SVM_EXIT_INVLPGB_ILLEGAL] = exit_inject_ud,
    [SVM_EXIT_BUS_LOCK]                            = handle_bus_lock,
    [SVM_EXIT_MCOMMIT... SVM_EXIT_TLBSYNC]         = exit_inject_ud,
};

/* Returns whether no exit has been counted yet. */
static bool is_first_exit(const struct vcpu *vcpu)
{
    for (size_t i = 0; i < vcpu->row_count; i++) {
        if (vcpu->row[i].exits > 0)
            return false;
    }
    return true;
}

/*
 * Ends the vCPU, and logs the VMCB and the rules that it violates. Emulators save the
 * host's state in it even if VMRUN fails: APM 2, "Canonicalization and Consistency
 * Checks".
 */
static enum exit_outcome end_after_failed_entry(struct vcpu *vcpu)
{
    struct svm_vcpu *svm         = svm_of(vcpu);
    struct entry_summary summary = {0};
    TEXT_DECLARE(violation, GUEST_END_SIZE);

    log_error("cpu %u: VMRUN failed: VMEXIT_INVALID; the VMCB was%s:", vcpu->id,
              svm_has_host_state(&svm->vmcb)
                  ? ", with Hymir's state in place of the guest's"
                  : "");
    vmcb_log(&svm->vmcb);
    if (!is_first_exit(vcpu))
        svm_entry_note_failed(&svm->entry, &svm->vmcb);
    svm_entry_explain(&svm->entry, &summary);
    entry_summary_append(&summary, &violation);
    return vcpu_end_abnormally(vcpu, "VMRUN failed: VMEXIT_INVALID%s", violation.buffer);
}

/* Handles unexpected exit codes, and VMEXIT_INVALID. */
static enum exit_outcome handle_unexpected(struct vcpu *vcpu)
{
    const struct svm_vcpu *svm = svm_of(vcpu);
    uint64_t code              = svm->vmcb.exit_code;
    TEXT_DECLARE(event, 80);

    vcpu->newest->detail = svm->vmcb.exit_info_1;
    if (SVM_EXIT_IS_INVALID(code))
        return end_after_failed_entry(vcpu);
    text_append(&event, "unhandled VM exit: code 0x%lx (%s)", code,
                svm_exit_name(svm_exit_row_index(code)));
    return end_at_instruction(vcpu, event.buffer);
}

/*
 * Bits 7:0 tell the codes apart: those of high exits are the ones of reads of CR0 to CR3,
 * which do not exit, and those of VMEXIT_INVALID have no other code.
 */
static void init_row_of_code(struct svm_vcpu *svm)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(svm->row_of_code); i++)
        svm->row_of_code[i] = &svm->rows[i < SVM_EXIT_CODES ? i : SVM_EXIT_OTHER];
    for (uint32_t i = 0; i < SVM_HIGH_EXITS; i++)
        svm->row_of_code[i] = &svm->rows[SVM_EXIT_CODES + i];
}

void svm_exit_rows_init(struct svm_vcpu *svm)
{
    const struct exit_handlers *handlers = svm->vcpu->handlers;

    for (uint32_t i = 0; i < SVM_EXIT_ROWS; i++) {
        bool has_own         = i < SVM_EXIT_CODES && own_handlers[i] != NULL;
        svm->rows[i].handler = has_own ? own_handlers[i] : handle_unexpected;
    }
    svm->rows[SVM_EXIT_CPUID].handler   = handlers->cpuid;
    svm->rows[SVM_EXIT_VMMCALL].handler = handlers->hypercall;
    svm->rows[svm_exit_row_index(SVM_EXIT_NESTED_PAGE_FAULT)].handler =
        handle_nested_page_fault;
    init_row_of_code(svm);
    svm->vcpu->row       = svm->rows;
    svm->vcpu->row_count = SVM_EXIT_ROWS;
}
