/* The rules of VMRUN on the state save area of the VMCB: see entry_rules.h. */
#include "svm/entry_rows.h"
#include "x86/control_registers.h"

#define LONG_MODE IF_SET(EFER, EFER_LME), IF_SET(CR0, CR0_PG)

/* The bits that no processor has: those of CR4 may become AMD's that Intel defined. */
#define CR4_RESERVED \
    (CR4_VMXE | CR4_SMXE | BIT(15) | BITS_MASK(31, 29) | BITS_MASK(63, 33))
#define EFER_RESERVED      (BIT(9) | BIT(16) | BIT(19) | BITS_MASK(63, 22))
#define S_CET_UNSUPPORTED  BITS_MASK(63, 2)
#define U_CET_SHADOW_STACK BIT(0)

/* A processor without CET ignores S_CET; CR4.CET shows that it has CET. */
static enum entry_verdict test_s_cet(struct entry_query *query)
{
    bool is_used = (query->snapshot->value[SVM_VALUE_CR4] & CR4_CET) != 0;

    if (!is_used &&
        (entry_read(query, query->rule->other) & CPUID_7_ECX_SHADOW_STACKS) == 0)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) & ~S_CET_UNSUPPORTED);
}

static const struct entry_rule state_rules[] = {
    EQUAL("efer-svme", EFER, EFER_SVME, EFER_SVME,
          "EFER.SVME must be 1, also in the guest's EFER.",
          "the EFER that the guest wrote, without SVME"),
    EQUAL("efer-reserved", EFER, EFER_RESERVED, 0,
          "Bits of EFER that no processor defines must be 0.", NULL),
    EQUAL("cr0-nw-without-cd", CR0, CR0_NW, 0, "CR0.NW must be 0 if CR0.CD is 0.", NULL,
          IF_CLEAR(CR0, CR0_CD)),
    EQUAL("cr0-high", CR0, BITS_MASK(63, 32), 0, "Bits 63:32 of CR0 must be 0.", NULL),
    EQUAL("long-mode-pae", CR4, CR4_PAE, CR4_PAE,
          "CR4.PAE must be 1 if EFER.LME and CR0.PG are 1.",
          "CR4 that is written before the guest leaves long mode", LONG_MODE),
    EQUAL("long-mode-pe", CR0, CR0_PE, CR0_PE,
          "CR0.PE must be 1 if EFER.LME and CR0.PG are 1.", NULL, LONG_MODE),
    TEST("cr3-address", CR3, entry_test_address,
         "In long mode, bits of CR3 from the width of physical addresses on must be 0.",
         "bit 63 of a MOV to CR3, which is no part of CR3", .mask = BITS_MASK(63, 52),
         .other = SVM_VALUE_PHYSICAL_WIDTH, .when = {LONG_MODE}),
    EQUAL("cs-d-with-l", CS_ATTRIBUTES, VMCB_CODE_D, 0,
          "CS.D must be 0 if CS.L is 1 in long mode.",
          "a flat 32-bit code segment with L added", LONG_MODE,
          IF_SET(CS_ATTRIBUTES, VMCB_CODE_L)),
    EQUAL("cr4-reserved", CR4, CR4_RESERVED, 0,
          "Bits of CR4 that no AMD processor defines must be 0.", NULL),
    EQUAL("dr6-high", DR6, BITS_MASK(63, 32), 0, "Bits 63:32 of DR6 must be 0.", NULL),
    EQUAL("dr7-high", DR7, BITS_MASK(63, 32), 0, "Bits 63:32 of DR7 must be 0.", NULL),
    EQUAL("cet-needs-wp", CR0, CR0_WP, CR0_WP, "CR0.WP must be 1 if CR4.CET is 1.",
          "a CR0 that the guest wrote after it enabled CET", IF_SET(CR4, CR4_CET)),
    TEST("s-cet-reserved", S_CET, test_s_cet, "Bits 63:2 of S_CET must be 0.", NULL,
         .other = SVM_VALUE_CPUID_7_ECX),
    EQUAL("shadow-stack-in-virtual-8086", U_CET, U_CET_SHADOW_STACK, 0,
          "U_CET must not enable shadow stacks in virtual-8086 mode with CR4.CET.", NULL,
          IF_SET(CR4, CR4_CET), IF_SET(RFLAGS, RFLAGS_VM)),
};
const struct entry_section svm_state_rules =
    SECTION(CONSISTENCY, ENTRY_GUEST_STATE, state_rules);

