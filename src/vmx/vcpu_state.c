/* The state of a vCPU at the start of a run: see vcpu.h. */
#include "vmx/vcpu.h"

#include "cpu/guest_state.h"
#include "cpu/instructions.h"
#include "cpu/speculation.h"
#include "lib/string.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "virt/control_register_rules.h"
#include "vmx/control_registers.h"
#include "vmx/ept.h"
#include "vmx/guest_policy.h"
#include "vmx/vcpu_events.h"
#include "vmx/vmcs_areas.h"
#include "x86/exceptions.h"
#include "x86/msr.h"
#include "x86/paging.h"

#define MSR_HIGH_FIRST 0xC0000000U
#define MSR_RANGE_SIZE 0x2000U

/* #DB and #AC exit because their delivery can raise them again, endlessly. */
#define EXCEPTIONS_THAT_EXIT (BIT(VECTOR_MC) | BIT(VECTOR_DB) | BIT(VECTOR_AC))

/*
 * Cycles without a point at which the processor accepts events, after which it exits;
 * more than any instruction takes that makes progress.
 */
#define INSTRUCTION_TIMEOUT 0x20000U

/* Lets the guest access an MSR without an exit: SDM 3C, "MSR-Bitmap Address". */
static void pass_msr(uint8_t *bitmap, uint32_t msr)
{
    uint32_t index  = msr & (MSR_RANGE_SIZE - 1);
    uint8_t *reads  = bitmap + (msr >= MSR_HIGH_FIRST ? MSR_BITMAP_QUARTER : 0);
    uint8_t *writes = reads + 2 * MSR_BITMAP_QUARTER;
    uint8_t mask    = (uint8_t) ~(1U << index % 8);

    reads[index / 8] &= mask;
    writes[index / 8] &= mask;
}

static void fill_bitmaps(struct vmx_vcpu *vcpu)
{
    memset(vcpu->io_bitmaps, 0xFF, sizeof(vcpu->io_bitmaps));
    memset(vcpu->msr_bitmap, 0xFF, sizeof(vcpu->msr_bitmap));
    for (size_t i = 0; i < vmx_passed_msr_count; i++) {
        const struct msr_range *range = &vmx_passed_msrs[i];
        for (uint32_t msr = range->first; msr <= range->last; msr++)
            pass_msr(vcpu->msr_bitmap, msr);
    }
    uint32_t speculation[SPECULATION_MSRS];
    for (size_t i = speculation_passed_msrs(speculation); i > 0; i--)
        pass_msr(vcpu->msr_bitmap, speculation[i - 1]);
}

/* Writes the fields of controls, and the MSRs that entries and exits load. */
static bool write_control_fields(const struct vmx_vcpu *vcpu)
{
    const struct vmcs_row rows[] = {
        {VMCS_EXCEPTION_BITMAP, EXCEPTIONS_THAT_EXIT},
        {VMCS_IO_BITMAP_A, hpa_of(vcpu->io_bitmaps).value},
        {VMCS_IO_BITMAP_B, hpa_of(vcpu->io_bitmaps).value + PAGE_SIZE},
        {VMCS_MSR_BITMAP, hpa_of(vcpu->msr_bitmap).value},
        {VMCS_TSC_OFFSET, 0 - vcpu->vcpu->tsc_start},
        {VMCS_CR0_GUEST_HOST_MASK, CR0_HOST_OWNED},
        {VMCS_CR4_GUEST_HOST_MASK, ~(uint64_t)GUEST_CR4_ALLOWED},
        {VMCS_EPT_POINTER, ept_pointer(&vcpu->capabilities, vcpu->plan->memory_root)},
        {VMCS_GUEST_IA32_PAT, PAT_AFTER_RESET},
        {VMCS_HOST_IA32_PAT, rdmsr(MSR_IA32_PAT)},
        {VMCS_HOST_IA32_EFER, rdmsr(MSR_IA32_EFER)},
    };
    return vmcs_write_rows(rows, ARRAY_SIZE(rows));
}

static bool has_secondary(const struct vmx_vcpu *vcpu, uint64_t control)
{
    return vcpu_controls_has(&vcpu->controls, GROUP_SECONDARY, control);
}

static bool has_preemption_timer(const struct vmx_vcpu *vcpu)
{
    return vcpu_controls_has(&vcpu->controls, GROUP_PIN_BASED,
                             PIN_BASED_ACTIVATE_PREEMPTION_TIMER);
}

