/* src/virt/decoder.c on encodings that were written by hand. */
#include "unit.h"

#include "virt/decoder.h"
#include "virt/vcpu.h"

static const char *const names[] = {"",
#define NAME(name) #name
                                    INSTRUCTIONS(NAME)
#undef NAME
};

static size_t parse_hex(const char *hex, uint8_t bytes[32])
{
    size_t count = 0;
    char *end;

    for (; *hex != '\0'; hex = end)
        bytes[count++] = (uint8_t)strtoul(hex, &end, 16);
    return count;
}

/* Appends an operand: w or r for its access, a size in bytes, and where it is. */
static void describe_operand(const struct instruction_operand *operand, char *text)
{
    static const char *const registers[]  = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP",
                                             "RSI", "RDI", "R8",  "R9",  "R10", "R11",
                                             "R12", "R13", "R14", "R15", "RIP"};
    static const char *const segments[]   = {"ES", "CS", "SS", "DS", "FS", "GS"};
    static const char *const high_bytes[] = {"AH", "CH", "DH", "BH"};

    text += sprintf(text, " %s%s%u:", operand->is_read ? "r" : "",
                    operand->is_written ? "w" : "", operand->size);
    if (operand->kind == OPERAND_REGISTER)
        sprintf(text, "%s",
                operand->is_high ? high_bytes[operand->number]
                                 : registers[operand->number]);
    else if (operand->kind == OPERAND_SEGMENT_REGISTER)
        sprintf(text, "%s", segments[operand->number]);
    else if (operand->kind == OPERAND_CONTROL_REGISTER)
        sprintf(text, "CR%u", operand->number);
    else if (operand->kind == OPERAND_DEBUG_REGISTER)
        sprintf(text, "DR%u", operand->number);
    else if (operand->kind == OPERAND_IMMEDIATE)
        sprintf(text, "%lx", operand->value);
    if (operand->kind != OPERAND_MEMORY)
        return;
    text += sprintf(text, "%s[", segments[operand->segment]);
    if (operand->base != ADDRESS_NONE)
        text += sprintf(text, "%s+", registers[operand->base]);
    if (operand->index != ADDRESS_NONE)
        text += sprintf(text, "%s*%u+", registers[operand->index], 1U << operand->scale);
    sprintf(text, "%lx]", operand->value);
}

static void describe(const struct instruction *instruction, char *text)
{
    static const char *const repeats[] = {"", "REPNE ", "REP "};

    sprintf(text, "%s%s%s", instruction->has_lock ? "LOCK " : "",
            repeats[instruction->repeat], names[instruction->name]);
    for (size_t i = 0; i < 2; i++) {
        if (instruction->operand[i].kind != OPERAND_NONE)
            describe_operand(&instruction->operand[i], text + strlen(text));
    }
}

