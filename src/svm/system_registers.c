/*
 * See exit.h.
 *
 * APM 2, "System-Control Registers", "Nested Paging". A guest has its CR0, CR2, CR3 and
 * debug registers without an exit. CR4 exits because Hymir keeps MCE set and the guest
 * may set only what its CPUID offers; CR8 because the VM has it; EFER because SVME must
 * stay set; PAT because not all emulators have it in the VMCB.
 */
#include "svm/exit.h"

#include "svm/next_rip.h"
#include "virt/exit_handlers.h"
#include "x86/msr.h"
#include "x86/paging.h"

/* The bits of CR4 whose changes invalidate translations. */
#define CR4_FLUSHES (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_PKE)

/* Finds the general register of MOV to or from a control register. */
static bool find_general_register(struct vcpu *vcpu, unsigned int *number)
{
    const struct svm_vcpu *svm = svm_of(vcpu);
    uint64_t info              = svm->vmcb.exit_info_1;
    struct instruction instruction;

    if (svm->has_decode_assists && (info & CR_ACCESS_IS_MOV) != 0) {
        *number = CR_ACCESS_GENERAL(info);
        return true;
    }
    if (!guest_decode(vcpu, &instruction) || instruction.name != INSTRUCTION_MOV)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(instruction.operand); i++) {
        if (instruction.operand[i].kind == OPERAND_REGISTER) {
            *number = instruction.operand[i].number;
            return true;
        }
    }
    return false;
}

/*
 * Returns the general register of the access that exits. If it returns NULL, the outcome
 * is that of the exit.
 */
static uint64_t *find_register(struct vcpu *vcpu, enum exit_outcome *outcome)
{
    unsigned int number = 0;

    *outcome = EXIT_NEXT;
    if (!find_general_register(vcpu, &number))
        *outcome = exit_inject_ud(vcpu);
    else if (register_stays_in_cpu(number) && !vcpu->run.has_all_registers)
        *outcome = vcpu_request_all_registers(vcpu);
    else
        return number == REGISTER_RSP ? &svm_of(vcpu)->vmcb.rsp
                                      : &vcpu->run.registers.r[number];
    return NULL;
}

enum exit_outcome svm_cr4_read_handle_exit(struct vcpu *vcpu)
{
    enum exit_outcome outcome;
    uint64_t *general = find_register(vcpu, &outcome);

    if (general != NULL)
        *general = svm_of(vcpu)->vmcb.cr4 & GUEST_CR4_ALLOWED;
    return outcome;
}

enum exit_outcome svm_cr8_read_handle_exit(struct vcpu *vcpu)
{
    enum exit_outcome outcome;
    uint64_t *general = find_register(vcpu, &outcome);

    if (general != NULL)
        *general = vcpu->handlers->read_cr8(vcpu);
    return outcome;
}

/* Outside 64-bit code, MOV to a control register takes 32 bits. */
static uint64_t written_value(struct vcpu *vcpu, const uint64_t *general)
{
    return guest_is_64_bit(&svm_of(vcpu)->vmcb) ? *general : (uint32_t)*general;
}

enum exit_outcome svm_cr8_write_handle_exit(struct vcpu *vcpu)
{
    enum exit_outcome outcome;
    const uint64_t *general = find_register(vcpu, &outcome);

    return general == NULL
               ? outcome
               : vcpu->handlers->write_cr8(vcpu, written_value(vcpu, general));
}

/* Returns whether a guest in that state may load CR4: APM 2, "CR4 Register". */
static bool cr4_change_is_valid(const struct vmcb *vmcb, uint64_t value)
{
    bool is_long    = (vmcb->efer & EFER_LMA) != 0;
    bool sets_pcide = (value & ~vmcb->cr4 & CR4_PCIDE) != 0;
    bool clears_pae = (vmcb->cr4 & ~value & CR4_PAE) != 0;
    bool has_pcid   = (vmcb->cr3 & CR3_PCID) != 0;

    return !(is_long && clears_pae) && !(sets_pcide && (!is_long || has_pcid));
}

enum exit_outcome svm_cr4_write_handle_exit(struct vcpu *vcpu)
{
    struct svm_vcpu *svm = svm_of(vcpu);
    struct vmcb *vmcb    = &svm->vmcb;
    enum exit_outcome outcome;
    const uint64_t *general = find_register(vcpu, &outcome);

    if (general == NULL)
        return outcome;
    uint64_t value       = written_value(vcpu, general);
    vcpu->newest->detail = value;
    if ((value & ~svm->cr4_allowed) != 0 || !cr4_change_is_valid(vmcb, value))
        return exit_inject_gp(vcpu);
    if (((vmcb->cr4 ^ value) & CR4_FLUSHES) != 0)
        vmcb->tlb_control = svm->flush;
    vmcb->cr4 = value | (vmcb->cr4 & CR4_MCE);
    vmcb_mark_dirty(vmcb, CLEAN_CONTROL_REGISTERS);
    return EXIT_NEXT;
}

/* LMA is read-only; LME cannot change while paging is on. */
static enum exit_outcome write_efer(struct vcpu *vcpu, uint64_t value)
{
    struct svm_vcpu *svm = svm_of(vcpu);
    struct vmcb *vmcb    = &svm->vmcb;
    bool changes_lme     = ((vmcb->efer ^ value) & EFER_LME) != 0;

    if ((value & ~svm->efer_allowed) != 0 || (changes_lme && (vmcb->cr0 & CR0_PG) != 0))
        return exit_inject_gp(vcpu);
    vmcb->efer = (value & ~EFER_LMA) | (vmcb->efer & (EFER_LMA | EFER_SVME));
    vmcb_mark_dirty(vmcb, CLEAN_CONTROL_REGISTERS);
    return EXIT_NEXT;
}

static enum exit_outcome write_pat(struct vcpu *vcpu, uint64_t value)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    if (!pat_is_valid(value))
        return exit_inject_gp(vcpu);
    vmcb->pat = value;
    vmcb_mark_dirty(vmcb, CLEAN_NESTED_PAGING);
    return EXIT_NEXT;
}

static enum exit_outcome read_value(struct vcpu *vcpu, uint64_t value)
{
    vcpu_set_edx_eax(vcpu, value);
    return EXIT_NEXT;
}

enum exit_outcome svm_msr_handle_exit(struct vcpu *vcpu)
{
    const struct vmcb *vmcb = &svm_of(vcpu)->vmcb;
    uint32_t msr            = (uint32_t)vcpu->run.registers.r[REGISTER_RCX];
    bool is_write           = (vmcb->exit_info_1 & MSR_IS_WRITE) != 0;
    uint64_t value          = vcpu_edx_eax(vcpu);

    if (msr != MSR_IA32_EFER && msr != MSR_IA32_PAT)
        return is_write ? vcpu->handlers->write_msr(vcpu)
                        : vcpu->handlers->read_msr(vcpu);
    vcpu->newest->detail = msr;
    if (msr == MSR_IA32_EFER)
        return is_write ? write_efer(vcpu, value)
                        : read_value(vcpu, vmcb->efer & ~EFER_SVME);
    return is_write ? write_pat(vcpu, value) : read_value(vcpu, vmcb->pat);
}
