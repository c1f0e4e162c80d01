/*
 * Compares Hymir's layout of the VMCB, its bits, exit codes and AMD's MSRs with Linux's,
 * at compile time: package linux-headers-amd64 (asm/svm.h, asm/msr-index.h). Where both
 * use one name, Hymir's headers are included first, and their values are kept under other
 * names.
 */
#define vmcb hymir_vmcb
#include "svm/vmcb.h"
#undef vmcb
#include "x86/control_registers.h"
#include "x86/cpuid.h"
#include "x86/msr.h"

// clang-format off
#define SAME_EXITS(X) \
    X(INTR) X(NMI) X(SMI) X(INIT) X(VINTR) X(IDTR_READ) X(GDTR_READ) X(LDTR_READ) \
    X(TR_READ) X(IDTR_WRITE) X(GDTR_WRITE) X(LDTR_WRITE) X(TR_WRITE) X(RDTSC) X(RDPMC) \
    X(PUSHF) X(POPF) X(CPUID) X(RSM) X(IRET) X(INVD) X(PAUSE) X(HLT) X(INVLPG) \
    X(INVLPGA) X(MSR) X(TASK_SWITCH) X(FERR_FREEZE) X(SHUTDOWN) X(VMRUN) X(VMMCALL) \
    X(VMLOAD) X(VMSAVE) X(STGI) X(CLGI) X(SKINIT) X(RDTSCP) X(ICEBP) X(WBINVD) \
    X(MONITOR) X(MWAIT) X(XSETBV) X(RDPRU) X(EFER_WRITE_TRAP) X(INVPCID) \
    X(AVIC_INCOMPLETE_IPI) X(VMGEXIT)
#define SAME_INTERCEPTS(X) \
    X(INTR) X(NMI) X(INIT) X(VINTR) X(RDPMC) X(CPUID) X(RSM) X(IRET) X(INVD) X(HLT) \
    X(INVLPGA) X(SHUTDOWN) X(VMRUN) X(VMMCALL) X(VMLOAD) X(VMSAVE) X(STGI) X(CLGI) \
    X(SKINIT) X(WBINVD) X(MONITOR) X(MWAIT) X(XSETBV) X(RDPRU) X(INVLPGB) \
    X(INVLPGB_ILLEGAL) X(MCOMMIT) X(TLBSYNC)
// clang-format on

#define KEEP_EXIT(name)      HYMIR_EXIT_##name = (int)SVM_EXIT_##name,
#define KEEP_INTERCEPT(name) HYMIR_INTERCEPT_##name = (int64_t)INTERCEPT_##name,
enum hymir_number {
    SAME_EXITS(KEEP_EXIT) SAME_INTERCEPTS(KEEP_INTERCEPT) HYMIR_VM_CR =
        (int64_t)MSR_VM_CR,
    HYMIR_HSAVE_PA   = (int64_t)MSR_VM_HSAVE_PA,
    HYMIR_SVME       = (int64_t)EFER_SVME,
    HYMIR_LMSLE      = (int64_t)EFER_LMSLE,
    HYMIR_FFXSR      = (int64_t)EFER_FFXSR,
    HYMIR_FLUSH_ASID = (int64_t)TLB_CONTROL_FLUSH_ASID,
};
#undef EFER_SVME
#undef EFER_LMSLE
#undef EFER_FFXSR
#undef EFER_SCE
#undef EFER_LME
#undef EFER_LMA
#undef TLB_CONTROL_FLUSH_ASID
#undef BIT

/* Linux's enumerators with the same names. */
#define INTERCEPT_INTR            LINUX_INTR
#define INTERCEPT_NMI             LINUX_NMI
#define INTERCEPT_INIT            LINUX_INIT
#define INTERCEPT_VINTR           LINUX_VINTR
#define INTERCEPT_RDPMC           LINUX_RDPMC
#define INTERCEPT_CPUID           LINUX_CPUID
#define INTERCEPT_RSM             LINUX_RSM
#define INTERCEPT_IRET            LINUX_IRET
#define INTERCEPT_INVD            LINUX_INVD
#define INTERCEPT_HLT             LINUX_HLT
#define INTERCEPT_INVLPGA         LINUX_INVLPGA
#define INTERCEPT_SHUTDOWN        LINUX_SHUTDOWN
#define INTERCEPT_VMRUN           LINUX_VMRUN
#define INTERCEPT_VMMCALL         LINUX_VMMCALL
#define INTERCEPT_VMLOAD          LINUX_VMLOAD
#define INTERCEPT_VMSAVE          LINUX_VMSAVE
#define INTERCEPT_STGI            LINUX_STGI
#define INTERCEPT_CLGI            LINUX_CLGI
#define INTERCEPT_SKINIT          LINUX_SKINIT
#define INTERCEPT_WBINVD          LINUX_WBINVD
#define INTERCEPT_MONITOR         LINUX_MONITOR
#define INTERCEPT_MWAIT           LINUX_MWAIT
#define INTERCEPT_XSETBV          LINUX_XSETBV
#define INTERCEPT_RDPRU           LINUX_RDPRU
#define INTERCEPT_INVLPGB         LINUX_INVLPGB
#define INTERCEPT_INVLPGB_ILLEGAL LINUX_INVLPGB_ILLEGAL
#define INTERCEPT_MCOMMIT         LINUX_MCOMMIT
#define INTERCEPT_TLBSYNC         LINUX_TLBSYNC
#include <asm/msr-index.h>
#include <asm/svm.h>

