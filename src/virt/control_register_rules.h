/*
 * The values that control registers accept, and what switching paging does.
 *
 * Pure. SDM 3A, "Control Registers", "IA-32e Mode Operation"; SDM 2, "MOV - Move to/from
 * Control Registers", "LMSW", "XSETBV".
 */
#ifndef HYMIR_VIRT_CONTROL_REGISTER_RULES_H
#define HYMIR_VIRT_CONTROL_REGISTER_RULES_H

#include "virt/segment.h"
#include "x86/control_registers.h"
#include "x86/cpuid.h"

/* The bits of CR4 that a guest may set. */
#define GUEST_CR4_ALLOWED                                                              \
    (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCE |    \
     CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE | \
     CR4_SMEP | CR4_SMAP | CR4_PKE)

/* Returns the bits of EFER that a guest may write with that CPUID; LMA is ignored. */
uint64_t efer_supported_bits(struct cpuid_result (*read)(uint32_t leaf,
                                                         uint32_t subleaf));

/* Returns the bits of CR4, of GUEST_CR4_ALLOWED, that a processor with that CPUID has. */
uint64_t cr4_supported_bits(struct cpuid_result (*read)(uint32_t leaf, uint32_t subleaf));

/* The state components that a guest may enable in XCR0. */
#define GUEST_XCR0_ALLOWED                                                           \
    (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM | \
     XCR0_PKRU)

/* The state that decides whether paging can be switched on or off. */
struct paging_state {
    uint64_t cr4, efer;
    uint32_t cs_access_rights, tr_access_rights;
};

enum paging_switch {
    PAGING_SWITCH_FAULTS,   /* #GP(0) */
    PAGING_SWITCH_IS_PLAIN, /* outside long mode */
    PAGING_SWITCH_TO_LONG_MODE,
};

/* Returns the effect of changing CR0.PG. Switching paging off leaves long mode. */
enum paging_switch paging_switch_effect(const struct paging_state *state, bool is_on);

/* The bits of CR0 that a guest may change at any time, without an effect on paging. */
#define CR0_UNCHECKED \
    ((uint64_t)(CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM))

/*
 * Returns whether a change of CR0 to that value loads the PDPTEs: with PAE paging after
 * it, if PG, CD or NW change: SDM 3A, "PDPTE Registers".
 */
static inline bool cr0_change_loads_pdptes(uint64_t old, uint64_t value, uint64_t cr4,
                                           uint64_t efer)
{
    return ((old ^ value) & (CR0_PG | CR0_CD | CR0_NW)) != 0 && (value & CR0_PG) != 0 &&
           (cr4 & CR4_PAE) != 0 && (efer & EFER_LME) == 0;
}

/* Returns whether a processor with that physical-address width accepts the entries. */
bool pdptes_are_valid(const uint64_t entries[4], unsigned int physical_width);

/* Returns whether MOV to CR0 accepts a value, apart from paging_switch_effect. */
static inline bool cr0_is_valid(uint64_t value)
{
    bool has_pg_without_pe = (value & (CR0_PG | CR0_PE)) == CR0_PG;
    bool has_nw_without_cd = (value & (CR0_NW | CR0_CD)) == CR0_NW;

    return value <= UINT32_MAX && !has_pg_without_pe && !has_nw_without_cd;
}

/* Returns CR0 after LMSW, which cannot clear PE. */
static inline uint64_t cr0_after_lmsw(uint64_t cr0, uint64_t source)
{
    const uint64_t loaded = CR0_PE | CR0_MP | CR0_EM | CR0_TS;

    return (cr0 & (~loaded | CR0_PE)) | (source & loaded);
}

/* Returns whether a guest may load XCR index; the processor checks combinations. */
static inline bool xcr_is_valid(uint32_t index, uint64_t value)
{
    return index == 0 && (value & ~(uint64_t)GUEST_XCR0_ALLOWED) == 0;
}

#endif
