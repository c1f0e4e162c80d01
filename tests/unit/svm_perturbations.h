/*
 * What violates each rule of VMRUN in the VMCB of a guest in 64-bit mode, on a processor
 * with 48 bits of physical addresses and 16 ASIDs.
 */
#ifndef HYMIR_TESTS_SVM_PERTURBATIONS_H
#define HYMIR_TESTS_SVM_PERTURBATIONS_H

#include "svm/entry_rules.h"
#include "x86/control_registers.h"

/* A value that violates a rule after others were set, the bits at fault, the nearest. */
struct perturbation {
    const char *rule;
    uint16_t value;
    uint64_t content, bits, nearest;
    struct {
        uint16_t value;
        uint64_t content;
    } first[3];
};
#define V(name)             SVM_VALUE_##name
#define LONG_CR0            (CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG)
#define LONG_EFER           (EFER_LME | EFER_LMA | EFER_SVME)
#define HIGH                BIT(32)
#define EVENT(type, vector) (EVENT_VALID | (uint64_t)(type) << 8 | (vector))
#define AVIC_ON             AVIC_ENABLE
#define X2AVIC_ON           (AVIC_ENABLE | X2AVIC_ENABLE)

static const struct perturbation perturbations[] = {
    {"vmrun-intercept", V(INTERCEPT_2), 0, 1, 1, {{0}}},
    {"asid-not-zero", V(ASID), 0, 1, 1, {{0}}},
    {"asid-supported", V(ASID), 16, 16 ^ 15, 15, {{0}}},
    {"iopm-address", V(IOPM_BASE), BIT(48) - 0x2000, 0x3000, BIT(48) - 0x3000, {{0}}},
    {"iopm-address", V(IOPM_BASE), BIT(50) + 0x5000, BIT(50), 0x5000, {{0}}},
    {"msrpm-address", V(MSRPM_BASE), BIT(48) - 0x1000, 0x1000, BIT(48) - 0x2000, {{0}}},
    {"n-cr3-address", V(N_CR3), BIT(48) | 0x1000, BIT(48), 0x1000, {{0}}},
    {"host-paging", V(HOST_CR0), CR0_PE, CR0_PG, CR0_PE | CR0_PG, {{0}}},
    {"event-type", V(EVENT), EVENT(1, 2), EVENT_TYPE, EVENT(2, 2), {{0}}},
    {"event-type", V(EVENT), EVENT(5, 14), EVENT_TYPE, EVENT(3, 14), {{0}}},
    {"event-type", V(EVENT), EVENT(6, 0x20), EVENT_TYPE, EVENT(0, 0x20), {{0}}},
    {"event-vector", V(EVENT), EVENT(3, 2), 0xFF, EVENT(2, 2), {{0}}},
    {"event-vector", V(EVENT), EVENT(3, 0x20), 0xFF, EVENT(0, 0x20), {{0}}},
    {"event-vector", V(EVENT), EVENT(3, 9), 0xFF, EVENT(0, 9), {{0}}},
    {"event-bound", V(EVENT), EVENT(3, 5), 0xFF, EVENT(3, 5) & ~EVENT_VALID, {{0}}},
    {"virtual-nmi-intercept",
     V(INTERCEPT_1),
     0,
     INTERCEPT_NMI,
     INTERCEPT_NMI,
     {{V(VIRTUAL_INTERRUPT), V_NMI_ENABLE}}},
    {"x2avic-needs-avic",
     V(VIRTUAL_INTERRUPT),
     X2AVIC_ENABLE,
     AVIC_ENABLE,
     X2AVIC_ON,
     {{0}}},
    {"avic-addresses",
     V(AVIC_BACKING_PAGE),
     BIT(48),
     BIT(48),
     0,
     {{V(VIRTUAL_INTERRUPT), AVIC_ON}}},
    {"avic-addresses",
     V(AVIC_PHYSICAL_TABLE),
     BIT(49),
     BIT(49),
     0,
     {{V(VIRTUAL_INTERRUPT), AVIC_ON}}},
    {"avic-maximum-index",
     V(AVIC_PHYSICAL_TABLE),
     0x1100,
     0x100,
     0x10FF,
     {{V(VIRTUAL_INTERRUPT), AVIC_ON}}},
    {"x2avic-maximum-index",
     V(AVIC_PHYSICAL_TABLE),
     0x1200,
     0x200,
     0x11FF,
     {{V(VIRTUAL_INTERRUPT), X2AVIC_ON}}},
    {"efer-svme", V(EFER), LONG_EFER & ~EFER_SVME, EFER_SVME, LONG_EFER, {{0}}},
    {"efer-reserved", V(EFER), LONG_EFER | BIT(16), BIT(16), LONG_EFER, {{0}}},
    {"efer-reserved", V(EFER), LONG_EFER | BIT(63), BIT(63), LONG_EFER, {{0}}},
    {"cr0-nw-without-cd", V(CR0), LONG_CR0 | CR0_NW, CR0_NW, LONG_CR0, {{0}}},
    {"cr0-high", V(CR0), LONG_CR0 | HIGH, HIGH, LONG_CR0, {{0}}},
    {"long-mode-pae", V(CR4), 0, CR4_PAE, CR4_PAE, {{0}}},
    {"long-mode-pe", V(CR0), LONG_CR0 & ~CR0_PE, CR0_PE, LONG_CR0, {{0}}},
    {"cr3-address", V(CR3), BIT(63) | 0x9000, BIT(63), 0x9000, {{0}}},
    {"cr3-address", V(CR3), BIT(48) | 0x9000, BIT(48), 0x9000, {{0}}},
    {"cs-d-with-l", V(CS_ATTRIBUTES), 0xE9B, VMCB_CODE_D, 0xA9B, {{0}}},
    {"cr4-reserved", V(CR4), CR4_PAE | CR4_VMXE, CR4_VMXE, CR4_PAE, {{0}}},
    {"cr4-reserved", V(CR4), CR4_PAE | BIT(40), BIT(40), CR4_PAE, {{0}}},
    {"dr6-high", V(DR6), DR6_AFTER_RESET | HIGH, HIGH, DR6_AFTER_RESET, {{0}}},
    {"dr7-high", V(DR7), DR7_AFTER_RESET | HIGH, HIGH, DR7_AFTER_RESET, {{0}}},
    {"cet-needs-wp",
     V(CR0),
     LONG_CR0 & ~CR0_WP,
     CR0_WP,
     LONG_CR0,
     {{V(CR4), CR4_PAE | CR4_CET}}},
    {"s-cet-reserved", V(S_CET), 0x11, 0x10, 1, {{0}}},
    {"shadow-stack-in-virtual-8086",
     V(U_CET),
     1,
     1,
     0,
     {{V(CR4), CR4_PAE | CR4_CET}, {V(RFLAGS), RFLAGS_FIXED | RFLAGS_VM}}},
    {"efer-lme",
     V(EFER),
     EFER_SVME | EFER_LME,
     EFER_LME,
     EFER_SVME,
     {{V(CPUID_80000001_EDX), 0}}},
    {"efer-lma",
     V(EFER),
     EFER_SVME | EFER_LMA,
     EFER_LMA,
     EFER_SVME,
     {{V(CPUID_80000001_EDX), 0}}},
    {"efer-nxe", V(EFER), LONG_EFER | EFER_NXE, EFER_NXE, LONG_EFER, {{0}}},
    {"efer-lmsle", V(EFER), LONG_EFER | EFER_LMSLE, EFER_LMSLE, LONG_EFER, {{0}}},
    {"efer-ffxsr", V(EFER), LONG_EFER | EFER_FFXSR, EFER_FFXSR, LONG_EFER, {{0}}},
    {"efer-tce", V(EFER), LONG_EFER | EFER_TCE, EFER_TCE, LONG_EFER, {{0}}},
    {"efer-mcommit", V(EFER), LONG_EFER | EFER_MCOMMIT, EFER_MCOMMIT, LONG_EFER, {{0}}},
    {"efer-intwb", V(EFER), LONG_EFER | EFER_INTWB, EFER_INTWB, LONG_EFER, {{0}}},
    {"efer-uaie", V(EFER), LONG_EFER | EFER_UAIE, EFER_UAIE, LONG_EFER, {{0}}},
    {"efer-aibrse", V(EFER), LONG_EFER | EFER_AIBRSE, EFER_AIBRSE, LONG_EFER, {{0}}},
    {"cr4-umip", V(CR4), CR4_PAE | CR4_UMIP, CR4_UMIP, CR4_PAE, {{0}}},
    {"cr4-la57", V(CR4), CR4_PAE | CR4_LA57, CR4_LA57, CR4_PAE, {{0}}},
    {"cr4-fsgsbase", V(CR4), CR4_PAE | CR4_FSGSBASE, CR4_FSGSBASE, CR4_PAE, {{0}}},
    {"cr4-pcide", V(CR4), CR4_PAE | CR4_PCIDE, CR4_PCIDE, CR4_PAE, {{0}}},
    {"cr4-osxsave", V(CR4), CR4_PAE | CR4_OSXSAVE, CR4_OSXSAVE, CR4_PAE, {{0}}},
    {"cr4-smep", V(CR4), CR4_PAE | CR4_SMEP, CR4_SMEP, CR4_PAE, {{0}}},
    {"cr4-smap", V(CR4), CR4_PAE | CR4_SMAP, CR4_SMAP, CR4_PAE, {{0}}},
    {"cr4-pke", V(CR4), CR4_PAE | CR4_PKE, CR4_PKE, CR4_PAE, {{0}}},
    {"cr4-cet", V(CR4), CR4_PAE | CR4_CET, CR4_CET, CR4_PAE, {{V(CPUID_7_ECX), 0}}},
    {"g-pat-types", V(G_PAT), 0x0207040600070406, BIT(57), 0x0007040600070406, {{0}}},
    {"g-pat-types",
     V(G_PAT),
     0x0807040600070306,
     BIT(59) | 0x300,
     0x0007040600070006,
     {{0}}},
};

#endif
