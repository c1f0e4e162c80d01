/* See entry_report.h. */
#include "vmx/entry_report.h"

#include "lib/string.h"
#include "vmx/vmcs.h"
#include "x86/apic.h"
#include "x86/msr.h"

static void read_fields(struct entry_snapshot *snapshot)
{
    for (uint32_t value = 1; vmx_entry_value_is_field(value); value++) {
        uint64_t content;
        if (vmread(vmx_entry_field_of_value(value), &content))
            entry_snapshot_set(snapshot, value, content);
    }
}

/* Sets a value to the 8 bytes at a physical address, if they can be read. */
static void read_memory(struct entry_snapshot *snapshot, uint32_t value, uint64_t address)
{
    uint64_t content = 0;

    if (is_aligned(address, sizeof(content)) &&
        read_memory_safe(hpa_pointer(hpa(address)), &content) == FAULT_NONE)
        entry_snapshot_set(snapshot, value, content);
}

/* Sets what the fields of the VMCS point to. */
static void read_structures(struct entry_snapshot *snapshot)
{
    uint64_t number = snapshot->value[VALUE_EXIT_QUALIFICATION];
    uint64_t entry =
        snapshot->value[VALUE_ENTRY_MSR_LOAD_ADDRESS] + (number - 1) * VMX_MSR_AREA_ENTRY;

    if (snapshot->value[VALUE_LINK_POINTER] != UINT64_MAX) {
        read_memory(snapshot, VALUE_LINKED_REVISION, snapshot->value[VALUE_LINK_POINTER]);
        snapshot->value[VALUE_LINKED_REVISION] &= UINT32_MAX;
    }
    if ((snapshot->value[VALUE_PRIMARY_CONTROLS] & PRIMARY_USE_TPR_SHADOW) != 0) {
        read_memory(snapshot, VALUE_VIRTUAL_TPR,
                    snapshot->value[VALUE_VIRTUAL_APIC_ADDRESS] + APIC_TASK_PRIORITY);
        snapshot->value[VALUE_VIRTUAL_TPR] &= UINT8_MAX;
    }
    if (number == 0 || number > snapshot->value[VALUE_ENTRY_MSR_LOAD_COUNT])
        return;
    read_memory(snapshot, VALUE_MSR_NUMBER, entry);
    read_memory(snapshot, VALUE_MSR_VALUE, entry + sizeof(uint64_t));
}

/* Hymir runs outside SMM. The launch state cannot be read. */
static void read_processor(const struct entry_attempt *attempt)
{
    struct entry_snapshot *snapshot = attempt->snapshot;
    uint64_t pointer                = 0;
    struct vmx_attempt vmptrst      = vmptrst_try(&pointer);

    vmx_entry_set_capabilities(snapshot, attempt->capabilities);
    vmx_entry_set_cpuid(snapshot, cpuid);
    entry_snapshot_set(snapshot, VALUE_CURRENT_EFER, rdmsr(MSR_IA32_EFER));
    entry_snapshot_set(snapshot, VALUE_IN_SMM, 0);
    entry_snapshot_set(snapshot, VALUE_IS_RESUME, attempt->is_resume ? 1 : 0);
    if (vmx_attempt_succeeded(&vmptrst))
        entry_snapshot_set(snapshot, VALUE_VMCS_POINTER, pointer);
}

void entry_snapshot_read(const struct entry_attempt *attempt)
{
    memset(attempt->snapshot, 0, sizeof(*attempt->snapshot));
    read_fields(attempt->snapshot);
    read_processor(attempt);
    read_structures(attempt->snapshot);
}

void entry_failure_explain(const struct entry_attempt *attempt,
                           const struct vmx_entry_failure *failure,
                           struct entry_summary *summary)
{
    entry_snapshot_read(attempt);
    vmx_entry_set_implied(attempt->snapshot, failure->error);
    entry_explain(&vmx_entry_rules, attempt->snapshot, vmx_entry_phases(failure),
                  failure->error, summary);
}

void entry_check_before(const struct entry_attempt *attempt)
{
#ifdef HYMIR_DEBUG
    entry_snapshot_read(attempt);
    entry_check(&vmx_entry_rules, attempt->snapshot);
#else
    (void)attempt;
#endif
}
