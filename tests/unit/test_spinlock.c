/* src/lib/spinlock.h: a lock whose holder's CPU does not run for a while. */
#include "unit.h"

#include "lib/spinlock.h"

#include <pthread.h>
#include <unistd.h>

static struct spinlock lock;
static atomic_bool is_acquired;

static void *acquire_in_turn(void *argument)
{
    (void)argument;
    unsigned int ticket = spinlock_acquire_in_turn(&lock);
    atomic_store(&is_acquired, true);
    spinlock_release(&lock, ticket);
    return NULL;
}

/* The holder is not skipped, however often the other one has looked. */
static void test_in_turn(void **state)
{
    (void)state;
    pthread_t thread;
    unsigned int ticket = spinlock_acquire_in_turn(&lock);

    assert_int_equal(pthread_create(&thread, NULL, acquire_in_turn, NULL), 0);
    usleep(1500000);
    assert_false(is_acquired);
    spinlock_release(&lock, ticket);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(is_acquired);
    assert_int_equal(lock.next, lock.serving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_turn),
    };
    return cmocka_run_group_tests_name("spinlock", tests, NULL, NULL);
}
