/* The registers of cpu/guest_state.h and cpu/speculation.h, for tests of a backend. */
#ifndef HYMIR_TESTS_GUEST_STATE_H
#define HYMIR_TESTS_GUEST_STATE_H

#include "cpu/guest_state.h"
#include "cpu/speculation.h"

uint64_t guest_state_read_xcr0(void)
{
    return 7;
}

uint64_t guest_state_read_pkru(void)
{
    return 8;
}

uint64_t guest_state_read_debug_address(unsigned int number)
{
    return 0x100 + number;
}

static uint64_t written_spec_ctrl, written_ssbd;
static bool has_ssbd;

uint64_t speculation_read_spec_ctrl(void)
{
    return written_spec_ctrl;
}

void speculation_write_spec_ctrl(uint64_t value)
{
    written_spec_ctrl = value;
}

uint64_t speculation_capabilities(void)
{
    return 0;
}

uint32_t speculation_guest_features(void)
{
    return 1 << 6;
}

bool speculation_has_ssbd(void)
{
    return has_ssbd;
}

uint64_t speculation_read_ssbd(void)
{
    return written_ssbd;
}

void speculation_write_ssbd(uint64_t virt_spec_ctrl)
{
    written_ssbd = virt_spec_ctrl;
}

#endif
