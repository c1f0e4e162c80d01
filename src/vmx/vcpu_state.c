/* See vcpu_state.h. */
#include "vmx/vcpu_state.h"

#include "cpu/instructions.h"
#include "lib/string.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "virt/control_register_rules.h"
#include "vmx/control_registers.h"
#include "vmx/ept.h"
#include "vmx/guest_policy.h"
#include "vmx/guest_state.h"
#include "vmx/host_state.h"
#include "vmx/on_exit.h"
#include "x86/exceptions.h"
#include "x86/msr.h"
#include "x86/paging.h"

#define TASK_LIMIT 0x67U /* of the smallest TSS that VM entry accepts */

/* The quarters of the MSR bitmap: reads of low and high MSRs, then writes of both. */
#define MSR_BITMAP_QUARTER UINT64_C(1024)
#define MSR_HIGH_FIRST     0xC0000000U
#define MSR_RANGE_SIZE     0x2000U

/* #DB and #AC exit because their delivery can raise them again, endlessly. */
#define EXCEPTIONS_THAT_EXIT (BIT(VECTOR_MC) | BIT(VECTOR_DB) | BIT(VECTOR_AC))

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
}

/* Writes the controls, and the MSRs that entries and exits load. */
static enum status write_controls(const struct vmx_vcpu *vcpu)
{
    const struct vcpu_start *start = vcpu->vcpu->start;
    const uint32_t *controls       = vcpu->controls.field;
    uint64_t ia32e_mode = (start->efer & EFER_LMA) != 0 ? ENTRY_IA32E_MODE_GUEST : 0;
    const struct vmcs_row rows[] = {
        {VMCS_PIN_BASED_CONTROLS, controls[CONTROL_PIN_BASED]},
        {VMCS_PRIMARY_CONTROLS, controls[CONTROL_PRIMARY]},
        {VMCS_SECONDARY_CONTROLS, controls[CONTROL_SECONDARY]},
        {VMCS_EXCEPTION_BITMAP, EXCEPTIONS_THAT_EXIT},
        {VMCS_PAGE_FAULT_ERROR_CODE_MASK, 0},
        {VMCS_PAGE_FAULT_ERROR_CODE_MATCH, 0},
        {VMCS_IO_BITMAP_A, hpa_of(vcpu->io_bitmaps).value},
        {VMCS_IO_BITMAP_B, hpa_of(vcpu->io_bitmaps).value + PAGE_SIZE},
        {VMCS_MSR_BITMAP, hpa_of(vcpu->msr_bitmap).value},
        {VMCS_TSC_OFFSET, 0 - rdtsc()}, /* the guest's starts at 0 */
        {VMCS_CR0_GUEST_HOST_MASK, CR0_HOST_OWNED},
        {VMCS_CR4_GUEST_HOST_MASK, ~(uint64_t)GUEST_CR4_ALLOWED},
        {VMCS_CR0_READ_SHADOW, start->cr0},
        {VMCS_CR4_READ_SHADOW, start->cr4},
        {VMCS_CR3_TARGET_COUNT, 0},
        {VMCS_EPT_POINTER, ept_pointer(&vcpu->capabilities, vcpu->plan->memory_root)},
        {VMCS_EXIT_CONTROLS, controls[CONTROL_EXIT]},
        {VMCS_EXIT_MSR_STORE_COUNT, 0},
        {VMCS_EXIT_MSR_LOAD_COUNT, 0},
        {VMCS_ENTRY_CONTROLS, controls[CONTROL_ENTRY] | ia32e_mode},
        {VMCS_ENTRY_MSR_LOAD_COUNT, 0},
        {VMCS_ENTRY_INTERRUPTION_INFORMATION, 0},
        {VMCS_GUEST_IA32_PAT, PAT_AFTER_RESET},
        {VMCS_GUEST_IA32_EFER, start->efer},
        {VMCS_HOST_IA32_PAT, rdmsr(MSR_IA32_PAT)},
        {VMCS_HOST_IA32_EFER, rdmsr(MSR_IA32_EFER)},
    };
    return vmcs_write_rows(rows, ARRAY_SIZE(rows));
}

/* Writes fields that exist only with their control. */
static enum status write_optional_controls(const struct vmx_vcpu *vcpu)
{
    enum status status = STATUS_OK;

    if (vcpu_controls_has(&vcpu->controls, CONTROL_SECONDARY, SECONDARY_ENABLE_VPID))
        status = vmcs_write(VMCS_VPID, vcpu->vcpu->vpid);
    if (status == STATUS_OK && vcpu_controls_has(&vcpu->controls, CONTROL_PIN_BASED,
                                                 PIN_BASED_ACTIVATE_PREEMPTION_TIMER))
        status = vmcs_write(VMCS_GUEST_PREEMPTION_TIMER, UINT32_MAX);
    return status;
}

static enum status write_guest_state(const struct vmx_vcpu *vcpu)
{
    static const struct vcpu_segment task = {0, TASK_LIMIT, ACCESS_RIGHTS_TSS_BUSY, 0};
    const struct vcpu_start *start        = vcpu->vcpu->start;
    struct guest_state state              = {.rip = start->rip, .gdt = start->gdt};

    /* VMX operation and Hymir require some of the host-owned bits. */
    state.cr0 = (start->cr0 & ~(uint64_t)(CR0_CD | CR0_NW)) | CR0_NE;
    state.cr3 = start->cr3;
    state.cr4 = start->cr4 | CR4_VMXE | (read_cr4() & CR4_MCE);
    for (size_t i = SEGMENT_ES; i <= SEGMENT_GS; i++)
        state.segment[i] = i == SEGMENT_CS ? &start->code : &start->data;
    state.segment[SEGMENT_TR] = &task;
    return guest_state_write(&state);
}

enum status vcpu_state_write(struct vmx_vcpu *vcpu)
{
    const struct vcpu_start *start = vcpu->vcpu->start;
    uint64_t misc = vmx_capability_value(&vcpu->capabilities, MSR_IA32_VMX_MISC);

    vcpu->cr8                    = 0;
    vcpu->alarm                  = TICKS_NEVER;
    vcpu->preemption_timer_shift = VMX_MISC_TIMER_SHIFT(misc);
    vcpu->uses_preemption_timer =
        vcpu_controls_has(&vcpu->controls, CONTROL_PIN_BASED,
                          PIN_BASED_ACTIVATE_PREEMPTION_TIMER) &&
        !(vcpu->plan->avoids_preemption_timer && apic_is_enabled());
    struct guest_registers *registers = &vcpu->vcpu->run.registers;
    memset(registers, 0, sizeof(*registers));
    registers->r[REGISTER_RAX]  = start->rax;
    registers->r[REGISTER_RBX]  = start->rbx;
    registers->r[REGISTER_RSI]  = start->rsi;
    vcpu->vcpu->run.on_exit     = vcpu_on_exit;
    vcpu->vcpu->run.is_launched = false;
    fill_bitmaps(vcpu);
    enum status status = write_controls(vcpu);
    if (status == STATUS_OK)
        status = write_optional_controls(vcpu);
    if (status == STATUS_OK)
        status = host_state_write();
    return status == STATUS_OK ? write_guest_state(vcpu) : status;
}
