/* See vcpu.h. */
#include "virt/vcpu.h"

#include "lib/format.h"

#include <stdarg.h>

enum exit_outcome vcpu_record_end(struct vcpu *vcpu, enum guest_end_kind kind,
                                  const char *format, ...)
{
    struct guest_end *end = vcpu->end;
    int runs              = GUEST_RUNS;
    va_list arguments;

    if (!atomic_compare_exchange_strong(&end->state, &runs, GUEST_IS_ENDING))
        return EXIT_STOP;
    va_start(arguments, format);
    format_text_list(end->text, sizeof(end->text), format, arguments);
    va_end(arguments);
    end->kind = kind;
    end->vcpu = vcpu;
    atomic_store(&end->state, GUEST_ENDED);
    return EXIT_STOP;
}

void vcpu_reset(struct vcpu *vcpu, const struct vcpu_start *start)
{
    vcpu->start = start;
    for (size_t i = 0; i < vcpu->row_count; i++)
        vcpu->row[i] = (struct exit_row){.handler = vcpu->row[i].handler};
    for (size_t i = 0; i < TRACE_RECORDS; i++) {
        vcpu->record[i].next   = &vcpu->record[(i + 1) % TRACE_RECORDS];
        vcpu->record[i].reason = TRACE_RECORD_UNUSED;
    }
    vcpu->newest = &vcpu->record[TRACE_RECORDS - 1];
}

enum exit_outcome vcpu_request_all_registers(struct vcpu *vcpu)
{
    size_t index = (size_t)(vcpu->newest - vcpu->record);

    vcpu->newest->reason = TRACE_RECORD_UNUSED;
    vcpu->newest         = &vcpu->record[(index + TRACE_RECORDS - 1) % TRACE_RECORDS];
    return EXIT_ALL_REGISTERS;
}
