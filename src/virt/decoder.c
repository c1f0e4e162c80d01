/* See decoder.h. */
#include "virt/decoder.h"

#include "lib/string.h"
#include "virt/opcodes.h"
#include "virt/vcpu.h"
#include "x86/instruction_format.h"

/* The registers that exist, by number: SDM 2, "MOV" with each kind of register. */
#define GENERAL_REGISTERS        BITS_MASK(15, 0)
#define CONTROL_REGISTERS        (BIT(0) | BIT(2) | BIT(3) | BIT(4) | BIT(8))
#define DEBUG_REGISTERS          BITS_MASK(7, 0)
#define SEGMENT_REGISTERS        BITS_MASK(SEGMENT_GS, SEGMENT_ES)
#define LOADED_SEGMENT_REGISTERS (SEGMENT_REGISTERS & ~BIT(SEGMENT_CS))

struct decoder {
    const uint8_t *bytes;
    size_t count, position;
    bool is_truncated;
    enum code_size code_size;
    uint8_t opcode, modrm, rex;
    uint8_t segment; /* of the last prefix, or SEGMENT_COUNT */
    bool has_operand_size, has_address_size;
    bool has_bad_register;
    struct opcode_row row;
    struct instruction instruction;
};

/* Reads a number of size bytes, sign-extended; past the end of the bytes it is 0. */
static uint64_t read_number(struct decoder *decoder, size_t size)
{
    uint64_t value = 0;

    if (size > decoder->count - decoder->position)
        decoder->is_truncated = true;
    if (decoder->is_truncated || size == 0)
        return 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)decoder->bytes[decoder->position++] << 8 * i;
    unsigned int unused = (unsigned int)(64 - 8 * size);
    return (uint64_t)((int64_t)(value << unused) >> unused);
}

static uint8_t read_byte(struct decoder *decoder)
{
    return (uint8_t)read_number(decoder, 1);
}

/* Returns whether a byte is a prefix, apart from REX, and notes it. */
static bool note_prefix(struct decoder *decoder, uint8_t byte)
{
    switch (byte) {
    case PREFIX_ES:
    case PREFIX_CS:
    case PREFIX_SS:
    case PREFIX_DS:
        if (decoder->code_size != CODE_64)
            decoder->segment = (uint8_t)BITS_GET(byte, 4, 3);
        return true;
    case PREFIX_FS:
    case PREFIX_GS:
        decoder->segment = (uint8_t)(SEGMENT_FS + (byte - PREFIX_FS));
        return true;
    case PREFIX_OPERAND_SIZE:
        decoder->has_operand_size = true;
        return true;
    case PREFIX_ADDRESS_SIZE:
        decoder->has_address_size = true;
        return true;
    case PREFIX_LOCK:
        decoder->instruction.has_lock = true;
        return true;
    case PREFIX_REPNE:
    case PREFIX_REP:
        decoder->instruction.repeat = byte == PREFIX_REP ? REPEAT_REP : REPEAT_REPNE;
        return true;
    default:
        return false;
    }
}

/* Reads the prefixes, of which REX must be the last, and the byte after them. */
static uint8_t read_prefixes(struct decoder *decoder)
{
    for (;;) {
        uint8_t byte = read_byte(decoder);
        if (decoder->code_size == CODE_64 && BITS_GET(byte, 7, 4) == PREFIX_REX >> 4)
            decoder->rex = byte;
        else if (note_prefix(decoder, byte))
            decoder->rex = 0;
        else
            return byte;
    }
}

static const struct opcode_row *read_opcode(struct decoder *decoder)
{
    decoder->opcode = read_prefixes(decoder);
    if (decoder->opcode == OPCODE_NOP && (decoder->rex & REX_B) != 0)
        return &opcodes_one_byte[OPCODE_XCHG];
    if (decoder->opcode != OPCODE_ESCAPE)
        return &opcodes_one_byte[decoder->opcode];
    decoder->opcode = read_byte(decoder);
    if (decoder->opcode != OPCODE_ESCAPE_0F38)
        return &opcodes_two_byte[decoder->opcode];
    decoder->opcode = read_byte(decoder);
    return decoder->opcode == OPCODE_INVPCID ? &opcode_invpcid
                                             : &opcodes_two_byte[OPCODE_ESCAPE_0F38];
}