/* Valid ones: 16, 32 and 64 are sizes of code. */
static const struct {
    const char *hex;
    unsigned int bits;
    const char *description;
    uint8_t operand_size, address_size;
} valid_rows[] = {
    /* A device's registers, as compilers access them. */
    {"8B 87 F0 00 00 00", 64, "MOV w4:RAX r4:DS[RDI+f0]", 4, 8},
    {"44 89 B8 B0 00 00 00", 64, "MOV w4:DS[RAX+b0] r4:R15", 4, 8},
    {"C7 04 25 B0 00 E0 FE 00 00 00 00", 64, "MOV w4:DS[fffffffffee000b0] r4:0", 4, 8},
    {"48 C7 05 10 00 00 00 FE FF FF FF", 64, "MOV w8:DS[RIP+10] r4:fffffffffffffffe", 8,
     8},
    {"A1 F0 00 E0 FE", 32, "MOV w4:RAX r4:DS[fffffffffee000f0]", 4, 4},
    {"64 66 A3 20 03 E0 FE 00 00 00 00", 64, "MOV w2:FS[fee00320] r2:RAX", 2, 8},
    {"67 A0 44 33 22 11", 64, "MOV w1:RAX r1:DS[11223344]", 4, 4},
    {"A0 34 82", 16, "MOV w1:RAX r1:DS[ffffffffffff8234]", 2, 2},
    {"48 B8 88 77 66 55 44 33 22 F1", 64, "MOV w8:RAX r8:f122334455667788", 8, 8},
    {"41 B0 80", 64, "MOV w1:R8 r1:ffffffffffffff80", 4, 8},
    {"0F B6 46 01", 64, "MOVZX w4:RAX r1:DS[RSI+1]", 4, 8},
    {"4C 0F BF 45 FE", 64, "MOVSX w8:R8 r2:SS[RBP+fffffffffffffffe]", 8, 8},
    {"48 63 04 8B", 64, "MOVSXD w8:RAX r4:DS[RBX+RCX*4+0]", 8, 8},
    {"F3 48 AB", 64, "REP STOS w8:ES[RDI+0] r8:RAX", 8, 8},
    {"F3 65 A5", 64, "REP MOVS w4:ES[RDI+0] r4:GS[RSI+0]", 4, 8},
    {"2E A4", 16, "MOVS w1:ES[RDI+0] r1:CS[RSI+0]", 2, 2},
    {"F2 A7", 32, "REPNE CMPS r4:DS[RSI+0] r4:ES[RDI+0]", 4, 4},
    {"F0 81 0B 00 00 01 00", 32, "LOCK OR rw4:DS[RBX+0] r4:10000", 4, 4},
    {"83 60 10 FE", 32, "AND rw4:DS[RAX+10] r1:fffffffffffffffe", 4, 4},
    {"66 81 38 00 80", 64, "CMP r2:DS[RAX+0] r2:ffffffffffff8000", 2, 8},
    {"F6 07 80", 64, "TEST r1:DS[RDI+0] r1:ffffffffffffff80", 4, 8},
    {"F7 CF 01 00 00 00", 64, "TEST r4:RDI r4:1", 4, 8},
    {"85 41 04", 32, "TEST r4:DS[RCX+4] r4:RAX", 4, 4},
    {"87 07", 64, "XCHG rw4:DS[RDI+0] rw4:RAX", 4, 8},
    {"F0 0F C1 10", 64, "LOCK XADD rw4:DS[RAX+0] rw4:RDX", 4, 8},
    {"F0 48 0F B1 0E", 64, "LOCK CMPXCHG rw8:DS[RSI+0] r8:RCX", 8, 8},
    {"F0 0F BA 6F 10 1F", 64, "LOCK BTS rw4:DS[RDI+10] r1:1f", 4, 8},
    {"0F A3 07", 64, "BT r4:DS[RDI+0] r4:RAX", 4, 8},
    {"F7 1F", 64, "NEG rw4:DS[RDI+0]", 4, 8},
    {"0F C3 03", 16, "MOVNTI w4:SS[RBP+RDI*1+0] r4:RAX", 2, 2},
    {"4C 0F C3 0B", 64, "MOVNTI w8:DS[RBX+0] r8:R9", 8, 8},
    {"8C 18", 64, "MOV w2:DS[RAX+0] r2:DS", 4, 8},
    {"8E 10", 32, "MOV w2:SS r2:DS[RAX+0]", 4, 4},

    /* Addresses: SIB without index, without base; 16-bit ones. */
    {"8B 44 24 08", 64, "MOV w4:RAX r4:SS[RSP+8]", 4, 8},
    {"42 8B 04 24", 64, "MOV w4:RAX r4:SS[RSP+R12*1+0]", 4, 8},
    {"41 8B 04 24", 64, "MOV w4:RAX r4:DS[R12+0]", 4, 8},
    {"41 8B 45 00", 64, "MOV w4:RAX r4:DS[R13+0]", 4, 8},
    {"8B 04 CD 00 10 00 00", 32, "MOV w4:RAX r4:DS[RCX*8+1000]", 4, 4},
    {"8B 05 00 10 00 00", 32, "MOV w4:RAX r4:DS[1000]", 4, 4},
    {"8B 42 80", 16, "MOV w2:RAX r2:SS[RBP+RSI*1+ffffffffffffff80]", 2, 2},
    {"3E 8B 4E 00", 16, "MOV w2:RCX r2:DS[RBP+0]", 2, 2},
    {"8B 0E 34 12", 16, "MOV w2:RCX r2:DS[1234]", 2, 2},
    {"66 67 8B 04 98", 16, "MOV w4:RAX r4:DS[RAX+RBX*4+0]", 4, 4},

    /* Registers of a byte, with and without REX. */
    {"88 27", 64, "MOV w1:DS[RDI+0] r1:AH", 4, 8},
    {"40 88 27", 64, "MOV w1:DS[RDI+0] r1:RSP", 4, 8},
    {"40 66 88 27", 64, "MOV w1:DS[RDI+0] r1:AH", 2, 8}, /* REX is not the last */
    {"B7 01", 32, "MOV w1:BH r1:1", 4, 4},

    /* Prefixes. */
    {"66 48 89 07", 64, "MOV w8:DS[RDI+0] r8:RAX", 8, 8},
    {"48 66 89 07", 64, "MOV w2:DS[RDI+0] r2:RAX", 2, 8},
    {"41 48 89 07", 64, "MOV w8:DS[RDI+0] r8:RAX", 8, 8},
    {"26 64 8B 07", 32, "MOV w4:RAX r4:FS[RDI+0]", 4, 4},
    {"64 26 8B 07", 32, "MOV w4:RAX r4:ES[RDI+0]", 4, 4},
    {"65 2E 8B 07", 64, "MOV w4:RAX r4:GS[RDI+0]", 4, 8},
    {"F3 F2 A4", 32, "REPNE MOVS w1:ES[RDI+0] r1:DS[RSI+0]", 4, 4},
    {"90", 64, "NOP", 4, 8},
    {"F3 90", 64, "REP PAUSE", 4, 8},
    {"F3 F2 90", 64, "REPNE NOP", 4, 8},
    {"F3 41 90", 64, "REP XCHG rw4:R8 rw4:RAX", 4, 8},
    {"0F 09", 64, "WBINVD", 4, 8},
    {"F3 0F 09", 64, "REP WBNOINVD", 4, 8},
    {"48", 32, "DEC rw4:RAX", 4, 4},
    {"66 66 66 66 66 66 66 66 66 66 66 66 66 66 F4", 64, "HLT", 2, 8}, /* 15 bytes */

    /* Instructions that exit. */
    {"0F A2", 16, "CPUID", 2, 2},
    {"0F 32", 64, "RDMSR", 4, 8},
    {"0F 30", 64, "WRMSR", 4, 8},
    {"0F 01 D9", 32, "VMMCALL", 4, 4},
    {"0F 01 C1", 64, "VMCALL", 4, 8},
    {"0F 22 C0", 16, "MOV w4:CR0 r4:RAX", 2, 2},
    {"44 0F 20 C1", 64, "MOV w8:RCX r8:CR8", 4, 8},
    {"0F 22 05", 64, "MOV w8:CR0 r8:RBP", 4, 8}, /* mod 0 is taken as 3 */
    {"0F 21 BC", 64, "MOV w8:RSP r8:DR7", 4, 8},
    {"0F 06", 64, "CLTS", 4, 8},
    {"0F 01 F0", 64, "LMSW r2:RAX", 4, 8},
    {"0F 01 36 00 80", 16, "LMSW r2:DS[ffffffffffff8000]", 2, 2},
    {"0F 01 E0", 64, "SMSW w4:RAX", 4, 8},
    {"0F 01 27", 64, "SMSW w2:DS[RDI+0]", 4, 8},
    {"0F 08", 64, "INVD", 4, 8},
    {"65 0F 01 3F", 64, "INVLPG 1:GS[RDI+0]", 4, 8},
    {"66 0F 38 82 07", 64, "INVPCID r8:RAX r16:DS[RDI+0]", 2, 8},
    {"0F 31", 64, "RDTSC", 4, 8},
    {"0F 01 F9", 64, "RDTSCP", 4, 8},
    {"0F 33", 64, "RDPMC", 4, 8},
    {"0F 01 FD", 64, "RDPRU", 4, 8},
    {"0F 01 D1", 64, "XSETBV", 4, 8},
    {"0F 01 C9", 64, "MWAIT", 4, 8},
    {"E4 80", 64, "IN w1:RAX r1:80", 4, 8},
    {"66 E5 FE", 64, "IN w2:RAX r1:fe", 2, 8},
    {"48 ED", 64, "IN w4:RAX r2:RDX", 8, 8},
    {"66 EF", 16, "OUT r2:RDX r4:RAX", 4, 2},
    {"F3 6C", 32, "REP INS w1:ES[RDI+0] r2:RDX", 4, 4},
    {"F3 66 67 64 6F", 64, "REP OUTS r2:RDX r2:FS[RSI+0]", 2, 4},
    {"CD 80", 64, "INT r1:80", 4, 8},
    {"9C", 64, "PUSHF", 8, 8},
    {"66 9D", 64, "POPF", 2, 8},
    {"48 CF", 64, "IRET", 8, 8},
    {"0F 01 16 34 12", 16, "LGDT r6:DS[1234]", 2, 2},
    {"0F 01 08", 64, "SIDT w10:DS[RAX+0]", 4, 8},
    {"0F 00 D8", 64, "LTR r2:RAX", 4, 8},
    {"0F 01 D8", 64, "VMRUN", 4, 8},
    {"0F AA", 32, "RSM", 4, 4},
};

