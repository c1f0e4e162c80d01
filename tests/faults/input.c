/* selftest=mute-keyboard and selftest=lose-wake: what does not arrive. */
#include "selftest.h"

#include "lib/test_hooks.h"

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
