/* See selftest.h. */
#include "cpu/selftest.h"

#include "cpu/instructions.h"

/* Somewhere in page 0 that no compiler can see through. */
static volatile uintptr_t null_address = 0x10;

/* A RET, in memory that is not for code. */
static uint8_t data_with_code[] = {0xC3};

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
 * Takes half a KiB of stack a level; what it returns keeps the compiler from making it a
 * loop.
 */
// NOLINTNEXTLINE(misc-no-recursion): that is what it is for
static __attribute__((noinline)) unsigned int recurse(unsigned int depth)
{
    volatile uint8_t frame[512];
    frame[0] = (uint8_t)depth;
    return depth == UINT32_MAX ? 0 : recurse(depth + 1) + frame[0];
}

static void hang(void)
{
    for (;;)
        cpu_pause();
}

void selftest_run(enum selftest selftest)
{
    switch (selftest) {
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
    case SELFTEST_HANG:
        hang();
        break;
    default: /* nothing that a CPU does in root operation */
        break;
    }
}
