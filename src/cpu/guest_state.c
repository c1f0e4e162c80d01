/* See guest_state.h. */
#include "cpu/guest_state.h"

#include "cpu/cpuid.h"
#include "cpu/instructions.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/speculation.h"
#include "lib/log.h"
#include "x86/control_registers.h"
#include "x86/msr.h"

#define XCR0_AFTER_RESET 1 /* x87 */
#define FCW_AFTER_FNINIT 0x37FU

/*
 * Resets x87, SSE and the states of XSAVE. FNINIT clears the x87 pointers, which some of
 * AMD's processors do not restore: APM 5, "FXRSTOR".
 */
static void reset_extended_state(void)
{
    /* All components but MXCSR, which XRSTOR loads always, are in their initial state. */
    static const struct __attribute__((packed, aligned(64))) {
        uint16_t fcw;
        uint8_t between_2_and_24[22];
        uint32_t mxcsr;
        uint8_t rest[4068];
    } area = {.fcw = FCW_AFTER_FNINIT, .mxcsr = MXCSR_AFTER_RESET};

    const uint64_t cr4 = read_cr4();
    fninit();
    if ((cr4 & CR4_OSXSAVE) == 0) {
        write_cr4(cr4 | CR4_OSFXSR);
        fxrstor(&area);
        write_cr4(cr4);
        return;
    }
    struct cpuid_result all = cpuid(CPUID_LEAF_EXTENDED_STATE, 0);
    uint64_t mask           = (uint64_t)all.edx << 32 | all.eax;
    (void)xsetbv_safe(mask);
    xrstor(&area, mask);
    (void)xsetbv_safe(XCR0_AFTER_RESET);
}

void guest_state_restart(void)
{
    clear_debug_registers();
    write_cr2(0);
}

/* Sets and clears bits of an MSR that exists if there are any to be changed. */
static void change_msr_bits(uint32_t msr, uint64_t set, uint64_t clear)
{
    if ((set | clear) == 0)
        return;
    const struct msr_reading reading = msr_read_safe(msr);
    const uint64_t value             = (reading.value | set) & ~clear;
    if (reading.state == MSR_READ && value != reading.value)
        (void)wrmsr_safe(msr, value);
}

/* The barrier is last: it covers all that was predicted before. */
static void apply_controls(const struct guest_controls *controls)
{
    speculation_reset();
    change_msr_bits(MSR_IA32_EFER, controls->efer, 0);
    change_msr_bits(MSR_DE_CFG, controls->de_cfg, 0);
    change_msr_bits(MSR_BP_CFG, controls->bp_cfg, 0);
    change_msr_bits(MSR_IA32_MCU_OPT_CTRL, 0, controls->mcu_opt_ctrl);
    if (controls->pred_cmd != 0)
        (void)wrmsr_safe(MSR_IA32_PRED_CMD, controls->pred_cmd);
}

/*
 * Returns the measures without those whose MSR this CPU does not write: VM entry and VM
 * exit write it without handling a fault.
 */
static uint8_t keep_possible(uint8_t entry)
{
    static const struct {
        enum entry_measure measure;
        uint32_t msr;
        uint64_t value;
    } rows[] = {{ENTRY_FLUSH_L1D, MSR_IA32_FLUSH_CMD, FLUSH_CMD_L1D},
                {ENTRY_IBRS, MSR_IA32_SPEC_CTRL, SPEC_CTRL_IBRS},
                {ENTRY_IBPB, MSR_IA32_PRED_CMD, PRED_CMD_IBPB}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if ((entry & BIT(rows[i].measure)) == 0 ||
            wrmsr_safe(rows[i].msr, rows[i].value) == FAULT_NONE)
            continue;
        log_warning("cpu %u: WRMSR of 0x%x faults: not written at VM entry and VM exit",
                    this_cpu()->index, rows[i].msr);
        entry &= (uint8_t)~BIT(rows[i].measure);
    }
    return entry;
}

uint8_t guest_state_reset(void)
{
    static const uint32_t msrs[] = {MSR_IA32_STAR,           MSR_IA32_LSTAR,
                                    MSR_IA32_CSTAR,          MSR_IA32_FMASK,
                                    MSR_IA32_KERNEL_GS_BASE, MSR_IA32_TSC_AUX};
    uint8_t entry                = keep_possible(this_cpu()->controls.entry);

    if ((entry & BIT(ENTRY_FILL_RSB)) != 0 && (read_cr4() & CR4_CET) != 0)
        entry |= BIT(ENTRY_DROP_SHADOW);
    for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
        (void)wrmsr_safe(msrs[i], 0);
    if ((cpuid_read_existing(CPUID_LEAF_STRUCTURED_FEATURES, 0, cpuid).ecx &
         CPUID_7_ECX_WAITPKG) != 0)
        (void)wrmsr_safe(MSR_IA32_UMWAIT_CONTROL, 0);
    guest_state_restart();
    reset_extended_state();
    apply_controls(&this_cpu()->controls);
    return entry;
}

uint64_t guest_state_read_pkru(void)
{
    uint64_t cr4 = read_cr4();

    write_cr4(cr4 | CR4_PKE);
    uint64_t pkru = rdpkru();
    write_cr4(cr4);
    return pkru;
}

uint64_t guest_state_read_debug_address(unsigned int number)
{
    switch (number) {
    case 0:
        return read_dr0();
    case 1:
        return read_dr1();
    case 2:
        return read_dr2();
    default:
        return read_dr3();
    }
}

uint64_t guest_state_read_xcr0(void)
{
    return (read_cr4() & CR4_OSXSAVE) != 0 ? xgetbv() : XCR0_AFTER_RESET;
}
