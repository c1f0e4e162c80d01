/* See virtualization.h. */
#include "virt/virtualization.h"

struct msr_reading record_msr(const struct cpu_record *record, uint32_t msr)
{
    const struct virtualization *virtualization = record->virtualization;

    for (size_t i = 0; i < virtualization->register_count; i++) {
        const struct register_row *row = &virtualization->registers[i];
        if (row->msr == msr)
            return *(const struct msr_reading *)((const char *)record + row->offset);
    }
    return (struct msr_reading){.state = MSR_NOT_READ};
}