static bool is_in_modrm(uint8_t place)
{
    return place != PLACE_NONE && place <= PLACE_LAST_MODRM;
}

/* Reads the opcode and ModRM, which select the row. */
static void read_row(struct decoder *decoder)
{
    const struct opcode_row *row = read_opcode(decoder);

    decoder->row = *row;
    if (row->group == GROUP_NONE && !is_in_modrm(row->operand[0].place) &&
        !is_in_modrm(row->operand[1].place))
        return;
    decoder->modrm = read_byte(decoder);
    if (row->group == GROUP_NONE)
        return;
    bool is_register = MODRM_MOD(decoder->modrm) == MOD_REGISTER;
    decoder->row     = row->group == GROUP_7 && is_register
                           ? opcodes_group_7_register[MODRM_REG_RM(decoder->modrm)]
                           : opcode_groups[row->group][MODRM_REG(decoder->modrm)];
    decoder->row.flags |= row->flags;
    if (decoder->row.operand[0].place == PLACE_NONE)
        memcpy(decoder->row.operand, row->operand, sizeof(row->operand));
}

static void set_sizes(struct decoder *decoder)
{
    bool is_16    = decoder->code_size == CODE_16;
    bool is_stack = decoder->code_size == CODE_64 && (decoder->row.flags & STACK) != 0;

    decoder->instruction.operand_size = (decoder->rex & REX_W) != 0 ? 8
                                        : decoder->has_operand_size ? (is_16 ? 4 : 2)
                                        : is_stack                  ? 8
                                                                    : (is_16 ? 2 : 4);
    decoder->instruction.address_size = !decoder->has_address_size
                                            ? (uint8_t)decoder->code_size
                                        : decoder->code_size == CODE_32 ? 2
                                                                        : 4;
}

/* Extends the number of a register by a bit of REX. */
static uint8_t extend(const struct decoder *decoder, uint64_t number, uint64_t rex_bit)
{
    return (uint8_t)(number | ((decoder->rex & rex_bit) != 0 ? 8 : 0));
}

static bool has_memory(const struct decoder *decoder)
{
    return MODRM_MOD(decoder->modrm) != MOD_REGISTER &&
           (decoder->row.flags & NO_MEMORY) == 0;
}

static uint8_t override_segment(const struct decoder *decoder, uint8_t segment)
{
    return decoder->segment < SEGMENT_COUNT ? decoder->segment : segment;
}

/* SDM 2, "16-Bit Addressing Forms with the ModR/M Byte". */
static void read_address_16(struct decoder *decoder, struct instruction_operand *memory)
{
    static const uint8_t registers[8][2] = {
        {REGISTER_RBX, REGISTER_RSI}, {REGISTER_RBX, REGISTER_RDI},
        {REGISTER_RBP, REGISTER_RSI}, {REGISTER_RBP, REGISTER_RDI},
        {REGISTER_RSI, ADDRESS_NONE}, {REGISTER_RDI, ADDRESS_NONE},
        {REGISTER_RBP, ADDRESS_NONE}, {REGISTER_RBX, ADDRESS_NONE},
    };
    uint64_t mod = MODRM_MOD(decoder->modrm), rm = MODRM_RM(decoder->modrm);
    bool has_base = mod != 0 || rm != NO_BASE_16;

    memory->base  = has_base ? registers[rm][0] : ADDRESS_NONE;
    memory->index = has_base ? registers[rm][1] : ADDRESS_NONE;
    memory->value = read_number(decoder, has_base ? mod : 2);
}

/* SDM 2, "32-Bit Addressing Forms with the ModR/M Byte", "... with the SIB Byte". */
static void read_address(struct decoder *decoder, struct instruction_operand *memory)
{
    static const uint8_t displacement_sizes[] = {0, 1, 4};
    uint64_t mod = MODRM_MOD(decoder->modrm), base = MODRM_RM(decoder->modrm);
    bool has_sib = base == RM_SIB;

    if (has_sib) {
        uint8_t sib   = read_byte(decoder);
        uint8_t index = extend(decoder, SIB_INDEX(sib), REX_X);
        base          = SIB_BASE(sib);
        memory->index = index == SIB_NO_INDEX ? ADDRESS_NONE : index;
        memory->scale = index == SIB_NO_INDEX ? 0 : (uint8_t)SIB_SCALE(sib);
    }
    if (mod == 0 && base == NO_BASE) {
        bool is_relative = !has_sib && decoder->code_size == CODE_64;
        memory->base     = is_relative ? ADDRESS_RIP : ADDRESS_NONE;
        memory->value    = read_number(decoder, 4);
        return;
    }
    memory->base  = extend(decoder, base, REX_B);
    memory->value = read_number(decoder, displacement_sizes[mod]);
}

