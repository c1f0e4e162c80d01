/* See qr_code.h. Section titles are those of ISO/IEC 18004. */
#include "report/qr_code.h"

#include "lib/bits.h"
#include "lib/string.h"

#define MAX_VERSION   6
#define MAX_CODEWORDS 172 /* of version 6, all */
#define MAX_DATA      136
#define MAX_BLOCKS    2
#define MAX_EC        26 /* of a block */

#define MODE_ALPHANUMERIC 2U
#define FINDER            7 /* modules of a finder pattern */
#define FORMAT_LEVEL_L    1U
#define MASKS             8U

/* "Number of error correction codewords", level L: of versions 1 to 6. */
static const struct version {
    uint8_t data, ec, blocks; /* codewords of data and of correction in a block, blocks */
} versions[MAX_VERSION] = {
    {19, 7, 1}, {34, 10, 1}, {55, 15, 1}, {80, 20, 1}, {108, 26, 1}, {68, 18, 2},
};

/* ---- Data ---------------------------------------------------------------------------
 */

struct bits {
    uint8_t bytes[MAX_DATA];
    size_t count;
};

static void put_bits(struct bits *bits, uint32_t value, unsigned int count)
{
    for (; count > 0; count--) {
        if ((value >> (count - 1) & 1) != 0)
            bits->bytes[bits->count / 8] |= (uint8_t)(0x80U >> (bits->count % 8));
        bits->count++;
    }
}

/* The value of a character, or the alphabet's length. */
static uint32_t value_of(char character)
{
    uint32_t value = 0;
    while (QR_CODE_ALPHABET[value] != '\0' && QR_CODE_ALPHABET[value] != character)
        value++;
    return value;
}

#define VALUES ((uint32_t)sizeof(QR_CODE_ALPHABET) - 1)

/* "Alphanumeric mode": 4 bits of mode, 9 of count, 11 for two characters, 6 for one. */
static size_t bits_needed(size_t length)
{
    return 4 + 9 + length / 2 * 11 + length % 2 * 6;
}

static void encode(const char *text, size_t length, size_t data, struct bits *bits)
{
    put_bits(bits, MODE_ALPHANUMERIC, 4);
    put_bits(bits, (uint32_t)length, 9);
    for (size_t i = 0; i + 1 < length; i += 2)
        put_bits(bits, value_of(text[i]) * VALUES + value_of(text[i + 1]), 11);
    if (length % 2 != 0)
        put_bits(bits, value_of(text[length - 1]), 6);
    /* "Terminator", and "Padding": zero bits are there already. */
    size_t end  = (bits->count + 4 + 7) / 8;
    bits->count = 8 * (end < data ? end : data);
    for (uint32_t pad = 0xEC; bits->count < 8 * data; pad ^= 0xEC ^ 0x11)
        put_bits(bits, pad, 8);
}

/* ---- Error correction: Reed and Solomon's, over GF(256) modulo 0x11D -----------------
 */

static uint8_t multiply(uint8_t a, uint8_t b)
{
    uint32_t product = 0;

    for (int i = 7; i >= 0; i--) {
        product = product << 1 ^ ((product & 0x80) != 0 ? 0x11D : 0);
        product ^= (b >> i & 1) != 0 ? a : 0;
    }
    return (uint8_t)product;
}

/* The generator polynomial of degree count, without its leading 1. */
static void make_generator(uint8_t generator[MAX_EC], size_t count)
{
    uint8_t root = 1;

    memset(generator, 0, count);
    generator[count - 1] = 1;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            generator[j] = multiply(generator[j], root);
            if (j + 1 < count)
                generator[j] ^= generator[j + 1];
        }
        root = multiply(root, 2);
    }
}

/* The remainder of the data, as a polynomial, divided by the generator. */
static void correct(const uint8_t *data, size_t size, const uint8_t *generator,
                    size_t count, uint8_t *ec)
{
    memset(ec, 0, count);
    for (size_t i = 0; i < size; i++) {
        uint8_t factor = data[i] ^ ec[0];
        for (size_t j = 0; j < count; j++)
            ec[j] = (j + 1 < count ? ec[j + 1] : 0) ^ multiply(generator[j], factor);
    }
}

/* "Constructing the final message": the blocks' codewords in turn. */
static size_t interleave(const uint8_t *data, const struct version *version,
                         uint8_t codewords[MAX_CODEWORDS])
{
    uint8_t generator[MAX_EC], ec[MAX_BLOCKS][MAX_EC];
    size_t count = 0;

    make_generator(generator, version->ec);
    for (size_t block = 0; block < version->blocks; block++)
        correct(data + block * version->data, version->data, generator, version->ec,
                ec[block]);
    for (size_t i = 0; i < version->data; i++) {
        for (size_t block = 0; block < version->blocks; block++)
            codewords[count++] = data[block * version->data + i];
    }
    for (size_t i = 0; i < version->ec; i++) {
        for (size_t block = 0; block < version->blocks; block++)
            codewords[count++] = ec[block][i];
    }
    return count;
}

