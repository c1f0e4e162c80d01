/* The state of a vCPU at the start of a run: see vcpu.h. */
#include "svm/vcpu.h"

#include "cpu/guest_state.h"
#include "cpu/instructions.h"
#include "cpu/speculation.h"
#include "lib/string.h"
#include "lib/ticks.h"
#include "svm/vcpu_events.h"
#include "virt/control_register_rules.h"
#include "x86/exceptions.h"
#include "x86/msr.h"
#include "x86/paging.h"
#include "x86/svm_capabilities.h"

#define GUEST_ASID 1U /* one vCPU runs on a CPU, so that all have the same */

/* The attributes of an LDT: APM 2, "Processor Initialization". */
#define LDT_PRESENT 0x82U

/* #DB and #AC exit because their delivery can raise them again, endlessly. */
#define EXCEPTIONS_THAT_EXIT (BIT(VECTOR_MC) | BIT(VECTOR_DB) | BIT(VECTOR_AC))

/* Instructions that the guest's CPUID does not offer exit to raise #UD. */
#define INTERCEPTS_1                                                     \
    (INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_INIT | INTERCEPT_RDPMC | \
     INTERCEPT_CPUID | INTERCEPT_RSM | INTERCEPT_INVD | INTERCEPT_HLT |  \
     INTERCEPT_INVLPGA | INTERCEPT_IO | INTERCEPT_MSR | INTERCEPT_SHUTDOWN)
#define INTERCEPTS_2                                                             \
    (INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD | INTERCEPT_VMSAVE | \
     INTERCEPT_STGI | INTERCEPT_CLGI | INTERCEPT_SKINIT | INTERCEPT_WBINVD |     \
     INTERCEPT_MONITOR | INTERCEPT_MWAIT | INTERCEPT_XSETBV | INTERCEPT_RDPRU)

static void fill_permissions(struct svm_vcpu *svm)
{
    memset(svm->io_permissions, 0xFF, sizeof(svm->io_permissions));
    svm_msr_permissions_fill(svm->msr_permissions, svm->has_lbr_virtualization);
    uint32_t speculation[SPECULATION_MSRS];
    for (size_t i = speculation_passed_msrs(speculation); i > 0; i--)
        svm_msr_pass(svm->msr_permissions, speculation[i - 1]);
}

/* A processor without an instruction may not have its intercept. */
static uint32_t read_intercepts_3(void)
{
    uint32_t features   = cpuid(CPUID_LEAF_ADDRESS_SIZES, 0).ebx;
    uint64_t intercepts = 0;

    if ((features & CPUID_80000008_EBX_INVLPGB) != 0)
        intercepts |= INTERCEPT_INVLPGB | INTERCEPT_INVLPGB_ILLEGAL | INTERCEPT_TLBSYNC;
    if ((features & CPUID_80000008_EBX_MCOMMIT) != 0)
        intercepts |= INTERCEPT_MCOMMIT;
    if ((cpuid(CPUID_LEAF_SVM, 0).edx & SVM_FEATURE_BUS_LOCK_THRESHOLD) != 0)
        intercepts |= INTERCEPT_BUS_LOCK;
    return (uint32_t)intercepts;
}

static void write_controls(struct svm_vcpu *svm)
{
    struct vmcb *vmcb = &svm->vmcb;

    vmcb->intercept_cr_reads   = BIT(4) | BIT(8);
    vmcb->intercept_cr_writes  = BIT(4) | BIT(8);
    vmcb->intercept_exceptions = EXCEPTIONS_THAT_EXIT;
    vmcb->intercept_1          = (uint32_t)INTERCEPTS_1;
    vmcb->intercept_2          = INTERCEPTS_2;
    vmcb->intercept_3          = read_intercepts_3();
    vmcb->bus_lock_counter     = 1;
    vmcb->iopm_base            = hpa_of(svm->io_permissions).value;
    vmcb->msrpm_base           = hpa_of(svm->msr_permissions).value;
    vmcb->tsc_offset           = 0 - svm->vcpu->tsc_start;
    vmcb->asid                 = GUEST_ASID;
    vmcb->tlb_control          = TLB_CONTROL_FLUSH_ALL; /* of an earlier guest */
    vmcb->virtual_interrupt    = V_INTR_MASKING | V_INTR_PRIORITY | V_IGNORE_TPR;
    vmcb->nested_paging        = NESTED_PAGING;
    vmcb->nested_cr3           = svm->plan->memory_root.value;
    vmcb->lbr_virtualization   = svm->has_lbr_virtualization ? LBR_VIRTUALIZATION : 0;
}

