/*
 * The measurement of vmx/timing.h, on the CPU that executes it.
 */
#ifndef HYMIR_VMX_STOPWATCH_H
#define HYMIR_VMX_STOPWATCH_H

#include "mm/address.h"
#include "vmx/capabilities.h"
#include "vmx/timing.h"

/* What a measurement needs. */
struct stopwatch_request {
    const struct vmx_capabilities *capabilities;
    hpa_t vmcs;     /* the current VMCS, whose guest has been entered before */
    uint64_t cpuid; /* RIPs of the guest's two instructions */
    uint64_t vmcall;
    uint32_t *samples; /* room for TIMING_ROUNDS */
};

/*
 * Measures all kinds that the processor has, each for at most 50 ms; fewer rounds are
 * told in the statistics, and a kind that fails is not measured. The guest ends where it
 * cannot go on. In VMX root operation, with interrupts off.
 */
void stopwatch_run(const struct stopwatch_request *request, struct timings *timings);

#endif
