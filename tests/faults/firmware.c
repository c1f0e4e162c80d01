/* selftest=firmware-hang, firmware-fault: a firmware service that never returns. */
#include "selftest.h"

#include "cpu/instructions.h"
#include "lib/test_hooks.h"
#include "platform/smp.h"

static void hang_as_firmware(void)
{
    if (smp_count() > 1)
        interrupts_disable(); /* on a single CPU only the timer can end it */
    for (;;)
        cpu_pause();
}

uint64_t test_hook_call_firmware(uint64_t service)
{
    if (selftest.kind == SELFTEST_FIRMWARE_HANG)
        return (uintptr_t)hang_as_firmware;
    if (selftest.kind == SELFTEST_FIRMWARE_FAULT)
        undefined_instruction();
    return service;
}
