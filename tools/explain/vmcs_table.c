/*
 * The fields of a VMCS as Linux KVM's dump_vmcs since 4.x and Xen's vmcs_dump_vcpu print
 * them, and VirtualBox its controls. What KVM prints of IA32_EFER with a remark is not in
 * the VMCS.
 */
#include "lib/bits.h"
#include "patterns.h"
#include "vmx/entry_values.h"

/* A field, and one that shows that a dump begins, in a section. */
#define ROW(name, place, ...)                                            \
    {                                                                    \
        .pattern = (name), .section = (place), .values = { __VA_ARGS__ } \
    }
#define DISTINCT_IN(name, place, ...)                                           \
    {                                                                           \
        .pattern = (name), .section = (place), .is_distinct = true, .values = { \
            __VA_ARGS__                                                         \
        }                                                                       \
    }
#define DISTINCT(name, ...)       DISTINCT_IN(name, IN_ANY, __VA_ARGS__)
#define DISTINCT_GUEST(name, ...) DISTINCT_IN(name, IN_GUEST, __VA_ARGS__)
#define DISTINCT_HOST(name, ...)  DISTINCT_IN(name, IN_HOST, __VA_ARGS__)

/* A field of the guest and the one of the host, which have the same name. */
#define STATE(name, field) \
    ROW(name, IN_GUEST, VALUE_GUEST_##field), ROW(name, IN_HOST, VALUE_HOST_##field)

/* A segment of the guest, in the layouts of KVM and old Xen, and of Xen since 4.7. */
#define SEGMENT_VALUES(name)                                           \
    VALUE_GUEST_##name##_SELECTOR, VALUE_GUEST_##name##_ACCESS_RIGHTS, \
        VALUE_GUEST_##name##_LIMIT, VALUE_GUEST_##name##_BASE
#define SEGMENT(name)                                                                \
    DISTINCT_GUEST(#name ": sel=%!, attr=%, limit=%, base=%", SEGMENT_VALUES(name)), \
        ROW(#name ": % % % %", IN_GUEST, SEGMENT_VALUES(name))
#define TABLE_REGISTER(name)                                              \
    ROW(#name ": limit=%!, base=%", IN_GUEST, VALUE_GUEST_##name##_LIMIT, \
        VALUE_GUEST_##name##_BASE),                                       \
        ROW(#name ": % %", IN_GUEST, VALUE_GUEST_##name##_LIMIT,          \
            VALUE_GUEST_##name##_BASE)

static const struct dump_row rows[] = {
    /* Host state that is recognized even without its heading; Xen prints a name. */
    DISTINCT_HOST("RIP = 0x% RSP = 0x%", VALUE_HOST_RIP, VALUE_HOST_RSP),
    DISTINCT_HOST("RIP = 0x% (vmx_asm_vmexit_handler", VALUE_HOST_RIP),
    DISTINCT_HOST("CS=% SS=% DS=% ES=% FS=% GS=% TR=%", VALUE_HOST_CS_SELECTOR,
                  VALUE_HOST_SS_SELECTOR, VALUE_HOST_DS_SELECTOR, VALUE_HOST_ES_SELECTOR,
                  VALUE_HOST_FS_SELECTOR, VALUE_HOST_GS_SELECTOR, VALUE_HOST_TR_SELECTOR),
    DISTINCT_HOST("CS=% DS=% ES=% FS=% GS=% SS=% TR=%", VALUE_HOST_CS_SELECTOR,
                  VALUE_HOST_DS_SELECTOR, VALUE_HOST_ES_SELECTOR, VALUE_HOST_FS_SELECTOR,
                  VALUE_HOST_GS_SELECTOR, VALUE_HOST_SS_SELECTOR, VALUE_HOST_TR_SELECTOR),
    DISTINCT_HOST("FSBase=%! GSBase=%! TRBase=%", VALUE_HOST_FS_BASE, VALUE_HOST_GS_BASE,
                  VALUE_HOST_TR_BASE),
    DISTINCT_HOST("GDTBase=%! IDTBase=%", VALUE_HOST_GDTR_BASE, VALUE_HOST_IDTR_BASE),

    /* Guest state. */
    DISTINCT_GUEST("CR0: actual=%!, shadow=%, gh_mask=%", VALUE_GUEST_CR0,
                   VALUE_CR0_READ_SHADOW, VALUE_CR0_GUEST_HOST_MASK),
    DISTINCT_GUEST("CR4: actual=%!, shadow=%, gh_mask=%", VALUE_GUEST_CR4,
                   VALUE_CR4_READ_SHADOW, VALUE_CR4_GUEST_HOST_MASK),
    ROW("CR3 = 0x%", IN_GUEST, VALUE_GUEST_CR3),
    DISTINCT_GUEST("CR3: actual=%!, target_count=#", VALUE_GUEST_CR3,
                   VALUE_CR3_TARGET_COUNT),
    ROW("PDPTR0 = 0x%! PDPTR1 = 0x%", IN_GUEST, VALUE_GUEST_PDPTE0, VALUE_GUEST_PDPTE1),
    ROW("PDPTR2 = 0x%! PDPTR3 = 0x%", IN_GUEST, VALUE_GUEST_PDPTE2, VALUE_GUEST_PDPTE3),
    ROW("PDPTE0 = 0x%! PDPTE1 = 0x%", IN_GUEST, VALUE_GUEST_PDPTE0, VALUE_GUEST_PDPTE1),
    ROW("PDPTE2 = 0x%! PDPTE3 = 0x%", IN_GUEST, VALUE_GUEST_PDPTE2, VALUE_GUEST_PDPTE3),
    STATE("RSP = 0x%", RSP),
    STATE("RIP = 0x%", RIP),
    ROW("RFLAGS=0x%", IN_GUEST, VALUE_GUEST_RFLAGS),
    ROW("DR7 = 0x%", IN_GUEST, VALUE_GUEST_DR7),
    ROW("Sysenter RSP=%! CS:RIP=%:%", IN_GUEST, VALUE_GUEST_IA32_SYSENTER_ESP,
        VALUE_GUEST_IA32_SYSENTER_CS, VALUE_GUEST_IA32_SYSENTER_EIP),
    SEGMENT(CS),
    SEGMENT(DS),
    SEGMENT(SS),
    SEGMENT(ES),
    SEGMENT(FS),
    SEGMENT(GS),
    SEGMENT(LDTR),
    SEGMENT(TR),
    TABLE_REGISTER(GDTR),
    TABLE_REGISTER(IDTR),
    ROW("EFER = 0x% (effective)", IN_GUEST, NOT),
    ROW("EFER = 0x% (autoload)", IN_GUEST, NOT),
    STATE("EFER = 0x%", IA32_EFER),
    ROW("EFER(VMCS) = 0x%", IN_GUEST, VALUE_GUEST_IA32_EFER),
    STATE("PAT = 0x%", IA32_PAT),
    ROW("PreemptionTimer = %", IN_GUEST, VALUE_GUEST_PREEMPTION_TIMER),
    ROW("SM Base = %", IN_GUEST, VALUE_GUEST_SMBASE),
    DISTINCT_GUEST("DebugCtl = %", VALUE_GUEST_IA32_DEBUGCTL),
    DISTINCT_GUEST("DebugExceptions = %", VALUE_GUEST_PENDING_DEBUG_EXCEPTIONS),
    STATE("PerfGlobCtl = 0x%", IA32_PERF_GLOBAL_CTRL),
    ROW("BndCfgS = 0x%", IN_GUEST, VALUE_GUEST_IA32_BNDCFGS),
    DISTINCT_GUEST("Interruptibility = %", VALUE_GUEST_INTERRUPTIBILITY_STATE),
    DISTINCT_GUEST("ActivityState = %", VALUE_GUEST_ACTIVITY_STATE),
    ROW("InterruptStatus = %", IN_GUEST, VALUE_GUEST_INTERRUPT_STATUS),
    STATE("S_CET = 0x%", IA32_S_CET),
    STATE("SSP = 0x%", SSP),
    STATE("SSP TABLE = 0x%", INTERRUPT_SSP_TABLE),
    STATE("ISST = 0x%", INTERRUPT_SSP_TABLE),
    DISTINCT_GUEST("FRED guest: config=%!, stack_levels=%", VALUE_GUEST_FRED_CONFIG,
                   VALUE_GUEST_FRED_STACK_LEVELS),
    STATE("RSP1=%", FRED_RSP1),
    STATE("RSP2=%", FRED_RSP2),
    STATE("RSP3=%", FRED_RSP3),

    /* Host state. */
    ROW("CR0=% CR3=% CR4=%", IN_HOST, VALUE_HOST_CR0, VALUE_HOST_CR3, VALUE_HOST_CR4),
    ROW("Sysenter RSP=%! CS:RIP=%:%", IN_HOST, VALUE_HOST_IA32_SYSENTER_ESP,
        VALUE_HOST_IA32_SYSENTER_CS, VALUE_HOST_IA32_SYSENTER_EIP),
    ROW("FRED host: config=%!, stack_levels=%", IN_HOST, VALUE_HOST_FRED_CONFIG,
        VALUE_HOST_FRED_STACK_LEVELS),

    /* Control fields. */
    DISTINCT("PinBased=%", VALUE_PIN_BASED_CONTROLS),
    DISTINCT("CPUBased=%", VALUE_PRIMARY_CONTROLS),
    DISTINCT("SecondaryExec=%", VALUE_SECONDARY_CONTROLS),
    DISTINCT("TertiaryExec=%", VALUE_TERTIARY_CONTROLS),
    DISTINCT("EntryControls=%", VALUE_ENTRY_CONTROLS),
    DISTINCT("ExitControls=%", VALUE_EXIT_CONTROLS),
    DISTINCT("SecondaryExitControls=%", VALUE_SECONDARY_EXIT_CONTROLS),
    DISTINCT("ExceptionBitmap=%", VALUE_EXCEPTION_BITMAP),
    DISTINCT("PFECmask=%", VALUE_PAGE_FAULT_ERROR_CODE_MASK),
    DISTINCT("PFECmatch=%", VALUE_PAGE_FAULT_ERROR_CODE_MATCH),
    DISTINCT("VMEntry: intr_info=%! errcode=% ilen=%",
             VALUE_ENTRY_INTERRUPTION_INFORMATION, VALUE_ENTRY_EXCEPTION_ERROR_CODE,
             VALUE_ENTRY_INSTRUCTION_LENGTH),
    DISTINCT("VMExit: intr_info=%! errcode=% ilen=%", VALUE_EXIT_INTERRUPTION_INFORMATION,
             VALUE_EXIT_INTERRUPTION_ERROR_CODE, VALUE_EXIT_INSTRUCTION_LENGTH),
    DISTINCT("reason=% qualification=%", VALUE_EXIT_REASON, VALUE_EXIT_QUALIFICATION),
    DISTINCT("IDTVectoring: info=%! errcode=%", VALUE_IDT_VECTORING_INFORMATION,
             VALUE_IDT_VECTORING_ERROR_CODE),
    ROW("TSC Offset = %", IN_ANY, VALUE_TSC_OFFSET),
    ROW("TSC Multiplier = %", IN_ANY, VALUE_TSC_MULTIPLIER),
    ROW("TPR Threshold = %", IN_ANY, VALUE_TPR_THRESHOLD),
    ROW("APIC-access addr = %", IN_ANY, VALUE_APIC_ACCESS_ADDRESS),
    ROW("virt-APIC addr = %", IN_ANY, VALUE_VIRTUAL_APIC_ADDRESS),
    ROW("PostedIntrVec = %", IN_ANY, VALUE_POSTED_INTERRUPT_VECTOR),
    ROW("EPT pointer = %", IN_ANY, VALUE_EPT_POINTER),
    ROW("EPTP index = %", IN_ANY, VALUE_EPTP_INDEX),
    ROW("PLE Gap=%! Window=%", IN_ANY, VALUE_PAUSE_LOOP_GAP, VALUE_PAUSE_LOOP_WINDOW),
    ROW("Virtual processor ID = %", IN_ANY, VALUE_VPID),
    ROW("VMfunc controls = %", IN_ANY, VALUE_VM_FUNCTION_CONTROLS),
    ROW("VE info address = %", IN_ANY, VALUE_VE_INFORMATION_ADDRESS),

    /* VirtualBox's release log before 7.0. */
    DISTINCT("PinCtls 0x%", VALUE_PIN_BASED_CONTROLS),
    DISTINCT("ProcCtls 0x%", VALUE_PRIMARY_CONTROLS),
    DISTINCT("ProcCtls2 0x%", VALUE_SECONDARY_CONTROLS),
    DISTINCT("EntryCtls 0x%", VALUE_ENTRY_CONTROLS),
    DISTINCT("ExitCtls 0x%", VALUE_EXIT_CONTROLS),
    ROW("HCPhysMsrBitmap 0x%", IN_ANY, VALUE_MSR_BITMAP),
    ROW("HCPhysGuestMsrLoad 0x%", IN_ANY, VALUE_ENTRY_MSR_LOAD_ADDRESS),
    ROW("HCPhysGuestMsrStore 0x%", IN_ANY, VALUE_EXIT_MSR_STORE_ADDRESS),
    ROW("HCPhysHostMsrLoad 0x%", IN_ANY, VALUE_EXIT_MSR_LOAD_ADDRESS),
    ROW("cEntryMsrLoad #", IN_ANY, VALUE_ENTRY_MSR_LOAD_COUNT),
    ROW("cExitMsrStore #", IN_ANY, VALUE_EXIT_MSR_STORE_COUNT),
    ROW("cExitMsrLoad #", IN_ANY, VALUE_EXIT_MSR_LOAD_COUNT),
};

const struct dump_table vmcs_table = {rows, ARRAY_SIZE(rows)};
