/*
 * The virtual machine control block: its layout, the bits of its fields, exit codes.
 *
 * APM 2, appendices "VMCB Layout", "SVM Intercept Exit Codes". Processors cache parts of
 * a VMCB between exits, if they have clean bits: after changing a field call
 * vmcb_mark_dirty with its group.
 */
#ifndef HYMIR_SVM_VMCB_H
#define HYMIR_SVM_VMCB_H

#include "lib/bits.h"
#include "virt/nested_paging.h"
#include "virt/segment.h"

struct vmcb_segment {
    uint16_t selector;
    uint16_t attributes; /* bits 55:52 and 47:40 of a descriptor, adjacent */
    uint32_t limit;
    uint64_t base;
};

#define VMCB_SEGMENTS 6 /* SEGMENT_ES to SEGMENT_GS */

/* Attributes of a code segment. */
#define VMCB_CODE_L BIT(9)
#define VMCB_CODE_D BIT(10)

struct vmcb {
    /* Control area. */
    uint16_t intercept_cr_reads, intercept_cr_writes;
    uint16_t intercept_dr_reads, intercept_dr_writes;
    uint32_t intercept_exceptions; /* by vector */
    uint32_t intercept_1, intercept_2, intercept_3;
    uint8_t reserved_18[0x40 - 0x18];
    uint64_t iopm_base, msrpm_base;
    uint64_t tsc_offset;
    uint32_t asid;
    uint8_t tlb_control;
    uint8_t reserved_5d[3];
    uint64_t virtual_interrupt;
    uint64_t interrupt_shadow;
    uint64_t exit_code, exit_info_1, exit_info_2;
    uint64_t exit_interrupt_info; /* EXITINTINFO: an event whose delivery exited */
    uint64_t nested_paging;
    uint64_t avic_apic_bar;
    uint64_t ghcb;
    uint64_t event_injection; /* EVENTINJ */
    uint64_t nested_cr3;
    uint64_t lbr_virtualization;
    uint64_t clean;
    uint64_t next_rip;
    uint8_t fetched_count;
    uint8_t fetched_bytes[15];
    uint64_t avic_backing_page;
    uint64_t reserved_e8;
    uint64_t avic_logical_table, avic_physical_table;
    uint8_t reserved_100[0x120 - 0x100];
    uint16_t bus_lock_counter; /* bus locks until one exits, before it is done */
    uint8_t reserved_122[0x400 - 0x122];

    /* State save area. */
    struct vmcb_segment segment[VMCB_SEGMENTS];
    struct vmcb_segment gdtr, ldtr, idtr, tr; /* of gdtr and idtr, base and limit */
    uint8_t reserved_4a0[0x4CB - 0x4A0];
    uint8_t cpl;
    uint32_t reserved_4cc;
    uint64_t efer;
    uint8_t reserved_4d8[0x548 - 0x4D8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved_580[0x5D8 - 0x580];
    uint64_t rsp;
    uint64_t s_cet, ssp, isst_address;
    uint64_t rax;
    uint64_t star, lstar, cstar, fmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t cr2;
    uint8_t reserved_648[0x668 - 0x648];
    uint64_t pat;
    uint64_t debugctl;
    uint8_t reserved_678[0x1000 - 0x678];
};
_Static_assert(sizeof(struct vmcb) == PAGE_SIZE, "APM 2, VMCB Layout");
_Static_assert(offsetof(struct vmcb, iopm_base) == 0x40, "IOPM_BASE_PA");
_Static_assert(offsetof(struct vmcb, virtual_interrupt) == 0x60, "V_TPR");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x70, "EXITCODE");
_Static_assert(offsetof(struct vmcb, event_injection) == 0xA8, "EVENTINJ");
_Static_assert(offsetof(struct vmcb, clean) == 0xC0, "VMCB Clean Bits");
_Static_assert(offsetof(struct vmcb, avic_physical_table) == 0xF8, "AVIC tables");
_Static_assert(offsetof(struct vmcb, segment) == 0x400, "ES");
_Static_assert(offsetof(struct vmcb, efer) == 0x4D0, "EFER");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "CR4");
_Static_assert(offsetof(struct vmcb, rax) == 0x5F8, "RAX");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "CR2");
_Static_assert(offsetof(struct vmcb, pat) == 0x668, "G_PAT");

