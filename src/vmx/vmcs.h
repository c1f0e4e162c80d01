/*
 * The fields of the virtual-machine control structure: encodings, names, access.
 *
 * SDM 3C, "Virtual Machine Control Structures"; SDM 3D, appendix "Field Encoding in
 * VMCS". tests/oracle compares the encodings with Linux's.
 */
#ifndef HYMIR_VMX_VMCS_H
#define HYMIR_VMX_VMCS_H

#include "lib/bits.h"
#include "vmx/instructions.h"

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

/* Name, width, type and index of each field that Hymir uses, in the appendix's order. */
#define VMCS_FIELDS(FIELD)                                       \
    FIELD(VPID, 16_BIT, CONTROL, 0)                              \
    VMCS_SEGMENT_FIELDS(FIELD, SELECTOR, 16_BIT, 0)              \
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
    FIELD(ENTRY_MSR_LOAD_ADDRESS, 64_BIT, CONTROL, 5)            \
    FIELD(TSC_OFFSET, 64_BIT, CONTROL, 8)                        \
    FIELD(EPT_POINTER, 64_BIT, CONTROL, 13)                      \
    FIELD(XSS_EXITING_BITMAP, 64_BIT, CONTROL, 22)               \
    FIELD(ENCLS_EXITING_BITMAP, 64_BIT, CONTROL, 23)             \
    FIELD(ENCLV_EXITING_BITMAP, 64_BIT, CONTROL, 27)             \
    FIELD(GUEST_PHYSICAL_ADDRESS, 64_BIT, INFORMATION, 0)        \
    FIELD(LINK_POINTER, 64_BIT, GUEST, 0)                        \
    FIELD(GUEST_IA32_DEBUGCTL, 64_BIT, GUEST, 1)                 \
    FIELD(GUEST_IA32_PAT, 64_BIT, GUEST, 2)                      \
    FIELD(GUEST_IA32_EFER, 64_BIT, GUEST, 3)                     \
    FIELD(GUEST_PDPTE0, 64_BIT, GUEST, 5)                        \
    FIELD(GUEST_PDPTE1, 64_BIT, GUEST, 6)                        \
    FIELD(GUEST_PDPTE2, 64_BIT, GUEST, 7)                        \
    FIELD(GUEST_PDPTE3, 64_BIT, GUEST, 8)                        \
    FIELD(HOST_IA32_PAT, 64_BIT, HOST, 0)                        \
    FIELD(HOST_IA32_EFER, 64_BIT, HOST, 1)                       \
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
    FIELD(SECONDARY_CONTROLS, 32_BIT, CONTROL, 15)               \
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
    FIELD(GUEST_IA32_SYSENTER_CS, 32_BIT, GUEST, 21)             \
    FIELD(GUEST_PREEMPTION_TIMER, 32_BIT, GUEST, 23)             \
    FIELD(HOST_IA32_SYSENTER_CS, 32_BIT, HOST, 0)                \
    FIELD(CR0_GUEST_HOST_MASK, NATURAL, CONTROL, 0)              \
    FIELD(CR4_GUEST_HOST_MASK, NATURAL, CONTROL, 1)              \
    FIELD(CR0_READ_SHADOW, NATURAL, CONTROL, 2)                  \
    FIELD(CR4_READ_SHADOW, NATURAL, CONTROL, 3)                  \
    FIELD(EXIT_QUALIFICATION, NATURAL, INFORMATION, 0)           \
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
    FIELD(HOST_RIP, NATURAL, HOST, 11)

enum vmcs_field {
#define VMCS_FIELD_ENUM(name, width, type, index) \
    VMCS_##name = VMCS_ENCODING(VMCS_##width, VMCS_##type, index),
    VMCS_FIELDS(VMCS_FIELD_ENUM)
#undef VMCS_FIELD_ENUM
};

