/*
 * Stand-ins for the functions of amd_v that need a CPU, for programs that use only its
 * pure parts: see vt_x_hardware.c.
 */
#include "svm/operation.h"
#include "svm/trial.h"
#include "svm/vcpu.h"

#include <stdlib.h>

const struct backend svm_backend;
const struct timing_row svm_timings[SVM_TIMINGS] = {
    {.name = "VM exit by CPUID"}, {.name = "VM exit by VMMCALL"}, {.name = "VMSAVE"},
    {.name = "VMLOAD"},           {.name = "CLGI, STGI"},         {.name = "INVLPGA"},
};

#define NOT_HERE(function, parameter) \
    void function(parameter)          \
    {                                 \
        abort();                      \
    }
NOT_HERE(svm_trial_read_registers, struct cpu_record *record __attribute__((unused)))
NOT_HERE(svm_trial_permit, struct trial *trial __attribute__((unused)))
NOT_HERE(svm_trial_enter, struct trial *trial __attribute__((unused)))
NOT_HERE(svm_trial_set_host_save_area, struct trial *trial __attribute__((unused)))
NOT_HERE(svm_trial_prove_gif, struct trial *trial __attribute__((unused)))
NOT_HERE(svm_trial_run_guest, struct trial *trial __attribute__((unused)))
NOT_HERE(svm_trial_prove_nested_paging, struct trial *trial __attribute__((unused)))
NOT_HERE(svm_trial_leave, struct trial *trial __attribute__((unused)))