enum vmcb_intercept_1 {
    INTERCEPT_INTR     = BIT(0),
    INTERCEPT_NMI      = BIT(1),
    INTERCEPT_INIT     = BIT(3),
    INTERCEPT_VINTR    = BIT(4),
    INTERCEPT_RDPMC    = BIT(15),
    INTERCEPT_CPUID    = BIT(18),
    INTERCEPT_RSM      = BIT(19),
    INTERCEPT_IRET     = BIT(20),
    INTERCEPT_INVD     = BIT(22),
    INTERCEPT_HLT      = BIT(24),
    INTERCEPT_INVLPGA  = BIT(26),
    INTERCEPT_IO       = BIT(27),
    INTERCEPT_MSR      = BIT(28),
    INTERCEPT_SHUTDOWN = BIT(31),
};

enum vmcb_intercept_2 {
    INTERCEPT_VMRUN   = BIT(0),
    INTERCEPT_VMMCALL = BIT(1),
    INTERCEPT_VMLOAD  = BIT(2),
    INTERCEPT_VMSAVE  = BIT(3),
    INTERCEPT_STGI    = BIT(4),
    INTERCEPT_CLGI    = BIT(5),
    INTERCEPT_SKINIT  = BIT(6),
    INTERCEPT_WBINVD  = BIT(9), /* and WBNOINVD */
    INTERCEPT_MONITOR = BIT(10),
    INTERCEPT_MWAIT   = BIT(11),
    INTERCEPT_XSETBV  = BIT(13),
    INTERCEPT_RDPRU   = BIT(14),
};

enum vmcb_intercept_3 {
    INTERCEPT_INVLPGB         = BIT(0),
    INTERCEPT_INVLPGB_ILLEGAL = BIT(1),
    INTERCEPT_MCOMMIT         = BIT(3),
    INTERCEPT_TLBSYNC         = BIT(4),
    INTERCEPT_BUS_LOCK        = BIT(5),
};

#define TLB_CONTROL_NOTHING    0U
#define TLB_CONTROL_FLUSH_ALL  1U
#define TLB_CONTROL_FLUSH_ASID 3U

/* Virtual interrupts: offset 60H. */
#define V_IRQ               BIT(8)
#define V_INTR_PRIORITY     (UINT64_C(0xF) << 16)
#define V_IGNORE_TPR        BIT(20)
#define V_INTR_VECTOR_SHIFT 32
#define V_INTR_VECTOR       BITS_MASK(39, 32)
#define V_INTR_MASKING      BIT(24)
#define V_NMI_ENABLE        BIT(26)
#define X2AVIC_ENABLE       BIT(30)
#define AVIC_ENABLE         BIT(31)
#define AVIC_MAX_INDEX      BITS_MASK(11, 0) /* of AVIC_PHYSICAL_TABLE */
#define AVIC_MAX_INDEX_LAST UINT64_C(0xFF)
#define X2AVIC_MAX_INDEX    UINT64_C(0x1FF)

#define INTERRUPT_SHADOW   BIT(0)
#define NESTED_PAGING      BIT(0) /* NP_ENABLE */
#define ENCRYPTED_STATE    BIT(2) /* SEV-ES: the state save area is not used */
#define LBR_VIRTUALIZATION BIT(0)

/* EVENTINJ and EXITINTINFO. */
#define EVENT_VECTOR(event)    ((uint8_t)(event))
#define EVENT_TYPE             (UINT64_C(7) << 8)
#define EVENT_INTERRUPT        (UINT64_C(0) << 8)
#define EVENT_NMI              (UINT64_C(2) << 8)
#define EVENT_EXCEPTION        (UINT64_C(3) << 8)
#define EVENT_SOFTWARE         (UINT64_C(4) << 8) /* INT n */
#define EVENT_ERROR_CODE       BIT(11)            /* bits 63:32 are valid */
#define EVENT_VALID            BIT(31)
#define EVENT_ERROR_CODE_SHIFT 32U

