/*
 * The values over which VT-x's rules of VM entry are judged: the fields of the VMCS, the
 * capability MSRs, and what else a processor takes into account.
 */
#ifndef HYMIR_VMX_ENTRY_VALUES_H
#define HYMIR_VMX_ENTRY_VALUES_H

#include "virt/entry_rules.h"
#include "x86/vmcs_fields.h"
#include "x86/vmx_capabilities.h"

/*
 * FACT(name, its words): the processor at VM entry, and memory to which fields point. The
 * processor's CPUID leaves and MSRs are those of the machine, not of the guest.
 */
#define VMX_ENTRY_FACTS(FACT)                                                            \
    FACT(PHYSICAL_WIDTH, "the width of physical addresses (CPUID.80000008H:EAX[7:0])")   \
    FACT(LINEAR_WIDTH, "the width of linear addresses (CPUID.80000008H:EAX[15:8])")      \
    FACT(CPUID_7_EBX, "CPUID.07H:EBX")                                                   \
    FACT(CPUID_7_ECX, "CPUID.07H:ECX")                                                   \
    FACT(CPUID_7_EDX, "CPUID.07H:EDX")                                                   \
    FACT(CPUID_7_1_EAX, "CPUID.07H.01H:EAX")                                             \
    FACT(CPUID_A_EAX, "CPUID.0AH:EAX")                                                   \
    FACT(CPUID_A_ECX, "CPUID.0AH:ECX")                                                   \
    FACT(CPUID_A_EDX, "CPUID.0AH:EDX")                                                   \
    FACT(CURRENT_EFER, "IA32_EFER before the entry")                                     \
    FACT(CURRENT_RTIT_CTL, "IA32_RTIT_CTL before the entry")                             \
    FACT(IN_SMM, "SMM (1: the processor is in it)")                                      \
    FACT(IS_RESUME, "the instruction (1: VMRESUME)")                                     \
    FACT(IS_LAUNCHED, "the launch state (1: launched)")                                  \
    FACT(VMXOFF_SINCE_LAUNCH, "VMXOFF since the launch (1: executed)")                   \
    FACT(EXECUTIVE_IS_CLEAR, "the launch state of the executive VMCS (1: clear)")        \
    FACT(EXECUTIVE_IS_INVALID, "the controls of the executive VMCS (1: invalid)")        \
    FACT(MOV_SS_BLOCKING, "blocking by MOV SS of the host")                              \
    FACT(VMCS_POINTER, "the current-VMCS pointer")                                       \
    FACT(VMXON_POINTER, "the VMXON pointer")                                             \
    FACT(LINKED_REVISION, "the first 4 bytes at LINK_POINTER")                           \
    FACT(VIRTUAL_TPR, "byte 80H of the virtual-APIC page")                               \
    FACT(MSR_NUMBER, "MSR_LOAD_ENTRY[63:0]")                                             \
    FACT(MSR_VALUE, "MSR_LOAD_ENTRY[127:64]")                                            \
    FACT(MEMORY_PDPTE0, "the PDPTE at CR3")                                              \
    FACT(MEMORY_PDPTE1, "the PDPTE at CR3 + 8")                                          \
    FACT(MEMORY_PDPTE2, "the PDPTE at CR3 + 16")                                         \
    FACT(MEMORY_PDPTE3, "the PDPTE at CR3 + 24")                                         \
    /* Those that follow from others; 0 if the primary controls do not activate them. */ \
    FACT(SECONDARY, "SECONDARY_CONTROLS")                                                \
    FACT(TERTIARY, "TERTIARY_CONTROLS")                                                  \
    FACT(SECONDARY_EXIT, "SECONDARY_EXIT_CONTROLS")

/* VALUE_GUEST_CR0, VALUE_IA32_VMX_BASIC, VALUE_PHYSICAL_WIDTH and so on. */
enum vmx_entry_value {
    VALUE_NONE,
#define VMX_VALUE_OF_FIELD(name, width, type, index) VALUE_##name,
#define VMX_VALUE_OF_MSR(name, number)               VALUE_IA32_VMX_##name,
#define VMX_VALUE_OF_FACT(name, words)               VALUE_##name,
    VMCS_FIELDS(VMX_VALUE_OF_FIELD) VMX_MSRS(VMX_VALUE_OF_MSR)
        VMX_ENTRY_FACTS(VMX_VALUE_OF_FACT) VMX_ENTRY_VALUES,
#undef VMX_VALUE_OF_FIELD
#undef VMX_VALUE_OF_MSR
#undef VMX_VALUE_OF_FACT
};

/* For the rules' table: the names of the values and of their bits. */
extern const char *const vmx_entry_value_names[VMX_ENTRY_VALUES];
#define VMX_BIT_NAMES 29
extern const struct entry_bit_names vmx_entry_bit_names[VMX_BIT_NAMES];

/* Returns the value of a VMCS field by its encoding, or ENTRY_VALUE_NONE. */
uint32_t vmx_entry_value_of_field(uint32_t encoding);

/* Returns whether a value is a VMCS field, and the encoding of one that is. */
bool vmx_entry_value_is_field(uint32_t value);
uint32_t vmx_entry_field_of_value(uint32_t value);

#endif
