/* src/virt/decoder.c on random bytes, compared with Zydis. */
#include "random.h"
#include "zydis.h"

#define STRINGS     1000000 /* decoded in each mode */
#define COUNT_LEAST 60      /* how often each instruction must have been decoded */

static unsigned int decoded_count[INSTRUCTION_COUNT];

static uint8_t pick(const uint8_t *from, size_t count)
{
    return from[random_below(count)];
}

/* Adds up to four prefixes, sometimes REX in any place, and often one after them. */
static size_t put_prefixes(uint8_t *bytes)
{
    static const uint8_t prefixes[] = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65,
                                       0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x40};
    size_t count                    = random_below(5);

    for (size_t i = 0; i < count; i++) {
        bytes[i] = pick(prefixes, sizeof(prefixes));
        if (bytes[i] == 0x40)
            bytes[i] |= (uint8_t)random_below(16);
    }
    if (random_below(2) == 0)
        bytes[count++] = (uint8_t)(0x40 | random_below(16));
    return count;
}

/* Makes bytes that are random, but more often an instruction that the decoder knows. */
static void make_bytes(uint8_t bytes[INSTRUCTION_LENGTH_MAX + 1])
{
    static const uint8_t two_byte[] = {0x00, 0x01, 0x06, 0x08, 0x09, 0x20, 0x21, 0x22,
                                       0x23, 0x30, 0x31, 0x32, 0x33, 0x38, 0xA2, 0xA3,
                                       0xAA, 0xAB, 0xB0, 0xB1, 0xB3, 0xB6, 0xB7, 0xBA,
                                       0xBB, 0xBE, 0xBF, 0xC0, 0xC1, 0xC3};

    for (size_t i = 0; i <= INSTRUCTION_LENGTH_MAX; i++)
        bytes[i] = (uint8_t)random_number();
    if (random_below(64) == 0)
        memset(bytes, 0x66, 4 + random_below(8)); /* up to and beyond the longest */
    uint8_t *opcode = bytes + put_prefixes(bytes);
    if (random_below(2) == 0)
        return;
    opcode[0] = 0x0F;
    if (random_below(8) == 0)
        return;
    opcode[1] = pick(two_byte, sizeof(two_byte));
    if (opcode[1] == 0x38 && random_below(2) == 0)
        opcode[2] = 0x82;
    if (opcode[1] == 0x01 && random_below(2) == 0)
        opcode[2] |= 0xC0;
}

static void assert_same_operand(const struct instruction_operand *ours,
                                const struct instruction_operand *theirs)
{
    assert_int_equal(ours->kind, theirs->kind);
    assert_int_equal(ours->is_written, theirs->is_written);
    assert_int_equal(ours->is_read, theirs->is_read);
    if (ours->kind != OPERAND_IMMEDIATE)
        assert_int_equal(ours->size, theirs->size);
    assert_int_equal(ours->number, theirs->number);
    assert_int_equal(ours->is_high, theirs->is_high);
    assert_int_equal(ours->segment, theirs->segment);
    assert_int_equal(ours->base, theirs->base);
    assert_int_equal(ours->index, theirs->index);
    assert_int_equal(ours->scale, theirs->scale);
    assert_int_equal(ours->value, theirs->value);
}

/* Compares the offset in the segment, with random registers. */
static void assert_same_offset(const struct instruction *ours, size_t i,
                               const ZydisDecodedInstruction *zydis,
                               const ZydisDecodedOperand *operand)
{
    ZydisRegisterContext context = {0};
    uint64_t registers[16], theirs, rip = random_number();

    for (size_t j = 0; j < 16; j++)
        registers[j] = random_number();
    if (ours->operand[i].base < 16)
        context.values[operand->mem.base] = registers[ours->operand[i].base];
    if (ours->operand[i].index < 16)
        context.values[operand->mem.index] = registers[ours->operand[i].index];
    assert_true(
        ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(zydis, operand, rip, &context, &theirs)));
    assert_int_equal(operand_offset(&ours->operand[i], ours->address_size, registers,
                                    rip + ours->length),
                     theirs);
}

/* Where Zydis differs, or counts an operand that the decoder leaves out. */
static void apply_exceptions(const struct instruction *ours, size_t i,
                             struct instruction_operand *theirs)
{
    bool is_svm = ours->name == INSTRUCTION_VMRUN || ours->name == INSTRUCTION_VMLOAD ||
                  ours->name == INSTRUCTION_VMSAVE || ours->name == INSTRUCTION_SKINIT ||
                  ours->name == INSTRUCTION_INVLPGA;

    if (is_svm) /* rAX and ECX are implied */
        *theirs = (struct instruction_operand){0};
    if (ours->name == INSTRUCTION_INVLPG) /* only an address */
        theirs->is_read = false;
    if (ours->name == INSTRUCTION_MOVSXD && theirs->kind == OPERAND_REGISTER && i == 1)
        theirs->size = 4; /* with prefix 66 only 2 bytes are used */
}

