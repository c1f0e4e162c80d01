/*
 * Runs a fuzz target on the inputs in tests/fuzz/corpus, files of hexadecimal bytes with
 * # comments, and then for a number of seconds on random changes of them.
 *
 *      replay SECONDS FILE...
 *
 * An input that crashes is printed in hexadecimal.
 */
#include "fuzz.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define CHANGED_MAX 4096 /* bytes of an input with changes */
#define CHANGES_MAX 16

/* Both sanitizers abort at an error, as REQUIRE does. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
    return "abort_on_error=1";
}

const char *__ubsan_default_options(void)
{
    return "abort_on_error=1";
}

static uint8_t current[CHANGED_MAX];
static size_t current_size;

static void print_current(int signal_number)
{
    (void)signal_number;
    dprintf(STDERR_FILENO, "the input:");
    for (size_t i = 0; i < current_size; i++)
        dprintf(STDERR_FILENO, " %02x", current[i]);
    dprintf(STDERR_FILENO, "\n");
}

static uint64_t random_state;

/* Returns a random number below the limit: xorshift. */
static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state >> 11) % limit;
}

/* Sets a byte, inserts random bytes, repeats some, or removes some. */
static void change(void)
{
    size_t at     = random_below(current_size + 1);
    size_t count  = 1 + random_below(16);
    size_t behind = current_size - at;

    switch (random_below(4)) {
    case 0:
        if (behind > 0)
            current[at] = (uint8_t)random_below(256);
        break;
    case 1:
        count = count < CHANGED_MAX - current_size ? count : CHANGED_MAX - current_size;
        memmove(current + at + count, current + at, behind);
        for (size_t i = 0; i < count; i++)
            current[at + i] = (uint8_t)random_below(256);
        current_size += count;
        break;
    case 2:
        count = count < behind ? count : behind;
        memmove(current + random_below(current_size - count + 1), current + at, count);
        break;
    default:
        count = count < behind ? count : behind;
        memmove(current + at, current + at + count, behind - count);
        current_size -= count;
        break;
    }
}

/* Runs the target on exactly as much memory as the input has bytes. */
static void run_current(void)
{
    uint8_t *bytes = malloc(current_size);

    memcpy(bytes, current, current_size);
    LLVMFuzzerTestOneInput(bytes, current_size);
    free(bytes);
}

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

/* The inputs of the corpus, of which the changed ones are made. */
#define INPUTS_MAX 64
static struct {
    uint8_t bytes[CHANGED_MAX];
    size_t size;
} inputs[INPUTS_MAX];
static size_t input_count;

/* Runs changed inputs until the time is over; returns how many. */
static unsigned long run_changed(time_t seconds)
{
    time_t end         = time(NULL) + seconds;
    unsigned long runs = 0;

    random_state = (uint64_t)time(NULL) << 16 | 1;
    for (; time(NULL) < end; runs++) {
        size_t input = random_below(input_count + 1);
        current_size = 0;
        if (input < input_count) {
            current_size = inputs[input].size;
            memcpy(current, inputs[input].bytes, current_size);
        }
        for (size_t i = random_below(CHANGES_MAX) + 1; i > 0; i--)
            change();
        run_current();
    }
    return runs;
}

/* Runs an input of the corpus; returns whether it could be read. */
static int run_file(const char *name)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(name, "r");
    long size  = file == NULL ? -1 : read_hex(file, bytes, sizeof(bytes));

    if (size < 0) {
        fprintf(stderr, "%s: not there, or not hexadecimal\n", name);
        return 0;
    }
    fclose(file);
    printf("%s: %ld bytes\n", name, size);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, (size_t)size);
    if (size <= CHANGED_MAX && input_count < INPUTS_MAX) {
        memcpy(inputs[input_count].bytes, bytes, (size_t)size);
        inputs[input_count++].size = (size_t)size;
    }
    return 1;
}

int main(int argc, char **argv)
{
    signal(SIGABRT, print_current);
    for (int i = 2; i < argc; i++) {
        if (!run_file(argv[i]))
            return 1;
    }
    printf("%lu changed inputs\n", run_changed(argc > 1 ? atoi(argv[1]) : 0));
    return 0;
}
