/*
 * The operands of a decoded instruction: where they are, and the general registers among
 * them.
 *
 * Pure. SDM 1, "Operand Addressing".
 */
#ifndef HYMIR_VIRT_OPERAND_H
#define HYMIR_VIRT_OPERAND_H

#include <stdbool.h>
#include <stdint.h>

enum operand_kind {
    OPERAND_NONE,
    OPERAND_REGISTER, /* a general one */
    OPERAND_SEGMENT_REGISTER,
    OPERAND_CONTROL_REGISTER,
    OPERAND_DEBUG_REGISTER,
    OPERAND_MEMORY,
    OPERAND_IMMEDIATE,
};

/* The base and index of an operand in memory, besides the general registers. */
#define ADDRESS_RIP  16U /* the address of the next instruction */
#define ADDRESS_NONE 17U

/* An operand, also if the opcode implies it: AL, DX, or the memory of MOVS. */
struct instruction_operand {
    uint8_t kind;   /* enum operand_kind */
    uint8_t size;   /* bytes */
    uint8_t number; /* of the register */
    bool is_high;   /* AH, CH, DH or BH: bits 15:8 of register number */
    bool is_read, is_written;

    /* OPERAND_MEMORY: base + (index << scale) + value. */
    uint8_t segment; /* enum segment_number; 64-bit code ignores all but FS and GS */
    uint8_t base, index, scale;

    /* Sign-extended displacement or immediate; vectors and ports are zero-extended. */
    uint64_t value;
};

/*
 * Returns the offset of an operand in its segment, given the 16 general registers, RSP
 * included, and the address of the next instruction. The bit offset of BT, BTC, BTR and
 * BTS in a register is not added.
 */
uint64_t operand_offset(const struct instruction_operand *operand, uint8_t address_size,
                        const uint64_t *registers, uint64_t next_rip);

/*
 * Read, zero-extended, and write the general register of an operand. Writing 4 bytes
 * clears the upper 4: SDM 1, "General-Purpose Registers in 64-Bit Mode".
 */
uint64_t operand_read_register(const struct instruction_operand *operand,
                               const uint64_t *registers);
void operand_write_register(const struct instruction_operand *operand,
                            uint64_t *registers, uint64_t value);

#endif