/* Returns the memory that ModRM refers to. */
static struct instruction_operand read_memory(struct decoder *decoder)
{
    struct instruction_operand memory = {.kind = OPERAND_MEMORY, .index = ADDRESS_NONE};

    if (decoder->instruction.address_size == 2)
        read_address_16(decoder, &memory);
    else
        read_address(decoder, &memory);
    bool is_stack  = memory.base == REGISTER_RSP || memory.base == REGISTER_RBP;
    memory.segment = override_segment(decoder, is_stack ? SEGMENT_SS : SEGMENT_DS);
    return memory;
}

/* Returns the memory that the opcode implies or whose offset follows it. */
static struct instruction_operand read_implied_memory(struct decoder *decoder,
                                                      uint8_t place)
{
    size_t offset_size = place == OFFSET ? decoder->instruction.address_size : 0;

    return (struct instruction_operand){
        .kind    = OPERAND_MEMORY,
        .segment = place == AT_RDI ? SEGMENT_ES : override_segment(decoder, SEGMENT_DS),
        .base    = place == AT_RDI   ? REGISTER_RDI
                   : place == AT_RSI ? REGISTER_RSI
                                     : ADDRESS_NONE,
        .index   = ADDRESS_NONE,
        .value   = read_number(decoder, offset_size),
    };
}

/* Returns a register; notes one that does not exist or cannot be loaded. */
static struct instruction_operand find_register(struct decoder *decoder, uint8_t place)
{
    static const struct {
        uint8_t kind;
        uint16_t valid; /* bits: the numbers */
    } rows[] = {
        [RM]             = {OPERAND_REGISTER, GENERAL_REGISTERS},
        [REG]            = {OPERAND_REGISTER, GENERAL_REGISTERS},
        [CONTROL]        = {OPERAND_CONTROL_REGISTER, CONTROL_REGISTERS},
        [DEBUG]          = {OPERAND_DEBUG_REGISTER, DEBUG_REGISTERS},
        [SEGMENT]        = {OPERAND_SEGMENT_REGISTER, SEGMENT_REGISTERS},
        [SEGMENT_LOADED] = {OPERAND_SEGMENT_REGISTER, LOADED_SEGMENT_REGISTERS},
        [OPCODE]         = {OPERAND_REGISTER, GENERAL_REGISTERS},
        [RAX]            = {OPERAND_REGISTER, GENERAL_REGISTERS},
        [DX]             = {OPERAND_REGISTER, GENERAL_REGISTERS},
    };
    uint64_t reg            = MODRM_REG(decoder->modrm);
    uint8_t reg_r           = extend(decoder, reg, REX_R);
    const uint8_t numbers[] = {
        [RM]             = extend(decoder, MODRM_RM(decoder->modrm), REX_B),
        [REG]            = reg_r,
        [CONTROL]        = reg_r,
        [DEBUG]          = reg_r,
        [SEGMENT]        = (uint8_t)reg, /* ignores REX */
        [SEGMENT_LOADED] = (uint8_t)reg,
        [OPCODE]         = extend(decoder, OPCODE_REGISTER(decoder->opcode), REX_B),
        [RAX]            = REGISTER_RAX,
        [DX]             = REGISTER_RDX,
    };

    decoder->has_bad_register |= (rows[place].valid >> numbers[place] & 1) == 0;
    return (struct instruction_operand){.kind   = rows[place].kind,
                                        .number = numbers[place]};
}

