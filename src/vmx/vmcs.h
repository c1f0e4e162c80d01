/*
 * The virtual-machine control structure: access to its fields, exit reasons, events.
 *
 * SDM 3C, "Virtual Machine Control Structures". x86/vmcs_fields.h has the fields.
 */
#ifndef HYMIR_VMX_VMCS_H
#define HYMIR_VMX_VMCS_H

#include "lib/bits.h"
#include "vmx/instructions.h"
#include "x86/vmcs_fields.h"

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
    REASON(BUS_LOCK, 74, "bus lock")                                \
    REASON(INSTRUCTION_TIMEOUT, 75, "instruction timeout")          \
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

/* Exit qualifications of invalid guest state: SDM 3C, "VM-Entry Failures". */
#define ENTRY_FAILURE_PDPTE        2U
#define ENTRY_FAILURE_NMI          3U /* injected while events are blocked */
#define ENTRY_FAILURE_LINK_POINTER 4U

/*
 * Interruption information, of entries, exits and IDT vectoring: SDM 3C, "Event
 * Injection".
 */
#define INTERRUPTION_VECTOR(event)       BITS_GET(event, 7, 0)
#define INTERRUPTION_TYPE                (7U << 8)
#define INTERRUPTION_EXTERNAL            (0U << 8)
#define INTERRUPTION_NMI                 (2U << 8)
#define INTERRUPTION_RESERVED_TYPE       (1U << 8)
#define INTERRUPTION_HARDWARE_EXCEPTION  (3U << 8)
#define INTERRUPTION_SOFTWARE_INTERRUPT  (4U << 8)
#define INTERRUPTION_PRIVILEGED_SOFTWARE (5U << 8) /* INT1 */
#define INTERRUPTION_SOFTWARE_EXCEPTION  (6U << 8) /* INT3 and INTO */
#define INTERRUPTION_OTHER_EVENT         (7U << 8) /* vector 0: a pending MTF VM exit */
#define INTERRUPTION_ERROR_CODE          (1U << 11)
#define INTERRUPTION_UNDEFINED           (1U << 12) /* in IDT-vectoring information */
#define INTERRUPTION_NESTED_EXCEPTION    (1U << 13) /* FRED */
#define INTERRUPTION_VALID               (1U << 31)

/* Guest interrupt status: RVI is in bits 7:0. */
#define INTERRUPT_STATUS(svi) ((uint64_t)(svi) << 8)

/* Pending debug exceptions: bits 3:0 are those of DR6. */
#define PENDING_DEBUG_BREAKPOINT  BIT(12) /* one of them is enabled */
#define PENDING_DEBUG_SINGLE_STEP BIT(14)
#define PENDING_DEBUG_BUS_LOCK    BIT(11)
#define PENDING_DEBUG_RTM         BIT(16)
#define PENDING_DEBUG_DEFINED \
    (PENDING_DEBUG_RTM | PENDING_DEBUG_SINGLE_STEP | BITS_MASK(12, 11) | BITS_MASK(3, 0))

/* Guest interruptibility state. */
#define INTERRUPTIBILITY_STI           BIT(0)
#define INTERRUPTIBILITY_MOV_SS        BIT(1)
#define INTERRUPTIBILITY_STI_OR_MOV_SS UINT64_C(3)
#define INTERRUPTIBILITY_SMI           BIT(2)
#define INTERRUPTIBILITY_NMI           BIT(3)
#define INTERRUPTIBILITY_ENCLAVE       BIT(4)

/* Bytes of an entry of an MSR area: number, reserved, value. */
#define VMX_MSR_AREA_ENTRY UINT64_C(16)

/* Guest activity state. */
#define ACTIVITY_ACTIVE        0U
#define ACTIVITY_HLT           1U
#define ACTIVITY_SHUTDOWN      2U
#define ACTIVITY_WAIT_FOR_SIPI 3U

/* VM-instruction errors: SDM 3C, "VM-Instruction Error Numbers". */
#define VMX_ERROR_LAUNCH_OF_NON_CLEAR     4U
#define VMX_ERROR_RESUME_OF_NON_LAUNCHED  5U
#define VMX_ERROR_RESUME_AFTER_VMXOFF     6U
#define VMX_ERROR_INVALID_CONTROLS        7U
#define VMX_ERROR_INVALID_HOST_STATE      8U
#define VMX_ERROR_VMXON_IN_ROOT_OPERATION 15U
#define VMX_ERROR_EXECUTIVE_POINTER       16U
#define VMX_ERROR_EXECUTIVE_NOT_LAUNCHED  17U
#define VMX_ERROR_EXECUTIVE_NOT_VMXON     18U
#define VMX_ERROR_EXECUTIVE_CONTROLS      25U
#define VMX_ERROR_MOV_SS                  26U

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
