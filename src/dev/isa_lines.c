/* See isa_lines.h. */
#include "dev/isa_lines.h"

#define CASCADE_LINE 2U

static void line_changed(void *listener, const struct interrupt_line *line)
{
    struct isa_lines *lines = listener;
    bool is_timer           = line->number == ISA_TIMER_LINE;
    unsigned int input      = is_timer ? ISA_TIMER_IO_APIC_INPUT : line->number;

    if (line->number == CASCADE_LINE)
        return;
    interrupt_line_set(&lines->pic->input[line->number], line->is_high);
    interrupt_line_set(&lines->io_apic->input[input], line->is_high);
}

static bool is_timer_masked(const struct isa_lines *lines)
{
    return lines->is_timer_masked_by_pic && lines->is_timer_masked_by_io_apic;
}

/* Reports an event of the timer's line; *is_masked belongs to the controller. */
static void report_event(const struct isa_lines *lines, bool *is_masked,
                         enum interrupt_event event)
{
    bool was_masked = is_timer_masked(lines);

    if (event != INTERRUPT_TAKEN)
        *is_masked = event == INTERRUPT_MASKED;
    if (event == INTERRUPT_TAKEN || is_timer_masked(lines) != was_masked)
        interrupt_line_report(&lines->line[ISA_TIMER_LINE], event);
}

static void pic_event(void *device, enum interrupt_event event)
{
    struct isa_lines *lines = device;
    report_event(lines, &lines->is_timer_masked_by_pic, event);
}

static void io_apic_event(void *device, enum interrupt_event event)
{
    struct isa_lines *lines = device;
    report_event(lines, &lines->is_timer_masked_by_io_apic, event);
}

void isa_lines_init(struct isa_lines *lines, struct pic *pic, struct io_apic *io_apic)
{
    struct interrupt_line *pic_input     = &pic->input[ISA_TIMER_LINE];
    struct interrupt_line *io_apic_input = &io_apic->input[ISA_TIMER_IO_APIC_INPUT];

    *lines = (struct isa_lines){.pic                        = pic,
                                .io_apic                    = io_apic,
                                .is_timer_masked_by_pic     = true,
                                .is_timer_masked_by_io_apic = true};
    for (uint8_t i = 0; i < ISA_LINES; i++)
        lines->line[i] = (struct interrupt_line){
            .number = i, .changed = line_changed, .listener = lines};
    pic_input->event      = pic_event;
    pic_input->device     = lines;
    io_apic_input->event  = io_apic_event;
    io_apic_input->device = lines;
}
