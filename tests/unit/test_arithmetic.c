/* src/virt/arithmetic.c, compared with the processor that executes the test. */
#include "random.h"
#include "unit.h"

#include "virt/arithmetic.h"

#define CF 0x001U
#define PF 0x004U
#define AF 0x010U
#define ZF 0x040U
#define SF 0x080U
#define OF 0x800U

#define ALL          (CF | PF | AF | ZF | SF | OF)
#define LOGICAL      (ALL & ~AF) /* SDM 2, "AND": AF is undefined */
#define BIT_TEST     (CF | ZF)   /* SDM 2, "BT": OF, SF, AF and PF are undefined */
#define RANDOM_PAIRS 20000

/* The values of an instruction whose operands are registers; c is RAX. */
struct values {
    uint64_t a, b, c, flags;
};

/*
 * Executes an instruction with the operands %0 and %1, of one size, and RAX. The red
 * zone is left out; LEA changes no flags.
 */
#define NATIVE(name, type, text)                                      \
    static void name(struct values *values)                           \
    {                                                                 \
        type a         = (type)values->a;                             \
        type b         = (type)values->b;                             \
        uint64_t c     = values->c;                                   \
        uint64_t flags = values->flags;                               \
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"                 \
                         "push %3\n\t"                                \
                         "popf\n\t" text "\n\t"                       \
                         "pushf\n\t"                                  \
                         "pop %3\n\t"                                 \
                         "lea 128(%%rsp), %%rsp"                      \
                         : "+&r"(a), "+&r"(b), "+&a"(c), "+&r"(flags) \
                         :                                            \
                         : "cc", "memory");                           \
        *values = (struct values){a, b, c, flags};                    \
    }

#define NATIVE_SIZES(name, text)     \
    NATIVE(name##_1, uint8_t, text)  \
    NATIVE(name##_2, uint16_t, text) \
    NATIVE(name##_4, uint32_t, text) \
    NATIVE(name##_8, uint64_t, text)

NATIVE_SIZES(native_adc, "adc %1, %0")
NATIVE_SIZES(native_add, "add %1, %0")
NATIVE_SIZES(native_and, "and %1, %0")
NATIVE_SIZES(native_cmp, "cmp %1, %0")
NATIVE_SIZES(native_cmpxchg, "cmpxchg %1, %0")
NATIVE_SIZES(native_dec, "dec %0")
NATIVE_SIZES(native_inc, "inc %0")
NATIVE_SIZES(native_mov, "mov %1, %0")
NATIVE_SIZES(native_neg, "neg %0")
NATIVE_SIZES(native_not, "not %0")
NATIVE_SIZES(native_or, "or %1, %0")
NATIVE_SIZES(native_sbb, "sbb %1, %0")
NATIVE_SIZES(native_sub, "sub %1, %0")
NATIVE_SIZES(native_test, "test %1, %0")
NATIVE_SIZES(native_xadd, "xadd %1, %0")
NATIVE_SIZES(native_xchg, "xchg %1, %0")
NATIVE_SIZES(native_xor, "xor %1, %0")
#define native_bt_1  NULL
#define native_btc_1 NULL
#define native_btr_1 NULL
#define native_bts_1 NULL
#define NATIVE_BITS(name, text)      \
    NATIVE(name##_2, uint16_t, text) \
    NATIVE(name##_4, uint32_t, text) \
    NATIVE(name##_8, uint64_t, text)
NATIVE_BITS(native_bt, "bt %1, %0")
NATIVE_BITS(native_btc, "btc %1, %0")
NATIVE_BITS(native_btr, "btr %1, %0")
NATIVE_BITS(native_bts, "bts %1, %0")

#define ROW(name, native, mask)                                                      \
    {                                                                                \
        INSTRUCTION_##name, #name, {native##_1, native##_2, native##_4, native##_8}, \
            mask                                                                     \
    }

static const struct {
    enum instruction_name name;
    const char *text;
    void (*native[4])(struct values *values); /* of 1, 2, 4 and 8 bytes */
    uint64_t flags;                           /* that are defined */
} rows[] = {
    ROW(ADC, native_adc, ALL),       ROW(ADD, native_add, ALL),
    ROW(AND, native_and, LOGICAL),   ROW(BT, native_bt, BIT_TEST),
    ROW(BTC, native_btc, BIT_TEST),  ROW(BTR, native_btr, BIT_TEST),
    ROW(BTS, native_bts, BIT_TEST),  ROW(CMP, native_cmp, ALL),
    ROW(CMPS, native_cmp, ALL),      ROW(CMPXCHG, native_cmpxchg, ALL),
    ROW(DEC, native_dec, ALL),       ROW(INC, native_inc, ALL),
    ROW(LODS, native_mov, ALL),      ROW(MOV, native_mov, ALL),
    ROW(MOVNTI, native_mov, ALL),    ROW(MOVS, native_mov, ALL),
    ROW(MOVZX, native_mov, ALL),     ROW(NEG, native_neg, ALL),
    ROW(NOT, native_not, ALL),       ROW(OR, native_or, LOGICAL),
    ROW(SBB, native_sbb, ALL),       ROW(SCAS, native_cmp, ALL),
    ROW(STOS, native_mov, ALL),      ROW(SUB, native_sub, ALL),
    ROW(TEST, native_test, LOGICAL), ROW(XADD, native_xadd, ALL),
    ROW(XCHG, native_xchg, ALL),     ROW(XOR, native_xor, LOGICAL),
};

static uint64_t low_bytes(uint64_t value, unsigned int size)
{
    return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

static void compare(size_t row, unsigned int log, struct values values)
{
    unsigned int size          = 1U << log;
    values.a                   = low_bytes(values.a, size);
    values.b                   = low_bytes(values.b, size);
    values.c                   = low_bytes(values.c, size);
    struct values native       = values;
    struct arithmetic computed = {
        .size        = (uint8_t)size,
        .source_size = (uint8_t)size,
        .destination = values.a,
        .source      = values.b,
        .accumulator = values.c,
        .rflags      = values.flags | 0x202 | UINT64_C(1) << 21, /* others are kept */
    };

    rows[row].native[log](&native);
    arithmetic_find(rows[row].name)(&computed);
    if (low_bytes(computed.destination, size) != native.a ||
        low_bytes(computed.source, size) != native.b ||
        low_bytes(computed.accumulator, size) != low_bytes(native.c, size) ||
        ((computed.rflags ^ native.flags) & rows[row].flags) != 0)
        fail_msg("%s of %u bytes: %lx, %lx, RAX %lx, flags %lx", rows[row].text, size,
                 values.a, values.b, values.c, values.flags);
    assert_int_equal(computed.rflags & ~(uint64_t)ALL, 0x202 | UINT64_C(1) << 21);
}

static void compare_flags(size_t row, unsigned int log, uint64_t a, uint64_t b)
{
    compare(row, log, (struct values){a, b, a, 0});
    compare(row, log, (struct values){a, b, b, ALL});
    compare(row, log, (struct values){a, b, a ^ 1, random_number() & ALL});
}

/* All pairs of values at which a flag changes, and random ones. */
static void test_flags(void **state)
{
    (void)state;
    static const uint64_t edges[] = {
        0,
        1,
        2,
        7,
        8,
        0xF,
        0x10,
        0x11,
        0x7E,
        0x7F,
        0x80,
        0x81,
        0xFE,
        0xFF,
        0x100,
        0x7FFE,
        0x7FFF,
        0x8000,
        0x8001,
        0xFFFE,
        0xFFFF,
        0x10000,
        0x7FFFFFFE,
        0x7FFFFFFF,
        0x80000000,
        0x80000001,
        0xFFFFFFFE,
        0xFFFFFFFF,
        0x100000000,
        0x7FFFFFFFFFFFFFFE,
        0x7FFFFFFFFFFFFFFF,
        0x8000000000000000,
        0x8000000000000001,
        0xFFFFFFFFFFFFFFFE,
        0xFFFFFFFFFFFFFFFF,
    };
    const size_t count = sizeof(edges) / sizeof(edges[0]);

    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        for (unsigned int log = 0; log < 4; log++) {
            if (rows[row].native[log] == NULL)
                continue;
            for (size_t i = 0; i < count * count; i++)
                compare_flags(row, log, edges[i / count], edges[i % count]);
            for (size_t i = 0; i < RANDOM_PAIRS; i++)
                compare_flags(row, log, random_number(), random_number());
        }
    }
}

/* MOVSX and MOVSXD extend the sign of the source. */
static void test_sign_extension(void **state)
{
    (void)state;
    static const struct {
        uint8_t size;
        uint64_t source, result;
    } cases[] = {{1, 0x80, 0xFFFFFFFFFFFFFF80},       {1, 0x7F, 0x7F},
                 {2, 0x8001, 0xFFFFFFFFFFFF8001},     {2, 0x7FFF, 0x7FFF},
                 {4, 0x80000000, 0xFFFFFFFF80000000}, {4, 0x7FFFFFFF, 0x7FFFFFFF}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arithmetic values = {.size        = 8,
                                    .source_size = cases[i].size,
                                    .source      = cases[i].source,
                                    .rflags      = ALL};
        arithmetic_find(cases[i].size == 4 ? INSTRUCTION_MOVSXD
                                           : INSTRUCTION_MOVSX)(&values);
        assert_int_equal(values.destination, cases[i].result);
        assert_int_equal(values.rflags, ALL);
    }
}

/* Instructions that do more than compute, and numbers that are none. */
static void test_others(void **state)
{
    (void)state;
    assert_null(arithmetic_find(INSTRUCTION_NONE));
    assert_null(arithmetic_find(INSTRUCTION_LGDT));
    assert_null(arithmetic_find(INSTRUCTION_IN));
    assert_null(arithmetic_find(INSTRUCTION_INVLPG));
    assert_null(arithmetic_find(INSTRUCTION_XSETBV));
    assert_null(arithmetic_find((enum instruction_name)255));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flags),
                                       cmocka_unit_test(test_sign_extension),
                                       cmocka_unit_test(test_others)};
    return cmocka_run_group_tests_name("arithmetic", tests, NULL, NULL);
}