/* Exit reasons and their descriptions: SDM 3D, "VMX Basic Exit Reasons". */
#define EXIT_REASONS(REASON)                                        \
    REASON(EXCEPTION_OR_NMI, 0, "exception or NMI")                 \
    REASON(EXTERNAL_INTERRUPT, 1, "external interrupt")             \
    REASON(TRIPLE_FAULT, 2, "triple fault")                         \
    REASON(INIT, 3, "INIT signal")                                  \
    REASON(SIPI, 4, "startup IPI")                                  \
    REASON(IO_SMI, 5, "I/O SMI")                                    \
    REASON(OTHER_SMI, 6, "other SMI")                               \
    REASON(INTERRUPT_WINDOW, 7, "interrupt window")                 \
    REASON(NMI_WINDOW, 8, "NMI window")                             \
    REASON(TASK_SWITCH, 9, "task switch")                           \
    REASON(CPUID, 10, "CPUID")                                      \
    REASON(GETSEC, 11, "GETSEC")                                    \
    REASON(HLT, 12, "HLT")                                          \
    REASON(INVD, 13, "INVD")                                        \
    REASON(INVLPG, 14, "INVLPG")                                    \
    REASON(RDPMC, 15, "RDPMC")                                      \
    REASON(RDTSC, 16, "RDTSC")                                      \
    REASON(RSM, 17, "RSM")                                          \
    REASON(VMCALL, 18, "VMCALL")                                    \
    REASON(VMCLEAR, 19, "VMCLEAR")                                  \
    REASON(VMLAUNCH, 20, "VMLAUNCH")                                \
    REASON(VMPTRLD, 21, "VMPTRLD")                                  \
    REASON(VMPTRST, 22, "VMPTRST")                                  \
    REASON(VMREAD, 23, "VMREAD")                                    \
    REASON(VMRESUME, 24, "VMRESUME")                                \
    REASON(VMWRITE, 25, "VMWRITE")                                  \
    REASON(VMXOFF, 26, "VMXOFF")                                    \
    REASON(VMXON, 27, "VMXON")                                      \
    REASON(CONTROL_REGISTER, 28, "control-register access")         \
    REASON(MOV_DR, 29, "MOV DR")                                    \
    REASON(IO_INSTRUCTION, 30, "I/O instruction")                   \
    REASON(RDMSR, 31, "RDMSR")                                      \
    REASON(WRMSR, 32, "WRMSR")                                      \
    REASON(INVALID_GUEST_STATE, 33, "invalid guest state")          \
    REASON(MSR_LOADING, 34, "MSR loading")                          \
    REASON(MWAIT, 36, "MWAIT")                                      \
    REASON(MONITOR_TRAP_FLAG, 37, "monitor trap flag")              \
    REASON(MONITOR, 39, "MONITOR")                                  \
    REASON(PAUSE, 40, "PAUSE")                                      \
    REASON(MACHINE_CHECK, 41, "machine-check event")                \
    REASON(TPR_BELOW_THRESHOLD, 43, "TPR below threshold")          \
    REASON(APIC_ACCESS, 44, "APIC access")                          \
    REASON(VIRTUALIZED_EOI, 45, "virtualized EOI")                  \
    REASON(GDTR_OR_IDTR, 46, "access to GDTR or IDTR")              \
    REASON(LDTR_OR_TR, 47, "access to LDTR or TR")                  \
    REASON(EPT_VIOLATION, 48, "EPT violation")                      \
    REASON(EPT_MISCONFIGURATION, 49, "EPT misconfiguration")        \
    REASON(INVEPT, 50, "INVEPT")                                    \
    REASON(RDTSCP, 51, "RDTSCP")                                    \
    REASON(PREEMPTION_TIMER, 52, "preemption timer expired")        \
    REASON(INVVPID, 53, "INVVPID")                                  \
    REASON(WBINVD, 54, "WBINVD or WBNOINVD")                        \
    REASON(XSETBV, 55, "XSETBV")                                    \
    REASON(APIC_WRITE, 56, "APIC write")                            \
    REASON(RDRAND, 57, "RDRAND")                                    \
    REASON(INVPCID, 58, "INVPCID")                                  \
    REASON(VMFUNC, 59, "VMFUNC")                                    \
    REASON(ENCLS, 60, "ENCLS")                                      \
    REASON(RDSEED, 61, "RDSEED")                                    \
    REASON(PAGE_MODIFICATION_LOG, 62, "page-modification log full") \
    REASON(XSAVES, 63, "XSAVES")                                    \
    REASON(XRSTORS, 64, "XRSTORS")                                  \
    REASON(PCONFIG, 65, "PCONFIG")                                  \
    REASON(UMWAIT, 67, "UMWAIT")                                    \
    REASON(TPAUSE, 68, "TPAUSE")                                    \
    REASON(LOADIWKEY, 69, "LOADIWKEY")                              \
    REASON(ENCLV, 70, "ENCLV")                                      \
    REASON(SEAMCALL, 76, "SEAMCALL")                                \
    REASON(TDCALL, 77, "TDCALL")