/* Returns the size in bytes of an operand. */
static uint8_t operand_bytes(const struct decoder *decoder, uint8_t size)
{
    uint8_t full = decoder->instruction.operand_size;
    bool is_64   = decoder->code_size == CODE_64;
    bool is_byte = (decoder->opcode & 1) == 0; /* the bit w */

    switch (size) {
    case FULL:
        return full;
    case BY_W:
        return is_byte ? 1 : full;
    case BY_W_4:
        return is_byte ? 1 : full == 8 ? 4 : full;
    case DWORD_OR_8:
        return full == 8 ? 8 : 4;
    case NATIVE:
        return is_64 ? 8 : 4;
    case TABLE:
        return is_64 ? 10 : 6;
    case SELECTOR:
        return has_memory(decoder) ? 2 : full;
    default:
        return size;
    }
}

static struct instruction_operand read_immediate(struct decoder *decoder, uint8_t place,
                                                 uint8_t size)
{
    uint64_t value = read_number(decoder, size);

    return (struct instruction_operand){
        .kind  = OPERAND_IMMEDIATE,
        .value = place == UNSIGNED ? (uint8_t)value : value,
    };
}

/* Reads operand 0 or 1. The bytes of an immediate follow those of an address. */
static void read_operand(struct decoder *decoder, size_t i)
{
    struct instruction_operand *operand = &decoder->instruction.operand[i];
    uint8_t place                       = decoder->row.operand[i].place;
    uint8_t size   = operand_bytes(decoder, decoder->row.operand[i].size);
    uint16_t flags = decoder->row.flags;

    if (place == IMMEDIATE && size > sizeof(uint32_t))
        size = sizeof(uint32_t);
    if (place == RM && has_memory(decoder))
        *operand = read_memory(decoder);
    else if (place <= PLACE_LAST_REGISTER)
        *operand = find_register(decoder, place);
    else if (place <= PLACE_LAST_MEMORY)
        *operand = read_implied_memory(decoder, place);
    else
        *operand = read_immediate(decoder, place, size);
    operand->size       = size;
    operand->is_read    = i > 0 || (flags & READS) != 0;
    operand->is_written = (flags & (i > 0 ? WRITES_SECOND : WRITES)) != 0;
    if (operand->kind == OPERAND_REGISTER && size == 1 && decoder->rex == 0) {
        operand->is_high = operand->number >= REGISTER_RSP;
        operand->number %= REGISTER_RSP;
    }
}

static bool has_valid_prefixes(const struct decoder *decoder)
{
    const struct instruction *instruction = &decoder->instruction;
    unsigned int flags                    = decoder->row.flags;
    bool has_repeat                       = instruction->repeat != REPEAT_NONE;
    bool may_lock =
        (flags & MODIFIES) == MODIFIES && instruction->operand[0].kind == OPERAND_MEMORY;

    return !(instruction->has_lock && !may_lock) &&
           !((flags & NO_PREFIX) != 0 && (has_repeat || decoder->has_operand_size)) &&
           !((flags & PREFIX_66) != 0 && (has_repeat || !decoder->has_operand_size));
}

static bool is_valid(const struct decoder *decoder)
{
    unsigned int flags = decoder->row.flags;

    return decoder->row.name != INSTRUCTION_NONE &&
           (flags & (decoder->code_size == CODE_64 ? NOT_64 : ONLY_64)) == 0 &&
           !((flags & IN_MEMORY) != 0 && !has_memory(decoder)) &&
           !decoder->has_bad_register && has_valid_prefixes(decoder);
}

enum status instruction_decode(const uint8_t *bytes, size_t count,
                               enum code_size code_size, struct instruction *instruction)
{
    struct decoder decoder = {
        .bytes     = bytes,
        .count     = count < INSTRUCTION_LENGTH_MAX ? count : INSTRUCTION_LENGTH_MAX,
        .code_size = code_size,
        .segment   = SEGMENT_COUNT,
    };

    read_row(&decoder);
    set_sizes(&decoder);
    for (size_t i = 0; i < 2 && decoder.row.operand[i].place != PLACE_NONE; i++)
        read_operand(&decoder, i);
    if (decoder.is_truncated)
        return STATUS_MALFORMED;
    if (!is_valid(&decoder))
        return STATUS_UNSUPPORTED;
    bool is_renamed = decoder.instruction.repeat == REPEAT_REP &&
                      decoder.row.name_with_rep != INSTRUCTION_NONE;
    decoder.instruction.name = is_renamed ? decoder.row.name_with_rep : decoder.row.name;
    decoder.instruction.length = (uint8_t)decoder.position;
    *instruction               = decoder.instruction;
    return STATUS_OK;
}
