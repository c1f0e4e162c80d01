/*
 * A lock for short sections, with a bound: after SPINLOCK_ATTEMPTS tries the holder
 * counts as dead and the lock is taken from it. Without the bound, one CPU that stops
 * while it holds the lock would stop all others for ever.
 */
#ifndef HYMIR_LIB_SPINLOCK_H
#define HYMIR_LIB_SPINLOCK_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * About a second on a fast processor, where a try with its pause takes some 20 to 70 ns.
 */
#define SPINLOCK_ATTEMPTS UINT32_C(20000000)

struct spinlock {
    atomic_flag taken; /* zero: free */
};

static inline void spinlock_acquire(struct spinlock *lock)
{
    for (uint32_t i = 0; i < SPINLOCK_ATTEMPTS; i++) {
        if (!atomic_flag_test_and_set_explicit(&lock->taken, memory_order_acquire))
            return;
        __builtin_ia32_pause();
    }
}

static inline void spinlock_release(struct spinlock *lock)
{
    atomic_flag_clear_explicit(&lock->taken, memory_order_release);
}

#endif