enum exit_reason {
#define EXIT_REASON_ENUM(name, number, text) EXIT_REASON_##name = (number),
    EXIT_REASONS(EXIT_REASON_ENUM)
#undef EXIT_REASON_ENUM
        EXIT_REASON_COUNT
};
#define EXIT_REASON_BASIC(reason) ((uint32_t)BITS_GET(reason, 15, 0))
#define EXIT_REASON_ENTRY_FAILURE BIT(31)

/*
 * Interruption information, of entries, exits and IDT vectoring: SDM 3C, "Event
 * Injection".
 */
#define INTERRUPTION_VECTOR(event)       BITS_GET(event, 7, 0)
#define INTERRUPTION_TYPE                (7U << 8)
#define INTERRUPTION_EXTERNAL            (0U << 8)
#define INTERRUPTION_NMI                 (2U << 8)
#define INTERRUPTION_HARDWARE_EXCEPTION  (3U << 8)
#define INTERRUPTION_SOFTWARE_INTERRUPT  (4U << 8)
#define INTERRUPTION_PRIVILEGED_SOFTWARE (5U << 8) /* INT1 */
#define INTERRUPTION_SOFTWARE_EXCEPTION  (6U << 8) /* INT3 and INTO */
#define INTERRUPTION_ERROR_CODE          (1U << 11)
#define INTERRUPTION_UNDEFINED           (1U << 12) /* in IDT-vectoring information */
#define INTERRUPTION_VALID               (1U << 31)

/* Pending debug exceptions: bits 3:0 are those of DR6. */
#define PENDING_DEBUG_BREAKPOINT  BIT(12) /* one of them is enabled */
#define PENDING_DEBUG_SINGLE_STEP BIT(14)

/* Guest interruptibility state. */
#define INTERRUPTIBILITY_STI_OR_MOV_SS UINT64_C(3)
#define INTERRUPTIBILITY_NMI           BIT(3)

/* Guest activity state. */
#define ACTIVITY_ACTIVE 0U
#define ACTIVITY_HLT    1U

/* Expected VM-instruction errors: SDM 3C, "VM-Instruction Error Numbers". */
#define VMX_ERROR_VMXON_IN_ROOT_OPERATION 15U

/* Returns the description of a VM-instruction error, or "unknown error". */
const char *vmx_error_name(uint32_t error);

/* Returns the description of a basic exit reason, or "unknown reason". */
const char *exit_reason_name(uint32_t reason);

/* Returns the name of a field without the prefix VMCS_, or NULL. */
const char *vmcs_field_name(uint32_t encoding);

/*
 * Read or write a field of the current VMCS, in VMX root operation. On failure they log
 * the field's name and the error and return false; vmcs_read leaves *value unchanged.
 */
bool MUST_CHECK vmcs_read(enum vmcs_field field, uint64_t *value);
bool MUST_CHECK vmcs_write(enum vmcs_field field, uint64_t value);

/* Logs the failure and raises #UD, which panics with a backtrace. */
_Noreturn void vmcs_panic(const char *instruction, enum vmcs_field field);

/*
 * Read or write a field that is known to exist; a failure panics. For VM exits: they cost
 * only the instruction and a conditional jump.
 */
static inline uint64_t vmcs_get(enum vmcs_field field)
{
    uint64_t value;
    if (!vmread(field, &value))
        vmcs_panic("VMREAD", field);
    return value;
}

static inline void vmcs_set(enum vmcs_field field, uint64_t value)
{
    if (!vmwrite(field, value))
        vmcs_panic("VMWRITE", field);
}

/* Adds causes to the #DB that the guest receives at the next entry. */
static inline void vmcs_add_pending_debug(uint64_t causes)
{
    vmcs_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS,
             vmcs_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) | causes);
}

/* Logs all readable fields by name. In VMX root operation only. */
void vmcs_log(void);

/* A field and the value to write to it. */
struct vmcs_row {
    enum vmcs_field field;
    uint64_t value;
};

/* Writes count rows in order, up to the first that fails; vmcs_write. */
bool MUST_CHECK vmcs_write_rows(const struct vmcs_row *rows, size_t count);

/* Returns the error of the last instruction that ended in VMfailValid on this CPU. */
uint32_t vmcs_instruction_error(void);

#endif
