/*
 * A lock for short sections, in the order in which it is asked for, with a bound: if for
 * SPINLOCK_ATTEMPTS tries nobody has given it on, its holder counts as dead and it is
 * taken from it. Without the bound, one CPU that stops while it holds the lock would stop
 * all others for ever.
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

/* By a holder that was taken for dead it does nothing. */
static inline void spinlock_release(struct spinlock *lock, unsigned int ticket)
{
    atomic_compare_exchange_strong(&lock->serving, &ticket, ticket + 1);
}

#endif