static const struct {
    const char *hex;
    unsigned int bits;
} refused_rows[] = {
    {"F0 89 07", 64},          /* LOCK MOV */
    {"F0 01 C0", 64},          /* LOCK ADD to a register */
    {"F0 03 07", 64},          /* LOCK ADD from memory */
    {"F0 39 07", 64},          /* LOCK CMP */
    {"F0 0F A3 07", 64},       /* LOCK BT */
    {"F0 0F A2", 64},          /* LOCK CPUID */
    {"F0 0F C3 03", 64},       /* LOCK MOVNTI */
    {"66 0F C3 03", 64},       /* MOVNTI with prefix 66 */
    {"0F C3 C0", 64},          /* MOVNTI to a register */
    {"F0 A4", 64},             /* LOCK MOVS */
    {"F0 0F 22 C0", 32},       /* LOCK MOV CR0: AMD's other encoding of CR8 */
    {"CE", 64},                /* INTO */
    {"82 C0 01", 64},          /* as 80 only outside 64-bit code */
    {"63 C0", 32},             /* ARPL */
    {"8E C8", 64},             /* MOV CS */
    {"8E F0", 64},             /* a seventh segment register */
    {"0F 20 C8", 64},          /* CR1 */
    {"44 0F 20 C8", 64},       /* CR9 */
    {"44 0F 21 C0", 64},       /* DR8 */
    {"0F 38 82 07", 64},       /* INVPCID without prefix 66 */
    {"66 0F 38 82 C0", 64},    /* INVPCID from a register */
    {"66 0F 01 C1", 64},       /* VMCALL with prefix 66 */
    {"F3 0F 01 D1", 64},       /* XSETBV with REP */
    {"C5 F8 77", 64},          /* VZEROUPPER */
    {"62 F1 7C 48 28 C0", 64}, /* EVEX */
    {"8F E9 78 01 C8", 64},    /* XOP */
    {"D9 00", 64},             /* x87 */
    {"0F 28 00", 64},          /* MOVAPS */
    {"F2 0F 10 00", 64},       /* MOVSD */
    {"FF D0", 64},             /* CALL */
    {"C6 F8 00", 64},          /* XABORT */
    {"0F 0B", 64},             /* UD2 */
    {"0F 01 28", 64},          /* RSTORSSP without F3 */
};

