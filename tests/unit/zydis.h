/*
 * Zydis, an independent decoder, with its results in the terms of src/virt/decoder.h.
 */
#ifndef HYMIR_TESTS_ZYDIS_H
#define HYMIR_TESTS_ZYDIS_H

#include "unit.h"

#include "virt/decoder.h"

#include <Zydis/Zydis.h>
#include <ctype.h>

static const char *const instruction_names[] = {"",
#define NAME(name) #name
                                                INSTRUCTIONS(NAME)
#undef NAME
};
#define INSTRUCTION_COUNT (sizeof(instruction_names) / sizeof(instruction_names[0]))

static ZydisDecoder zydis_decoders[3];
static uint8_t zydis_names[ZYDIS_MNEMONIC_MAX_VALUE + 1]; /* enum instruction_name */

static const enum code_size code_sizes[] = {CODE_16, CODE_32, CODE_64};

/* Returns the name of one of Zydis's mnemonics, which have the size as a last letter. */
static uint8_t find_name(ZydisMnemonic mnemonic)
{
    static const char *const sized[] = {"CMPS", "INS",  "IRET",  "LODS", "MOVS",
                                        "OUTS", "POPF", "PUSHF", "SCAS", "STOS"};
    char upper[32]                   = "";
    const char *string               = ZydisMnemonicGetString(mnemonic);

    for (size_t i = 0; string != NULL && string[i] != '\0' && i < sizeof(upper) - 1; i++)
        upper[i] = (char)toupper(string[i]);
    for (uint8_t i = 1; i < INSTRUCTION_COUNT; i++) {
        if (strcmp(upper, instruction_names[i]) == 0)
            return i;
    }
    for (size_t i = 0; i < sizeof(sized) / sizeof(sized[0]); i++) {
        size_t length = strlen(sized[i]);
        if (strncmp(upper, sized[i], length) != 0 ||
            strchr("BWDQ", upper[length]) == NULL)
            continue;
        for (uint8_t j = 1; j < INSTRUCTION_COUNT && upper[length + 1] == '\0'; j++) {
            if (strcmp(sized[i], instruction_names[j]) == 0)
                return j;
        }
    }
    return INSTRUCTION_NONE;
}

static int start_zydis(void **state)
{
    (void)state;
    static const ZydisMachineMode modes[] = {ZYDIS_MACHINE_MODE_LEGACY_16,
                                             ZYDIS_MACHINE_MODE_LEGACY_32,
                                             ZYDIS_MACHINE_MODE_LONG_64};
    static const ZydisStackWidth widths[] = {ZYDIS_STACK_WIDTH_16, ZYDIS_STACK_WIDTH_32,
                                             ZYDIS_STACK_WIDTH_64};

    for (size_t i = 0; i < 3; i++)
        assert_true(
            ZYAN_SUCCESS(ZydisDecoderInit(&zydis_decoders[i], modes[i], widths[i])));
    for (int i = 0; i <= ZYDIS_MNEMONIC_MAX_VALUE; i++)
        zydis_names[i] = find_name(i);
    return 0;
}

/* Returns whether src/virt/decoder.h promises to decode an instruction. */
static bool zydis_is_promised(const ZydisDecodedInstruction *zydis)
{
    bool is_wide_nop =
        zydis->mnemonic == ZYDIS_MNEMONIC_NOP && zydis->opcode_map == ZYDIS_OPCODE_MAP_0F;

    return zydis_names[zydis->mnemonic] != INSTRUCTION_NONE &&
           (zydis->meta.isa_set != ZYDIS_ISA_SET_SSE2 /* MOVSD, CMPSD */ ||
            zydis->mnemonic == ZYDIS_MNEMONIC_MOVNTI) &&
           !is_wide_nop;
}

static uint8_t zydis_number(ZydisRegister reg)
{
    if (reg == ZYDIS_REGISTER_NONE)
        return ADDRESS_NONE;
    if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
        return ADDRESS_RIP;
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
        reg = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
        break;
    default:
        break;
    }
    return (uint8_t)ZydisRegisterGetId(reg);
}

static uint8_t zydis_kind(ZydisRegister reg)
{
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_SEGMENT:
        return OPERAND_SEGMENT_REGISTER;
    case ZYDIS_REGCLASS_CONTROL:
        return OPERAND_CONTROL_REGISTER;
    case ZYDIS_REGCLASS_DEBUG:
        return OPERAND_DEBUG_REGISTER;
    default:
        return OPERAND_REGISTER;
    }
}

static struct instruction_operand zydis_operand(const ZydisDecodedOperand *from)
{
    struct instruction_operand to = {
        .size       = (uint8_t)(from->size / 8),
        .is_read    = (from->actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0,
        .is_written = (from->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0,
    };

    if (from->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        to.kind = zydis_kind(from->reg.value);
        to.is_high =
            from->reg.value >= ZYDIS_REGISTER_AH && from->reg.value <= ZYDIS_REGISTER_BH;
        to.number = zydis_number(from->reg.value);
    } else if (from->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        to.kind    = OPERAND_MEMORY;
        to.segment = zydis_number(from->mem.segment);
        to.base    = zydis_number(from->mem.base);
        to.index   = zydis_number(from->mem.index);
        to.scale   = from->mem.scale == 0 ? 0 : (uint8_t)__builtin_ctz(from->mem.scale);
        to.value   = (uint64_t)from->mem.disp.value;
    } else if (from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        to.kind  = OPERAND_IMMEDIATE;
        to.value = from->imm.value.u;
    }
    return to;
}

#endif
