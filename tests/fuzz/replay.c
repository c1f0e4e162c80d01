/*
 * Runs a fuzz target on the inputs in tests/fuzz/corpus: files of hexadecimal bytes, with
 * # comments.
 */
#include "fuzz.h"

#include <ctype.h>
#include <stdio.h>

/* Reads a file into bytes; returns how many, or -1 if it is not hexadecimal. */
static long read_hex(FILE *file, uint8_t *bytes, size_t capacity)
{
    size_t count = 0;
    int high     = -1;
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
        if (c == '#') {
            while (c != '\n' && c != EOF)
                c = fgetc(file);
        } else if (isxdigit(c)) {
            int digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
            if (high >= 0 && count < capacity)
                bytes[count++] = (uint8_t)(high << 4 | digit);
            high = high >= 0 ? -1 : digit;
        } else if (!isspace(c)) {
            return -1;
        }
    }
    return high >= 0 ? -1 : (long)count;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[1 << 20];

    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "r");
        long size  = file == NULL ? -1 : read_hex(file, bytes, sizeof(bytes));
        if (size < 0) {
            fprintf(stderr, "%s: not there, or not hexadecimal\n", argv[i]);
            return 1;
        }
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, (size_t)size);
        printf("%s: %ld bytes\n", argv[i], size);
    }
    return 0;
}