static void assert_same_operands(const struct instruction *ours,
                                 const ZydisDecodedInstruction *zydis,
                                 const ZydisDecodedOperand *operands)
{
    bool is_string = zydis->meta.category == ZYDIS_CATEGORY_STRINGOP ||
                     zydis->meta.category == ZYDIS_CATEGORY_IOSTRINGOP;

    for (size_t i = 0; i < 2; i++) {
        struct instruction_operand theirs = {0};
        bool has_it =
            i < zydis->operand_count &&
            (is_string || operands[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN);
        if (has_it)
            theirs = zydis_operand(&operands[i]);
        apply_exceptions(ours, i, &theirs);
        assert_same_operand(&ours->operand[i], &theirs);
        if (theirs.kind == OPERAND_MEMORY)
            assert_same_offset(ours, i, zydis, &operands[i]);
    }
}

static enum instruction_repeat zydis_repeat(const ZydisDecodedInstruction *zydis)
{
    enum instruction_repeat repeat = REPEAT_NONE;

    for (size_t i = 0; i < zydis->raw.prefix_count; i++) {
        if (zydis->raw.prefixes[i].value == 0xF2 || zydis->raw.prefixes[i].value == 0xF3)
            repeat = zydis->raw.prefixes[i].value == 0xF3 ? REPEAT_REP : REPEAT_REPNE;
    }
    return repeat;
}

static void assert_same(const struct instruction *ours,
                        const ZydisDecodedInstruction *zydis,
                        const ZydisDecodedOperand *operands)
{
    bool has_rep  = ours->repeat == REPEAT_REP;
    bool has_size = ours->name == INSTRUCTION_PUSHF || ours->name == INSTRUCTION_POPF ||
                    ours->name == INSTRUCTION_IRET;

    if (ours->name == INSTRUCTION_WBNOINVD) /* Zydis 4.0 does not know it */
        assert_true(has_rep && zydis->mnemonic == ZYDIS_MNEMONIC_WBINVD);
    else if (zydis->mnemonic == ZYDIS_MNEMONIC_PAUSE && (zydis->raw.rex.B & 1) != 0)
        return (void)assert_int_equal(ours->name,
                                      INSTRUCTION_XCHG); /* as processors do */
    else
        assert_int_equal(ours->name, zydis_names[zydis->mnemonic]);
    assert_int_equal(ours->length, zydis->length);
    assert_int_equal(ours->address_size, zydis->address_width / 8);
    if (has_size)
        assert_int_equal(ours->operand_size, zydis->operand_width / 8);
    assert_int_equal(ours->has_lock, (zydis->attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0);
    assert_int_equal(ours->repeat, zydis_repeat(zydis));
    assert_same_operands(ours, zydis, operands);
}

/* Decodes a copy in memory of its size, so that AddressSanitizer sees a read past it. */
static enum status decode(const uint8_t *bytes, size_t count, enum code_size code_size,
                          struct instruction *instruction)
{
    uint8_t *copy = malloc(count);

    memcpy(copy, bytes, count);
    enum status status = instruction_decode(copy, count, code_size, instruction);
    free(copy);
    return status;
}

static uint8_t compared_bytes[INSTRUCTION_LENGTH_MAX + 1];
static size_t compared_mode, compared_count;

static void compare(const uint8_t *bytes, size_t count, size_t mode)
{
    ZydisDecodedInstruction zydis;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    struct instruction ours;

    compared_mode      = mode;
    enum status status = decode(bytes, count, code_sizes[mode], &ours);
    bool is_valid      = ZYAN_SUCCESS(
             ZydisDecoderDecodeFull(&zydis_decoders[mode], bytes, count, &zydis, operands));
    if (status == STATUS_OK) {
        assert_true(is_valid);
        assert_same(&ours, &zydis, operands);
        decoded_count[ours.name]++;
    } else if (status == STATUS_MALFORMED) {
        assert_false(is_valid);
    } else {
        assert_int_equal(status, STATUS_UNSUPPORTED);
        assert_false(is_valid && zydis_is_promised(&zydis));
    }
}

static void test_random(void **state)
{
    (void)state;

    for (unsigned int i = 0; i < STRINGS; i++) {
        make_bytes(compared_bytes);
        compared_count = random_below(8) == 0 ? random_below(INSTRUCTION_LENGTH_MAX)
                                              : INSTRUCTION_LENGTH_MAX;
        for (size_t mode = 0; mode < 3; mode++)
            compare(compared_bytes, compared_count, mode);
    }
    compared_count = 0;
    for (size_t i = 1; i < INSTRUCTION_COUNT; i++) {
        if (decoded_count[i] < COUNT_LEAST)
            fail_msg("%s: decoded %u times", instruction_names[i], decoded_count[i]);
    }
}

/* Prints what differed. */
static int show_difference(void **state)
{
    (void)state;
    if (compared_count == 0)
        return 0;
    fprintf(stderr, "%u-bit code:", 8 * (unsigned int)code_sizes[compared_mode]);
    for (size_t i = 0; i < compared_count; i++)
        fprintf(stderr, " %02x", compared_bytes[i]);
    fprintf(stderr, "\n");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random, start_zydis, show_difference)};
    return cmocka_run_group_tests_name("decoder_random", tests, NULL, NULL);
}
