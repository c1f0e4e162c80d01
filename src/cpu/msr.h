/*
 * Model-specific registers that may not exist: the outcome of reading or writing one,
 * which can be recorded. SDM 4, "Model-Specific Registers (MSRs)".
 */
#ifndef HYMIR_CPU_MSR_H
#define HYMIR_CPU_MSR_H

#include "cpu/instructions.h"

#include <stdbool.h>
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

/* The outcome of writing an MSR and reading it back. */
struct msr_write {
    bool is_tried;
    uint32_t fault; /* of WRMSR: FAULT_NONE, or the exception */
    uint64_t written;
    struct msr_reading reading;
};

/* Writes an MSR of this CPU that may not accept the value, and reads it back. */
static inline struct msr_write msr_write_try(uint32_t msr, uint64_t value)
{
    struct msr_write write = {.is_tried = true, .written = value};

    write.fault   = wrmsr_safe(msr, value);
    write.reading = msr_read_safe(msr);
    return write;
}

/* Returns whether the MSR accepted the value. */
static inline bool msr_write_succeeded(const struct msr_write *write)
{
    return write->is_tried && write->fault == FAULT_NONE &&
           write->reading.state == MSR_READ && write->reading.value == write->written;
}

#endif