#undef BIT
#define BIT(n) (UINT64_C(1) << (n))

/* Linux's shifts of an int may have extended the sign. */
#define SAME(ours, theirs) \
    _Static_assert((uint64_t)(ours) == ((uint64_t)(theirs)&UINT32_MAX), #theirs)

#define SAME_EXIT(name) SAME(HYMIR_EXIT_##name, SVM_EXIT_##name);
SAME_EXITS(SAME_EXIT)
SAME(SVM_EXIT_CR_READ + 4, SVM_EXIT_READ_CR4);
SAME(SVM_EXIT_CR_WRITE + 4, SVM_EXIT_WRITE_CR4);
SAME(SVM_EXIT_DR_READ, SVM_EXIT_READ_DR0);
SAME(SVM_EXIT_DR_WRITE, SVM_EXIT_WRITE_DR0);
SAME(SVM_EXIT_EXCEPTION, SVM_EXIT_EXCP_BASE);
SAME(SVM_EXIT_CR0_SELECTIVE, SVM_EXIT_CR0_SEL_WRITE);
SAME(SVM_EXIT_SOFTWARE_INTERRUPT, SVM_EXIT_SWINT);
SAME(SVM_EXIT_IO, SVM_EXIT_IOIO);
SAME(SVM_EXIT_MWAIT_ARMED, SVM_EXIT_MWAIT_COND);
SAME(SVM_EXIT_CR_WRITE_TRAP, SVM_EXIT_CR0_WRITE_TRAP);
SAME(SVM_EXIT_NESTED_PAGE_FAULT, SVM_EXIT_NPF);
SAME(SVM_EXIT_AVIC_NO_ACCELERATION, SVM_EXIT_AVIC_UNACCELERATED_ACCESS);
_Static_assert(SVM_EXIT_IS_INVALID(SVM_EXIT_ERR), "VMEXIT_INVALID");

/* Linux 6.1 does not name these: APM 2, "SVM Intercept Exit Codes". */
SAME(SVM_EXIT_INVLPGB, 0xA0);
SAME(SVM_EXIT_INVLPGB_ILLEGAL, 0xA1);
SAME(SVM_EXIT_MCOMMIT, 0xA3);
SAME(SVM_EXIT_TLBSYNC, 0xA4);
SAME(SVM_EXIT_BUS_LOCK, 0xA5);
SAME(SVM_EXIT_IDLE_HLT, 0xA6);

/* Every exit code of Hymir's table is compared above, or this number is outdated. */
#define COUNT_EXIT(constant, code, name) +1
_Static_assert(0 SVM_EXITS(COUNT_EXIT) == 59, "compare the new codes too");

/* Linux numbers the bits of all words. */
#define SAME_INTERCEPT(name) \
    SAME(HYMIR_INTERCEPT_##name, BIT((unsigned int)(INTERCEPT_##name) % 32));
SAME_INTERCEPTS(SAME_INTERCEPT)
SAME(INTERCEPT_IO, BIT(INTERCEPT_IOIO_PROT % 32));
SAME(INTERCEPT_MSR, BIT(INTERCEPT_MSR_PROT % 32));

SAME(TLB_CONTROL_NOTHING, TLB_CONTROL_DO_NOTHING);
SAME(TLB_CONTROL_FLUSH_ALL, TLB_CONTROL_FLUSH_ALL_ASID);
SAME(HYMIR_FLUSH_ASID, TLB_CONTROL_FLUSH_ASID);
SAME(V_IRQ, V_IRQ_MASK);
SAME(V_INTR_PRIORITY, V_INTR_PRIO_MASK);
SAME(V_IGNORE_TPR, V_IGN_TPR_MASK);
SAME(V_INTR_MASKING, V_INTR_MASKING_MASK);
SAME(INTERRUPT_SHADOW, SVM_INTERRUPT_SHADOW_MASK);
SAME(NESTED_PAGING, SVM_NESTED_CTL_NP_ENABLE);
SAME(LBR_VIRTUALIZATION, LBR_CTL_ENABLE_MASK);
SAME(EVENT_VECTOR(0xABCD), 0xABCD & SVM_EVTINJ_VEC_MASK);
SAME(EVENT_TYPE, SVM_EVTINJ_TYPE_MASK);
SAME(EVENT_INTERRUPT, SVM_EVTINJ_TYPE_INTR);
SAME(EVENT_NMI, SVM_EVTINJ_TYPE_NMI);
SAME(EVENT_EXCEPTION, SVM_EVTINJ_TYPE_EXEPT);
SAME(EVENT_SOFTWARE, SVM_EVTINJ_TYPE_SOFT);
SAME(EVENT_ERROR_CODE, SVM_EVTINJ_VALID_ERR);
SAME(EVENT_VALID, SVM_EVTINJ_VALID);
SAME(IO_IN, SVM_IOIO_TYPE_MASK);
SAME(IO_STRING, SVM_IOIO_STR_MASK);
SAME(IO_REPEATED, SVM_IOIO_REP_MASK);
SAME(IO_SIZE(UINT32_MAX) << SVM_IOIO_SIZE_SHIFT, SVM_IOIO_SIZE_MASK);
SAME(CR_ACCESS_GENERAL(UINT64_MAX), SVM_EXITINFO_REG_MASK);

SAME(HYMIR_VM_CR, MSR_VM_CR);
SAME(HYMIR_HSAVE_PA, MSR_VM_HSAVE_PA);
SAME(HYMIR_SVME, EFER_SVME);
SAME(HYMIR_LMSLE, EFER_LMSLE);
SAME(HYMIR_FFXSR, EFER_FFXSR);
SAME(EFER_AIBRSE, EFER_AUTOIBRS);
SAME(AVIC_ENABLE, (uint32_t)AVIC_ENABLE_MASK);
SAME(X2AVIC_ENABLE, X2APIC_MODE_MASK);
SAME(AVIC_MAX_INDEX_LAST, AVIC_MAX_PHYSICAL_ID + 1); /* the index of broadcasts */
SAME(X2AVIC_MAX_INDEX, X2AVIC_MAX_PHYSICAL_ID);
SAME(ENCRYPTED_STATE, SVM_NESTED_CTL_SEV_ES_ENABLE);
SAME(VMCB_CODE_L, SVM_SELECTOR_L_MASK);
SAME(VMCB_CODE_D, SVM_SELECTOR_DB_MASK);
SAME(offsetof(struct hymir_vmcb, avic_backing_page),
     offsetof(struct vmcb_control_area, avic_backing_page));
SAME(offsetof(struct hymir_vmcb, avic_physical_table),
     offsetof(struct vmcb_control_area, avic_physical_id));
SAME(MSR_SYSCFG, MSR_AMD64_SYSCFG);
SAME(MSR_HWCR, MSR_K7_HWCR);
SAME(MSR_NB_CFG, MSR_AMD64_NB_CFG);
SAME(MSR_INT_PENDING, MSR_K8_INT_PENDING_MSG);
SAME(MSR_AMD_PATCH_LEVEL, MSR_AMD64_PATCH_LEVEL);
SAME(MSR_LAST_BRANCH_FROM_IP, MSR_IA32_LASTBRANCHFROMIP);
SAME(MSR_LAST_BRANCH_TO_IP, MSR_IA32_LASTBRANCHTOIP);
SAME(MSR_LAST_EXCEPTION_FROM_IP, MSR_IA32_LASTINTFROMIP);
SAME(MSR_LAST_EXCEPTION_TO_IP, MSR_IA32_LASTINTTOIP);
SAME(MSR_DE_CFG, MSR_AMD64_DE_CFG);
SAME(INT_PENDING_C1E, K8_INTP_C1E_ACTIVE_MASK);
SAME(MSR_IA32_STAR, MSR_STAR);
SAME(MSR_IA32_LSTAR, MSR_LSTAR);
SAME(MSR_IA32_CSTAR, MSR_CSTAR);
SAME(MSR_IA32_FMASK, MSR_SYSCALL_MASK);
SAME(MSR_IA32_KERNEL_GS_BASE, MSR_KERNEL_GS_BASE);
SAME(MSR_IA32_TSC_AUX, MSR_TSC_AUX);
SAME(VM_CR_LOCK, SVM_VM_CR_SVM_LOCK_MASK);
SAME(VM_CR_SVMDIS, SVM_VM_CR_SVM_DIS_MASK);
SAME(CPUID_LEAF_SVM, SVM_CPUID_FUNC);

#define SAME_PLACE(area, ours, theirs)                     \
    _Static_assert(offsetof(struct hymir_vmcb, ours) ==    \
                       offsetof(struct vmcb, area.theirs), \
                   #theirs)
SAME_PLACE(control, intercept_cr_reads, intercepts[0]);
SAME_PLACE(control, intercept_dr_reads, intercepts[1]);
SAME_PLACE(control, intercept_exceptions, intercepts[2]);
SAME_PLACE(control, intercept_1, intercepts[3]);
SAME_PLACE(control, intercept_2, intercepts[4]);
SAME_PLACE(control, intercept_3, intercepts[5]);
SAME_PLACE(control, iopm_base, iopm_base_pa);
SAME_PLACE(control, msrpm_base, msrpm_base_pa);
SAME_PLACE(control, tsc_offset, tsc_offset);
SAME_PLACE(control, asid, asid);
SAME_PLACE(control, tlb_control, tlb_ctl);
SAME_PLACE(control, virtual_interrupt, int_ctl);
SAME_PLACE(control, interrupt_shadow, int_state);
SAME_PLACE(control, exit_code, exit_code);
SAME_PLACE(control, exit_info_1, exit_info_1);
SAME_PLACE(control, exit_info_2, exit_info_2);
SAME_PLACE(control, exit_interrupt_info, exit_int_info);
SAME_PLACE(control, nested_paging, nested_ctl);
SAME_PLACE(control, event_injection, event_inj);
SAME_PLACE(control, nested_cr3, nested_cr3);
SAME_PLACE(control, lbr_virtualization, virt_ext);
SAME_PLACE(control, clean, clean);
SAME_PLACE(control, next_rip, next_rip);
SAME_PLACE(control, fetched_count, insn_len);
SAME_PLACE(control, fetched_bytes, insn_bytes);
SAME_PLACE(save, segment[SEGMENT_ES], es);
SAME_PLACE(save, segment[SEGMENT_CS], cs);
SAME_PLACE(save, segment[SEGMENT_SS], ss);
SAME_PLACE(save, segment[SEGMENT_DS], ds);
SAME_PLACE(save, segment[SEGMENT_FS], fs);
SAME_PLACE(save, segment[SEGMENT_GS], gs);
SAME_PLACE(save, gdtr, gdtr);
SAME_PLACE(save, ldtr, ldtr);
SAME_PLACE(save, idtr, idtr);
SAME_PLACE(save, tr, tr);
SAME_PLACE(save, cpl, cpl);
SAME_PLACE(save, efer, efer);
SAME_PLACE(save, cr4, cr4);
SAME_PLACE(save, cr3, cr3);
SAME_PLACE(save, cr0, cr0);
SAME_PLACE(save, dr7, dr7);
SAME_PLACE(save, dr6, dr6);
SAME_PLACE(save, rflags, rflags);
SAME_PLACE(save, rip, rip);
SAME_PLACE(save, rsp, rsp);
SAME_PLACE(save, s_cet, s_cet);
SAME_PLACE(save, ssp, ssp);
SAME_PLACE(save, isst_address, isst_addr);
SAME_PLACE(save, rax, rax);
SAME_PLACE(save, star, star);
SAME_PLACE(save, lstar, lstar);
SAME_PLACE(save, cstar, cstar);
SAME_PLACE(save, fmask, sfmask);
SAME_PLACE(save, kernel_gs_base, kernel_gs_base);
SAME_PLACE(save, sysenter_cs, sysenter_cs);
SAME_PLACE(save, sysenter_esp, sysenter_esp);
SAME_PLACE(save, sysenter_eip, sysenter_eip);
SAME_PLACE(save, cr2, cr2);
SAME_PLACE(save, pat, g_pat);
SAME_PLACE(save, debugctl, dbgctl);

#define SAME_IN_SEGMENT(ours, theirs)                     \
    _Static_assert(offsetof(struct vmcb_segment, ours) == \
                       offsetof(struct vmcb_seg, theirs), \
                   #theirs)
SAME_IN_SEGMENT(selector, selector);
SAME_IN_SEGMENT(attributes, attrib);
SAME_IN_SEGMENT(limit, limit);
SAME_IN_SEGMENT(base, base);
