/* See operand.h. */
#include "virt/operand.h"

#include "lib/bits.h"

uint64_t operand_offset(const struct instruction_operand *operand, uint8_t address_size,
                        const uint64_t *registers, uint64_t next_rip)
{
    uint64_t offset = operand->value;

    if (operand->base == ADDRESS_RIP)
        offset += next_rip;
    else if (operand->base != ADDRESS_NONE)
        offset += registers[operand->base];
    if (operand->index != ADDRESS_NONE)
        offset += registers[operand->index] << operand->scale;
    return offset & BYTES_MASK(address_size);
}

uint64_t operand_read_register(const struct instruction_operand *operand,
                               const uint64_t *registers)
{
    return registers[operand->number] >> (operand->is_high ? 8 : 0) &
           BYTES_MASK(operand->size);
}

void operand_write_register(const struct instruction_operand *operand,
                            uint64_t *registers, uint64_t value)
{
    unsigned int shift = operand->is_high ? 8 : 0;
    uint64_t mask      = BYTES_MASK(operand->size) << shift;
    uint64_t kept      = operand->size == 4 ? 0 : registers[operand->number] & ~mask;

    registers[operand->number] = kept | (value << shift & mask);
}
