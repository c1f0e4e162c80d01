/*
 * The registers of VT-d units, which translate the addresses of devices.
 *
 * Intel VT-d, "Register Descriptions".
 */
#ifndef HYMIR_X86_VT_D_H
#define HYMIR_X86_VT_D_H

#include "lib/bits.h"

#define VT_D_REGISTERS_SIZE 0x1000

/* Indexes of 64-bit words: the version is in the low half of the first. */
#define VT_D_CAPABILITY          1
#define VT_D_EXTENDED_CAPABILITY 2
#define VT_D_GLOBAL_STATUS       3 /* in the high half */

/* The Version Register: major and minor. */
#define VT_D_VERSION_MASK BITS_MASK(7, 0)
#define VT_D_VERSION_1_0  0x10

/* The Global Status Register. */
#define VT_D_STATUS_INTERRUPT_REMAPPING BIT(25)
#define VT_D_STATUS_TRANSLATION         BIT(31)

/* The Capability Register. */
#define VT_D_CAP_39_BITS     BIT(9) /* adjusted guest address widths */
#define VT_D_CAP_48_BITS     BIT(10)
#define VT_D_CAP_PAGES_2_MIB BIT(34)
#define VT_D_CAP_PAGES_1_GIB BIT(35)

/* The Extended Capability Register. */
#define VT_D_ECAP_QUEUED_INVALIDATION     BIT(1)
#define VT_D_ECAP_INTERRUPT_REMAPPING     BIT(3)
#define VT_D_ECAP_EXTENDED_INTERRUPT_MODE BIT(4)

#endif
