/* See arithmetic.h. */
#include "virt/arithmetic.h"

#include "lib/bits.h"
#include "x86/control_registers.h"

#define RFLAGS_ARITHMETIC \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* Returns the sign of a value of that size, in bit 0. */
static uint64_t sign_of(uint64_t value, uint8_t size)
{
    return value >> (8 * size - 1) & 1;
}

/* Sets SF, ZF and PF for a result, and CF, AF and OF as given in bit 0. */
static void set_flags(struct arithmetic *values, uint64_t result, uint64_t carry,
                      uint64_t adjust, uint64_t overflow)
{
    bool is_zero   = (result & BYTES_MASK(values->size)) == 0;
    bool is_parity = __builtin_parity((uint8_t)result) == 0;

    values->rflags = (values->rflags & ~RFLAGS_ARITHMETIC) |
                     (carry != 0 ? RFLAGS_CF : 0) | (is_parity ? RFLAGS_PF : 0) |
                     (adjust != 0 ? RFLAGS_AF : 0) | (is_zero ? RFLAGS_ZF : 0) |
                     (sign_of(result, values->size) != 0 ? RFLAGS_SF : 0) |
                     (overflow != 0 ? RFLAGS_OF : 0);
}

/*
 * Returns a + b + carry with its flags. A subtraction adds the complement of b: then CF
 * and AF, of which bits are set in borrows, are inverted.
 */
static uint64_t add_with_carry(struct arithmetic *values, uint64_t a, uint64_t b,
                               uint64_t carry, uint64_t borrows)
{
    uint64_t result   = a + b + carry;
    uint64_t carries  = (a & b) | ((a | b) & ~result);
    uint64_t overflow = (a ^ result) & (b ^ result);

    set_flags(values, result, sign_of(carries, values->size) ^ borrows,
              (carries >> 3 & 1) ^ borrows, sign_of(overflow, values->size));
    return result;
}

static uint64_t subtract(struct arithmetic *values, uint64_t a, uint64_t b,
                         uint64_t borrow)
{
    return add_with_carry(values, a, ~b, 1 - borrow, 1);
}

static void set_logical(struct arithmetic *values, uint64_t result)
{
    set_flags(values, result, 0, 0, 0);
    values->destination = result;
}

static void execute_adc(struct arithmetic *values)
{
    values->destination = add_with_carry(values, values->destination, values->source,
                                         values->rflags & RFLAGS_CF, 0);
}

static void execute_add(struct arithmetic *values)
{
    values->destination =
        add_with_carry(values, values->destination, values->source, 0, 0);
}

static void execute_and(struct arithmetic *values)
{
    set_logical(values, values->destination & values->source);
}

/* Copies the bit of a bit test to CF. Returns it in its place. */
static uint64_t test_bit(struct arithmetic *values)
{
    uint64_t bit = BIT(values->source % (UINT64_C(8) * values->size));
    bool is_set  = (values->destination & bit) != 0;

    values->rflags = (values->rflags & ~RFLAGS_CF) | (is_set ? RFLAGS_CF : 0);
    return bit;
}

static void execute_bt(struct arithmetic *values)
{
    (void)test_bit(values);
}

static void execute_btc(struct arithmetic *values)
{
    values->destination ^= test_bit(values);
}

static void execute_btr(struct arithmetic *values)
{
    values->destination &= ~test_bit(values);
}

static void execute_bts(struct arithmetic *values)
{
    values->destination |= test_bit(values);
}

static void execute_cmp(struct arithmetic *values)
{
    (void)subtract(values, values->destination, values->source, 0);
}

static void execute_cmpxchg(struct arithmetic *values)
{
    (void)subtract(values, values->accumulator, values->destination, 0);
    if ((values->rflags & RFLAGS_ZF) != 0)
        values->destination = values->source;
    else
        values->accumulator = values->destination;
}

