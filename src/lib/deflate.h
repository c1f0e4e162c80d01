/*
 * Compresses bytes to a zlib stream: RFC 1950, and RFC 1951 with the fixed Huffman codes.
 *
 * Pure. Every zlib decompresses it, and its checksum detects a damaged stream.
 */
#ifndef HYMIR_LIB_DEFLATE_H
#define HYMIR_LIB_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

#define DEFLATE_WINDOW 32768 /* bytes: how far back a match may be */
#define DEFLATE_HASHES 4096

/* The compressor's memory; need not be initialized. */
struct deflate_workspace {
    uint32_t newest[DEFLATE_HASHES];   /* position after the newest string of a hash */
    uint32_t previous[DEFLATE_WINDOW]; /* the same, of the string before a position's */
};

/* The destination of the stream. */
struct deflate_output {
    uint8_t *bytes;
    size_t capacity;
    size_t size; /* of the stream; above capacity if it does not fit */
};

/* Compresses size bytes, fewer than 4 GiB. Sets output->size. */
void deflate_compress(const uint8_t *data, size_t size,
                      struct deflate_workspace *workspace, struct deflate_output *output);

#endif
