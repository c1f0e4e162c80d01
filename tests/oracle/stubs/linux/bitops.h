/* Definitions that Linux's headers require outside Linux. */
#ifndef HYMIR_TESTS_STUBS_BITOPS_H
#define HYMIR_TESTS_STUBS_BITOPS_H

#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#undef BIT
#define BIT(n)            (1UL << (n))
#define BIT_ULL(n)        (1ULL << (n))
#define GENMASK_ULL(h, l) ((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define GENMASK(h, l)     GENMASK_ULL(h, l)

#define WARN_ON_ONCE(condition) ((void)(condition))
#define __aligned(bytes)        __attribute__((aligned(bytes)))
#define __packed                __attribute__((packed))
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#define static_assert _Static_assert

/* Only accessors that are not called use these. */
#define test_bit(bit, words)  0
#define __set_bit(bit, words) ((void)0)

#endif