static enum code_size code_size_of(unsigned int bits)
{
    return (enum code_size)(bits / 8);
}

static void test_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(valid_rows) / sizeof(valid_rows[0]); i++) {
        struct instruction instruction;
        uint8_t bytes[32] = {0};
        char text[128];
        enum code_size code_size = code_size_of(valid_rows[i].bits);
        size_t count             = parse_hex(valid_rows[i].hex, bytes);

        if (instruction_decode(bytes, sizeof(bytes), code_size, &instruction) !=
            STATUS_OK)
            fail_msg("%s is refused", valid_rows[i].hex);
        describe(&instruction, text);
        assert_string_equal(text, valid_rows[i].description);
        assert_int_equal(instruction.length, count);
        assert_int_equal(instruction.operand_size, valid_rows[i].operand_size);
        assert_int_equal(instruction.address_size, valid_rows[i].address_size);
        for (size_t end = 0; end < count; end++)
            assert_int_equal(instruction_decode(bytes, end, code_size, &instruction),
                             STATUS_MALFORMED);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused_rows) / sizeof(refused_rows[0]); i++) {
        struct instruction instruction = {.length = 42};
        uint8_t bytes[32]              = {0};
        parse_hex(refused_rows[i].hex, bytes);
        if (instruction_decode(bytes, sizeof(bytes), code_size_of(refused_rows[i].bits),
                               &instruction) != STATUS_UNSUPPORTED)
            fail_msg("%s is not refused", refused_rows[i].hex);
        assert_int_equal(instruction.length, 42);
    }
}

