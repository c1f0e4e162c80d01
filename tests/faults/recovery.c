/* selftest=recovery: QEMU's processors of AMD's do not report SUCCOR. */
#include "selftest.h"

#include "cpu/machine_check_rules.h"
#include "lib/test_hooks.h"

void test_hook_set_machine_check_rules(struct machine_check_rules *rules)
{
    rules->has_recovery |= selftest.kind == SELFTEST_RECOVERY;
}
