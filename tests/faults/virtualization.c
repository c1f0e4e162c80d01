/* Faults on one CPU in VMX root operation or with SVM enabled: see selftest.h. */
#include "selftest.h"

#include "cpu/instructions.h"
#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "x86/control_registers.h"
#include "x86/msr.h"

static bool was_reached;

/* An address in page 0, volatile so that the compiler does not know it. */
static volatile uintptr_t null_address = 0x10;

/* A RET, in memory that is not executable. */
static uint8_t data_with_code[] = {0xC3};

static void selftest_run(void);

static __attribute__((noinline)) void read_null(void)
{
    (void)*(volatile const uint8_t *)null_address;
}

static __attribute__((noinline)) void write_text(void)
{
    *(volatile uint8_t *)(uintptr_t)&selftest_run = 0;
}

static __attribute__((noinline)) void execute_data(void)
{
    void (*function)(void) = (void (*)(void))(uintptr_t)data_with_code;
    function();
}

/*
 * Recurses, with half a KiB of stack for each level. The result prevents the compiler
 * from turning it into a loop.
 */
// NOLINTNEXTLINE(misc-no-recursion): recursion is the fault
static __attribute__((noinline)) unsigned int recurse(unsigned int depth)
{
    volatile uint8_t frame[512];
    frame[0] = (uint8_t)depth;
    return depth == UINT32_MAX ? 0 : recurse(depth + 1) + frame[0];
}

/* Panics call this on the stack of fatal exceptions. */
static void send_nmi(const void *unused)
{
    (void)unused;
    raise_nmi();
    log_plain("selftest: NMIs during the report: %u",
              atomic_load(&this_cpu()->foreign_nmis));
}

static void check_machine(const void *unused)
{
    (void)unused;
    raise_machine_check();
}

/* entries.asm: returns 42, after a return to an address that no call has pushed. */
uint64_t firmware_with_own_returns(void);

/* src/cpu/firmware_call.asm */
uint64_t firmware_call(uint64_t function, const uint64_t arguments[5], void *stack_end);

static uint8_t firmware_stack[1024] __attribute__((aligned(16)));

/* Does what shadow stacks must allow. */
static void return_as_allowed(void)
{
    static const uint64_t no_arguments[5];
    uint64_t cr4 = read_cr4();

    for (int i = 0; i < 3; i++)
        raise_nmi();
    uint64_t result = firmware_call((uintptr_t)firmware_with_own_returns, no_arguments,
                                    firmware_stack + sizeof(firmware_stack));
    log_plain("selftest: %u NMIs, firmware returned %lu, CR4 %s, shadow stacks %s",
              atomic_load(&this_cpu()->foreign_nmis), result,
              read_cr4() == cr4 ? "as before" : "changed",
              (cr4 & CR4_CET) != 0 ? "on" : "off");
}

static void be_returned_to(void)
{
    undefined_instruction();
}

static __attribute__((noinline)) void return_elsewhere(void)
{
    volatile uint64_t *frame = __builtin_frame_address(0);
    frame[1]                 = (uintptr_t)be_returned_to;
}

/* A recovery (trap_set_recovery) that does what an overflow of the stack could. */
static bool change_trap_frame(struct trap_frame *frame)
{
    trap_set_recovery(NULL);
    frame->rip = (uintptr_t)be_returned_to;
    return true;
}

/* Commits the fault. Returns only for kinds that are not for root operation. */
static __attribute__((noinline)) void selftest_run(void)
{
    switch (selftest.kind) {
    case SELFTEST_FAULT:
        undefined_instruction();
        break;
    case SELFTEST_NULL:
        read_null();
        break;
    case SELFTEST_WRITE_TEXT:
        write_text();
        break;
    case SELFTEST_EXECUTE_DATA:
        execute_data();
        break;
    case SELFTEST_STACK_OVERFLOW:
        (void)recurse(0);
        break;
    case SELFTEST_NMI_GUARD:
        *(volatile uint8_t *)this_cpu()->stacks->nmi_guard = 0;
        break;
    case SELFTEST_MACHINE_CHECK:
        this_cpu()->log_activity = send_nmi;
        raise_machine_check();
        break;
    case SELFTEST_FATAL_TWICE:
        this_cpu()->log_activity = check_machine;
        (void)recurse(0);
        break;
    case SELFTEST_RETURN:
        return_as_allowed();
        return_elsewhere();
        break;
    case SELFTEST_TRAP_RETURN:
        trap_set_recovery(change_trap_frame);
        undefined_instruction();
        break;
    case SELFTEST_HANG:
        for (;;)
            cpu_pause();
    case SELFTEST_ENTRIES:
        if ((rdmsr(MSR_IA32_EFER) & EFER_SVME) != 0)
            selftest_try_vmrun_rules();
        break;
    default: /* not for root operation */
        break;
    }
}

void test_hook_enter_virtualization(void)
{
    if (selftest.kind == SELFTEST_NONE || selftest.cpu != this_cpu()->index)
        return;
    was_reached = true;
    selftest_run();
}

void test_hook_finish_trials(void)
{
    switch (selftest.kind) {
    case SELFTEST_NONE:
    case SELFTEST_ABSENT_CPU:
    case SELFTEST_FIRMWARE_HANG:
    case SELFTEST_FIRMWARE_FAULT:
    case SELFTEST_MEASURES:
        break;
    case SELFTEST_MEMORY:
        selftest_check_memory();
        break;
    default:
        if (!was_reached)
            log_warning("selftest: not reached: cpu %u did not enter virtualization",
                        selftest.cpu);
    }
}
