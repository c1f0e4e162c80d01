/*
 * The checks of VT-x: see checks.c.
 */
#ifndef HYMIR_VMX_CHECKS_H
#define HYMIR_VMX_CHECKS_H

#include "virt/virtualization.h"

/* In the order in which they are performed. */
enum vmx_check {
    VMX_CHECK_CPUID,
    VMX_CHECK_BASIC,
    VMX_CHECK_CR0,
    VMX_CHECK_CR4,
    VMX_CHECK_INTEL_PT,
    VMX_CHECK_FEATURE_CONTROL, /* last before VMXON: what Hymir writes there stays set */
    VMX_CHECK_VMXON,
    VMX_CHECK_ROOT_OPERATION,
    VMX_CHECK_GUEST,
    VMX_CHECK_VMXOFF,
    VMX_CHECK_COUNT,
};

extern const struct check_row vmx_checks[VMX_CHECK_COUNT];

#endif