/* The groups of the clean bits. */
enum vmcb_clean {
    CLEAN_INTERCEPTS        = BIT(0), /* and the TSC offset */
    CLEAN_VIRTUAL_INTERRUPT = BIT(3), /* offset 60H */
    CLEAN_NESTED_PAGING     = BIT(4), /* and PAT */
    CLEAN_CONTROL_REGISTERS = BIT(5), /* CR0, CR3, CR4, EFER */
    CLEAN_DEBUG_REGISTERS   = BIT(6), /* DR6, DR7 */
    CLEAN_CR2               = BIT(9),
    CLEAN_LBR               = BIT(10), /* DEBUGCTL */
    CLEAN_ALL               = BITS_MASK(12, 0),
};

static inline void vmcb_mark_dirty(struct vmcb *vmcb, uint64_t groups)
{
    vmcb->clean &= ~groups;
}

/* EXITINFO1 of IN, OUT, INS and OUTS. EXITINFO2 is the next RIP. */
#define IO_IN         BIT(0)
#define IO_STRING     BIT(2)
#define IO_REPEATED   BIT(3)
#define IO_SIZE(info) ((unsigned int)BITS_GET(info, 6, 4)) /* bytes: one bit is set */
#define IO_PORT(info) ((uint16_t)BITS_GET(info, 31, 16))

/* EXITINFO1 of RDMSR and WRMSR. */
#define MSR_IS_WRITE BIT(0)

/* EXITINFO1 of accesses to control registers, with decode assists. */
#define CR_ACCESS_IS_MOV        BIT(63)
#define CR_ACCESS_GENERAL(info) ((unsigned int)BITS_GET(info, 3, 0))

/* EXITINFO1 of nested page faults: a page-fault error code, and: */
#define NESTED_FAULT_WRITE BIT(1)
#define NESTED_FAULT_FETCH BIT(4)
#define NESTED_FAULT_WALK  BIT(33) /* during the walk of the guest's tables */