/* INC and DEC preserve CF. */
static void execute_dec(struct arithmetic *values)
{
    uint64_t carry = values->rflags & RFLAGS_CF;

    values->destination = subtract(values, values->destination, 1, 0);
    values->rflags      = (values->rflags & ~RFLAGS_CF) | carry;
}

static void execute_inc(struct arithmetic *values)
{
    uint64_t carry = values->rflags & RFLAGS_CF;

    values->destination = add_with_carry(values, values->destination, 1, 0, 0);
    values->rflags      = (values->rflags & ~RFLAGS_CF) | carry;
}

static void execute_mov(struct arithmetic *values)
{
    values->destination = values->source;
}

static void execute_movsx(struct arithmetic *values)
{
    unsigned int unused = 64 - 8U * values->source_size;

    values->destination = (uint64_t)((int64_t)(values->source << unused) >> unused);
}

static void execute_neg(struct arithmetic *values)
{
    values->destination = subtract(values, 0, values->destination, 0);
}

static void execute_not(struct arithmetic *values)
{
    values->destination = ~values->destination;
}

static void execute_or(struct arithmetic *values)
{
    set_logical(values, values->destination | values->source);
}

static void execute_sbb(struct arithmetic *values)
{
    values->destination =
        subtract(values, values->destination, values->source, values->rflags & RFLAGS_CF);
}

static void execute_sub(struct arithmetic *values)
{
    values->destination = subtract(values, values->destination, values->source, 0);
}

static void execute_test(struct arithmetic *values)
{
    set_flags(values, values->destination & values->source, 0, 0, 0);
}

static void execute_xchg(struct arithmetic *values)
{
    uint64_t destination = values->destination;

    values->destination = values->source;
    values->source      = destination;
}

static void execute_xadd(struct arithmetic *values)
{
    execute_xchg(values);
    execute_add(values);
}

static void execute_xor(struct arithmetic *values)
{
    set_logical(values, values->destination ^ values->source);
}

arithmetic_operation *arithmetic_find(enum instruction_name name)
{
    static arithmetic_operation *const operations[] = {
        [INSTRUCTION_ADC] = execute_adc,     [INSTRUCTION_ADD] = execute_add,
        [INSTRUCTION_AND] = execute_and,     [INSTRUCTION_BT] = execute_bt,
        [INSTRUCTION_BTC] = execute_btc,     [INSTRUCTION_BTR] = execute_btr,
        [INSTRUCTION_BTS] = execute_bts,     [INSTRUCTION_CMP] = execute_cmp,
        [INSTRUCTION_CMPS] = execute_cmp,    [INSTRUCTION_CMPXCHG] = execute_cmpxchg,
        [INSTRUCTION_DEC] = execute_dec,     [INSTRUCTION_INC] = execute_inc,
        [INSTRUCTION_LODS] = execute_mov,    [INSTRUCTION_MOV] = execute_mov,
        [INSTRUCTION_MOVNTI] = execute_mov,  [INSTRUCTION_MOVS] = execute_mov,
        [INSTRUCTION_MOVSX] = execute_movsx, [INSTRUCTION_MOVSXD] = execute_movsx,
        [INSTRUCTION_MOVZX] = execute_mov,   [INSTRUCTION_NEG] = execute_neg,
        [INSTRUCTION_NOT] = execute_not,     [INSTRUCTION_OR] = execute_or,
        [INSTRUCTION_SBB] = execute_sbb,     [INSTRUCTION_SCAS] = execute_cmp,
        [INSTRUCTION_STOS] = execute_mov,    [INSTRUCTION_SUB] = execute_sub,
        [INSTRUCTION_TEST] = execute_test,   [INSTRUCTION_XADD] = execute_xadd,
        [INSTRUCTION_XCHG] = execute_xchg,   [INSTRUCTION_XOR] = execute_xor,
    };

    return name < ARRAY_SIZE(operations) ? operations[name] : NULL;
}
