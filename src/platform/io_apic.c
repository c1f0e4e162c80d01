/* See io_apic.h. */
#include "platform/io_apic.h"

#include "lib/bits.h"

/* The registers, as indexes of 32-bit words, and what the first selects. */
#define SELECT              0
#define WINDOW              4
#define REGISTER_VERSION    1U
#define REGISTER_TABLE      0x10U /* two for each input */
#define VERSION_LAST(value) BITS_GET(value, 23, 16)

/* The low half of an entry: fixed delivery, physical destination. */
#define ENTRY_ACTIVE_LOW (1U << 13)
#define ENTRY_LEVEL      (1U << 15)
#define ENTRY_MASKED     (1U << 16)
#define LARGEST_APIC_ID  255U

static uint32_t read_register(const struct io_apic_input *input, uint32_t number)
{
    input->registers[SELECT] = number;
    return input->registers[WINDOW];
}

static void write_register(const struct io_apic_input *input, uint32_t number,
                           uint32_t value)
{
    input->registers[SELECT] = number;
    input->registers[WINDOW] = value;
}

enum status io_apic_enable(const struct io_apic_input *input, uint8_t vector,
                           uint32_t apic_id)
{
    uint32_t last  = (uint32_t)VERSION_LAST(read_register(input, REGISTER_VERSION));
    uint32_t entry = REGISTER_TABLE + 2 * input->number;

    if (input->number > last || apic_id > LARGEST_APIC_ID)
        return STATUS_OUT_OF_RANGE;
    write_register(input, entry, ENTRY_MASKED);
    write_register(input, entry + 1, apic_id << 24);
    write_register(input, entry,
                   vector | (input->is_active_low ? ENTRY_ACTIVE_LOW : 0) |
                       (input->is_level ? ENTRY_LEVEL : 0));
    return STATUS_OK;
}
