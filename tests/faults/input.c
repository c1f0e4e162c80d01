/* selftest=mute-keyboard, lose-wake and late-end: what does not arrive, or late. */
#include "selftest.h"

#include "cpu/instructions.h"
#include "lib/test_hooks.h"
#include "platform/clock.h"

#define LATE_US 200000

bool test_hook_mute_keyboard(void)
{
    return selftest.kind == SELFTEST_MUTE_KEYBOARD;
}

/* The first one to each other CPU is lost, and every second one after it. */
bool test_hook_lose_wake(uint32_t cpu)
{
    static uint64_t is_even; /* a bit for each CPU */

    if (selftest.kind != SELFTEST_LOSE_WAKE)
        return false;
    is_even ^= UINT64_C(1) << cpu % 64;
    return cpu == 0 || (is_even >> cpu % 64 & 1) != 0;
}

void test_hook_end_work(void)
{
    struct deadline deadline = deadline_in(LATE_US);

    while (selftest.kind == SELFTEST_LATE_END && !deadline_has_passed(&deadline))
        cpu_pause();
}
