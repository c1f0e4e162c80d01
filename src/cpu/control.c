/* See control.h. */
#include "cpu/control.h"

#include "cpu/cpuid.h"
#include "x86/msr.h"
#include "x86/paging.h"

void control_init(void)
{
    uint32_t features = cpuid(CPUID_LEAF_FEATURES, 0).edx;

    if ((features & CPUID_1_EDX_MCE) != 0)
        write_cr4(read_cr4() | CR4_MCE);
    if ((features & CPUID_1_EDX_PAT) != 0)
        wrmsr(MSR_IA32_PAT, PAT_WITH_PWT(PAT_WRITE_COMBINING));
}
