/*
 * Explains why VM entry or VMRUN failed, from a dump in standard input:
 *
 *     build/explain [--msr NAME=VALUE]... < dmesg.txt
 *
 * Exit status: 0 no rule violated, 1 violations, 2 no dump found or a wrong argument.
 * docs/EXPLAIN.md describes it.
 */
#include "dump.h"
#include "explanation.h"

#include "lib/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (UINT64_C(64) << 20) /* bytes that are read */

static void print_line(void *context, const char *line)
{
    (void)context;
    puts(line);
}

/* Reads standard input, at most TEXT_MAX bytes; returns the length. */
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

#define USAGE                                                                           \
    "usage: build/explain [--msr NAME=VALUE]... < TEXT\n"                               \
    "TEXT contains a dump of a VMCS or VMCB, such as the kernel log. NAME is a value\n" \
    "that build/explain lists as missing; docs/EXPLAIN.md describes it.\n"
#define EXAMPLES "such as IA32_VMX_CR0_FIXED0=0x80000021 or CPUID.07H:ECX=0"

/* Sets a fact by the argument of --msr, or prints what is wrong with it. */
static bool read_fact(const char *argument, struct facts *facts)
{
    const char *value = strchr(argument, '=');
    uint64_t number;

    if (facts_set(facts, argument))
        return true;
    if (value == NULL || !number_parse(value + 1, &number))
        fprintf(stderr,
                "explain: --msr \"%s\": not NAME=VALUE with a number; use one %s\n",
                argument, EXAMPLES);
    else
        fprintf(stderr,
                "explain: --msr \"%s\": unknown name; use one that the list of missing "
                "values has, %s\n",
                argument, EXAMPLES);
    return false;
}

static bool read_arguments(int argc, char **argv, struct facts *facts)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--msr") != 0) {
            fprintf(stderr, "explain: unknown argument \"%s\"\n%s", argv[i], USAGE);
            return false;
        }
        if (++i == argc) {
            fprintf(stderr, "explain: --msr without NAME=VALUE\n%s", USAGE);
            return false;
        }
        if (!read_fact(argv[i], facts))
            return false;
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
    if (length == TEXT_MAX)
        fprintf(stderr, "explain: only the first %zu MiB of the text are read\n",
                length >> 20);
    length = dump_decode(text, length);
    return (int)explanation_print(text, length, &facts, print_line, NULL);
}
