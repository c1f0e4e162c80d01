/*
 * A VMCS that is an array, for sources of src/vmx that the test includes.
 */
#ifndef HYMIR_TESTS_VMCS_ARRAY_H
#define HYMIR_TESTS_VMCS_ARRAY_H

#include "unit.h"

#include "cpu/traps.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "platform/smp.h"
#include "vmx/vcpu.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

static uint64_t fields[0x8000];

static uint64_t fake_get(enum vmcs_field field)
{
    return fields[field];
}

static void fake_set(enum vmcs_field field, uint64_t value)
{
    fields[field] = value;
}

static void fake_add_pending_debug(uint64_t causes)
{
    fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS] |= causes;
}

#define vmcs_get               fake_get
#define vmcs_set               fake_set
#define vmcs_add_pending_debug fake_add_pending_debug

#endif
