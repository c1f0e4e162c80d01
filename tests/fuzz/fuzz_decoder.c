/* The code of a guest: src/virt/decoder.c. The first byte selects the size of code. */
#include "fuzz.h"

#include "lib/bits.h"
#include "virt/decoder.h"

static void require_operand(const struct instruction_operand *operand)
{
    REQUIRE(operand->kind <= OPERAND_IMMEDIATE);
    REQUIRE(operand->number < 16 && operand->scale < 4 && operand->segment <= SEGMENT_GS);
    REQUIRE(operand->base <= ADDRESS_NONE && operand->index != ADDRESS_RIP);
    REQUIRE(operand->kind == OPERAND_NONE || operand->size > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum code_size code_sizes[] = {CODE_16, CODE_32, CODE_64};
    const uint64_t registers[16]             = {0};
    struct instruction instruction, again;

    if (size == 0)
        return 0;
    enum code_size code_size = code_sizes[data[0] % ARRAY_SIZE(code_sizes)];
    uint8_t *bytes           = malloc(size - 1);
    memcpy(bytes, data + 1, size - 1);
    enum status status = instruction_decode(bytes, size - 1, code_size, &instruction);
    if (status == STATUS_OK) {
        size_t length = instruction.length;
        REQUIRE(instruction.name != INSTRUCTION_NONE);
        REQUIRE(length > 0 && length < size && length <= INSTRUCTION_LENGTH_MAX);
        REQUIRE(instruction_decode(bytes, length, code_size, &again) == STATUS_OK);
        REQUIRE(again.length == length);
        REQUIRE(instruction_decode(bytes, length - 1, code_size, &again) ==
                STATUS_MALFORMED);
        for (size_t i = 0; i < 2; i++) {
            const struct instruction_operand *operand = &instruction.operand[i];
            require_operand(operand);
            if (operand->kind == OPERAND_MEMORY)
                (void)operand_offset(operand, instruction.address_size, registers, 0);
        }
    } else {
        REQUIRE(status == STATUS_MALFORMED || status == STATUS_UNSUPPORTED);
    }
    free(bytes);
    return 0;
}
