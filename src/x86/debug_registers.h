/*
 * Debug registers: SDM 3B, "Debug Registers".
 */
#ifndef HYMIR_X86_DEBUG_REGISTERS_H
#define HYMIR_X86_DEBUG_REGISTERS_H

#include "lib/bits.h"

#define DR6_AFTER_RESET    UINT64_C(0xFFFF0FF0)
#define DR6_BREAKPOINTS    UINT64_C(0xF) /* B3 to B0 */
#define DR7_AFTER_RESET    BIT(10)
#define DR7_GENERAL_DETECT BIT(13)

#endif
