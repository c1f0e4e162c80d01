/* src/guest/device_memory.c and linear_access.c: what instructions do. */
#include "device_memory.h"
#include "random.h"

/* An access of an instruction is one of the bus if it is aligned. */
static void test_sizes(void **state)
{
    (void)state;
    SUCCEEDS("\x8A\x03", READS(DEVICE, 1)); /* MOV AL, [RBX] */
    assert_int_equal(*test_r(REGISTER_RAX), DEVICE | 0x11);
    SUCCEEDS("\x66\x8B\x43\x02", READS(DEVICE + 2, 2)); /* MOV AX, [RBX + 2] */
    assert_int_equal(*test_r(REGISTER_RAX), DEVICE | 0x2211);
    SUCCEEDS("\x8B\x03", READS(DEVICE, 4)); /* MOV EAX, [RBX] */
    assert_int_equal(*test_r(REGISTER_RAX), 0x44332211);
    SUCCEEDS("\x48\x8B\x03", READS(DEVICE, 8)); /* MOV RAX, [RBX] */
    assert_int_equal(*test_r(REGISTER_RAX), 0x8877665544332211);
    SUCCEEDS("\x89\x83\xB0\x00\x00\x00", WRITES(DEVICE + 0xB0, 4, 0x44332211));
    SUCCEEDS("\x88\x63\x01", WRITES(DEVICE + 1, 1, 0x22)); /* MOV [RBX + 1], AH */
    SUCCEEDS("\x48\xC7\x03\xFE\xFF\xFF\xFF", WRITES(DEVICE, 8, UINT64_MAX - 1));
    *test_r(REGISTER_RAX) = 0;
    SUCCEEDS("\x8B\x43\x01", READS(DEVICE + 1, 1), READS(DEVICE + 2, 2),
             READS(DEVICE + 4, 1)); /* MOV EAX, [RBX + 1] */
    assert_int_equal(*test_r(REGISTER_RAX), 0x11221111);
    SUCCEEDS("\x48\x89\x43\x04", WRITES(DEVICE + 4, 4, 0x11221111),
             WRITES(DEVICE + 8, 4, 0)); /* MOV [RBX + 4], RAX */
}

/* A write-back has the value that was read, and LOCK makes no difference. */
static void test_modify(void **state)
{
    (void)state;
    SUCCEEDS("\x83\x0B\x08", READS(DEVICE, 4), WRITES(DEVICE, 4, 0x44332219));
    *test_r(REGISTER_RCX) = 0xF0000001;
    SUCCEEDS("\xF0\x0F\xC1\x0B", READS(DEVICE, 4), WRITES(DEVICE, 4, 0x34332212));
    assert_int_equal(*test_r(REGISTER_RCX), 0x44332211);
    assert_int_equal(test_registers[VCPU_RFLAGS], 2 | 1 | 4); /* CF, PF */
    SUCCEEDS("\x83\x3B\x00", READS(DEVICE, 4));               /* CMP [RBX], 0 */
    assert_int_equal(test_registers[VCPU_RFLAGS], 2 | 4);
    /* CMPXCHG writes in either case. */
    *test_r(REGISTER_RAX) = 0xFFFFFFFF44332211;
    SUCCEEDS("\x0F\xB1\x0B", READS(DEVICE, 4), WRITES(DEVICE, 4, 0x44332211));
    assert_int_equal(*test_r(REGISTER_RAX), 0xFFFFFFFF44332211);
    *test_r(REGISTER_RAX) = 0xFFFFFFFF44332210;
    *test_r(REGISTER_RCX) = 5;
    SUCCEEDS("\x0F\xB1\x0B", READS(DEVICE, 4), WRITES(DEVICE, 4, 0x44332211));
    assert_int_equal(*test_r(REGISTER_RAX), 0x44332211);
    assert_int_equal(*test_r(REGISTER_RCX), 5);
}

/*
 * SDM 3C, "Guest-Physical Address": the only operand in memory is where the exit says,
 * whatever its page, unless the exit may be because of its second part.
 */
static void test_address_of_exit(void **state)
{
    (void)state;
    exit_address          = DEVICE + 0x80;
    *test_r(REGISTER_RBX) = DEVICE + 0x3080;
    SUCCEEDS("\x8B\x03", READS(DEVICE + 0x80, 4)); /* MOV EAX, [RBX] */
    assert_int_equal(*test_r(REGISTER_RAX), 0x44332211);
    SUCCEEDS("\x01\x03", READS(DEVICE + 0x3080, 4),
             WRITES(DEVICE + 0x3080, 4, 0x88664422)); /* ADD [RBX], EAX */
    exit_kind = MEMORY_WRITE;
    SUCCEEDS("\x48\x01\x03", READS(DEVICE + 0x80, 8),
             WRITES(DEVICE + 0x80, 8, 0x8877665588664422)); /* ADD [RBX], RAX */
    exit_address          = DEVICE + 0x1000;
    *test_r(REGISTER_RBX) = DEVICE + 0xFFE;
    *test_r(REGISTER_RAX) = 0x44332211;
    SUCCEEDS("\x89\x03", WRITES(DEVICE + 0xFFE, 2, 0x2211),
             WRITES(DEVICE + 0x1000, 2, 0x4433)); /* MOV [RBX], EAX */
    exit_address          = DEVICE;
    *test_r(REGISTER_RSI) = DEVICE + 0x1000;
    *test_r(REGISTER_RDI) = DEVICE + 8;
    SUCCEEDS("\xA5", READS(DEVICE + 0x1000, 4),
             WRITES(DEVICE + 8, 4, 0x44332211)); /* MOVSD */
}