static void write_segments(struct vmcb *vmcb, const struct vcpu_start *start)
{
    static const struct vcpu_segment task = {0, TASK_LIMIT_AFTER_START,
                                             ACCESS_RIGHTS_TSS_BUSY, 0};

    for (size_t i = SEGMENT_ES; i <= SEGMENT_GS; i++)
        vmcb->segment[i] = vmcb_segment_of(i == SEGMENT_CS ? &start->code : &start->data);
    vmcb->tr         = vmcb_segment_of(&task);
    vmcb->ldtr       = (struct vmcb_segment){.attributes = LDT_PRESENT,
                                             .limit      = DESCRIPTOR_TABLE_LIMIT_AFTER_RESET};
    vmcb->gdtr.base  = start->gdt.base;
    vmcb->gdtr.limit = start->gdt.limit;
    vmcb->idtr.base  = 0;
    vmcb->idtr.limit = DESCRIPTOR_TABLE_LIMIT_AFTER_RESET;
}

/* A machine check with CR4.MCE clear would shut the guest down, so Hymir sets it. */
void svm_registers_write(struct vmcb *vmcb, const struct vcpu_start *start)
{
    write_segments(vmcb, start);
    vmcb->efer   = start->efer | EFER_SVME;
    vmcb->cr0    = start->cr0;
    vmcb->cr3    = start->cr3;
    vmcb->cr4    = start->cr4 | (read_cr4() & CR4_MCE);
    vmcb->dr6    = DR6_AFTER_RESET;
    vmcb->dr7    = DR7_AFTER_RESET;
    vmcb->rflags = RFLAGS_FIXED;
    vmcb->rip    = start->rip;
    vmcb->pat    = PAT_AFTER_RESET;
}

static void init_registers(struct vcpu *vcpu)
{
    const struct vcpu_start *start = vcpu->start;

    vcpu->run.registers = (struct guest_registers){.r = {[REGISTER_RAX] = start->rax,
                                                         [REGISTER_RBX] = start->rbx,
                                                         [REGISTER_RDX] = start->rdx,
                                                         [REGISTER_RSI] = start->rsi}};
}

/* Sets the state that the VMCB does not hold, and what this CPU offers. */
static void init_state(struct svm_vcpu *svm)
{
    struct vcpu *vcpu = svm->vcpu;
    uint32_t features = cpuid(CPUID_LEAF_SVM, 0).edx;

    svm->clean = (features & SVM_FEATURE_VMCB_CLEAN) != 0 ? CLEAN_ALL : 0;
    svm->flush = (features & SVM_FEATURE_FLUSH_BY_ASID) != 0 ? TLB_CONTROL_FLUSH_ASID
                                                             : TLB_CONTROL_FLUSH_ALL;
    svm->cr4_allowed  = cr4_supported_bits(vcpu->backend->read_cpuid);
    svm->efer_allowed = efer_supported_bits(vcpu->backend->read_cpuid);
    svm->debugctl     = 0;
    svm->alarm        = TICKS_NEVER;
    svm->waiting      = 0;
    svm->defers_timer = false;
    svm->blocks_nmi = svm->steps_past_iret = false;
    svm->has_next_rip                      = (features & SVM_FEATURE_NRIP_SAVE) != 0;
    svm->has_decode_assists                = (features & SVM_FEATURE_DECODE_ASSISTS) != 0;
    svm->has_lbr_virtualization = (features & SVM_FEATURE_LBR_VIRTUALIZATION) != 0;
    init_registers(vcpu);
    vcpu->run.on_exit = svm->has_next_rip ? svm_on_exit : svm_on_exit_without_next_rip;
}

void svm_state_write(struct svm_vcpu *svm)
{
    init_state(svm);
    fill_permissions(svm);
    memset(&svm->vmcb, 0, sizeof(svm->vmcb));
    write_controls(svm);
    svm_registers_write(&svm->vmcb, svm->vcpu->start);
}

void svm_restart(struct vcpu *vcpu)
{
    struct svm_vcpu *svm = svm_of(vcpu);
    struct vmcb *vmcb    = &svm->vmcb;
    uint64_t pat         = vmcb->pat;

    init_registers(vcpu);
    guest_state_restart();
    svm_registers_write(vmcb, vcpu->start);
    vmcb->pat = pat;
    vmcb->cr2 = vmcb->rsp = vmcb->debugctl = svm->debugctl = 0;
    vmcb->cpl                                              = 0;
    svm_cancel_events(svm);
    vmcb_mark_dirty(vmcb, CLEAN_ALL);
    vmcb->tlb_control = svm->flush;
    svm->restarts++;
}