/* Bits that must be zero on a processor without their feature. */
#define FEATURE(rule, register, flag, unsupported)                               \
    {                                                                            \
        .name     = (rule),                                                      \
        .sentence = #register "." #flag " must be 0 on a processor without it.", \
        .cause    = "a guest whose CPUID reports more than the processor has",   \
        .test = entry_test_equal, .mask = register##_##flag,                     \
        .value = SVM_VALUE_##register, .when = {                                 \
            IF_SET(register, register##_##flag),                                 \
            unsupported                                                          \
        }                                                                        \
    }

#define NO_CPUID(value, mask) IF_CLEAR(CPUID_##value, CPUID_##value##_##mask)
static const struct entry_rule feature_rules[] = {
    FEATURE("efer-lme", EFER, LME, NO_CPUID(80000001_EDX, LONG_MODE)),
    FEATURE("efer-lma", EFER, LMA, NO_CPUID(80000001_EDX, LONG_MODE)),
    FEATURE("efer-nxe", EFER, NXE, NO_CPUID(80000001_EDX, NX)),
    FEATURE("efer-lmsle", EFER, LMSLE,
            IF_SET(CPUID_80000008_EBX, CPUID_80000008_EBX_NO_LMSLE)),
    FEATURE("efer-ffxsr", EFER, FFXSR, NO_CPUID(80000001_EDX, FFXSR)),
    FEATURE("efer-tce", EFER, TCE, NO_CPUID(80000001_ECX, TCE)),
    FEATURE("efer-mcommit", EFER, MCOMMIT, NO_CPUID(80000008_EBX, MCOMMIT)),
    FEATURE("efer-intwb", EFER, INTWB, NO_CPUID(80000008_EBX, INTWB)),
    FEATURE("efer-uaie", EFER, UAIE, NO_CPUID(80000021_EAX, UPPER_ADDRESS_IGNORE)),
    FEATURE("efer-aibrse", EFER, AIBRSE, NO_CPUID(80000021_EAX, AUTOMATIC_IBRS)),
    FEATURE("cr4-umip", CR4, UMIP, NO_CPUID(7_ECX, UMIP)),
    FEATURE("cr4-la57", CR4, LA57, NO_CPUID(7_ECX, LA57)),
    FEATURE("cr4-fsgsbase", CR4, FSGSBASE, NO_CPUID(7_EBX, FSGSBASE)),
    FEATURE("cr4-pcide", CR4, PCIDE, NO_CPUID(1_ECX, PCID)),
    FEATURE("cr4-osxsave", CR4, OSXSAVE, NO_CPUID(1_ECX, XSAVE)),
    FEATURE("cr4-smep", CR4, SMEP, NO_CPUID(7_EBX, SMEP)),
    FEATURE("cr4-smap", CR4, SMAP, NO_CPUID(7_EBX, SMAP)),
    FEATURE("cr4-pke", CR4, PKE, NO_CPUID(7_ECX, PKU)),
    FEATURE("cr4-cet", CR4, CET, NO_CPUID(7_ECX, SHADOW_STACKS)),
};
const struct entry_section svm_feature_rules =
    SECTION(CONSISTENCY, ENTRY_GUEST_STATE, feature_rules);

/* ---- Nested paging */

static const struct entry_rule nested_state_rules[] = {
    TEST("g-pat-types", G_PAT, entry_test_pat,
         "With nested paging, each byte of G_PAT must be 0, 1, 4, 5, 6 or 7.", NULL,
         .when = {NESTED_PAGING_IS_ON}),
};
const struct entry_section svm_nested_state_rules = SECTION(
    "APM 2, \"Nested Paging and VMRUN/#VMEXIT\"", ENTRY_GUEST_STATE, nested_state_rules);