/* SDM 2, "BTS": the bit offset in a register selects the bytes. */
static void test_bit_string(void **state)
{
    (void)state;
    *test_r(REGISTER_RCX) = 0x1005;
    device_value          = 0;
    SUCCEEDS("\x0F\xAB\x0B", READS(DEVICE + 0x200, 4), WRITES(DEVICE + 0x200, 4, 0x20));
    *test_r(REGISTER_RCX) = UINT64_C(0xFFFFFFFF); /* -1 */
    SUCCEEDS("\x0F\xAB\x0B", READS(DEVICE - 4, 4), WRITES(DEVICE - 4, 4, 0x80000000));
    SUCCEEDS("\x48\x0F\xA3\x4B\x40", READS(DEVICE + 0x20000038, 8));
    SUCCEEDS("\x66\x0F\xA3\x0B", READS(DEVICE - 2, 2));
    SUCCEEDS("\x0F\xBA\x2B\x3F", READS(DEVICE, 4), WRITES(DEVICE, 4, 0x80000000));
}

/* RBP and R12 to R15 are requested if the instruction has them; RSP is the backend's. */
static void test_registers_of_cpu(void **state)
{
    (void)state;
    static const char *const needing[] = {
        "\x8B\x2B",         /* MOV EBP, [RBX] */
        "\x44\x89\x3B",     /* MOV [RBX], R15D */
        "\x8B\x45\x00",     /* MOV EAX, [RBP] */
        "\x42\x8B\x04\x23", /* MOV EAX, [RBX + R12] */
    };
    for (size_t i = 0; i < ARRAY_SIZE(needing); i++) {
        test_vcpu->run.has_all_registers = false;
        assert_int_equal(execute_bytes(needing[i], strlen(needing[i]) + 1),
                         EXIT_ALL_REGISTERS);
        assert_int_equal(access_count, 0);
        test_vcpu->run.has_all_registers = true;
        *test_r(12)                      = 0;
        *test_r(REGISTER_RBP)            = DEVICE;
        assert_int_equal(execute_bytes(needing[i], strlen(needing[i]) + 1), EXIT_SKIP);
        assert_int_equal(access_count, 1);
    }
    test_vcpu->run.has_all_registers = false;
    SUCCEEDS("\x8B\x3B", READS(DEVICE, 4)); /* MOV EDI, [RBX] */
    test_registers[VCPU_RSP] = DEVICE + 0x100;
    SUCCEEDS("\x8B\x44\x24\x08", READS(DEVICE + 0x108, 4)); /* MOV EAX, [RSP + 8] */
    SUCCEEDS("\x48\x8B\x23", READS(DEVICE, 8));             /* MOV RSP, [RBX] */
    assert_int_equal(test_registers[VCPU_RSP], device_value);
}

/* 64-bit code has the bases of FS and GS only; other code has all, and 32 bits. */
static void test_segments(void **state)
{
    (void)state;
    for (size_t i = 0; i < SEGMENT_COUNT; i++)
        segment_registers[i].base = 0x1000 * (i + 1);
    SUCCEEDS("\x8B\x03", READS(DEVICE, 4));
    SUCCEEDS("\x65\x8B\x03", READS(DEVICE + 0x6000, 4));                   /* GS */
    SUCCEEDS("\x8B\x05\xFA\xFF\xDE\x7E", READS(CODE + 6 + 0x7EDEFFFA, 4)); /* RIP */
    test_registers[VCPU_CODE_SIZE] = CODE_32;
    test_registers[VCPU_CS_BASE]   = 0;
    SUCCEEDS("\x8B\x03", READS(DEVICE + 0x4000, 4));
    segment_registers[SEGMENT_DS].base = 0xFFFFF000;
    SUCCEEDS("\x8B\x03", READS(DEVICE - 0x1000, 4));
    test_registers[VCPU_CODE_SIZE]     = CODE_16;
    segment_registers[SEGMENT_DS].base = DEVICE;
    *test_r(REGISTER_RBX)              = 0x12348000;
    *test_r(REGISTER_RSI)              = 0x9000;
    SUCCEEDS("\x8B\x00", READS(DEVICE + 0x1000, 2)); /* MOV AX, [BX + SI] */
    segment_registers[SEGMENT_GS].selector = 0x1234;
    SUCCEEDS("\x8C\x2F", WRITES(DEVICE + 0x8000, 2, 0x1234)); /* MOV [BX], GS */
}

