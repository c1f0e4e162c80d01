/* See io_apic.h. */
#include "platform/io_apic.h"

static uint32_t read_register(const struct io_apic_input *input, uint32_t number)
{
    input->registers[IO_APIC_SELECT] = number;
    return input->registers[IO_APIC_WINDOW];
}

static void write_register(const struct io_apic_input *input, uint32_t number,
                           uint32_t value)
{
    input->registers[IO_APIC_SELECT] = number;
    input->registers[IO_APIC_WINDOW] = value;
}

enum status io_apic_enable(const struct io_apic_input *input, uint8_t vector,
                           uint32_t apic_id)
{
    uint32_t last  = IO_APIC_VERSION_LAST(read_register(input, IO_APIC_VERSION));
    uint32_t entry = IO_APIC_TABLE + 2 * input->number;

    if (input->number > last || apic_id > IO_APIC_LARGEST_APIC_ID)
        return STATUS_OUT_OF_RANGE;
    write_register(input, entry, IO_APIC_ENTRY_MASKED);
    write_register(input, entry + 1, apic_id << 24);
    write_register(input, entry,
                   vector | (input->is_active_low ? IO_APIC_ENTRY_ACTIVE_LOW : 0) |
                       (input->is_level ? IO_APIC_ENTRY_LEVEL : 0));
    return STATUS_OK;
}