/* ---- Modules ------------------------------------------------------------------------
 */

/* A code that is being drawn, and which of its modules have their place already. */
struct drawing {
    struct qr_code *code;
    uint64_t taken[QR_CODE_MAX_SIZE];
};

static void put(struct drawing *drawing, int row, int column, bool is_dark)
{
    uint64_t bit = BIT(column);

    drawing->taken[row] |= bit;
    if (is_dark)
        drawing->code->dark[row] |= bit;
    else
        drawing->code->dark[row] &= ~bit;
}

static int absolute(int number)
{
    return number < 0 ? -number : number;
}

/* Rings around a centre, dark and light: the distance tells which. */
static void put_rings(struct drawing *drawing, int row, int column, int reach,
                      uint32_t light)
{
    int size = (int)drawing->code->size;

    for (int y = -reach; y <= reach; y++) {
        for (int x = -reach; x <= reach; x++) {
            int ring = absolute(x) > absolute(y) ? absolute(x) : absolute(y);
            if (row + y >= 0 && row + y < size && column + x >= 0 && column + x < size)
                put(drawing, row + y, column + x, (light >> ring & 1) == 0);
        }
    }
}

/* "Finder pattern" with separators, "Timing pattern", "Alignment patterns". */
static void put_patterns(struct drawing *drawing)
{
    int size = (int)drawing->code->size;

    for (int i = 0; i < size; i++) {
        put(drawing, FINDER - 1, i, i % 2 == 0);
        put(drawing, i, FINDER - 1, i % 2 == 0);
    }
    put_rings(drawing, FINDER / 2, FINDER / 2, 4, 0x14);
    put_rings(drawing, FINDER / 2, size - 1 - FINDER / 2, 4, 0x14);
    put_rings(drawing, size - 1 - FINDER / 2, FINDER / 2, 4, 0x14);
    if (size > 21)
        put_rings(drawing, size - FINDER, size - FINDER, 2, 0x02);
}

/* "Format information": level and mask, with BCH's (15,5) code, twice. */
static void put_format(struct drawing *drawing, uint32_t mask)
{
    int size       = (int)drawing->code->size;
    uint32_t data  = FORMAT_LEVEL_L << 3 | mask;
    uint32_t check = data;

    for (int i = 0; i < 10; i++)
        check = check << 1 ^ ((check & 0x200) != 0 ? 0x537 : 0);
    uint32_t format = (data << 10 | check) ^ 0x5412;
    for (int i = 0; i < 15; i++) {
        bool is_dark = (format >> i & 1) != 0;
        int along    = i < 6 ? i : i < 8 ? i + 1 : size - 15 + i;  /* down column 8 */
        int across   = i < 8 ? size - 1 - i : i == 8 ? 7 : 14 - i; /* left in row 8 */
        put(drawing, along, 8, is_dark);
        put(drawing, 8, across, is_dark);
    }
    put(drawing, size - 8, 8, true); /* the dark module */
}

/* "Symbol character placement": two columns at a time, from the right, up and down. */
static void put_codewords(struct drawing *drawing, const uint8_t *codewords, size_t count)
{
    int size = (int)drawing->code->size;
    size_t i = 0;

    for (int right = size - 1; right > 0; right -= 2) {
        if (right == FINDER - 1)
            right--; /* the timing pattern's column */
        for (int step = 0; step < 2 * size; step++) {
            bool is_upward = (((uint32_t)right + 1) & 2) == 0;
            int row        = is_upward ? size - 1 - step / 2 : step / 2;
            int column     = right - step % 2;
            if ((drawing->taken[row] >> column & 1) != 0)
                continue;
            bool is_dark = i < 8 * count && (codewords[i / 8] >> (7 - i % 8) & 1) != 0;
            if (is_dark)
                drawing->code->dark[row] |= BIT(column);
            i++;
        }
    }
}

/* "Data mask patterns". */
static bool is_masked(uint32_t mask, int row, int column)
{
    switch (mask) {
    case 0:
        return (row + column) % 2 == 0;
    case 1:
        return row % 2 == 0;
    case 2:
        return column % 3 == 0;
    case 3:
        return (row + column) % 3 == 0;
    case 4:
        return (row / 2 + column / 3) % 2 == 0;
    case 5:
        return row * column % 2 + row * column % 3 == 0;
    case 6:
        return (row * column % 2 + row * column % 3) % 2 == 0;
    default:
        return ((row + column) % 2 + row * column % 3) % 2 == 0;
    }
}

