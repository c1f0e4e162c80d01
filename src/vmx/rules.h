/*
 * What the files of rules share: sections, conditions, and tests of VT-x's own shapes.
 * See entry_rules.h.
 */
#ifndef HYMIR_VMX_RULES_H
#define HYMIR_VMX_RULES_H

#include "virt/entry_rules.h"
#include "vmx/entry_values.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"
#include "x86/cpuid.h"
#include "x86/descriptors.h"

extern const struct entry_section vmx_rules_instruction, vmx_rules_execution,
    vmx_rules_execution_apic, vmx_rules_execution_ept, vmx_rules_exit, vmx_rules_entry,
    vmx_rules_injection, vmx_rules_host_registers, vmx_rules_host_segments,
    vmx_rules_address_space, vmx_rules_guest_registers, vmx_rules_guest_msrs,
    vmx_rules_segments, vmx_rules_system_segments, vmx_rules_tables, vmx_rules_rip,
    vmx_rules_state, vmx_rules_interruptibility, vmx_rules_pdptes, vmx_rules_msr_loading;

/* Defines a section of the SDM, with the array of its rules. */
#define VMX_SECTION(name, title, phase, rows) \
    const struct entry_section name = {"SDM 3C, " title, phase, rows, ARRAY_SIZE(rows)}

/* Conditions: a flag of a value, such as ON(PRIMARY_CONTROLS, PRIMARY_USE_TPR_SHADOW). */
#define ON(value, flag)  ENTRY_CONDITION(VALUE_##value, flag, true)
#define OFF(value, flag) ENTRY_CONDITION(VALUE_##value, flag, false)
#define WHEN_INJECTING   ON(ENTRY_INTERRUPTION_INFORMATION, INTERRUPTION_VALID)

/* A test and its parameters. A flag, or several, that must be set, or clear: */
#define MUST_SET(value_, flag) \
    .test = entry_test_equal, .mask = (flag), .expected = (flag), .value = VALUE_##value_
#define MUST_CLEAR(value_, flags) \
    .test = entry_test_equal, .mask = (flags), .value = VALUE_##value_

/* A field of the bits of mask that is not 0, such as nearest. */
#define NOT_ZERO(value_, mask_, nearest)                                 \
    .test = entry_test_not_zero, .mask = (mask_), .expected = (nearest), \
    .value = VALUE_##value_

/* An address within the physical-address width whose bits of mask are 0. */
#define ADDRESS(value_, mask_)                                            \
    .test = entry_test_address, .mask = (mask_), .value = VALUE_##value_, \
    .other = VALUE_PHYSICAL_WIDTH
#define ALIGNED_ADDRESS(value_, alignment) ADDRESS(value_, (alignment)-1)
#define CANONICAL(value_) \
    .test = entry_test_canonical, .value = VALUE_##value_, .other = VALUE_LINEAR_WIDTH

/*
 * The allowed settings of a control: other is its capability MSR, of which a TRUE one may
 * exist; of 64 bits, other lists the bits that may be 1.
 */
entry_test vmx_test_control;
entry_test vmx_test_true_control;
entry_test vmx_test_allowed_1;

/* The fixed bits of CR0 or CR4: other is FIXED0; the bits of mask may have any value. */
entry_test vmx_test_fixed_bits;

/* CR3, whose bits from the physical-address width on are 0. */
entry_test vmx_test_cr3;

/* Bits that no processor defines, and those that depend on CPUID. */
entry_test vmx_test_s_cet;
entry_test vmx_test_performance_control;

/*
 * The address of an MSR area, whose number of entries is other: its last byte too is
 * within the physical-address width.
 */
entry_test vmx_test_msr_area;

/* Returns whether a flag of a value is set; see entry_read. */
static inline bool rule_is_on(struct entry_query *query, uint32_t value, uint64_t flag)
{
    return (entry_read(query, value) & flag) != 0;
}

/* Returns the access rights of a segment register, by its number. */
static inline uint64_t rule_access_rights(struct entry_query *query, uint32_t segment)
{
    return entry_read(query, VALUE_GUEST_ES_ACCESS_RIGHTS + segment);
}

/* Returns whether a segment register is checked: if it is usable; CS and TR always. */
bool rule_is_usable(struct entry_query *query, uint32_t segment);

/* The granularity of the limit, in the access rights that the rule judges. */
entry_test rule_test_granularity_byte;
entry_test rule_test_granularity_page;

#define HIGH_HALF BITS_MASK(63, 32)

/* The causes of rules in several files. */
#define CAUSE_CAPABILITY                                                               \
    "constants instead of the values that the capability MSR allows; MSRs of another " \
    "CPU"
#define CAUSE_AREA "the count was set before the list was allocated, or it is misaligned"

#endif
