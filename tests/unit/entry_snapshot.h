/*
 * A good snapshot of VM entry: a guest in 64-bit mode on an invented processor that has
 * all features, so that each rule can apply; and the judgement on a snapshot.
 */
#ifndef HYMIR_TESTS_ENTRY_SNAPSHOT_H
#define HYMIR_TESTS_ENTRY_SNAPSHOT_H

#include "unit.h"

#include "vmx/entry_rules.h"
#include "vmx/ept.h"
#include "vmx/rules.h"
#include "x86/msr.h"

struct snapshot_row {
    uint16_t value;
    uint64_t content;
};

/* Capability MSRs that require the default1 bits and allow all but a few others. */
static const struct snapshot_row invented_processor[] = {
    {VALUE_IA32_VMX_BASIC, UINT64_C(0x01DA040000000012)},
    {VALUE_IA32_VMX_PINBASED_CTLS, UINT64_C(0x000000FF00000016)},
    {VALUE_IA32_VMX_TRUE_PINBASED_CTLS, UINT64_C(0x000000FF00000016)},
    {VALUE_IA32_VMX_PROCBASED_CTLS, UINT64_C(0xFFFBFFFE0401E172)},
    {VALUE_IA32_VMX_TRUE_PROCBASED_CTLS, UINT64_C(0xFFFBFFFE04006172)},
    {VALUE_IA32_VMX_PROCBASED_CTLS2, UINT64_C(0xDFFFFFFF00000000)},
    {VALUE_IA32_VMX_PROCBASED_CTLS3, UINT64_C(0x1FF)},
    {VALUE_IA32_VMX_EXIT_CTLS, UINT64_C(0xFFFFFFFF00036DFF)},
    {VALUE_IA32_VMX_TRUE_EXIT_CTLS, UINT64_C(0xFFFFFFFF00036DFB)},
    {VALUE_IA32_VMX_EXIT_CTLS2, UINT64_C(0xF)},
    {VALUE_IA32_VMX_ENTRY_CTLS, UINT64_C(0x00FFFFFF000011FF)},
    {VALUE_IA32_VMX_TRUE_ENTRY_CTLS, UINT64_C(0x00FFFFFF000011FB)},
    {VALUE_IA32_VMX_MISC, UINT64_C(0x000000007004C1E7)},
    {VALUE_IA32_VMX_CR0_FIXED0, UINT64_C(0x80000021)},
    {VALUE_IA32_VMX_CR0_FIXED1, UINT64_C(0xFFFFFFFF)},
    {VALUE_IA32_VMX_CR4_FIXED0, UINT64_C(0x2000)},
    {VALUE_IA32_VMX_CR4_FIXED1, UINT64_C(0x11BFF7FFF)},
    {VALUE_IA32_VMX_VMCS_ENUM, UINT64_C(0x2E)},
    {VALUE_IA32_VMX_EPT_VPID_CAP, UINT64_C(0x00060F0106F341C1)},
    {VALUE_IA32_VMX_VMFUNC, 1},
    {VALUE_PHYSICAL_WIDTH, 46},
    {VALUE_LINEAR_WIDTH, 57},
    {VALUE_CPUID_7_EBX, CPUID_7_EBX_SGX | CPUID_7_EBX_RTM},
    {VALUE_CPUID_7_ECX, CPUID_7_ECX_SHADOW_STACKS | CPUID_7_ECX_BUS_LOCK_DETECT},
    {VALUE_CPUID_7_EDX, CPUID_7_EDX_BRANCH_TRACKING},
    {VALUE_CPUID_7_1_EAX, CPUID_7_1_EAX_LAM},
    {VALUE_CPUID_A_EAX, 0x07300805},
    {VALUE_CPUID_A_ECX, 0xF},
    {VALUE_CPUID_A_EDX, 0x8604},
    {VALUE_CURRENT_EFER, EFER_LMA | EFER_LME | EFER_NXE},
    {VALUE_VMCS_POINTER, 0x8000},
    {VALUE_VMXON_POINTER, 0x7000},
    {VALUE_LINKED_REVISION, 0x12},
    {VALUE_MSR_NUMBER, MSR_IA32_LSTAR},
};