/* Inverts the modules that hold data, where the mask says so. */
static void apply_mask(struct drawing *drawing, uint32_t mask)
{
    int size = (int)drawing->code->size;

    for (int row = 0; row < size; row++) {
        for (int column = 0; column < size; column++) {
            if ((drawing->taken[row] >> column & 1) == 0 && is_masked(mask, row, column))
                drawing->code->dark[row] ^= BIT(column);
        }
    }
}

/* ---- "Evaluation of data masking results" ---------------------------------------------
 */

/* A module by its place in a row, or in a column. */
static bool is_dark_along(const struct qr_code *code, bool in_column, int line, int place)
{
    return in_column ? qr_code_is_dark(code, place, line)
                     : qr_code_is_dark(code, line, place);
}

/* Runs of five and more, and what looks like a finder pattern. */
static uint32_t line_penalty(const struct qr_code *code, bool in_column, int line)
{
    uint32_t penalty = 0, history = 0;
    int run = 0;

    for (int place = 0; place < (int)code->size; place++) {
        bool is_dark = is_dark_along(code, in_column, line, place);
        bool is_same = place > 0 && is_dark == ((history & 1) != 0);
        run          = is_same ? run + 1 : 1;
        penalty += run == 5 ? 3 : run > 5 ? 1 : 0;
        history = (history << 1 | is_dark) & 0x7FF;
        if (place >= 10 && (history == 0x5D0 || history == 0x05D))
            penalty += 40;
    }
    return penalty;
}

/* Squares of two by two. */
static uint32_t block_penalty(const struct qr_code *code)
{
    uint32_t penalty = 0;
    int size         = (int)code->size;
    for (int row = 0; row + 1 < size; row++) {
        for (int column = 0; column + 1 < size; column++) {
            bool is_dark = qr_code_is_dark(code, row, column);
            if (is_dark == qr_code_is_dark(code, row, column + 1) &&
                is_dark == qr_code_is_dark(code, row + 1, column) &&
                is_dark == qr_code_is_dark(code, row + 1, column + 1))
                penalty += 3;
        }
    }
    return penalty;
}

/* How far from half of the modules are dark, in steps of 5 %. */
static uint32_t balance_penalty(const struct qr_code *code)
{
    int all = (int)(code->size * code->size), dark = 0;
    uint32_t penalty = 0;

    for (int row = 0; row < (int)code->size; row++) {
        for (uint64_t rest = code->dark[row]; rest != 0; rest &= rest - 1)
            dark++;
    }
    for (int rest = absolute(dark * 20 - all * 10); rest >= all; rest -= all)
        penalty += 10;
    return penalty;
}

static uint32_t penalty_of(const struct qr_code *code)
{
    uint32_t penalty = block_penalty(code) + balance_penalty(code);
    for (int line = 0; line < (int)code->size; line++)
        penalty += line_penalty(code, false, line) + line_penalty(code, true, line);
    return penalty;
}

static void draw(struct drawing *drawing, const uint8_t *codewords, size_t count)
{
    uint32_t best = 0, least = UINT32_MAX;
    put_patterns(drawing);
    put_format(drawing, 0); /* takes its place */
    put_codewords(drawing, codewords, count);
    for (uint32_t mask = 0; mask < MASKS; mask++) {
        put_format(drawing, mask);
        apply_mask(drawing, mask);
        uint32_t penalty = penalty_of(drawing->code);
        apply_mask(drawing, mask); /* twice is not at all */
        if (penalty < least) {
            least = penalty;
            best  = mask;
        }
    }
    put_format(drawing, best);
    apply_mask(drawing, best);
}

static bool is_of_alphabet(const char *text)
{
    while (*text != '\0' && value_of(*text) < VALUES)
        text++;
    return *text == '\0';
}

/* The codewords of data in all blocks. */
static size_t data_of(const struct version *version)
{
    return (size_t)version->data * version->blocks;
}

/* The first version that has room for so many bits; NULL if none has. */
static const struct version *find_version(size_t bits)
{
    for (size_t i = 0; i < MAX_VERSION; i++) {
        if (bits <= (size_t)8 * data_of(&versions[i]))
            return &versions[i];
    }
    return NULL;
}

bool qr_code_make(const char *text, struct qr_code *code)
{
    size_t length                 = strlen(text);
    const struct version *version = find_version(bits_needed(length));
    struct bits bits              = {.count = 0};
    uint8_t codewords[MAX_CODEWORDS];

    if (version == NULL || !is_of_alphabet(text))
        return false;
    encode(text, length, data_of(version), &bits);
    size_t count = interleave(bits.bytes, version, codewords);
    *code        = (struct qr_code){.size = 21 + 4 * (unsigned int)(version - versions)};
    draw(&(struct drawing){.code = code}, codewords, count);
    return true;
}
