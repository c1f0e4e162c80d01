/* See guest_state.h. */
#include "vmx/guest_state.h"

#include "vmx/vmcs.h"
#include "x86/control_registers.h"

/* Writes the registers apart from segments, and the non-register state. */
static enum status write_registers(const struct guest_state *state)
{
    const struct vmcs_row rows[] = {
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
        {VMCS_GUEST_IDTR_LIMIT, 0},
        {VMCS_GUEST_IA32_DEBUGCTL, 0},
        {VMCS_GUEST_IA32_SYSENTER_CS, 0},
        {VMCS_GUEST_IA32_SYSENTER_ESP, 0},
        {VMCS_GUEST_IA32_SYSENTER_EIP, 0},
        {VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE},
        {VMCS_GUEST_INTERRUPTIBILITY_STATE, 0},
        {VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0},
        {VMCS_LINK_POINTER, UINT64_MAX},
    };
    return vmcs_write_rows(rows, ARRAY_SIZE(rows));
}

static enum status write_segments(const struct guest_state *state)
{
    static const struct vcpu_segment unusable = {.access_rights = ACCESS_RIGHTS_UNUSABLE};

    for (uint32_t i = 0; i < SEGMENT_COUNT; i++) {
        const struct vcpu_segment *segment =
            state->segment[i] != NULL ? state->segment[i] : &unusable;
        const struct vmcs_row rows[] = {
            {VMCS_GUEST_ES_SELECTOR + 2 * i, segment->selector},
            {VMCS_GUEST_ES_BASE + 2 * i, segment->base},
            {VMCS_GUEST_ES_LIMIT + 2 * i, segment->limit},
            {VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i, segment->access_rights},
        };
        enum status status = vmcs_write_rows(rows, ARRAY_SIZE(rows));
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status guest_state_write(const struct guest_state *state)
{
    enum status status = write_registers(state);
    return status == STATUS_OK ? write_segments(state) : status;
}
