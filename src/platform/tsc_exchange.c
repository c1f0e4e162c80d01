/* See tsc_exchange.h. */
#include "platform/tsc_exchange.h"

#include "platform/clock.h"
#include "platform/smp.h"

#define ROUNDS      64U
#define EXCHANGE_US 20000
#define ANSWER_US   100000 /* the other CPU's part, if the boot CPU never ends it */
#define TIMEOUT_US  1000000

/* Reads between two looks at the deadline, which would make a round longer. */
#define SPINS 100

/* Waits until a counter has another value; returns false if the deadline passes. */
static bool wait_for_change(_Atomic uint32_t *counter, uint32_t value,
                            const struct deadline *deadline)
{
    for (;;) {
        bool has_passed = deadline_has_passed(deadline);
        for (int i = 0; i < SPINS; i++) {
            if (atomic_load(counter) != value)
                return true;
        }
        if (has_passed)
            return false;
        cpu_pause();
    }
}

/* Answers the boot CPU's rounds, up to the last. A cpu_work. */
static void answer_rounds(void *argument)
{
    struct tsc_exchange *exchange = &((struct cpu *)argument)->tsc_exchange;
    struct deadline deadline      = deadline_in(ANSWER_US);

    for (uint32_t round = 0;
         round < ROUNDS && wait_for_change(&exchange->asked, round, &deadline);) {
        exchange->ticks = rdtsc_ordered();
        round           = atomic_load(&exchange->asked);
        atomic_store(&exchange->answered, round);
    }
}

/* Asks for a reading, in the round after the given one. Returns false if none comes. */
static bool ask(struct cpu *cpu, uint32_t round, const struct deadline *deadline)
{
    struct tsc_exchange *exchange = &cpu->tsc_exchange;

    uint64_t before = rdtsc_ordered();
    atomic_store(&exchange->asked, round + 1);
    if (!wait_for_change(&exchange->answered, round, deadline))
        return false;
    uint64_t after = rdtsc_ordered();
    tsc_offset_add(&cpu->tsc_offset, before, exchange->ticks, after);
    return true;
}

enum status tsc_exchange_run(struct cpu *cpu)
{
    enum status status    = smp_begin(cpu, answer_rounds, cpu);
    struct deadline first = deadline_in(TIMEOUT_US); /* the CPU wakes up first */

    if (status != STATUS_OK)
        return status;
    bool answers             = ask(cpu, 0, &first);
    struct deadline deadline = deadline_in(EXCHANGE_US);
    for (uint32_t round = 1; answers && round < ROUNDS; round++)
        answers = ask(cpu, round, &deadline);
    atomic_store(&cpu->tsc_exchange.asked, ROUNDS); /* also after a timeout */
    return smp_wait(cpu, TIMEOUT_US);
}
