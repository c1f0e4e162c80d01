/*
 * Control registers, IA32_EFER, XCR0 and RFLAGS: the names of their bits.
 *
 * SDM 3A, "Control Registers", "Extended Feature Enable Register", "Extended Control
 * Registers (Including XCR0)", "System Flags and Fields in the EFLAGS Register".
 */
#ifndef HYMIR_X86_CONTROL_REGISTERS_H
#define HYMIR_X86_CONTROL_REGISTERS_H

#include "lib/bits.h"

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

/* The address of the page-directory-pointer table in CR3, with PAE paging. */
#define CR3_PAE_TABLE BITS_MASK(31, 5)

#define CR4_VME        BIT(0)
#define CR4_PVI        BIT(1)
#define CR4_TSD        BIT(2)
#define CR4_DE         BIT(3)
#define CR4_PSE        BIT(4)
#define CR4_PAE        BIT(5)
#define CR4_MCE        BIT(6)
#define CR4_PGE        BIT(7)
#define CR4_PCE        BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_SMXE       BIT(14)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE        BIT(22)

#define CR8_MAX 0xFU

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

/* State components: SDM 1, "XSAVE-Supported Features and State-Component Bitmaps". */
#define XCR0_X87         BIT(0)
#define XCR0_SSE         BIT(1)
#define XCR0_AVX         BIT(2)
#define XCR0_OPMASK      BIT(5)
#define XCR0_ZMM_HI256   BIT(6)
#define XCR0_HI16_ZMM    BIT(7)
#define XSAVE_COMPONENTS 64U

/* SDM 1, "Standard Format of XSAVE Area": x87, SSE and the header, then component 2. */
#define XSAVE_LEGACY_SIZE    576U
#define XSAVE_FIRST_EXTENDED 2U

#define RFLAGS_FIXED BIT(1)
#define RFLAGS_TF    BIT(8)
#define RFLAGS_IF    BIT(9)
#define RFLAGS_DF    BIT(10)

#endif
