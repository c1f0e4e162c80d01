/* See options.h. */
#include "lib/options.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "lib/number.h"
#include "lib/string.h"
#include "lib/test_hooks.h"

#define WORD_SIZE 64

const struct options options_default = {
    .screen      = true,
    .debug_port  = true,
    .serial_port = 0x3F8,
    .log_level   = LOG_INFO,
    .exit        = EXIT_HALT,
    .panic       = EXIT_HALT,
};

/* A word and the number it stands for. */
struct choice {
    const char *word;
    unsigned int number;
};

static const struct choice serial_ports[] = {
    {"com1", 0x3F8}, {"com2", 0x2F8}, {"com3", 0x3E8}, {"com4", 0x2E8}};

static const struct choice log_levels[] = {{"error", LOG_ERROR},
                                           {"warning", LOG_WARNING},
                                           {"info", LOG_INFO},
                                           {"debug", LOG_DEBUG}};

static const struct choice exit_actions[] = {
    {"halt", EXIT_HALT}, {"reboot", EXIT_REBOOT}, {"poweroff", EXIT_POWEROFF}};

static bool choose(const struct choice *choices, size_t count, const char *word,
                   unsigned int *number)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(choices[i].word, word) == 0) {
            *number = choices[i].number;
            return true;
        }
    }
    return false;
}

/*
 * Takes the part of *rest in front of separator out into word; false if it does not fit.
 */
static bool take_part(const char **rest, char separator, char word[WORD_SIZE])
{
    size_t length  = 0;
    const char *at = *rest;

    while (at[length] != '\0' && at[length] != separator)
        length++;
    *rest += length + (at[length] == separator ? 1 : 0);
    if (length >= WORD_SIZE)
        return false;
    memcpy(word, at, length);
    word[length] = '\0';
    return true;
}

/* Ports of the main board where a UART's probe would do harm, or reset the machine. */
static const struct {
    uint16_t first, last;
} no_uart[] = {
    {0x000, 0x0FF},                                 /* DMA, 8259A, 8254, 8042, CMOS */
    {0x170, 0x177},                                 /* ATA */
    {0x1F0, 0x1F7}, {0x370, 0x377}, {0x3B0, 0x3DF}, /* VGA */
    {0x3F0, 0x3F7},                                 /* floppy disk, ATA */
    {0xCF8, 0xCFF},                                 /* PCI configuration, reset control */
};

static bool can_be_uart(uint64_t address)
{
    for (size_t i = 0; i < ARRAY_SIZE(no_uart); i++) {
        if (address + 7 >= no_uart[i].first && address <= no_uart[i].last)
            return false;
    }
    return address <= 0xFFF8 && is_aligned(address, 8);
}

/* There is one serial port: a second one makes no sense. */
static bool take_serial_port(uint64_t address, struct options *options)
{
    if (options->serial_port != SERIAL_PORT_NONE || !can_be_uart(address))
        return false;
    options->serial_port = (uint16_t)address;
    return true;
}

static bool parse_sink(const char *word, struct options *options)
{
    unsigned int port;
    uint64_t address;

    if (strcmp(word, "screen") == 0) {
        options->screen = true;
    } else if (strcmp(word, "e9") == 0) {
        options->debug_port = true;
    } else if (choose(serial_ports, ARRAY_SIZE(serial_ports), word, &port)) {
        return take_serial_port(port, options);
    } else if (string_starts_with(word, "0x") && number_parse(word, &address)) {
        return take_serial_port(address, options);
    } else {
        return false;
    }
    return true;
}

static bool parse_console(const char *value, struct options *options)
{
    struct options parsed = *options;
    parsed.screen         = false;
    parsed.debug_port     = false;
    parsed.serial_port    = SERIAL_PORT_NONE;

    if (strcmp(value, "none") != 0) {
        size_t length = strlen(value);
        if (length > 0 && value[length - 1] == ',')
            return false;
        do {
            char word[WORD_SIZE];
            if (!take_part(&value, ',', word) || !parse_sink(word, &parsed))
                return false;
        } while (*value != '\0');
    }
    *options = parsed;
    return true;
}

