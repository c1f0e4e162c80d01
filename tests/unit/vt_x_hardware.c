/*
 * Stand-ins for the functions of vt_x that need a CPU, for programs that use only its
 * pure parts: the unit tests, the fuzz targets and tools/registers.c. A call aborts the
 * program.
 */
#include "vmx/trial.h"
#include "vmx/vcpu.h"

#include <stdlib.h>

const struct backend vmx_backend;
const struct timing_row vmx_timings[VMX_TIMINGS] = {
    {.name = "VM exit by CPUID"}, {.name = "VM exit by VMCALL"}, {.name = "VMREAD"},
    {.name = "VMWRITE"},          {.name = "VMPTRLD"},           {.name = "INVEPT"},
    {.name = "INVVPID"},
};

#define NOT_HERE(function, parameter) \
    void function(parameter)          \
    {                                 \
        abort();                      \
    }
NOT_HERE(vmx_trial_read_registers, struct cpu_record *record __attribute__((unused)))
NOT_HERE(vmx_trial_unlock, struct trial *trial __attribute__((unused)))
NOT_HERE(vmx_trial_enter, struct trial *trial __attribute__((unused)))
NOT_HERE(vmx_trial_prove_root_operation, struct trial *trial __attribute__((unused)))
NOT_HERE(vmx_trial_run_guest, struct trial *trial __attribute__((unused)))
NOT_HERE(vmx_trial_leave, struct trial *trial __attribute__((unused)))
