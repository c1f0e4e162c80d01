/* See qr_code.h. Section titles are those of ISO/IEC 18004. */
#include "report/qr_code.h"

#include "lib/bits.h"
#include "lib/string.h"

#define MAX_CODEWORDS 172 /* of version 6, all */
#define MAX_DATA      136
#define MAX_EC        26 /* of a block */

#define MODE_ALPHANUMERIC 2U
#define FINDER            7 /* modules of a finder pattern */
#define FORMAT_LEVEL_L    1U
#define MASKS             8U

/* "Number of error correction codewords": versions 1 to 6, level L. */
static const struct version {
    uint8_t data, ec, blocks; /* data and correction codewords of a block, blocks */
} versions[] = {
    {19, 7, 1}, {34, 10, 1}, {55, 15, 1}, {80, 20, 1}, {108, 26, 1}, {68, 18, 2},
};

/* ---- Data -------------------------------------------------------------------------- */

struct bits {
    uint8_t bytes[MAX_DATA];
    size_t count;
};

static void append_bits(struct bits *bits, uint32_t value, unsigned int count)
{
    for (; count > 0; bits->count++) {
        if ((value >> --count & 1) != 0)
            bits->bytes[bits->count / 8] |= (uint8_t)(0x80U >> (bits->count % 8));
    }
}

#define VALUES ((uint32_t)sizeof(QR_CODE_ALPHABET) - 1)

/* Returns the value of a character, or VALUES if it is not in the alphabet. */
static uint32_t character_value(char character)
{
    uint32_t value = 0;
    while (value < VALUES && QR_CODE_ALPHABET[value] != character)
        value++;
    return value;
}

/*
 * "Alphanumeric mode": 4 bits of mode, 9 of count, 11 for two characters, 6 for one.
 * "Terminator" and "Padding": the zero bits are already present.
 */
static void encode(const char *text, size_t length, size_t data, struct bits *bits)
{
    append_bits(bits, MODE_ALPHANUMERIC, 4);
    append_bits(bits, (uint32_t)length, 9);
    for (size_t i = 0; i + 1 < length; i += 2)
        append_bits(bits,
                    character_value(text[i]) * VALUES + character_value(text[i + 1]), 11);
    if (length % 2 != 0)
        append_bits(bits, character_value(text[length - 1]), 6);
    size_t end  = (bits->count + 4 + 7) / 8;
    bits->count = 8 * (end < data ? end : data);
    for (uint32_t pad = 0xEC; bits->count < 8 * data; pad ^= 0xEC ^ 0x11)
        append_bits(bits, pad, 8);
}

/* ---- Error correction: Reed-Solomon over GF(256) modulo 0x11D ---------------------- */

static uint8_t multiply(uint8_t a, uint8_t b)
{
    uint32_t product = 0;

    for (int i = 7; i >= 0; i--) {
        product = product << 1 ^ ((product & 0x80) != 0 ? 0x11D : 0);
        product ^= (b >> i & 1) != 0 ? a : 0;
    }
    return (uint8_t)product;
}

/* Computes the generator polynomial of degree count, without its leading 1. */
static void compute_generator(uint8_t generator[MAX_EC + 1], size_t count)
{
    uint8_t root = 1;

    memset(generator, 0, MAX_EC + 1);
    generator[count - 1] = 1;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++)
            generator[j] = multiply(generator[j], root) ^ generator[j + 1];
        root = multiply(root, 2);
    }
}

/*
 * "Constructing the final message": interleaves the codewords of the blocks, first those
 * of data, then those of correction, the remainders of the data as a polynomial divided
 * by the generator.
 */
static void interleave(const uint8_t *data, const struct version *version,
                       uint8_t codewords[MAX_CODEWORDS])
{
    uint8_t generator[MAX_EC + 1];
    size_t blocks = version->blocks;

    compute_generator(generator, version->ec);
    for (size_t block = 0; block < blocks; block++, data += version->data) {
        uint8_t ec[MAX_EC + 1] = {0};
        for (size_t i = 0; i < version->data; i++) {
            uint8_t factor                = data[i] ^ ec[0];
            codewords[i * blocks + block] = data[i];
            for (size_t j = 0; j < version->ec; j++)
                ec[j] = ec[j + 1] ^ multiply(generator[j], factor);
        }
        for (size_t i = 0; i < version->ec; i++)
            codewords[(version->data + i) * blocks + block] = ec[i];
    }
}

