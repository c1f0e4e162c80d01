/* See module.h. */
#include "guest/load/module.h"

#include "guest/memory.h"
#include "guest/topology.h"
#include "lib/bits.h"
#include "lib/string.h"

#define WORD_SIZE   64
#define MEMORY_STEP BIT(21)

/* Parses a number, with an optional suffix K, M or G. */
static bool parse_size(const char *text, uint64_t *size)
{
    static const char units[] = "KMG";
    char digits[WORD_SIZE];
    size_t length      = strlen(text);
    unsigned int shift = 0;
    uint64_t number;

    for (unsigned int i = 0; units[i] != '\0' && length > 0; i++) {
        if (text[length - 1] == units[i])
            shift = 10 * (i + 1);
    }
    length -= shift != 0 ? 1 : 0;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!number_parse(digits, &number) || number > UINT64_MAX >> shift)
        return false;
    *size = number << shift;
    return true;
}

static bool parse_name(const char *value, struct module_options *options,
                       struct text *problem)
{
    size_t length = strlen(value);

    if (length == 0 || length >= VM_NAME_SIZE)
        return TEXT_FAIL(problem, "name=%s: invalid length; use 1 to %d characters",
                         value, VM_NAME_SIZE - 1);
    memcpy(options->name, value, length + 1);
    return true;
}

static bool parse_memory(const char *value, struct module_options *options,
                         struct text *problem)
{
    uint64_t size;

    if (!parse_size(value, &size) || size < GUEST_MEMORY_MIN || size > GUEST_MEMORY_MAX ||
        !is_aligned(size, MEMORY_STEP))
        return TEXT_FAIL(problem,
                         "memory=%s: invalid; use a multiple of 2M from %luM to %luM, "
                         "such as memory=64M",
                         value, GUEST_MEMORY_MIN >> 20, GUEST_MEMORY_MAX >> 20);
    options->memory_size = size;
    return true;
}

/* Parses a number, a range such as "1-2", or "all". */
static bool parse_cpus(const char *value, struct module_options *options,
                       struct text *problem)
{
    const char *last = value;
    char first[WORD_SIZE];
    uint64_t min = 1, max = GUEST_CPUS_MAX;

    while (*last != '-' && *last != '\0')
        last++;
    memcpy(first, value, (size_t)(last - value));
    first[last - value] = '\0';
    last                = *last == '-' ? last + 1 : value;
    if (strcmp(value, "all") != 0 &&
        (!number_parse(first, &min) || !number_parse(last, &max) || min == 0 ||
         min > max || max > GUEST_CPUS_MAX))
        return TEXT_FAIL(problem,
                         "cpus=%s: invalid; use cpus=1 to cpus=%d, a range such as "
                         "cpus=1-2, or cpus=all",
                         value, GUEST_CPUS_MAX);
    options->cpus_min = (uint32_t)min;
    options->cpus_max = (uint32_t)max;
    return true;
}

/* Parses "on" or "off". */
static bool parse_switch(const char *name, const char *value, bool *is_on,
                         struct text *problem)
{
    *is_on = strcmp(value, "on") == 0;
    return *is_on || strcmp(value, "off") == 0 ||
           TEXT_FAIL(problem, "%s%s: invalid; use %son or %soff", name, value, name,
                     name);
}

static bool parse_pv(const char *value, struct module_options *options,
                     struct text *problem)
{
    return parse_switch("pv=", value, &options->has_pv, problem);
}

static bool parse_apicv(const char *value, struct module_options *options,
                        struct text *problem)
{
    return parse_switch("apicv=", value, &options->has_apicv, problem);
}

static bool parse_reset(const char *value, struct module_options *options,
                        struct text *problem)
{
    options->restarts = strcmp(value, "restart") == 0;
    return options->restarts || strcmp(value, "end") == 0 ||
           TEXT_FAIL(problem, "reset=%s: invalid; use reset=restart or reset=end", value);
}

static bool parse_argv0(const char *value, struct module_options *options,
                        struct text *problem)
{
    size_t length = strlen(value);

    if (length == 0 || length >= ARGV0_SIZE)
        return TEXT_FAIL(problem, "argv0=%s: invalid length; use 1 to %d characters",
                         value, ARGV0_SIZE - 1);
    memcpy(options->argv0, value, length + 1);
    return true;
}

