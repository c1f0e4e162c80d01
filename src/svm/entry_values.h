/*
 * The values over which AMD-V's rules of VMRUN are judged: fields of the VMCB, and what
 * the processor supports.
 */
#ifndef HYMIR_SVM_ENTRY_VALUES_H
#define HYMIR_SVM_ENTRY_VALUES_H

/*
 * FIELD(constant, member of struct vmcb, the APM's name), of the control area and of the
 * state save area.
 */
#define SVM_ENTRY_CONTROLS(FIELD)                                                   \
    FIELD(INTERCEPT_1, intercept_1, "intercept vector 3 (00CH)")                    \
    FIELD(INTERCEPT_2, intercept_2, "intercept vector 4 (010H)")                    \
    FIELD(IOPM_BASE, iopm_base, "IOPM_BASE_PA")                                     \
    FIELD(MSRPM_BASE, msrpm_base, "MSRPM_BASE_PA")                                  \
    FIELD(ASID, asid, "guest ASID")                                                 \
    FIELD(VIRTUAL_INTERRUPT, virtual_interrupt, "virtual interrupt control (060H)") \
    FIELD(NESTED, nested_paging, "NP_ENABLE (090H)")                                \
    FIELD(EVENT, event_injection, "EVENTINJ")                                       \
    FIELD(N_CR3, nested_cr3, "N_CR3")                                               \
    FIELD(AVIC_BACKING_PAGE, avic_backing_page, "AVIC APIC_BACKING_PAGE")           \
    FIELD(AVIC_LOGICAL_TABLE, avic_logical_table, "AVIC LOGICAL_TABLE")             \
    FIELD(AVIC_PHYSICAL_TABLE, avic_physical_table, "AVIC PHYSICAL_TABLE")
#define SVM_ENTRY_STATE(FIELD)                                            \
    FIELD(CS_ATTRIBUTES, segment[SEGMENT_CS].attributes, "CS attributes") \
    FIELD(EFER, efer, "EFER")                                             \
    FIELD(CR4, cr4, "CR4")                                                \
    FIELD(CR3, cr3, "CR3")                                                \
    FIELD(CR0, cr0, "CR0")                                                \
    FIELD(DR7, dr7, "DR7")                                                \
    FIELD(DR6, dr6, "DR6")                                                \
    FIELD(RFLAGS, rflags, "RFLAGS")                                       \
    FIELD(S_CET, s_cet, "S_CET")                                          \
    FIELD(G_PAT, pat, "G_PAT")

/* FACT(constant, its words): the processor at VMRUN; CPUID is the host's. */
#define SVM_ENTRY_FACTS(FACT)                                                          \
    FACT(PHYSICAL_WIDTH, "the width of physical addresses (CPUID.80000008H:EAX[7:0])") \
    FACT(CPUID_1_ECX, "CPUID.01H:ECX")                                                 \
    FACT(CPUID_7_EBX, "CPUID.07H:EBX")                                                 \
    FACT(CPUID_7_ECX, "CPUID.07H:ECX")                                                 \
    FACT(CPUID_80000001_ECX, "CPUID.80000001H:ECX")                                    \
    FACT(CPUID_80000001_EDX, "CPUID.80000001H:EDX")                                    \
    FACT(CPUID_80000008_EBX, "CPUID.80000008H:EBX")                                    \
    FACT(CPUID_8000000A_EBX, "CPUID.8000000AH:EBX")                                    \
    FACT(CPUID_8000000A_ECX, "CPUID.8000000AH:ECX")                                    \
    FACT(CPUID_8000000A_EDX, "CPUID.8000000AH:EDX")                                    \
    FACT(CPUID_80000021_EAX, "CPUID.80000021H:EAX")                                    \
    FACT(HOST_CR0, "the host's CR0")                                                   \
    FACT(U_CET, "U_CET")                                                               \
    /* The complement of CPUID.8000000AH:EDX; 0 if that is unknown. */                 \
    FACT(LACKING, "the SVM features that the processor lacks")

enum svm_entry_value {
    SVM_VALUE_NONE,
#define SVM_VALUE_OF(constant, ...) SVM_VALUE_##constant,
    SVM_ENTRY_CONTROLS(SVM_VALUE_OF) SVM_ENTRY_STATE(SVM_VALUE_OF)
        SVM_ENTRY_FACTS(SVM_VALUE_OF) SVM_ENTRY_VALUES,
#undef SVM_VALUE_OF
};

#endif