/* 16 bytes are too many, even if they are there. */
static void test_too_long(void **state)
{
    (void)state;
    struct instruction instruction;
    uint8_t bytes[16];

    memset(bytes, 0x66, sizeof(bytes));
    bytes[15] = 0xF4;
    assert_int_equal(instruction_decode(bytes, 16, CODE_64, &instruction),
                     STATUS_MALFORMED);
    assert_int_equal(instruction_decode(bytes + 1, 15, CODE_64, &instruction), STATUS_OK);
}

static void test_offset(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        unsigned int bits;
        uint64_t offset;
    } rows[] = {
        {"8B 44 83 F0", 64, 0xFFFFFFFF80000010 + 4 * 0x1234567 - 16},
        {"67 8B 44 83 F0", 64, 0x80000000 + 4 * 0x1234567},
        {"8B 05 00 00 00 00", 64, 0xFFFFFFFFFFFFFFF6},
        {"8B 05 10 00 00 00", 64, 6},
        {"67 8B 05 00 00 00 00", 64, 0xFFFFFFF7},
        {"8B 40 F0", 16, 0x2345 - 16},
        {"A1 34 82", 16, 0x8234},
        {"A4", 64, 0x1111111111112345},
    };
    uint64_t registers[REGISTER_COUNT] = {[REGISTER_RAX] = 0x1234567,
                                          [REGISTER_RBX] = 0xFFFFFFFF80000010,
                                          [REGISTER_RSI] = 0x1111111111112345 - 16,
                                          [REGISTER_RDI] = 0x1111111111112345};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct instruction instruction;
        uint8_t bytes[32] = {0};
        parse_hex(rows[i].hex, bytes);
        assert_int_equal(instruction_decode(bytes, sizeof(bytes),
                                            code_size_of(rows[i].bits), &instruction),
                         STATUS_OK);
        size_t memory = instruction.operand[0].kind == OPERAND_MEMORY ? 0 : 1;
        assert_int_equal(operand_offset(&instruction.operand[memory],
                                        instruction.address_size, registers,
                                        0xFFFFFFFFFFFFFFF0 + instruction.length),
                         rows[i].offset);
    }
}

static void test_registers(void **state)
{
    (void)state;
    static const struct {
        struct instruction_operand operand;
        uint64_t read, written;
    } rows[] = {
        {{.number = 3, .size = 1}, 0x88, 0x11223344556677EE},
        {{.number = 3, .size = 1, .is_high = true}, 0x77, 0x112233445566EE88},
        {{.number = 3, .size = 2}, 0x7788, 0x112233445566DDEE},
        {{.number = 3, .size = 4}, 0x55667788, 0xBBCCDDEE},
        {{.number = 3, .size = 8}, 0x1122334455667788, 0xF8F9FAABBBCCDDEE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t registers[REGISTER_COUNT] = {[REGISTER_RBX] = 0x1122334455667788};
        assert_int_equal(operand_read_register(&rows[i].operand, registers),
                         rows[i].read);
        operand_write_register(&rows[i].operand, registers, 0xF8F9FAABBBCCDDEE);
        assert_int_equal(registers[REGISTER_RBX], rows[i].written);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_long), cmocka_unit_test(test_offset),
        cmocka_unit_test(test_registers)};
    return cmocka_run_group_tests_name("decoder", tests, NULL, NULL);
}
