/* See io_apic.h. */
#include "platform/io_apic.h"

static uint32_t read_register(volatile uint32_t *registers, uint32_t number)
{
    registers[IO_APIC_SELECT] = number;
    return registers[IO_APIC_WINDOW];
}

static void write_register(volatile uint32_t *registers, uint32_t number, uint32_t value)
{
    registers[IO_APIC_SELECT] = number;
    registers[IO_APIC_WINDOW] = value;
}

/* Returns the number of inputs; 0 if nothing responds, or another device. */
static uint32_t count_inputs(volatile uint32_t *registers)
{
    uint32_t version = read_register(registers, IO_APIC_VERSION);
    uint32_t last    = IO_APIC_VERSION_LAST(version);
    return version == 0 || last > IO_APIC_LAST_MAX ? 0 : last + 1;
}

enum status io_apic_enable(const struct io_apic_input *input, uint8_t vector,
                           uint32_t apic_id)
{
    uint32_t entry = IO_APIC_TABLE + 2 * input->number;

    if (input->number >= count_inputs(input->registers) ||
        apic_id > IO_APIC_LARGEST_APIC_ID)
        return STATUS_OUT_OF_RANGE;
    write_register(input->registers, entry, IO_APIC_ENTRY_MASKED);
    write_register(input->registers, entry + 1, apic_id << 24);
    write_register(input->registers, entry,
                   vector | (input->is_active_low ? IO_APIC_ENTRY_ACTIVE_LOW : 0) |
                       (input->is_level ? IO_APIC_ENTRY_LEVEL : 0));
    return STATUS_OK;
}

uint32_t io_apic_mask(volatile uint32_t *registers)
{
    uint32_t count = count_inputs(registers), masked = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = IO_APIC_TABLE + 2 * i;
        uint32_t value = read_register(registers, entry);
        if (IO_APIC_ENTRY_DELIVERY(value) == IO_APIC_DELIVERY_SMI)
            continue;
        masked += (value & IO_APIC_ENTRY_MASKED) == 0;
        write_register(registers, entry, IO_APIC_ENTRY_MASKED);
    }
    return masked;
}

enum status io_apic_mask_vector(volatile uint32_t *registers, uint8_t vector,
                                uint32_t *input)
{
    uint32_t count = count_inputs(registers);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = IO_APIC_TABLE + 2 * i;
        uint32_t value = read_register(registers, entry);
        if ((value & IO_APIC_ENTRY_MASKED) != 0 || IO_APIC_ENTRY_VECTOR(value) != vector)
            continue;
        write_register(registers, entry, value | IO_APIC_ENTRY_MASKED);
        *input = i;
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}
