/* See control.h. */
#include "cpu/control.h"

#include "cpu/cpuid.h"
#include "x86/msr.h"

/*
 * The memory types of IA32_PAT's entries: write-back, write-combining, uncached (minus),
 * uncached; the upper four as after reset. SDM 3A, "Page Attribute Table (PAT)".
 */
#define PAT_INITIAL UINT64_C(0x0007040600070106)

void control_init(void)
{
    uint32_t features = cpuid(1, 0).edx;

    if ((features & CPUID_1_EDX_MCE) != 0)
        write_cr4(read_cr4() | CR4_MCE);
    if ((features & CPUID_1_EDX_PAT) != 0)
        wrmsr(MSR_IA32_PAT, PAT_INITIAL);
}
