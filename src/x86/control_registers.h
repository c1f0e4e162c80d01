/*
 * IA32_EFER, RFLAGS, control registers, XCR0 and debug registers: their bits.
 *
 * SDM 3A, "Extended Feature Enable Register", "System Flags and Fields in the EFLAGS
 * Register", "Control Registers", "Extended Control Registers (Including XCR0)"; SDM 3B,
 * "Debug Registers".
 */
#ifndef HYMIR_X86_CONTROL_REGISTERS_H
#define HYMIR_X86_CONTROL_REGISTERS_H

#include "lib/bits.h"

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)
/* AMD's: APM 2, "Extended Feature Enable Register (EFER)". */
#define EFER_SVME    BIT(12)
#define EFER_LMSLE   BIT(13)
#define EFER_FFXSR   BIT(14)
#define EFER_TCE     BIT(15)
#define EFER_MCOMMIT BIT(17)
#define EFER_INTWB   BIT(18)
#define EFER_UAIE    BIT(20)
#define EFER_AIBRSE  BIT(21)

#define RFLAGS_CF       BIT(0)
#define RFLAGS_FIXED    BIT(1)
#define RFLAGS_PF       BIT(2)
#define RFLAGS_AF       BIT(4)
#define RFLAGS_ZF       BIT(6)
#define RFLAGS_SF       BIT(7)
#define RFLAGS_TF       BIT(8)
#define RFLAGS_IF       BIT(9)
#define RFLAGS_DF       BIT(10)
#define RFLAGS_OF       BIT(11)
#define RFLAGS_IOPL     BITS_MASK(13, 12)
#define RFLAGS_RF       BIT(16)
#define RFLAGS_VM       BIT(17) /* virtual-8086 mode */
#define RFLAGS_AC       BIT(18)
#define RFLAGS_RESERVED (BITS_MASK(63, 22) | BIT(15) | BIT(5) | BIT(3)) /* always 0 */

/* The flags of CR0 and CR4: FLAG(register, constant, bit, the SDM's name). */
#define CR0_FLAGS(FLAG)         \
    FLAG(CR0, CR0_PE, 0, "PE")  \
    FLAG(CR0, CR0_MP, 1, "MP")  \
    FLAG(CR0, CR0_EM, 2, "EM")  \
    FLAG(CR0, CR0_TS, 3, "TS")  \
    FLAG(CR0, CR0_ET, 4, "ET")  \
    FLAG(CR0, CR0_NE, 5, "NE")  \
    FLAG(CR0, CR0_WP, 16, "WP") \
    FLAG(CR0, CR0_AM, 18, "AM") \
    FLAG(CR0, CR0_NW, 29, "NW") \
    FLAG(CR0, CR0_CD, 30, "CD") \
    FLAG(CR0, CR0_PG, 31, "PG")
#define CR4_FLAGS(FLAG)                         \
    FLAG(CR4, CR4_VME, 0, "VME")                \
    FLAG(CR4, CR4_PVI, 1, "PVI")                \
    FLAG(CR4, CR4_TSD, 2, "TSD")                \
    FLAG(CR4, CR4_DE, 3, "DE")                  \
    FLAG(CR4, CR4_PSE, 4, "PSE")                \
    FLAG(CR4, CR4_PAE, 5, "PAE")                \
    FLAG(CR4, CR4_MCE, 6, "MCE")                \
    FLAG(CR4, CR4_PGE, 7, "PGE")                \
    FLAG(CR4, CR4_PCE, 8, "PCE")                \
    FLAG(CR4, CR4_OSFXSR, 9, "OSFXSR")          \
    FLAG(CR4, CR4_OSXMMEXCPT, 10, "OSXMMEXCPT") \
    FLAG(CR4, CR4_UMIP, 11, "UMIP")             \
    FLAG(CR4, CR4_LA57, 12, "LA57")             \
    FLAG(CR4, CR4_VMXE, 13, "VMXE")             \
    FLAG(CR4, CR4_SMXE, 14, "SMXE")             \
    FLAG(CR4, CR4_FSGSBASE, 16, "FSGSBASE")     \
    FLAG(CR4, CR4_PCIDE, 17, "PCIDE")           \
    FLAG(CR4, CR4_OSXSAVE, 18, "OSXSAVE")       \
    FLAG(CR4, CR4_KL, 19, "KL")                 \
    FLAG(CR4, CR4_SMEP, 20, "SMEP")             \
    FLAG(CR4, CR4_SMAP, 21, "SMAP")             \
    FLAG(CR4, CR4_PKE, 22, "PKE")               \
    FLAG(CR4, CR4_CET, 23, "CET")               \
    FLAG(CR4, CR4_PKS, 24, "PKS")               \
    FLAG(CR4, CR4_UINTR, 25, "UINTR")           \
    FLAG(CR4, CR4_LASS, 27, "LASS")             \
    FLAG(CR4, CR4_LAM_SUP, 28, "LAM_SUP")       \
    FLAG(CR4, CR4_FRED, 32, "FRED")

#define CONTROL_REGISTER_FLAG(register, constant, bit, name) constant = BIT(bit),
enum control_register_flag {
    CR0_FLAGS(CONTROL_REGISTER_FLAG) CR4_FLAGS(CONTROL_REGISTER_FLAG)
};
#undef CONTROL_REGISTER_FLAG

#define CR8_MAX 0xFU

/* Linear-address masking: CR3.LAM_U57 and CR3.LAM_U48. */
#define CR3_LAM BITS_MASK(62, 61)

/* State components: SDM 1, "XSAVE-Supported Features and State-Component Bitmaps". */
#define XCR0_X87         BIT(0)
#define XCR0_SSE         BIT(1)
#define XCR0_AVX         BIT(2)
#define XCR0_OPMASK      BIT(5)
#define XCR0_ZMM_HI256   BIT(6)
#define XCR0_HI16_ZMM    BIT(7)
#define XCR0_PKRU        BIT(9)
#define XSAVE_COMPONENTS 64U

/* SDM 1, "Standard Format of XSAVE Area": x87, SSE and the header, then component 2. */
#define XSAVE_LEGACY_SIZE    576U
#define XSAVE_FIRST_EXTENDED 2U

#define CR0_AFTER_RESET    UINT64_C(0x60000010)
#define MXCSR_AFTER_RESET  0x1F80U /* all exceptions masked */
#define DR6_AFTER_RESET    UINT64_C(0xFFFF0FF0)
#define DR6_SINGLE_STEP    BIT(14)
#define DR6_BREAKPOINTS    UINT64_C(0xF) /* B3 to B0 */
#define DR7_AFTER_RESET    BIT(10)
#define DR7_GENERAL_DETECT BIT(13)
#define DR7_ENABLE         UINT64_C(0xFF) /* G3, L3 to G0, L0 */

/* The fields of DR7 for a breakpoint, 0 to 3. */
#define DR_COUNT         4U
#define DR7_ENABLED(n)   (UINT64_C(3) << 2 * (n))
#define DR7_TYPE(dr7, n) ((unsigned int)BITS_GET(dr7, 17 + 4 * (n), 16 + 4 * (n)))
#define DR7_SIZE(dr7, n) ((unsigned int)BITS_GET(dr7, 19 + 4 * (n), 18 + 4 * (n)))

enum breakpoint_type {
    BREAKPOINT_EXECUTION,
    BREAKPOINT_WRITE,
    BREAKPOINT_IO, /* if CR4.DE is set */
    BREAKPOINT_ACCESS,
};

#endif
