/*
 * A ticket lock with a timeout, for short critical sections: after SPINLOCK_ATTEMPTS
 * polls without progress the holder's ticket is skipped. Without the timeout, a CPU that
 * stops while holding the lock would stop all others forever.
 */
#ifndef HYMIR_LIB_SPINLOCK_H
#define HYMIR_LIB_SPINLOCK_H

#include <stdatomic.h>
#include <stdint.h>

/* About a second: a poll with its PAUSE takes 20 to 70 ns on a fast processor. */
#define SPINLOCK_ATTEMPTS UINT32_C(20000000)

struct spinlock {
    atomic_uint next, serving; /* tickets; equal: free */
};

/* Returns the ticket, for spinlock_release. */
static inline unsigned int spinlock_acquire(struct spinlock *lock)
{
    unsigned int ticket  = atomic_fetch_add(&lock->next, 1);
    unsigned int serving = atomic_load_explicit(&lock->serving, memory_order_acquire);
    uint32_t attempts    = 0;

    while (serving != ticket) {
        unsigned int seen = serving;
        __builtin_ia32_pause();
        if (++attempts == SPINLOCK_ATTEMPTS)
            atomic_compare_exchange_strong(&lock->serving, &seen, serving + 1);
        serving = atomic_load_explicit(&lock->serving, memory_order_acquire);
        if (serving != seen)
            attempts = 0;
    }
    return ticket;
}

/*
 * The same without the timeout, for a lock whose holder stops only if all CPUs do: an
 * outer hypervisor may not run the holder's CPU for seconds.
 */
static inline unsigned int spinlock_acquire_in_turn(struct spinlock *lock)
{
    unsigned int ticket = atomic_fetch_add(&lock->next, 1);

    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
        __builtin_ia32_pause();
    return ticket;
}

/* Releases the lock; no effect if the ticket was skipped. */
static inline void spinlock_release(struct spinlock *lock, unsigned int ticket)
{
    atomic_compare_exchange_strong(&lock->serving, &ticket, ticket + 1);
}

#endif
