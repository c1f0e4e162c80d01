/*
 * The fields of the virtual-machine control structure: names and encodings.
 *
 * SDM 3D, appendix "Field Encoding in VMCS"; those of FRED: Intel, "Flexible Return and
 * Event Delivery (FRED) Specification". tests/oracle compares the encodings with Linux's.
 */
#ifndef HYMIR_X86_VMCS_FIELDS_H
#define HYMIR_X86_VMCS_FIELDS_H

#include <stdint.h>

/* Bits 14:13 and 11:10 of an encoding. */
enum vmcs_width {
    VMCS_16_BIT,
    VMCS_64_BIT,
    VMCS_32_BIT,
    VMCS_NATURAL,
};
enum vmcs_type {
    VMCS_CONTROL,
    VMCS_INFORMATION, /* read-only */
    VMCS_GUEST,
    VMCS_HOST,
};
#define VMCS_ENCODING(width, type, index) \
    ((uint32_t)(width) << 13 | (uint32_t)(type) << 10 | (uint32_t)(index) << 1)

/* A field of each segment register, the first with that index. */
#define VMCS_SEGMENT_FIELDS(FIELD, kind, width, first)  \
    FIELD(GUEST_ES_##kind, width, GUEST, (first))       \
    FIELD(GUEST_CS_##kind, width, GUEST, (first) + 1)   \
    FIELD(GUEST_SS_##kind, width, GUEST, (first) + 2)   \
    FIELD(GUEST_DS_##kind, width, GUEST, (first) + 3)   \
    FIELD(GUEST_FS_##kind, width, GUEST, (first) + 4)   \
    FIELD(GUEST_GS_##kind, width, GUEST, (first) + 5)   \
    FIELD(GUEST_LDTR_##kind, width, GUEST, (first) + 6) \
    FIELD(GUEST_TR_##kind, width, GUEST, (first) + 7)

/* Name, width, type and index of each field, in the appendix's order. */
#define VMCS_FIELDS(FIELD)                                       \
    FIELD(VPID, 16_BIT, CONTROL, 0)                              \
    FIELD(POSTED_INTERRUPT_VECTOR, 16_BIT, CONTROL, 1)           \
    FIELD(EPTP_INDEX, 16_BIT, CONTROL, 2)                        \
    FIELD(HLAT_PREFIX_SIZE, 16_BIT, CONTROL, 3)                  \
    FIELD(LAST_PID_POINTER_INDEX, 16_BIT, CONTROL, 4)            \
    FIELD(VIRTUAL_TIMER_VECTOR, 16_BIT, CONTROL, 5)              \
    VMCS_SEGMENT_FIELDS(FIELD, SELECTOR, 16_BIT, 0)              \
    FIELD(GUEST_INTERRUPT_STATUS, 16_BIT, GUEST, 8)              \
    FIELD(GUEST_PML_INDEX, 16_BIT, GUEST, 9)                     \
    FIELD(GUEST_UINV, 16_BIT, GUEST, 10)                         \
    FIELD(HOST_ES_SELECTOR, 16_BIT, HOST, 0)                     \
    FIELD(HOST_CS_SELECTOR, 16_BIT, HOST, 1)                     \
    FIELD(HOST_SS_SELECTOR, 16_BIT, HOST, 2)                     \
    FIELD(HOST_DS_SELECTOR, 16_BIT, HOST, 3)                     \
    FIELD(HOST_FS_SELECTOR, 16_BIT, HOST, 4)                     \
    FIELD(HOST_GS_SELECTOR, 16_BIT, HOST, 5)                     \
    FIELD(HOST_TR_SELECTOR, 16_BIT, HOST, 6)                     \
    FIELD(IO_BITMAP_A, 64_BIT, CONTROL, 0)                       \
    FIELD(IO_BITMAP_B, 64_BIT, CONTROL, 1)                       \
    FIELD(MSR_BITMAP, 64_BIT, CONTROL, 2)                        \
    FIELD(EXIT_MSR_STORE_ADDRESS, 64_BIT, CONTROL, 3)            \
    FIELD(EXIT_MSR_LOAD_ADDRESS, 64_BIT, CONTROL, 4)             \
    FIELD(ENTRY_MSR_LOAD_ADDRESS, 64_BIT, CONTROL, 5)            \
    FIELD(EXECUTIVE_VMCS_POINTER, 64_BIT, CONTROL, 6)            \
    FIELD(PML_ADDRESS, 64_BIT, CONTROL, 7)                       \
    FIELD(TSC_OFFSET, 64_BIT, CONTROL, 8)                        \
    FIELD(VIRTUAL_APIC_ADDRESS, 64_BIT, CONTROL, 9)              \
    FIELD(APIC_ACCESS_ADDRESS, 64_BIT, CONTROL, 10)              \
    FIELD(POSTED_INTERRUPT_DESCRIPTOR, 64_BIT, CONTROL, 11)      \
    FIELD(VM_FUNCTION_CONTROLS, 64_BIT, CONTROL, 12)             \
    FIELD(EPT_POINTER, 64_BIT, CONTROL, 13)                      \
    FIELD(EOI_EXIT_BITMAP_0, 64_BIT, CONTROL, 14)                \
    FIELD(EOI_EXIT_BITMAP_1, 64_BIT, CONTROL, 15)                \
    FIELD(EOI_EXIT_BITMAP_2, 64_BIT, CONTROL, 16)                \
    FIELD(EOI_EXIT_BITMAP_3, 64_BIT, CONTROL, 17)                \
    FIELD(EPTP_LIST_ADDRESS, 64_BIT, CONTROL, 18)                \
    FIELD(VMREAD_BITMAP, 64_BIT, CONTROL, 19)                    \
    FIELD(VMWRITE_BITMAP, 64_BIT, CONTROL, 20)                   \
    FIELD(VE_INFORMATION_ADDRESS, 64_BIT, CONTROL, 21)           \
    FIELD(XSS_EXITING_BITMAP, 64_BIT, CONTROL, 22)               \
    FIELD(ENCLS_EXITING_BITMAP, 64_BIT, CONTROL, 23)             \
    FIELD(SUB_PAGE_PERMISSION_POINTER, 64_BIT, CONTROL, 24)      \
    FIELD(TSC_MULTIPLIER, 64_BIT, CONTROL, 25)                   \
    FIELD(TERTIARY_CONTROLS, 64_BIT, CONTROL, 26)                \
    FIELD(ENCLV_EXITING_BITMAP, 64_BIT, CONTROL, 27)             \
    FIELD(LOW_PASID_DIRECTORY, 64_BIT, CONTROL, 28)              \
    FIELD(HIGH_PASID_DIRECTORY, 64_BIT, CONTROL, 29)             \
    FIELD(SHARED_EPT_POINTER, 64_BIT, CONTROL, 30)               \
    FIELD(PCONFIG_EXITING_BITMAP, 64_BIT, CONTROL, 31)           \
    FIELD(HLAT_POINTER, 64_BIT, CONTROL, 32)                     \
    FIELD(PID_POINTER_TABLE, 64_BIT, CONTROL, 33)                \
    FIELD(SECONDARY_EXIT_CONTROLS, 64_BIT, CONTROL, 34)          \
    FIELD(SPEC_CTRL_MASK, 64_BIT, CONTROL, 37)                   \
    FIELD(SPEC_CTRL_SHADOW, 64_BIT, CONTROL, 38)                 \
    FIELD(GUEST_DEADLINE_SHADOW, 64_BIT, CONTROL, 39)            \
    FIELD(INJECTED_EVENT_DATA, 64_BIT, CONTROL, 41)              \
    FIELD(GUEST_PHYSICAL_ADDRESS, 64_BIT, INFORMATION, 0)        \
    FIELD(MSR_DATA, 64_BIT, INFORMATION, 1)                      \
    FIELD(ORIGINAL_EVENT_DATA, 64_BIT, INFORMATION, 2)           \
    FIELD(LINK_POINTER, 64_BIT, GUEST, 0)                        \
    FIELD(GUEST_IA32_DEBUGCTL, 64_BIT, GUEST, 1)                 \
    FIELD(GUEST_IA32_PAT, 64_BIT, GUEST, 2)                      \
    FIELD(GUEST_IA32_EFER, 64_BIT, GUEST, 3)                     \
    FIELD(GUEST_IA32_PERF_GLOBAL_CTRL, 64_BIT, GUEST, 4)         \
    FIELD(GUEST_PDPTE0, 64_BIT, GUEST, 5)                        \
    FIELD(GUEST_PDPTE1, 64_BIT, GUEST, 6)                        \
    FIELD(GUEST_PDPTE2, 64_BIT, GUEST, 7)                        \
    FIELD(GUEST_PDPTE3, 64_BIT, GUEST, 8)                        \
    FIELD(GUEST_IA32_BNDCFGS, 64_BIT, GUEST, 9)                  \
    FIELD(GUEST_IA32_RTIT_CTL, 64_BIT, GUEST, 10)                \
    FIELD(GUEST_IA32_LBR_CTL, 64_BIT, GUEST, 11)                 \
    FIELD(GUEST_IA32_PKRS, 64_BIT, GUEST, 12)                    \
    FIELD(GUEST_FRED_CONFIG, 64_BIT, GUEST, 13)                  \
    FIELD(GUEST_FRED_RSP1, 64_BIT, GUEST, 14)                    \
    FIELD(GUEST_FRED_RSP2, 64_BIT, GUEST, 15)                    \
    FIELD(GUEST_FRED_RSP3, 64_BIT, GUEST, 16)                    \
    FIELD(GUEST_FRED_STACK_LEVELS, 64_BIT, GUEST, 17)            \
    FIELD(GUEST_FRED_SSP1, 64_BIT, GUEST, 18)                    \
    FIELD(GUEST_FRED_SSP2, 64_BIT, GUEST, 19)                    \
    FIELD(GUEST_FRED_SSP3, 64_BIT, GUEST, 20)                    \
    FIELD(GUEST_IA32_SPEC_CTRL, 64_BIT, GUEST, 23)               \
    FIELD(GUEST_DEADLINE, 64_BIT, GUEST, 24)                     \
    FIELD(HOST_IA32_PAT, 64_BIT, HOST, 0)                        \
    FIELD(HOST_IA32_EFER, 64_BIT, HOST, 1)                       \
    FIELD(HOST_IA32_PERF_GLOBAL_CTRL, 64_BIT, HOST, 2)           \
    FIELD(HOST_IA32_PKRS, 64_BIT, HOST, 3)                       \
    FIELD(HOST_FRED_CONFIG, 64_BIT, HOST, 4)                     \
    FIELD(HOST_FRED_RSP1, 64_BIT, HOST, 5)                       \
    FIELD(HOST_FRED_RSP2, 64_BIT, HOST, 6)                       \
    FIELD(HOST_FRED_RSP3, 64_BIT, HOST, 7)                       \
    FIELD(HOST_FRED_STACK_LEVELS, 64_BIT, HOST, 8)               \
    FIELD(HOST_FRED_SSP1, 64_BIT, HOST, 9)                       \
    FIELD(HOST_FRED_SSP2, 64_BIT, HOST, 10)                      \
    FIELD(HOST_FRED_SSP3, 64_BIT, HOST, 11)                      \
    FIELD(HOST_IA32_SPEC_CTRL, 64_BIT, HOST, 13)                 \
    FIELD(PIN_BASED_CONTROLS, 32_BIT, CONTROL, 0)                \
    FIELD(PRIMARY_CONTROLS, 32_BIT, CONTROL, 1)                  \
    FIELD(EXCEPTION_BITMAP, 32_BIT, CONTROL, 2)                  \
    FIELD(PAGE_FAULT_ERROR_CODE_MASK, 32_BIT, CONTROL, 3)        \
    FIELD(PAGE_FAULT_ERROR_CODE_MATCH, 32_BIT, CONTROL, 4)       \
    FIELD(CR3_TARGET_COUNT, 32_BIT, CONTROL, 5)                  \
    FIELD(EXIT_CONTROLS, 32_BIT, CONTROL, 6)                     \
    FIELD(EXIT_MSR_STORE_COUNT, 32_BIT, CONTROL, 7)              \
    FIELD(EXIT_MSR_LOAD_COUNT, 32_BIT, CONTROL, 8)               \
    FIELD(ENTRY_CONTROLS, 32_BIT, CONTROL, 9)                    \
    FIELD(ENTRY_MSR_LOAD_COUNT, 32_BIT, CONTROL, 10)             \
    FIELD(ENTRY_INTERRUPTION_INFORMATION, 32_BIT, CONTROL, 11)   \
    FIELD(ENTRY_EXCEPTION_ERROR_CODE, 32_BIT, CONTROL, 12)       \
    FIELD(ENTRY_INSTRUCTION_LENGTH, 32_BIT, CONTROL, 13)         \
    FIELD(TPR_THRESHOLD, 32_BIT, CONTROL, 14)                    \
    FIELD(SECONDARY_CONTROLS, 32_BIT, CONTROL, 15)               \
    FIELD(PAUSE_LOOP_GAP, 32_BIT, CONTROL, 16)                   \
    FIELD(PAUSE_LOOP_WINDOW, 32_BIT, CONTROL, 17)                \
    FIELD(INSTRUCTION_TIMEOUT, 32_BIT, CONTROL, 18)              \
    FIELD(INSTRUCTION_ERROR, 32_BIT, INFORMATION, 0)             \
    FIELD(EXIT_REASON, 32_BIT, INFORMATION, 1)                   \
    FIELD(EXIT_INTERRUPTION_INFORMATION, 32_BIT, INFORMATION, 2) \
    FIELD(EXIT_INTERRUPTION_ERROR_CODE, 32_BIT, INFORMATION, 3)  \
    FIELD(IDT_VECTORING_INFORMATION, 32_BIT, INFORMATION, 4)     \
    FIELD(IDT_VECTORING_ERROR_CODE, 32_BIT, INFORMATION, 5)      \
    FIELD(EXIT_INSTRUCTION_LENGTH, 32_BIT, INFORMATION, 6)       \
    FIELD(EXIT_INSTRUCTION_INFORMATION, 32_BIT, INFORMATION, 7)  \
    VMCS_SEGMENT_FIELDS(FIELD, LIMIT, 32_BIT, 0)                 \
    FIELD(GUEST_GDTR_LIMIT, 32_BIT, GUEST, 8)                    \
    FIELD(GUEST_IDTR_LIMIT, 32_BIT, GUEST, 9)                    \
    VMCS_SEGMENT_FIELDS(FIELD, ACCESS_RIGHTS, 32_BIT, 10)        \
    FIELD(GUEST_INTERRUPTIBILITY_STATE, 32_BIT, GUEST, 18)       \
    FIELD(GUEST_ACTIVITY_STATE, 32_BIT, GUEST, 19)               \
    FIELD(GUEST_SMBASE, 32_BIT, GUEST, 20)                       \
    FIELD(GUEST_IA32_SYSENTER_CS, 32_BIT, GUEST, 21)             \
    FIELD(GUEST_PREEMPTION_TIMER, 32_BIT, GUEST, 23)             \
    FIELD(HOST_IA32_SYSENTER_CS, 32_BIT, HOST, 0)                \
    FIELD(CR0_GUEST_HOST_MASK, NATURAL, CONTROL, 0)              \
    FIELD(CR4_GUEST_HOST_MASK, NATURAL, CONTROL, 1)              \
    FIELD(CR0_READ_SHADOW, NATURAL, CONTROL, 2)                  \
    FIELD(CR4_READ_SHADOW, NATURAL, CONTROL, 3)                  \
    FIELD(CR3_TARGET_VALUE_0, NATURAL, CONTROL, 4)               \
    FIELD(CR3_TARGET_VALUE_1, NATURAL, CONTROL, 5)               \
    FIELD(CR3_TARGET_VALUE_2, NATURAL, CONTROL, 6)               \
    FIELD(CR3_TARGET_VALUE_3, NATURAL, CONTROL, 7)               \
    FIELD(EXIT_QUALIFICATION, NATURAL, INFORMATION, 0)           \
    FIELD(IO_RCX, NATURAL, INFORMATION, 1)                       \
    FIELD(IO_RSI, NATURAL, INFORMATION, 2)                       \
    FIELD(IO_RDI, NATURAL, INFORMATION, 3)                       \
    FIELD(IO_RIP, NATURAL, INFORMATION, 4)                       \
    FIELD(GUEST_LINEAR_ADDRESS, NATURAL, INFORMATION, 5)         \
    FIELD(GUEST_CR0, NATURAL, GUEST, 0)                          \
    FIELD(GUEST_CR3, NATURAL, GUEST, 1)                          \
    FIELD(GUEST_CR4, NATURAL, GUEST, 2)                          \
    VMCS_SEGMENT_FIELDS(FIELD, BASE, NATURAL, 3)                 \
    FIELD(GUEST_GDTR_BASE, NATURAL, GUEST, 11)                   \
    FIELD(GUEST_IDTR_BASE, NATURAL, GUEST, 12)                   \
    FIELD(GUEST_DR7, NATURAL, GUEST, 13)                         \
    FIELD(GUEST_RSP, NATURAL, GUEST, 14)                         \
    FIELD(GUEST_RIP, NATURAL, GUEST, 15)                         \
    FIELD(GUEST_RFLAGS, NATURAL, GUEST, 16)                      \
    FIELD(GUEST_PENDING_DEBUG_EXCEPTIONS, NATURAL, GUEST, 17)    \
    FIELD(GUEST_IA32_SYSENTER_ESP, NATURAL, GUEST, 18)           \
    FIELD(GUEST_IA32_SYSENTER_EIP, NATURAL, GUEST, 19)           \
    FIELD(GUEST_IA32_S_CET, NATURAL, GUEST, 20)                  \
    FIELD(GUEST_SSP, NATURAL, GUEST, 21)                         \
    FIELD(GUEST_INTERRUPT_SSP_TABLE, NATURAL, GUEST, 22)         \
    FIELD(HOST_CR0, NATURAL, HOST, 0)                            \
    FIELD(HOST_CR3, NATURAL, HOST, 1)                            \
    FIELD(HOST_CR4, NATURAL, HOST, 2)                            \
    FIELD(HOST_FS_BASE, NATURAL, HOST, 3)                        \
    FIELD(HOST_GS_BASE, NATURAL, HOST, 4)                        \
    FIELD(HOST_TR_BASE, NATURAL, HOST, 5)                        \
    FIELD(HOST_GDTR_BASE, NATURAL, HOST, 6)                      \
    FIELD(HOST_IDTR_BASE, NATURAL, HOST, 7)                      \
    FIELD(HOST_IA32_SYSENTER_ESP, NATURAL, HOST, 8)              \
    FIELD(HOST_IA32_SYSENTER_EIP, NATURAL, HOST, 9)              \
    FIELD(HOST_RSP, NATURAL, HOST, 10)                           \
    FIELD(HOST_RIP, NATURAL, HOST, 11)                           \
    FIELD(HOST_IA32_S_CET, NATURAL, HOST, 12)                    \
    FIELD(HOST_SSP, NATURAL, HOST, 13)                           \
    FIELD(HOST_INTERRUPT_SSP_TABLE, NATURAL, HOST, 14)

enum vmcs_field {
#define VMCS_FIELD_ENUM(name, width, type, index) \
    VMCS_##name = VMCS_ENCODING(VMCS_##width, VMCS_##type, index),
    VMCS_FIELDS(VMCS_FIELD_ENUM)
#undef VMCS_FIELD_ENUM
};

#endif