static const struct {
    const char *name;
    bool (*parse)(const char *value, struct module_options *options,
                  struct text *problem);
} parsers[] = {{"name=", parse_name},  {"memory=", parse_memory}, {"cpus=", parse_cpus},
               {"pv=", parse_pv},      {"apicv=", parse_apicv},   {"reset=", parse_reset},
               {"argv0=", parse_argv0}};

static bool parse_word(const char *word, struct module_options *options,
                       struct text *problem)
{
    for (size_t i = 0; i < ARRAY_SIZE(parsers); i++) {
        if (string_starts_with(word, parsers[i].name))
            return parsers[i].parse(word + strlen(parsers[i].name), options, problem);
    }
    return TEXT_FAIL(
        problem,
        "unknown option \"%s\"; use name=, memory=, cpus=, pv=, apicv=, reset= or argv0=",
        word);
}

/* Reads the next word of *rest; false at the end or after "--". */
static bool next_word(const char **rest, char word[WORD_SIZE])
{
    const char *at = *rest;
    size_t length  = 0;

    while (*at == ' ')
        at++;
    while (at[length] != '\0' && at[length] != ' ')
        length++;
    *rest = at + length;
    if (length >= WORD_SIZE)
        length = WORD_SIZE - 1; /* longer than any option: is rejected */
    memcpy(word, at, length);
    word[length] = '\0';
    if (strcmp(word, "--") != 0)
        return length > 0;
    while (**rest == ' ')
        (*rest)++;
    return false;
}

/* Stores the role that a word names; false if it names none. */
static bool find_role(const char *word, enum module_role *role)
{
    static const char *const names[] = {[MODULE_KERNEL] = "kernel",
                                        [MODULE_INITRD] = "initrd",
                                        [MODULE_OTHER]  = "module"};
    size_t i                         = 0;

    while (i < ARRAY_SIZE(names) && strcmp(word, names[i]) != 0)
        i++;
    *role = (enum module_role)i;
    return i < ARRAY_SIZE(names);
}

/*
 * Reads the role: the second word if that is one, as the first is then a file's name,
 * otherwise the first.
 */
static bool parse_role(const char **rest, struct module_options *options,
                       struct text *problem)
{
    char first[WORD_SIZE] = "", second[WORD_SIZE];
    bool has_first        = next_word(rest, first);
    const char *after     = *rest;

    if (has_first && next_word(&after, second) && find_role(second, &options->role)) {
        *rest = after;
        return true;
    }
    return (has_first && find_role(first, &options->role)) ||
           TEXT_FAIL(problem, "unknown role \"%s\"; use kernel, initrd or module",
                     has_first ? first : "");
}

bool module_parse(const char *text, struct module_options *options, struct text *problem)
{
    struct module_options parsed = {.cpus_min  = 1,
                                    .cpus_max  = 1,
                                    .restarts  = true,
                                    .has_pv    = true,
                                    .has_apicv = true};
    char word[WORD_SIZE];

    if (!parse_role(&text, &parsed, problem))
        return false;
    while (next_word(&text, word)) {
        if (!parse_word(word, &parsed, problem))
            return false;
    }
    if (parsed.name[0] == '\0')
        return TEXT_FAIL(problem, "name= missing");
    if (parsed.role == MODULE_KERNEL && parsed.memory_size == 0)
        return TEXT_FAIL(problem, "memory= missing; use, for example, memory=64M");
    parsed.string = text;
    *options      = parsed;
    return true;
}

size_t module_string_size(const struct module_options *options)
{
    return strlen(options->argv0) + 1 + strlen(options->string) + 1;
}

size_t module_write_string(const struct module_options *options, char *string)
{
    size_t length = strlen(options->argv0);

    memcpy(string, options->argv0, length);
    if (length > 0 && options->string[0] != '\0')
        string[length++] = ' ';
    module_unescape(options->string, string + length);
    return strlen(string) + 1;
}

void module_unescape(const char *text, char *plain)
{
    while (*text != '\0') {
        if (text[0] == '\\' && (text[1] == '\\' || text[1] == '\'' || text[1] == '"'))
            text++;
        *plain++ = *text++;
    }
    *plain = '\0';
}
