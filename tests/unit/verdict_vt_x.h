/*
 * Records of a machine with VT-x, on which every step passed.
 */
#ifndef HYMIR_TESTS_VERDICT_VT_X_H
#define HYMIR_TESTS_VERDICT_VT_X_H

#include "snapshots.h"
#include "verdict.h"

static inline int records_start(void **state)
{
    (void)state;
    scope = (struct verdict_scope){.machine = "unknown"};
    for (uint32_t i = 0; i < ARRAY_SIZE(records); i++) {
        records[i]         = record_ready(&coffee_lake);
        records[i].apic_id = 2 * i;
    }
    return 0;
}

static inline void set_feature_control(size_t index, uint64_t value)
{
    vmx_record_of(&records[index])->feature_control = reading_of(value);
    memset(&vmx_record_of(&records[index])->steps, 0,
           sizeof(vmx_record_of(&records[index])->steps));
}

#endif
