/* Bits of IA32_MCi_STATUS and IA32_MCi_MISC, as the manuals number them. */
#ifndef HYMIR_TESTS_MACHINE_CHECK_BITS_H
#define HYMIR_TESTS_MACHINE_CHECK_BITS_H

#include <stdint.h>

#define VALID       (UINT64_C(1) << 63)
#define OVERFLOW    (UINT64_C(1) << 62)
#define UNCORRECTED (UINT64_C(1) << 61)
#define ENABLED     (UINT64_C(1) << 60)
#define MISC        (UINT64_C(1) << 59)
#define ADDRESS     (UINT64_C(1) << 58)
#define CORRUPT     (UINT64_C(1) << 57)
#define SIGNALED    (UINT64_C(1) << 56)
#define BIT_55      (UINT64_C(1) << 55) /* AR, or AMD's TCC */
#define PADDRV      (UINT64_C(1) << 54)
#define DEFERRED    (UINT64_C(1) << 44)
#define POISON      (UINT64_C(1) << 43)
#define IN_MEMORY   (VALID | UNCORRECTED | ENABLED | MISC | ADDRESS)
#define DATA_LOAD   (IN_MEMORY | SIGNALED | BIT_55 | 0x134)
#define PHYSICAL    0x8C /* a physical address, of 4 KiB */

#endif
