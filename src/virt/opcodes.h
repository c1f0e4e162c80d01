/*
 * The opcode maps of the decoder: what each opcode is, and where its operands are.
 *
 * SDM 2, "Opcode Map".
 */
#ifndef HYMIR_VIRT_OPCODES_H
#define HYMIR_VIRT_OPCODES_H

#include "virt/decoder.h"

/* Where an operand is. */
enum operand_place {
    PLACE_NONE,
    RM,             /* register or memory: ModRM.mod and ModRM.r/m */
    REG,            /* register ModRM.reg */
    CONTROL,        /* control register ModRM.reg */
    DEBUG,          /* debug register ModRM.reg */
    SEGMENT,        /* segment register ModRM.reg */
    SEGMENT_LOADED, /* the same, but not CS */
    OPCODE,         /* register: bits 2:0 of the opcode */
    RAX,            /* AL, AX, EAX, RAX */
    DX,             /* the port */
    OFFSET,         /* memory at an offset in the instruction */
    AT_RSI,         /* memory at DS:rSI */
    AT_RDI,         /* memory at ES:rDI */
    IMMEDIATE,      /* at most 4 bytes, sign-extended */
    IMMEDIATE_64,   /* up to 8 bytes */
    UNSIGNED,       /* a byte, zero-extended */
    PLACE_LAST_MODRM    = SEGMENT_LOADED,
    PLACE_LAST_REGISTER = DX,
    PLACE_LAST_MEMORY   = AT_RDI,
};

/* The size of an operand: a number of bytes, or a rule. */
enum operand_size {
    BYTE  = 1,
    WORD  = 2,
    DWORD = 4,
    XWORD = 16, /* the descriptor of INVPCID */
    FULL,       /* the operand size */
    BY_W,       /* by bit 0 of the opcode: a byte, or the operand size */
    BY_W_4,     /* as BY_W, at most 4 bytes */
    DWORD_OR_8, /* 8 bytes with REX.W, otherwise 4 */
    NATIVE,     /* 8 bytes in 64-bit code, otherwise 4 */
    TABLE,      /* limit and base of a descriptor table */
    SELECTOR,   /* the operand size in a register, a word in memory */
};

enum opcode_flag {
    READS         = 1 << 0,         /* the first operand */
    WRITES        = 1 << 1,         /* the first operand */
    MODIFIES      = READS | WRITES, /* allows LOCK if the operand is in memory */
    WRITES_SECOND = 1 << 2,
    EXCHANGES     = MODIFIES | WRITES_SECOND,
    IN_MEMORY     = 1 << 3, /* ModRM.mod may not be 3 */
    NO_MEMORY     = 1 << 4, /* ModRM.mod is taken as 3 */
    NOT_64        = 1 << 5, /* invalid in 64-bit code */
    ONLY_64       = 1 << 6, /* valid only in 64-bit code */
    STACK         = 1 << 7, /* the operand size defaults to 8 in 64-bit code */
    NO_PREFIX     = 1 << 8, /* not with prefix 66, F2 or F3 */
    PREFIX_66     = 1 << 9, /* only with prefix 66, which is part of the opcode */
};

/* The opcodes that ModRM.reg extends: SDM 2, "Opcode Extensions for ... Group Number". */
enum opcode_group {
    GROUP_NONE,
    GROUP_1,
    GROUP_3,
    GROUP_4, /* and 5 */
    GROUP_6,
    GROUP_7,
    GROUP_8,
    GROUP_11,
    GROUP_COUNT,
};

struct opcode_row {
    uint8_t name; /* enum instruction_name; INSTRUCTION_NONE: unknown */
    struct {
        uint8_t place, size;
    } operand[2]; /* of a row of a group: those of its opcode, if it has none */
    uint16_t flags;
    uint8_t name_with_rep; /* with prefix F3, if it differs */
    uint8_t group;         /* enum opcode_group: of an opcode that ModRM.reg extends */
};

extern const struct opcode_row opcodes_one_byte[256];
extern const struct opcode_row opcodes_two_byte[256];
extern const struct opcode_row opcode_invpcid;
extern const struct opcode_row opcode_groups[GROUP_COUNT][8];

/* Group 7 with ModRM.mod 3, by ModRM.reg and ModRM.r/m. */
extern const struct opcode_row opcodes_group_7_register[64];

#endif
