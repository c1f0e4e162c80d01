/*
 * Model-specific registers that may not exist: the outcome of reading one, which can be
 * recorded. SDM 4, "Model-Specific Registers (MSRs)".
 */
#ifndef HYMIR_CPU_MSR_H
#define HYMIR_CPU_MSR_H

#include "cpu/instructions.h"

#include <stdint.h>

enum msr_state {
    MSR_NOT_READ, /* the processor does not report the register */
    MSR_READ,
    MSR_FAULTED, /* the processor reports it, but RDMSR raised an exception */
};

struct msr_reading {
    uint64_t value; /* 0 unless MSR_READ */
    enum msr_state state;
    uint32_t vector; /* the exception, if MSR_FAULTED */
};

/* Reads an MSR of this CPU and records an exception. */
static inline struct msr_reading msr_read_safe(uint32_t msr)
{
    struct msr_reading reading = {.state = MSR_READ};
    uint32_t fault             = rdmsr_safe(msr, &reading.value);
    if (fault != FAULT_NONE) {
        reading.state  = MSR_FAULTED;
        reading.vector = FAULT_VECTOR(fault);
    }
    return reading;
}

#endif
