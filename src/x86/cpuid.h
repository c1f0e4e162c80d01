/*
 * CPUID: leaves, and the names of feature bits.
 *
 * SDM 2, "CPUID - CPU Identification"; APM 3, "CPUID".
 */
#ifndef HYMIR_X86_CPUID_H
#define HYMIR_X86_CPUID_H

#include "lib/bits.h"

/* CPUID.01H:ECX */
#define CPUID_1_ECX_VMX        BIT(5)
#define CPUID_1_ECX_SMX        BIT(6)
#define CPUID_1_ECX_X2APIC     BIT(21)
#define CPUID_1_ECX_XSAVE      BIT(26)
#define CPUID_1_ECX_HYPERVISOR BIT(31)
/* CPUID.01H:EDX */
#define CPUID_1_EDX_MCE  BIT(7)
#define CPUID_1_EDX_APIC BIT(9)
#define CPUID_1_EDX_PAT  BIT(16)
/* CPUID.07H.0:EBX */
#define CPUID_7_EBX_INVPCID  BIT(10)
#define CPUID_7_EBX_INTEL_PT BIT(25)
/* CPUID.07H.0:ECX and EDX */
#define CPUID_7_ECX_WAITPKG           BIT(5)
#define CPUID_7_ECX_RDPID             BIT(22)
#define CPUID_7_EDX_ARCH_CAPABILITIES BIT(29)
/* CPUID.0DH.1:EAX */
#define CPUID_D_1_EAX_XSAVES BIT(3)
/* CPUID.80000001H:EDX */
#define CPUID_80000001_EDX_NX          BIT(20)
#define CPUID_80000001_EDX_PAGES_1_GIB BIT(26)
#define CPUID_80000001_EDX_RDTSCP      BIT(27)
#define CPUID_80000001_EDX_LONG_MODE   BIT(29)

#endif