/* Exit codes: EXIT(constant, code, name); ranges have the code of the first. */
enum svm_exit {
    SVM_EXIT_CR_READ       = 0x00,
    SVM_EXIT_CR_WRITE      = 0x10,
    SVM_EXIT_DR_READ       = 0x20,
    SVM_EXIT_DR_WRITE      = 0x30,
    SVM_EXIT_EXCEPTION     = 0x40,
    SVM_EXIT_CR_WRITE_TRAP = 0x90,
#define SVM_EXITS(EXIT)                                            \
    EXIT(INTR, 0x60, "external interrupt")                         \
    EXIT(NMI, 0x61, "NMI")                                         \
    EXIT(SMI, 0x62, "SMI")                                         \
    EXIT(INIT, 0x63, "INIT")                                       \
    EXIT(VINTR, 0x64, "interrupt window")                          \
    EXIT(CR0_SELECTIVE, 0x65, "selective CR0 write")               \
    EXIT(IDTR_READ, 0x66, "SIDT")                                  \
    EXIT(GDTR_READ, 0x67, "SGDT")                                  \
    EXIT(LDTR_READ, 0x68, "SLDT")                                  \
    EXIT(TR_READ, 0x69, "STR")                                     \
    EXIT(IDTR_WRITE, 0x6A, "LIDT")                                 \
    EXIT(GDTR_WRITE, 0x6B, "LGDT")                                 \
    EXIT(LDTR_WRITE, 0x6C, "LLDT")                                 \
    EXIT(TR_WRITE, 0x6D, "LTR")                                    \
    EXIT(RDTSC, 0x6E, "RDTSC")                                     \
    EXIT(RDPMC, 0x6F, "RDPMC")                                     \
    EXIT(PUSHF, 0x70, "PUSHF")                                     \
    EXIT(POPF, 0x71, "POPF")                                       \
    EXIT(CPUID, 0x72, "CPUID")                                     \
    EXIT(RSM, 0x73, "RSM")                                         \
    EXIT(IRET, 0x74, "IRET")                                       \
    EXIT(SOFTWARE_INTERRUPT, 0x75, "INT n")                        \
    EXIT(INVD, 0x76, "INVD")                                       \
    EXIT(PAUSE, 0x77, "PAUSE")                                     \
    EXIT(HLT, 0x78, "HLT")                                         \
    EXIT(INVLPG, 0x79, "INVLPG")                                   \
    EXIT(INVLPGA, 0x7A, "INVLPGA")                                 \
    EXIT(IO, 0x7B, "I/O instruction")                              \
    EXIT(MSR, 0x7C, "RDMSR or WRMSR")                              \
    EXIT(TASK_SWITCH, 0x7D, "task switch")                         \
    EXIT(FERR_FREEZE, 0x7E, "FERR# freeze")                        \
    EXIT(SHUTDOWN, 0x7F, "shutdown")                               \
    EXIT(VMRUN, 0x80, "VMRUN")                                     \
    EXIT(VMMCALL, 0x81, "VMMCALL")                                 \
    EXIT(VMLOAD, 0x82, "VMLOAD")                                   \
    EXIT(VMSAVE, 0x83, "VMSAVE")                                   \
    EXIT(STGI, 0x84, "STGI")                                       \
    EXIT(CLGI, 0x85, "CLGI")                                       \
    EXIT(SKINIT, 0x86, "SKINIT")                                   \
    EXIT(RDTSCP, 0x87, "RDTSCP")                                   \
    EXIT(ICEBP, 0x88, "INT1")                                      \
    EXIT(WBINVD, 0x89, "WBINVD or WBNOINVD")                       \
    EXIT(MONITOR, 0x8A, "MONITOR or MONITORX")                     \
    EXIT(MWAIT, 0x8B, "MWAIT or MWAITX")                           \
    EXIT(MWAIT_ARMED, 0x8C, "MWAIT, monitor armed")                \
    EXIT(XSETBV, 0x8D, "XSETBV")                                   \
    EXIT(RDPRU, 0x8E, "RDPRU")                                     \
    EXIT(EFER_WRITE_TRAP, 0x8F, "EFER write trap")                 \
    EXIT(INVLPGB, 0xA0, "INVLPGB")                                 \
    EXIT(INVLPGB_ILLEGAL, 0xA1, "illegal INVLPGB")                 \
    EXIT(INVPCID, 0xA2, "INVPCID")                                 \
    EXIT(MCOMMIT, 0xA3, "MCOMMIT")                                 \
    EXIT(TLBSYNC, 0xA4, "TLBSYNC")                                 \
    EXIT(BUS_LOCK, 0xA5, "bus lock")                               \
    EXIT(IDLE_HLT, 0xA6, "idle HLT")                               \
    EXIT(NESTED_PAGE_FAULT, 0x400, "nested page fault")            \
    EXIT(AVIC_INCOMPLETE_IPI, 0x401, "incomplete AVIC IPI")        \
    EXIT(AVIC_NO_ACCELERATION, 0x402, "unaccelerated AVIC access") \
    EXIT(VMGEXIT, 0x403, "VMGEXIT")
#define SVM_EXIT_ENUM(constant, code, name) SVM_EXIT_##constant = (code),
    SVM_EXITS(SVM_EXIT_ENUM)
#undef SVM_EXIT_ENUM
};

/*
 * VMEXIT_INVALID, in bits 31:0: some emulators leave bits 63:32 clear. APM 2,
 * "Canonicalization and Consistency Checks".
 */
#define SVM_EXIT_IS_INVALID(code) ((uint32_t)(code) == UINT32_MAX)

/* Convert between the attributes of a VMCB's segment and access rights. */
static inline uint16_t vmcb_attributes(uint32_t access_rights)
{
    if ((access_rights & ACCESS_RIGHTS_UNUSABLE) != 0)
        return 0;
    return (uint16_t)((access_rights & 0xFF) | (access_rights >> 4 & 0xF00));
}

static inline uint32_t vmcb_access_rights(uint16_t attributes)
{
    return (attributes & 0xFFU) | (attributes & 0xF00U) << 4;
}

static inline struct vmcb_segment vmcb_segment_of(const struct vcpu_segment *segment)
{
    return (struct vmcb_segment){.selector   = segment->selector,
                                 .attributes = vmcb_attributes(segment->access_rights),
                                 .limit      = segment->limit,
                                 .base       = segment->base};
}

/* Logs the fields, for a failed entry. */
void vmcb_log(const struct vmcb *vmcb);

/*
 * The format of nested tables: that of the host's paging, and the processor accesses them
 * as user: APM 2, "Nested Paging".
 */
extern const struct nested_format svm_nested_format;

#endif
