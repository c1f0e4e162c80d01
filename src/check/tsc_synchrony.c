/* See tsc_synchrony.h. */
#include "check/tsc_synchrony.h"

/* Adds the offset of a CPU's TSC. */
static void add_offset(struct tsc_synchrony_summary *summary,
                       const struct tsc_offset *offset, size_t cpu)
{
    enum tsc_synchrony synchrony = tsc_offset_synchrony(offset);
    uint64_t error               = tsc_offset_error(offset);

    if (synchrony == TSC_NOT_COMPARED) {
        summary->missing++;
        return;
    }
    summary->compared++;
    if (synchrony == TSC_IN_STEP) {
        summary->in_step++;
        summary->error = error > summary->error ? error : summary->error;
    } else if (summary->first_off == 0) {
        summary->first_off = cpu;
    }
}

struct tsc_synchrony_summary tsc_synchrony_summarize(const struct cpu_record *records,
                                                     size_t count)
{
    struct tsc_synchrony_summary summary = {0};
    const struct msr_reading *boot_cpu   = &records[0].tsc_adjust;

    for (size_t i = 1; i < count; i++) {
        const struct msr_reading *adjust = &records[i].tsc_adjust;
        if (records[i].answer != CPU_ANSWERED)
            continue;
        add_offset(&summary, &records[i].tsc_offset, i);
        if (boot_cpu->state == adjust->state && boot_cpu->value == adjust->value)
            continue;
        summary.adjusted++;
        if (summary.first_adjust == 0)
            summary.first_adjust = i;
    }
    return summary;
}

bool tsc_synchrony_is_bad(const struct tsc_synchrony_summary *summary)
{
    return summary->first_off != 0 || summary->first_adjust != 0;
}

static void append_adjust(const struct msr_reading *adjust, struct text *text)
{
    if (adjust->state == MSR_READ)
        text_append(text, "0x%lx", adjust->value);
    else
        text_append(text, "not readable");
}

void tsc_synchrony_describe(const struct tsc_synchrony_summary *summary,
                            const struct cpu_record *records, struct text *text)
{
    text_append(text, "TSCs: %zu of %zu other CPUs in step with cpu 0", summary->in_step,
                summary->compared);
    if (summary->in_step > 0)
        text_append(text, ", within %lu ticks", summary->error);
    if (summary->missing > 0)
        text_append(text, "; not compared: %zu", summary->missing);
    if (summary->first_off != 0) {
        text_append(text, "; cpu %zu: ", summary->first_off);
        tsc_offset_describe(&records[summary->first_off].tsc_offset, text);
    }
    if (summary->first_adjust == 0)
        return;
    text_append(text, "; IA32_TSC_ADJUST differs on %zu CPUs: cpu 0 ", summary->adjusted);
    append_adjust(&records[0].tsc_adjust, text);
    text_append(text, ", cpu %zu ", summary->first_adjust);
    append_adjust(&records[summary->first_adjust].tsc_adjust, text);
}

void tsc_synchrony_describe_cpu(const struct cpu_record *record, struct text *text)
{
    enum tsc_synchrony synchrony = tsc_offset_synchrony(&record->tsc_offset);

    if (synchrony == TSC_NOT_IN_STEP || synchrony == TSC_DRIFTS) {
        text_append(text, "; TSC ");
        tsc_offset_describe(&record->tsc_offset, text);
    }
    if (record->tsc_adjust.value != 0)
        text_append(text, "; IA32_TSC_ADJUST = 0x%lx", record->tsc_adjust.value);
}
