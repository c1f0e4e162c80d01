/*
 * The fields of a VMCB that rules read, as Linux KVM's dump_vmcb since 4.x and Xen's
 * svm_vmcb_dump print them.
 */
#include "lib/bits.h"
#include "patterns.h"
#include "svm/entry_values.h"

#define ROW(name, ...)                               \
    {                                                \
        .pattern = (name), .values = { __VA_ARGS__ } \
    }
#define DISTINCT(name, ...)                                               \
    {                                                                     \
        .pattern = (name), .is_distinct = true, .values = { __VA_ARGS__ } \
    }
#define EXIT_CODE(name)                         \
    {                                           \
        .pattern = (name), .is_exit_code = true \
    }

static const struct dump_row rows[] = {
    /* Linux KVM's; before 5.10 the intercepts are one number. */
    ROW("intercepts: $ $", SVM_VALUE_INTERCEPT_1, SVM_VALUE_INTERCEPT_2),
    ROW("intercepts: %", SPLIT(SVM_VALUE_INTERCEPT_1)),
    ROW("iopm_base_pa: %", SVM_VALUE_IOPM_BASE),
    ROW("msrpm_base_pa: %", SVM_VALUE_MSRPM_BASE),
    ROW("asid: #", SVM_VALUE_ASID),
    ROW("int_ctl: %", LOW(SVM_VALUE_VIRTUAL_INTERRUPT)),
    ROW("int_vector: %", HIGH(SVM_VALUE_VIRTUAL_INTERRUPT)),
    EXIT_CODE("exit_code: %"),
    ROW("nested_ctl: #", SVM_VALUE_NESTED),
    ROW("misc_ctl: #", SVM_VALUE_NESTED),
    ROW("nested_cr3: %", SVM_VALUE_N_CR3),
    ROW("event_inj: %", LOW(SVM_VALUE_EVENT)),
    ROW("event_inj_err: %", HIGH(SVM_VALUE_EVENT)),
    ROW("avic_backing_page: %", SVM_VALUE_AVIC_BACKING_PAGE),
    ROW("avic_logical_id: %", SVM_VALUE_AVIC_LOGICAL_TABLE),
    ROW("avic_physical_id: %", SVM_VALUE_AVIC_PHYSICAL_TABLE),
    ROW("cs: s: %! a: % l: % b: %", NOT, SVM_VALUE_CS_ATTRIBUTES, NOT, NOT),
    ROW("efer: %", SVM_VALUE_EFER),
    ROW("cr0: %", SVM_VALUE_CR0),
    ROW("cr3: %", SVM_VALUE_CR3),
    ROW("cr4: %", SVM_VALUE_CR4),
    ROW("dr6: %", SVM_VALUE_DR6),
    ROW("dr7: %", SVM_VALUE_DR7),
    ROW("rflags: %", SVM_VALUE_RFLAGS),
    ROW("gpat: %", SVM_VALUE_G_PAT),
    ROW("s_cet: %", SVM_VALUE_S_CET),

    /* Xen's. */
    DISTINCT("general1_intercepts = %! general2_intercepts = %", SVM_VALUE_INTERCEPT_1,
             SVM_VALUE_INTERCEPT_2),
    ROW("iopm_base_pa = %", SVM_VALUE_IOPM_BASE),
    ROW("msrpm_base_pa = %", SVM_VALUE_MSRPM_BASE),
    ROW("vintr = %", SVM_VALUE_VIRTUAL_INTERRUPT),
    ROW("event_inj %", SVM_VALUE_EVENT),
    EXIT_CODE("exitcode = %"),
    ROW("np_ctrl = %", SVM_VALUE_NESTED),
    ROW("np_enable = %", SVM_VALUE_NESTED),
    ROW("guest_asid = %", SVM_VALUE_ASID),
    ROW("efer = %", SVM_VALUE_EFER),
    ROW("CR0 = 0x%", SVM_VALUE_CR0),
    ROW("CR3 = 0x%", SVM_VALUE_CR3),
    ROW("CR4 = 0x%", SVM_VALUE_CR4),
    ROW("RFLAGS=0x%", SVM_VALUE_RFLAGS),
    ROW("DR6 = 0x%", SVM_VALUE_DR6),
    ROW("DR7 = 0x%", SVM_VALUE_DR7),
    ROW("PAT = 0x%", SVM_VALUE_G_PAT),
    ROW("S_CET = 0x%", SVM_VALUE_S_CET),
    ROW("H_CR3 = 0x%", SVM_VALUE_N_CR3),
    ROW("CS: sel=%!, attr=%, limit=%, base=%", NOT, SVM_VALUE_CS_ATTRIBUTES, NOT, NOT),
    ROW("CS: % % % %", NOT, SVM_VALUE_CS_ATTRIBUTES, NOT, NOT),
};

const struct dump_table vmcb_table = {rows, ARRAY_SIZE(rows)};