/* One exit handles STRING_ELEMENTS_MAX elements, and one if each may be trapped. */
static void test_repetition(void **state)
{
    (void)state;
    *test_r(REGISTER_RCX) = STRING_ELEMENTS_MAX + 2;
    *test_r(REGISTER_RAX) = 0x55;
    assert_int_equal(EXECUTE("\xF3\xAB"), EXIT_REPEAT); /* REP STOSD */
    assert_int_equal(access_count, STRING_ELEMENTS_MAX);
    assert_int_equal(*test_r(REGISTER_RCX), 2);
    assert_int_equal(*test_r(REGISTER_RDI), DEVICE + 4 * STRING_ELEMENTS_MAX);
    SUCCEEDS("\xF3\xAB", WRITES(DEVICE + 0x400, 4, 0x55),
             WRITES(DEVICE + 0x404, 4, 0x55));
    assert_int_equal(EXECUTE("\xF3\xAB"), EXIT_SKIP); /* of none */
    assert_int_equal(access_count, 0);
    test_registers[VCPU_RFLAGS] = 2 | 1 << 10 | 1 << 8; /* DF, TF */
    *test_r(REGISTER_RCX)       = 2;
    *test_r(REGISTER_RDI)       = DEVICE;
    assert_int_equal(EXECUTE("\xF3\xAA"), EXIT_REPEAT);
    assert_int_equal(*test_r(REGISTER_RDI), DEVICE - 1);
    SUCCEEDS("\xF3\xAA", WRITES(DEVICE - 1, 1, 0x55));
    /* A count of the address size. */
    test_registers[VCPU_RFLAGS] = 2;
    *test_r(REGISTER_RCX)       = UINT64_C(0x500000001);
    SUCCEEDS("\x67\xF3\xAA", WRITES((uint32_t)(DEVICE - 2), 1, 0x55));
    assert_int_equal(*test_r(REGISTER_RCX), 0);
}

/* SDM 3B, "Data Breakpoints and Data Breakpoint Exception Condition". */
static void test_breakpoints(void **state)
{
    (void)state;
    test_registers[VCPU_DR_0]     = DEVICE + 4;
    test_registers[VCPU_DR_0 + 1] = DEVICE + 8;
    test_registers[VCPU_DR7]      = 0x3D0005; /* writes of 4 bytes, accesses to a byte */
    *test_r(REGISTER_RCX)         = 3;
    assert_int_equal(EXECUTE("\xF3\xAD"), EXIT_REPEAT); /* REP LODSD */
    assert_int_equal(access_count, 1);
    SUCCEEDS("\x8B\x43\x04", READS(DEVICE + 4, 4));
    assert_int_equal(debug_causes, 0);
    SUCCEEDS("\xFE\x43\x07", READS(DEVICE + 7, 1), WRITES(DEVICE + 7, 1, 0x12));
    assert_int_equal(debug_causes, 1);
    SUCCEEDS("\x8B\x43\x05", READS(DEVICE + 5, 1), READS(DEVICE + 6, 2),
             READS(DEVICE + 8, 1));
    assert_int_equal(debug_causes, 3);
}

/* Any code, registers, segments and flags are safe. */
static void test_random_code(void **state)
{
    (void)state;
    static const enum code_size sizes[]         = {CODE_16, CODE_32, CODE_64};
    unsigned int counts[EXIT_ALL_REGISTERS + 1] = {0};

    for (unsigned int i = 0; i < 300000; i++) {
        uint8_t bytes[INSTRUCTION_LENGTH_MAX];
        for (size_t j = 0; j < sizeof(bytes); j++)
            bytes[j] = (uint8_t)random_number();
        if (random_below(2) == 0)
            bytes[0] = 0xF3;
        for (unsigned int j = 0; j < REGISTER_COUNT; j++)
            *test_r(j) = random_below(2) == 0 ? random_number() : random_below(16);
        test_registers[VCPU_CODE_SIZE]      = sizes[random_below(3)];
        test_registers[VCPU_RFLAGS]         = random_below(4096);
        test_registers[VCPU_CS_BASE]        = 0;
        segment_registers[SEGMENT_ES].limit = (uint32_t)random_number();
        segment_registers[SEGMENT_FS].base  = random_number();
        enum exit_outcome outcome           = execute_bytes((const char *)bytes, 15);
        assert_true(outcome == EXIT_SKIP || outcome == EXIT_REPEAT ||
                    (outcome == EXIT_RESUME && injected_vector >= 0));
        counts[outcome]++;
    }
    assert_true(counts[EXIT_SKIP] > 10000 && counts[EXIT_REPEAT] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sizes),      TEST(test_modify),           TEST(test_address_of_exit),
        TEST(test_bit_string), TEST(test_registers_of_cpu), TEST(test_segments),
        TEST(test_repetition), TEST(test_breakpoints),      TEST(test_random_code)};
    return cmocka_run_group_tests_name("device_memory", tests, NULL, NULL);
}
