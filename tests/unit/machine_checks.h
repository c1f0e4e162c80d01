/* A machine check for the tests of vCPUs: the test says what the banks do. */
#ifndef HYMIR_TESTS_MACHINE_CHECKS_H
#define HYMIR_TESTS_MACHINE_CHECKS_H

#include "unit.h"

#include "cpu/machine_check.h"
#include "cpu/percpu.h"

static unsigned int machine_checks, looks; /* raised in Hymir; at the banks */
static bool is_confined, is_resumable;
static struct cpu machine_check_cpu;

static void fake_machine_check(void)
{
    machine_checks++;
}

bool machine_check_can_continue(bool is_in_guest)
{
    assert_true(is_in_guest);
    return is_confined;
}

bool machine_check_can_resume(void)
{
    return is_resumable;
}

void machine_check_acknowledge(void)
{
    assert_int_equal(looks, 0);
}

void machine_check_look(void)
{
    looks++;
    machine_check_cpu.has_machine_check = false;
}

static inline void machine_checks_start(void)
{
    machine_checks = looks = 0;
    is_confined = is_resumable = true;
    machine_check_cpu          = (struct cpu){0};
}

#define this_cpu()          (&machine_check_cpu)
#define raise_machine_check fake_machine_check

#endif