/* Writes fields that exist only with their control. */
static bool write_optional_fields(const struct vmx_vcpu *vcpu)
{
    return (!has_secondary(vcpu, SECONDARY_ENABLE_VPID) ||
            vmcs_write(VMCS_VPID, vcpu->vcpu->vpid)) &&
           (!has_preemption_timer(vcpu) ||
            vmcs_write(VMCS_GUEST_PREEMPTION_TIMER, UINT32_MAX)) &&
           (!has_secondary(vcpu, SECONDARY_ENABLE_ENCLS_EXITING) ||
            vmcs_write(VMCS_ENCLS_EXITING_BITMAP, UINT64_MAX)) &&
           (!has_secondary(vcpu, SECONDARY_ENABLE_ENCLV_EXITING) ||
            vmcs_write(VMCS_ENCLV_EXITING_BITMAP, UINT64_MAX)) &&
           (!has_secondary(vcpu, SECONDARY_INSTRUCTION_TIMEOUT) ||
            vmcs_write(VMCS_INSTRUCTION_TIMEOUT, INSTRUCTION_TIMEOUT));
}

/* VMX operation and Hymir require some of the host-owned bits of CR0 and CR4. */
static bool write_guest_state(const struct vmx_vcpu *vcpu)
{
    static const struct vcpu_segment task = {0, TASK_LIMIT_AFTER_START,
                                             ACCESS_RIGHTS_TSS_BUSY, 0};
    const struct vcpu_start *start        = vcpu->vcpu->start;
    struct guest_state state              = {
                     .cr0     = (start->cr0 & ~(uint64_t)(CR0_CD | CR0_NW)) | CR0_NE,
                     .cr3     = start->cr3,
                     .cr4     = start->cr4 | CR4_VMXE | (read_cr4() & CR4_MCE),
                     .rip     = start->rip,
                     .gdt     = start->gdt,
                     .segment = {[SEGMENT_TR] = &task},
    };

    for (size_t i = SEGMENT_ES; i <= SEGMENT_GS; i++)
        state.segment[i] = i == SEGMENT_CS ? &start->code : &start->data;
    const struct vmcs_row rows[] = {
        {VMCS_CR0_READ_SHADOW, start->cr0},
        {VMCS_CR4_READ_SHADOW, start->cr4},
        {VMCS_GUEST_IA32_EFER, start->efer},
    };
    return vmcs_write_guest_state(&state) && vmcs_write_rows(rows, ARRAY_SIZE(rows));
}

/* Sets the general registers, and the mode that VM entry has to know. */
static void init_registers(struct vmx_vcpu *vmx)
{
    struct vcpu *vcpu              = vmx->vcpu;
    const struct vcpu_start *start = vcpu->start;
    uint32_t *entry                = &vmx->controls.field[GROUP_VM_ENTRY];

    vmx->is_deaf = false;
    *entry &= ~(uint32_t)VM_ENTRY_IA32E_MODE_GUEST;
    if ((start->efer & EFER_LMA) != 0)
        *entry |= VM_ENTRY_IA32E_MODE_GUEST;
    vcpu->run.registers = (struct guest_registers){.r = {[REGISTER_RAX] = start->rax,
                                                         [REGISTER_RBX] = start->rbx,
                                                         [REGISTER_RDX] = start->rdx,
                                                         [REGISTER_RSI] = start->rsi}};
}

/* Sets the state that the VMCS does not hold. */
static void init_state(struct vmx_vcpu *vmx)
{
    struct vcpu *vcpu = vmx->vcpu;
    uint64_t misc     = vmx_capability_value(&vmx->capabilities, MSR_IA32_VMX_MISC);

    vmx->alarm                  = TICKS_NEVER;
    vmx->is_interrupt_requested = false;
    vmx->preemption_timer_shift = VMX_MISC_TIMER_SHIFT(misc);
    vmx->uses_preemption_timer =
        has_preemption_timer(vmx) &&
        !(vmx->plan->avoids_preemption_timer && apic_is_enabled());
    init_registers(vmx);
    vcpu->run.is_launched = false;
}

bool vcpu_state_write(struct vmx_vcpu *vcpu)
{
    init_state(vcpu);
    fill_bitmaps(vcpu);
    return vmcs_write_controls(&vcpu->controls) && write_control_fields(vcpu) &&
           write_optional_fields(vcpu) && apic_virtualization_write(vcpu) &&
           vmcs_write_host_state() && write_guest_state(vcpu);
}

void vcpu_restart(struct vcpu *vcpu)
{
    static const enum vmcs_field kept[] = {VMCS_GUEST_IA32_SYSENTER_CS,
                                           VMCS_GUEST_IA32_SYSENTER_ESP,
                                           VMCS_GUEST_IA32_SYSENTER_EIP};
    struct vmx_vcpu *vmx                = vmx_of(vcpu);
    uint64_t values[ARRAY_SIZE(kept)];

    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        values[i] = vmcs_get(kept[i]);
    init_registers(vmx);
    guest_state_restart();
    vcpu_cancel_events(vcpu);
    ept_invalidate_translations(&vmx->capabilities);
    vmcs_set(VMCS_ENTRY_CONTROLS, vmx->controls.field[GROUP_VM_ENTRY]);
    (void)write_guest_state(vmx); /* these fields exist: they have been written */
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        vmcs_set(kept[i], values[i]);
}
