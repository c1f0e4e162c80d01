/*
 * The registers of AMD-Vi units, which translate the addresses of devices.
 *
 * AMD I/O Virtualization Technology (IOMMU) Specification, "IOMMU MMIO Registers".
 */
#ifndef HYMIR_X86_AMD_VI_H
#define HYMIR_X86_AMD_VI_H

#include "lib/bits.h"

/* Without performance counters; also the least alignment. */
#define AMD_VI_REGISTERS_SIZE 0x4000

/* Indexes of 64-bit words. */
#define AMD_VI_COMMAND_BUFFER_BASE 1
#define AMD_VI_CONTROL             3
#define AMD_VI_EXTENDED_FEATURES   6

/* The IOMMU Control Register. */
#define AMD_VI_CONTROL_IOMMU_EN BIT(0) /* translates addresses */

/* The IOMMU Extended Feature Register. */
#define AMD_VI_XT_SUP    BIT(2) /* interrupts to x2APIC IDs */
#define AMD_VI_GT_SUP    BIT(4) /* guest translation: nested */
#define AMD_VI_GA_SUP    BIT(7) /* interrupts to guests through AVIC */
#define AMD_VI_SMI_F_SUP BITS_MASK(17, 16)
#define AMD_VI_SNP_SUP   BIT(63) /* checks the RMP of SEV-SNP */

/* SmiFSup: SMIs are filtered. */
#define AMD_VI_SMI_FILTER (UINT64_C(1) << 16)

#endif