static bool parse_log(const char *value, struct options *options)
{
    unsigned int level;
    if (!choose(log_levels, ARRAY_SIZE(log_levels), value, &level))
        return false;
    options->log_level = (enum log_level)level;
    return true;
}

static bool parse_exit(const char *value, struct options *options)
{
    unsigned int action;
    if (!choose(exit_actions, ARRAY_SIZE(exit_actions), value, &action))
        return false;
    options->exit = (enum exit_action)action;
    return true;
}

static bool parse_panic(const char *value, struct options *options)
{
    unsigned int action;
    if (!choose(exit_actions, ARRAY_SIZE(exit_actions), value, &action) ||
        action == EXIT_POWEROFF)
        return false;
    options->panic = (enum exit_action)action;
    return true;
}

static bool parse_report(const char *value, struct options *options)
{
    if (strcmp(value, "json") != 0)
        return false;
    options->report_json = true;
    return true;
}

static const struct option {
    const char *name;   /* with its = if it takes a value */
    const char *values; /* the possible ones, for the warning */
    bool (*parse)(const char *value, struct options *options);
    size_t flag; /* without parse: the bool that it sets */
} option_table[] = {
    {"console=",
     "a list, with commas, of screen, e9, and one of com1 to com4 or a UART's I/O "
     "address such as "
     "0x3f8; or none",
     parse_console, 0},
    {"log=", "error, warning, info or debug", parse_log, 0},
    {.name = "nosmp", .flag = offsetof(struct options, nosmp)},
    {.name = "nolock", .flag = offsetof(struct options, nolock)},
    {.name = "stats", .flag = offsetof(struct options, stats)},
    {.name = "large-pages", .flag = offsetof(struct options, large_pages)},
    {.name = "apic-timer", .flag = offsetof(struct options, apic_timer)},
    {"exit=", "halt, reboot or poweroff", parse_exit, 0},
    {"panic=", "halt or reboot", parse_panic, 0},
    {"report=", "json", parse_report, 0},
};

static bool takes_value(const struct option *option)
{
    return option->name[strlen(option->name) - 1] == '=';
}

/* The row for word: the name alone, or the name with its = in front of a value. */
static const struct option *find_option(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
        const struct option *option = &option_table[i];
        if (takes_value(option) ? string_starts_with(word, option->name)
                                : strcmp(word, option->name) == 0)
            return option;
    }
    return NULL;
}

static void warn_of_unknown(const char *word)
{
    TEXT_DECLARE(known, LOG_LINE_SIZE);

    for (size_t i = 0; i < ARRAY_SIZE(option_table); i++)
        text_append(&known, " %s", option_table[i].name);
    log_warning("option \"%s\" is unknown and ignored; known are:%s", word, known.buffer);
}

static void parse_word(const char *word, struct options *options)
{
    const struct option *option = find_option(word);

    if (test_hook_parse_option != NULL && test_hook_parse_option(word))
        return;
    if (option == NULL)
        warn_of_unknown(word);
    else if (option->parse == NULL)
        *(bool *)((char *)options + option->flag) = true;
    else if (!option->parse(word + strlen(option->name), options))
        log_warning("option \"%s\" is ignored: %s takes %s", word, option->name,
                    option->values);
}

void options_parse(const char *command_line, struct options *options)
{
    *options = options_default;
    while (*command_line != '\0') {
        char word[WORD_SIZE];
        const char *start = command_line;
        if (!take_part(&command_line, ' ', word))
            log_warning("option \"%.32s...\" is longer than %d characters and ignored",
                        start, WORD_SIZE - 1);
        else if (word[0] != '\0')
            parse_word(word, options);
    }
}