#define GOOD_SEGMENT(name, selector, rights)                                             \
    {VALUE_GUEST_##name##_SELECTOR, selector}, {VALUE_GUEST_##name##_LIMIT, UINT32_MAX}, \
    {                                                                                    \
        VALUE_GUEST_##name##_ACCESS_RIGHTS, rights                                       \
    }

static const struct snapshot_row good_fields[] = {
    {VALUE_VPID, 1},
    {VALUE_VIRTUAL_TIMER_VECTOR, 0x30},
    {VALUE_EPT_POINTER, 0x12345000 | EPTP_WRITE_BACK_4_LEVELS},
    {VALUE_TSC_MULTIPLIER, BIT(48)},
    {VALUE_LINK_POINTER, UINT64_MAX},
    {VALUE_PIN_BASED_CONTROLS, 0x16 | 0x69},
    {VALUE_PRIMARY_CONTROLS,
     0x04006172 | PRIMARY_USE_TPR_SHADOW | PRIMARY_ACTIVATE_SECONDARY_CONTROLS},
    {VALUE_SECONDARY_CONTROLS, SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST},
    {VALUE_EXIT_CONTROLS, 0x00036DFB | VM_EXIT_HOST_ADDRESS_SPACE_SIZE |
                              VM_EXIT_ACKNOWLEDGE_INTERRUPT | VM_EXIT_LOAD_IA32_EFER},
    {VALUE_ENTRY_CONTROLS, 0x000011FB | VM_ENTRY_LOAD_DEBUG_CONTROLS |
                               VM_ENTRY_IA32E_MODE_GUEST | VM_ENTRY_LOAD_IA32_EFER},
    {VALUE_ENTRY_INSTRUCTION_LENGTH, 2},
    {VALUE_HOST_CR0, 0x80050033},
    {VALUE_HOST_CR3, 0x3000},
    {VALUE_HOST_CR4, 0x2620},
    {VALUE_HOST_IA32_EFER, EFER_LMA | EFER_LME | EFER_NXE},
    {VALUE_HOST_IA32_PAT, UINT64_C(0x0007040600070406)},
    {VALUE_HOST_CS_SELECTOR, 0x8},
    {VALUE_HOST_SS_SELECTOR, 0x10},
    {VALUE_HOST_TR_SELECTOR, 0x18},
    {VALUE_HOST_RIP, UINT64_C(0xFFFFFFFF80001000)},
    {VALUE_GUEST_CR0, 0x80050033},
    {VALUE_GUEST_CR3, 0x4000},
    {VALUE_GUEST_CR4, 0x2620},
    {VALUE_GUEST_DR7, 0x400},
    {VALUE_GUEST_IA32_EFER, EFER_LMA | EFER_LME},
    {VALUE_GUEST_IA32_PAT, UINT64_C(0x0007040600070406)},
    {VALUE_GUEST_RFLAGS, RFLAGS_FIXED},
    {VALUE_GUEST_RIP, 0x1000},
    GOOD_SEGMENT(ES, 0x10, 0xC093),
    GOOD_SEGMENT(CS, 0x8, 0xA09B),
    GOOD_SEGMENT(SS, 0x10, 0xC093),
    GOOD_SEGMENT(DS, 0x10, 0xC093),
    GOOD_SEGMENT(FS, 0x10, 0xC093),
    GOOD_SEGMENT(GS, 0x10, 0xC093),
    {VALUE_GUEST_LDTR_LIMIT, 0x17},
    {VALUE_GUEST_LDTR_ACCESS_RIGHTS, 0x82},
    {VALUE_GUEST_TR_SELECTOR, 0x18},
    {VALUE_GUEST_TR_LIMIT, 0x67},
    {VALUE_GUEST_TR_ACCESS_RIGHTS, 0x8B},
};

/* All values are known; those that are not in the tables are 0. */
static inline void snapshot_make_good(struct entry_snapshot *snapshot)
{
    memset(snapshot, 0, sizeof(*snapshot));
    memset(snapshot->known, 0xFF, sizeof(snapshot->known));
    for (size_t i = 0; i < ARRAY_SIZE(invented_processor); i++)
        entry_snapshot_set(snapshot, invented_processor[i].value,
                           invented_processor[i].content);
    for (size_t i = 0; i < ARRAY_SIZE(good_fields); i++)
        entry_snapshot_set(snapshot, good_fields[i].value, good_fields[i].content);
}

/* The violations of the snapshot that is judged. */
static struct entry_finding violations[64];
static size_t violation_count;
static struct entry_snapshot snapshot;

static void note_violation(void *context, const struct entry_finding *finding)
{
    (void)context;
    if (finding->verdict == ENTRY_VIOLATED && violation_count < ARRAY_SIZE(violations))
        violations[violation_count++] = *finding;
}

static struct entry_count judge(uint64_t phases)
{
    violation_count = 0;
    return entry_judge(&vmx_entry_rules, &snapshot, phases, note_violation, NULL);
}

#endif