/* ---- Modules ----------------------------------------------------------------------- */

/* A code being drawn, and its modules that do not hold data. */
struct drawing {
    struct qr_code *code;
    int size;
    uint64_t reserved[QR_CODE_MAX_SIZE];
};

/* Sets a module that does not hold data; does nothing outside the code. */
static void set_module(struct drawing *drawing, int row, int column, bool is_dark)
{
    if (row < 0 || row >= drawing->size || column < 0 || column >= drawing->size)
        return;
    drawing->reserved[row] |= BIT(column);
    drawing->code->dark[row] &= ~BIT(column);
    drawing->code->dark[row] |= (uint64_t)is_dark << column;
}

static int absolute(int number)
{
    return number < 0 ? -number : number;
}

/* Draws square rings around a centre; bit n of light is the colour at distance n. */
static void draw_rings(struct drawing *drawing, int row, int column, int radius,
                       uint32_t light)
{
    for (int y = -radius; y <= radius; y++) {
        for (int x = -radius; x <= radius; x++) {
            int ring = absolute(x) > absolute(y) ? absolute(x) : absolute(y);
            set_module(drawing, row + y, column + x, (light >> ring & 1) == 0);
        }
    }
}

/* "Finder pattern" with separators, "Timing pattern", "Alignment patterns". */
static void draw_patterns(struct drawing *drawing)
{
    int near = FINDER / 2, far = drawing->size - 1 - FINDER / 2;

    for (int i = 0; i < drawing->size; i++) {
        set_module(drawing, FINDER - 1, i, i % 2 == 0);
        set_module(drawing, i, FINDER - 1, i % 2 == 0);
    }
    draw_rings(drawing, near, near, 4, 0x14);
    draw_rings(drawing, near, far, 4, 0x14);
    draw_rings(drawing, far, near, 4, 0x14);
    if (drawing->size > 21)
        draw_rings(drawing, drawing->size - FINDER, drawing->size - FINDER, 2, 0x02);
}

/* "Format information": level and mask, with a BCH (15,5) code, twice. */
static void draw_format(struct drawing *drawing, uint32_t mask)
{
    int size       = drawing->size;
    uint32_t data  = FORMAT_LEVEL_L << 3 | mask;
    uint32_t check = data;

    for (int i = 0; i < 10; i++)
        check = check << 1 ^ ((check & 0x200) != 0 ? 0x537 : 0);
    uint32_t format = (data << 10 | check) ^ 0x5412;
    for (int i = 0; i < 15; i++) {
        bool is_dark = (format >> i & 1) != 0;
        int row      = i < 6 ? i : i < 8 ? i + 1 : size - 15 + i;  /* down column 8 */
        int column   = i < 8 ? size - 1 - i : i == 8 ? 7 : 14 - i; /* left in row 8 */
        set_module(drawing, row, 8, is_dark);
        set_module(drawing, 8, column, is_dark);
    }
    set_module(drawing, size - 8, 8, true); /* the dark module */
}

/* Inverts a module that holds data if is_set; returns whether it holds data. */
static bool invert_data(struct drawing *drawing, int row, int column, bool is_set)
{
    if ((drawing->reserved[row] >> column & 1) != 0)
        return false;
    drawing->code->dark[row] ^= (uint64_t)is_set << column;
    return true;
}

/* "Symbol character placement": two columns at a time, from the right, up and down. */
static void draw_codewords(struct drawing *drawing, const uint8_t *codewords)
{
    size_t i = 0;

    for (int right = drawing->size - 1; right > 0; right -= 2) {
        if (right == FINDER - 1)
            right--; /* the timing pattern's column */
        for (int step = 0; step < 2 * drawing->size; step++) {
            bool is_upward = (((uint32_t)right + 1) & 2) == 0;
            int row        = is_upward ? drawing->size - 1 - step / 2 : step / 2;
            bool is_dark   = (codewords[i / 8] >> (7 - i % 8) & 1) != 0;
            i += invert_data(drawing, row, right - step % 2, is_dark) ? 1 : 0;
        }
    }
}

