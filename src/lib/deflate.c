/* See deflate.h. */
#include "lib/deflate.h"

#include "lib/string.h"

/* RFC 1951, "Compressed blocks (length and distance codes)"; 258 has its own code. */
#define MATCH_LEAST 3
#define MATCH_MOST  257

#define CHAIN_MOST 64 /* strings that are compared for a match */

#define END_OF_BLOCK 256

/* RFC 1950: deflate with a window of 32 KiB; a multiple of 31 as a big-endian word. */
static const uint8_t zlib_header[] = {0x78, 0x01};
#define ADLER_MODULUS 65521

struct bit_writer {
    struct deflate_output *output;
    uint32_t bits; /* not written yet, the first in bit 0 */
    unsigned int count;
};

static void put_byte(struct deflate_output *output, uint8_t byte)
{
    if (output->size < output->capacity)
        output->bytes[output->size] = byte;
    output->size++;
}

/* Writes at most 16 bits, the least significant first. */
static void put_bits(struct bit_writer *writer, uint32_t bits, unsigned int count)
{
    writer->bits |= bits << writer->count;
    writer->count += count;
    for (; writer->count >= 8; writer->count -= 8, writer->bits >>= 8)
        put_byte(writer->output, (uint8_t)writer->bits);
}

/* Writes a Huffman code, the most significant bit first. */
static void put_code(struct bit_writer *writer, uint32_t code, unsigned int count)
{
    while (count-- > 0)
        put_bits(writer, code >> count & 1, 1);
}

/* RFC 1951, "Compression with fixed Huffman codes". */
static void put_symbol(struct bit_writer *writer, uint32_t symbol)
{
    if (symbol < 144)
        put_code(writer, 0x30 + symbol, 8);
    else if (symbol < 256)
        put_code(writer, 0x190 + symbol - 144, 9);
    else if (symbol < 280)
        put_code(writer, symbol - 256, 7);
    else
        put_code(writer, 0xC0 + symbol - 280, 8);
}

/* The code of a number, and the bits that follow it. */
struct number_code {
    uint32_t code, extra;
    unsigned int extra_count;
};

/*
 * Returns the code of a length or distance, less the least one. Each doubling has 2^shift
 * codes: 4 for lengths, 2 for distances; the numbers below the second doubling have one
 * each.
 */
static struct number_code code_of(uint32_t number, unsigned int shift)
{
    if (number < 2U << shift)
        return (struct number_code){.code = number};
    unsigned int bits = 31 - (unsigned int)__builtin_clz(number) - shift;
    return (struct number_code){.code        = (bits << shift) + (number >> bits),
                                .extra       = number & ((1U << bits) - 1),
                                .extra_count = bits};
}

static void put_match(struct bit_writer *writer, uint32_t length, uint32_t distance)
{
    struct number_code code = code_of(length - MATCH_LEAST, 2);

    put_symbol(writer, END_OF_BLOCK + 1 + code.code);
    put_bits(writer, code.extra, code.extra_count);
    code = code_of(distance - 1, 1);
    put_code(writer, code.code, 5);
    put_bits(writer, code.extra, code.extra_count);
}

/* ---- Matches ----------------------------------------------------------------------- */

struct input {
    const uint8_t *data;
    uint32_t size;
    struct deflate_workspace *workspace;
};

/* Returns the hash of the string of MATCH_LEAST bytes at a position. */
static uint32_t hash_of(const uint8_t *at)
{
    uint32_t bytes = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
    return bytes * 2654435761U >> 20; /* Knuth's multiplicative hash, to 12 bits */
}

static void insert(const struct input *input, uint32_t position)
{
    if (input->size - position < MATCH_LEAST)
        return;
    uint32_t *newest = &input->workspace->newest[hash_of(input->data + position)];
    input->workspace->previous[position % DEFLATE_WINDOW] = *newest;
    *newest                                               = position + 1;
}

static uint32_t match_length(const struct input *input, uint32_t at, uint32_t position)
{
    uint32_t limit  = input->size - position;
    uint32_t length = 0;

    if (limit > MATCH_MOST)
        limit = MATCH_MOST;
    while (length < limit && input->data[at + length] == input->data[position + length])
        length++;
    return length;
}

/* Returns the length of the longest match within the window, 0 if there is none. */
static uint32_t find_match(const struct input *input, uint32_t position,
                           uint32_t *distance)
{
    uint32_t longest = MATCH_LEAST - 1;

    if (input->size - position < MATCH_LEAST)
        return 0;
    uint32_t next = input->workspace->newest[hash_of(input->data + position)];
    for (unsigned int i = 0; i < CHAIN_MOST && next != 0; i++) {
        uint32_t at = next - 1;
        if (position - at > DEFLATE_WINDOW)
            break;
        uint32_t length = match_length(input, at, position);
        if (length > longest) {
            longest   = length;
            *distance = position - at;
        }
        next = input->workspace->previous[at % DEFLATE_WINDOW];
    }
    return longest >= MATCH_LEAST ? longest : 0;
}

/* ---- The stream -------------------------------------------------------------------- */

static uint32_t adler_of(const uint8_t *data, size_t size)
{
    uint32_t low = 1, high = 0;

    for (size_t i = 0; i < size; i++) {
        low  = (low + data[i]) % ADLER_MODULUS;
        high = (high + low) % ADLER_MODULUS;
    }
    return high << 16 | low;
}

void deflate_compress(const uint8_t *data, size_t size,
                      struct deflate_workspace *workspace, struct deflate_output *output)
{
    struct input input       = {data, (uint32_t)size, workspace};
    struct bit_writer writer = {.output = output};
    uint32_t adler           = adler_of(data, size);

    memset(workspace->newest, 0, sizeof(workspace->newest));
    output->size = 0;
    for (size_t i = 0; i < sizeof(zlib_header); i++)
        put_byte(output, zlib_header[i]);
    put_bits(&writer, 3, 3); /* the last block, with fixed codes */
    for (uint32_t position = 0; position < input.size;) {
        uint32_t distance = 0;
        uint32_t length   = find_match(&input, position, &distance);
        if (length > 0)
            put_match(&writer, length, distance);
        else
            put_symbol(&writer, data[position]);
        for (uint32_t end = position + (length > 0 ? length : 1); position < end;)
            insert(&input, position++);
    }
    put_symbol(&writer, END_OF_BLOCK);
    put_bits(&writer, 0, (8 - writer.count) % 8);
    for (int shift = 24; shift >= 0; shift -= 8)
        put_byte(output, (uint8_t)(adler >> shift));
}
