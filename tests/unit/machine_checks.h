/* A machine check for the tests of vCPUs: the test says what the banks do. */
#ifndef HYMIR_TESTS_MACHINE_CHECKS_H
#define HYMIR_TESTS_MACHINE_CHECKS_H

#include "unit.h"

#include "cpu/machine_check.h"
#include "cpu/percpu.h"

static unsigned int machine_checks, looks; /* raised in Hymir; at the banks */
static enum machine_check_outcome outcome_of_machine_check;
static struct cpu machine_check_cpu;

static void fake_machine_check(void)
{
    machine_checks++;
}

enum machine_check_outcome machine_check_take(bool is_in_guest)
{
    assert_true(is_in_guest);
    assert_int_equal(looks, 0);
    return outcome_of_machine_check;
}

void machine_check_look(void)
{
    looks++;
    machine_check_cpu.has_machine_check = false;
}

static inline void machine_checks_start(void)
{
    machine_checks = looks   = 0;
    outcome_of_machine_check = MACHINE_CHECK_RESUME;
    machine_check_cpu        = (struct cpu){0};
}

#define this_cpu()          (&machine_check_cpu)
#define raise_machine_check fake_machine_check

#endif
