/* See module.h. */
#include "guest/load/module.h"

#include "guest/memory.h"
#include "lib/bits.h"
#include "lib/string.h"

#define WORD_SIZE   64
#define MEMORY_STEP BIT(21)

/* Parses a number, with an optional suffix K, M or G. */
static bool parse_size(const char *text, uint64_t *size)
{
    static const struct {
        char letter;
        unsigned int shift;
    } units[] = {{'K', 10}, {'M', 20}, {'G', 30}};
    char digits[WORD_SIZE];
    size_t length      = strlen(text);
    unsigned int shift = 0;
    uint64_t number;

    for (size_t i = 0; i < ARRAY_SIZE(units) && length > 0; i++) {
        if (text[length - 1] == units[i].letter) {
            shift = units[i].shift;
            length--;
            break;
        }
    }
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!number_parse(digits, &number) || number > UINT64_MAX >> shift)
        return false;
    *size = number << shift;
    return true;
}

static bool parse_name(const char *value, struct module_words *words,
                       struct text *problem)
{
    size_t length = strlen(value);

    if (length == 0 || length >= VM_NAME_SIZE)
        return TEXT_FAIL(problem, "name=%s: a name has 1 to %d characters", value,
                         VM_NAME_SIZE - 1);
    memcpy(words->name, value, length + 1);
    return true;
}

static bool parse_memory(const char *value, struct module_words *words,
                         struct text *problem)
{
    uint64_t size;

    if (!parse_size(value, &size) || size < GUEST_MEMORY_MIN || size > GUEST_MEMORY_MAX ||
        !is_aligned(size, MEMORY_STEP))
        return TEXT_FAIL(
            problem, "memory=%s: a multiple of 2M from %luM to %luM, such as memory=64M",
            value, GUEST_MEMORY_MIN >> 20, GUEST_MEMORY_MAX >> 20);
    words->memory_size = size;
    return true;
}

static bool parse_cpus(const char *value, struct module_words *words,
                       struct text *problem)
{
    uint64_t cpus;

    if (!number_parse(value, &cpus) || cpus != 1)
        return TEXT_FAIL(problem, "cpus=%s: a guest has one CPU; use cpus=1", value);
    words->cpus = 1;
    return true;
}

static const struct {
    const char *name;
    bool (*parse)(const char *value, struct module_words *words, struct text *problem);
} options[] = {{"name=", parse_name}, {"memory=", parse_memory}, {"cpus=", parse_cpus}};

static bool parse_word(const char *word, struct module_words *words, struct text *problem)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (string_starts_with(word, options[i].name))
            return options[i].parse(word + strlen(options[i].name), words, problem);
    }
    return TEXT_FAIL(problem, "unknown option \"%s\"; use name=, memory= or cpus=", word);
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

static bool parse_role(const char *word, struct module_words *words, struct text *problem)
{
    if (strcmp(word, "kernel") == 0)
        words->role = MODULE_KERNEL;
    else if (strcmp(word, "initrd") == 0)
        words->role = MODULE_INITRD;
    else
        return TEXT_FAIL(problem, "unknown role \"%s\"; use kernel or initrd", word);
    return true;
}

static bool is_complete(const struct module_words *words, struct text *problem)
{
    if (words->name[0] == '\0')
        return TEXT_FAIL(problem, "no name=");
    if (words->role == MODULE_KERNEL && words->memory_size == 0)
        return TEXT_FAIL(problem, "no memory=, such as memory=64M");
    return true;
}

bool module_parse(const char *text, struct module_words *words, struct text *problem)
{
    struct module_words parsed = {.cpus = 1, .command_line = ""};
    char word[WORD_SIZE];

    if (!next_word(&text, word))
        word[0] = '\0';
    if (!parse_role(word, &parsed, problem))
        return false;
    while (next_word(&text, word)) {
        if (!parse_word(word, &parsed, problem))
            return false;
    }
    parsed.command_line = text;
    if (!is_complete(&parsed, problem))
        return false;
    *words = parsed;
    return true;
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
