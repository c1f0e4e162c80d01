/* See vmcs_areas.h. */
#include "vmx/vmcs_areas.h"

#include "cpu/percpu.h"
#include "cpu/setup.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"
#include "x86/descriptors.h"
#include "x86/msr.h"

static bool write_segment(uint32_t index, const struct vcpu_segment *segment)
{
    const struct vmcs_row rows[] = {
        {VMCS_GUEST_ES_SELECTOR + 2 * index, segment->selector},
        {VMCS_GUEST_ES_BASE + 2 * index, segment->base},
        {VMCS_GUEST_ES_LIMIT + 2 * index, segment->limit},
        {VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * index, segment->access_rights},
    };
    return vmcs_write_rows(rows, ARRAY_SIZE(rows));
}

bool vmcs_write_guest_state(const struct guest_state *state)
{
    static const struct vcpu_segment unusable = {.access_rights = ACCESS_RIGHTS_UNUSABLE};
    const struct vmcs_row rows[]              = {
                     {VMCS_GUEST_CR0, state->cr0},
                     {VMCS_GUEST_CR3, state->cr3},
                     {VMCS_GUEST_CR4, state->cr4},
                     {VMCS_GUEST_DR7, DR7_AFTER_RESET},
                     {VMCS_GUEST_RSP, 0},
                     {VMCS_GUEST_RIP, state->rip},
                     {VMCS_GUEST_RFLAGS, RFLAGS_FIXED},
                     {VMCS_GUEST_GDTR_BASE, state->gdt.base},
                     {VMCS_GUEST_GDTR_LIMIT, state->gdt.limit},
                     {VMCS_GUEST_IDTR_BASE, 0},
                     {VMCS_GUEST_IDTR_LIMIT, DESCRIPTOR_TABLE_LIMIT_AFTER_RESET},
                     {VMCS_GUEST_IA32_DEBUGCTL, 0},
                     {VMCS_GUEST_IA32_SYSENTER_CS, 0},
                     {VMCS_GUEST_IA32_SYSENTER_ESP, 0},
                     {VMCS_GUEST_IA32_SYSENTER_EIP, 0},
                     {VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE},
                     {VMCS_GUEST_INTERRUPTIBILITY_STATE, 0},
                     {VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0},
                     {VMCS_LINK_POINTER, UINT64_MAX},
    };

    for (uint32_t i = 0; i < SEGMENT_COUNT; i++) {
        if (!write_segment(i, state->segment[i] != NULL ? state->segment[i] : &unusable))
            return false;
    }
    return vmcs_write_rows(rows, ARRAY_SIZE(rows));
}

bool vmcs_write_host_state(void)
{
    const struct cpu *cpu        = this_cpu();
    const struct vmcs_row rows[] = {
        {VMCS_HOST_CR0, read_cr0()},
        {VMCS_HOST_CR3, read_cr3()},
        {VMCS_HOST_CR4, read_cr4()},
        {VMCS_HOST_ES_SELECTOR, SELECTOR_DATA},
        {VMCS_HOST_CS_SELECTOR, SELECTOR_CODE},
        {VMCS_HOST_SS_SELECTOR, SELECTOR_DATA},
        {VMCS_HOST_DS_SELECTOR, SELECTOR_DATA},
        {VMCS_HOST_FS_SELECTOR, SELECTOR_NULL},
        {VMCS_HOST_GS_SELECTOR, SELECTOR_NULL},
        {VMCS_HOST_TR_SELECTOR, SELECTOR_TSS},
        {VMCS_HOST_FS_BASE, rdmsr(MSR_IA32_FS_BASE)},
        {VMCS_HOST_GS_BASE, rdmsr(MSR_IA32_GS_BASE)},
        {VMCS_HOST_TR_BASE, (uintptr_t)&cpu->tss},
        {VMCS_HOST_GDTR_BASE, (uintptr_t)cpu->gdt},
        {VMCS_HOST_IDTR_BASE, cpu_idt_base()},
        {VMCS_HOST_IA32_SYSENTER_CS, rdmsr(MSR_IA32_SYSENTER_CS)},
        {VMCS_HOST_IA32_SYSENTER_ESP, rdmsr(MSR_IA32_SYSENTER_ESP)},
        {VMCS_HOST_IA32_SYSENTER_EIP, rdmsr(MSR_IA32_SYSENTER_EIP)},
    };
    return vmcs_write_rows(rows, ARRAY_SIZE(rows));
}

bool vmcs_write_controls(const struct vcpu_controls *controls)
{
    const struct vmcs_row rows[] = {
        {VMCS_PIN_BASED_CONTROLS, controls->field[GROUP_PIN_BASED]},
        {VMCS_PRIMARY_CONTROLS, controls->field[GROUP_PRIMARY]},
        {VMCS_PAGE_FAULT_ERROR_CODE_MASK, 0},
        {VMCS_PAGE_FAULT_ERROR_CODE_MATCH, 0},
        {VMCS_CR3_TARGET_COUNT, 0},
        {VMCS_EXIT_CONTROLS, controls->field[GROUP_VM_EXIT]},
        {VMCS_EXIT_MSR_STORE_COUNT, 0},
        {VMCS_EXIT_MSR_LOAD_COUNT, 0},
        {VMCS_ENTRY_CONTROLS, controls->field[GROUP_VM_ENTRY]},
        {VMCS_ENTRY_MSR_LOAD_COUNT, 0},
        {VMCS_ENTRY_INTERRUPTION_INFORMATION, 0},
    };
    return vmcs_write_rows(rows, ARRAY_SIZE(rows)) &&
           (!vcpu_controls_has(controls, GROUP_PRIMARY,
                               PRIMARY_ACTIVATE_SECONDARY_CONTROLS) ||
            vmcs_write(VMCS_SECONDARY_CONTROLS, controls->field[GROUP_SECONDARY]));
}
