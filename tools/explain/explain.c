/*
 * Explains why VM entry or VMRUN failed, from a dump in standard input:
 *
 *     build/explain [--msr NAME=VALUE]... < dmesg.txt
 *
 * Exit status: 0 no rule violated, 1 violations, 2 no dump found or a wrong argument.
 * docs/EXPLAIN.md describes it.
 */
#include "explanation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (UINT64_C(64) << 20) /* bytes that are read */

static void print_line(void *context, const char *line)
{
    (void)context;
    puts(line);
}

/* Reads standard input, at most about TEXT_MAX bytes; returns the length. */
static size_t read_input(char **text)
{
    size_t length = 0, size = 1 << 16;

    *text = malloc(size);
    while (*text != NULL) {
        length += fread(*text + length, 1, size - length, stdin);
        if (length < size || size >= TEXT_MAX)
            break;
        size *= 2;
        char *larger = realloc(*text, size);
        if (larger == NULL)
            free(*text);
        *text = larger;
    }
    return length;
}

static bool read_arguments(int argc, char **argv, struct facts *facts)
{
    for (int i = 1; i < argc; i++) {
        const char *value =
            strcmp(argv[i], "--msr") == 0 && i + 1 < argc ? argv[++i] : "";

        if (!facts_set(facts, value)) {
            fprintf(stderr,
                    "explain: invalid argument \"%s\"; usage: explain "
                    "[--msr NAME=VALUE]... < TEXT\n",
                    argv[i]);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct facts facts;
    char *text;

    if (!read_arguments(argc, argv, &facts))
        return EXPLANATION_NO_DUMP;
    size_t length = read_input(&text);
    if (text == NULL) {
        fprintf(stderr, "explain: out of memory\n");
        return EXPLANATION_NO_DUMP;
    }
    return (int)explanation_print(text, length, &facts, print_line, NULL);
}