/* "Data mask patterns". */
static bool is_masked(uint32_t mask, int row, int column)
{
    int sum = row + column, product = row * column;
    const int remainders[MASKS] = {
        sum % 2,
        row % 2,
        column % 3,
        sum % 3,
        (row / 2 + column / 3) % 2,
        product % 2 + product % 3,
        (product % 2 + product % 3) % 2,
        (sum % 2 + product % 3) % 2,
    };
    return remainders[mask] == 0;
}

/* Sets the format and inverts the data where the mask is set; twice restores the data. */
static void apply_mask(struct drawing *drawing, uint32_t mask)
{
    draw_format(drawing, mask);
    for (int row = 0; row < drawing->size; row++) {
        for (int column = 0; column < drawing->size; column++)
            (void)invert_data(drawing, row, column, is_masked(mask, row, column));
    }
}

/* ---- "Evaluation of data masking results" ------------------------------------------ */

/* The modules of a row or column up to a place. */
struct line {
    uint32_t history; /* the last 11, bit 0 the last */
    int place, run;   /* their number, and the number of the last that are alike */
};

/* Returns the penalty of runs of five or more and of patterns like the finder's. */
static uint32_t line_add(struct line *line, bool is_dark)
{
    bool is_same     = is_dark == ((line->history & 1) != 0);
    uint32_t penalty = 0;

    line->run     = is_same ? line->run + 1 : 1;
    line->history = (line->history << 1 | is_dark) & 0x7FF;
    if (line->run >= 5)
        penalty += line->run == 5 ? 3 : 1;
    if (++line->place >= 11 && (line->history == 0x5D0 || line->history == 0x05D))
        penalty += 40;
    return penalty;
}

/* Returns whether four modules of the same colour start at a place. */
static bool is_block(const struct qr_code *code, int row, int column)
{
    uint64_t upper = code->dark[row] >> column & 3,
             lower = code->dark[row + 1] >> column & 3;
    return upper == lower && (upper == 0 || upper == 3);
}

static uint32_t compute_penalty(const struct qr_code *code)
{
    int size = (int)code->size, all = size * size, dark = 0;
    uint32_t penalty = 0;

    if (size <= 0)
        return 0;
    for (int i = 0; i < size; i++) {
        struct line row = {0}, column = {0};
        for (int j = 0; j < size; j++) {
            bool is_dark = qr_code_is_dark(code, i, j);
            dark += is_dark ? 1 : 0;
            penalty += line_add(&row, is_dark);
            penalty += line_add(&column, qr_code_is_dark(code, j, i));
            penalty += i + 1 < size && j + 1 < size && is_block(code, i, j) ? 3 : 0;
        }
    }
    /* 10 for each 5 % by which the share of dark modules differs from 50 % */
    return penalty + 10 * (uint32_t)(absolute(dark * 20 - all * 10) / all);
}

static void draw(struct drawing *drawing, const uint8_t *codewords)
{
    uint32_t best = 0, least = UINT32_MAX;

    draw_patterns(drawing);
    draw_format(drawing, 0); /* reserves its place */
    draw_codewords(drawing, codewords);
    for (uint32_t mask = 0; mask < MASKS; mask++) {
        apply_mask(drawing, mask);
        uint32_t penalty = compute_penalty(drawing->code);
        apply_mask(drawing, mask);
        if (penalty < least) {
            least = penalty;
            best  = mask;
        }
    }
    apply_mask(drawing, best);
}

/* Returns the number of data codewords in all blocks. */
static size_t version_data(const struct version *version)
{
    return (size_t)version->data * version->blocks;
}

bool qr_code_make(const char *text, struct qr_code *code)
{
    const struct version *version        = versions;
    size_t length                        = strlen(text);
    size_t needed                        = 4 + 9 + length / 2 * 11 + length % 2 * 6;
    struct drawing drawing               = {.code = code};
    struct bits bits                     = {.count = 0};
    uint8_t codewords[MAX_CODEWORDS + 1] = {0}; /* and 7 remainder bits, 0 */

    for (size_t i = 0; i < length; i++) {
        if (character_value(text[i]) == VALUES)
            return false;
    }
    while (needed > 8 * version_data(version)) {
        if (++version == versions + ARRAY_SIZE(versions))
            return false;
    }
    drawing.size = 21 + 4 * (int)(version - versions);
    *code        = (struct qr_code){.size = (unsigned int)drawing.size};
    encode(text, length, version_data(version), &bits);
    interleave(bits.bytes, version, codewords);
    draw(&drawing, codewords);
    return true;
}
