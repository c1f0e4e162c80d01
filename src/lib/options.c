/* See options.h. */
#include "lib/options.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/test_hooks.h"

#define WORD_SIZE 64

/* How long a page is shown: by default, long enough to photograph it. */
#define PAGE_SECONDS     15
#define PAGE_SECONDS_MAX 3600

const char *const options_pages[OPTIONS_PAGES] = {
    "verdict", "capabilities", "cpus", "hypervisors", "timings", "log", "code"};

const struct options options_default = {
    .screen     = true,
    .debug_port = true,
    .serial     = SERIAL_DEFAULT,
    .log_level  = LOG_INFO,
    .exit       = END_HALT,
    .panic      = END_HALT,
};

/* A value of an option, and the number that it is stored as. */
struct choice {
    const char *word;
    unsigned int number;
};

/*
 * Copies the part of *rest before separator to word and advances *rest past it. Returns
 * false if it does not fit.
 */
static bool next_part(const char **rest, char separator, char word[WORD_SIZE])
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

/* Returns whether a list ends with an empty part, which next_part does not show. */
static bool ends_with_comma(const char *list)
{
    size_t length = strlen(list);
    return length > 0 && list[length - 1] == ',';
}

/* Parses the place of a serial port; false if there can be none. */
static bool parse_serial_port(const char *word, struct serial_port *port)
{
    static const struct choice ports[] = {
        {"com1", 0x3F8}, {"com2", 0x2F8}, {"com3", 0x3E8}, {"com4", 0x2E8}};
    static const struct {
        const char *prefix;
        uint8_t stride;
    } layouts[]    = {{"mmio:", 1}, {"mmio32:", 4}};
    uint8_t stride = 0;
    uint64_t address;

    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        if (strcmp(word, ports[i].word) == 0) {
            *port = serial_port_at(ports[i].number);
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(layouts) && stride == 0; i++) {
        if (string_starts_with(word, layouts[i].prefix)) {
            stride = layouts[i].stride;
            word += strlen(layouts[i].prefix);
        }
    }
    if (!string_starts_with(word, "0x") || !number_parse(word, &address))
        return false;
    *port =
        stride == 0 ? serial_port_at(address) : serial_port_in_memory(address, stride);
    return serial_port_is_possible(port);
}

/* Adds a device of console=; false if it is unknown, or a second serial port. */
static bool parse_device(const char *word, struct options *options)
{
    bool is_screen     = strcmp(word, "screen") == 0;
    bool is_debug_port = strcmp(word, "e9") == 0;

    options->screen     = options->screen || is_screen;
    options->debug_port = options->debug_port || is_debug_port;
    if (is_screen || is_debug_port)
        return true;
    if (options->serial != SERIAL_NONE)
        return false;
    if (strcmp(word, "serial") == 0)
        options->serial = SERIAL_DEFAULT;
    else if (strcmp(word, "pci") == 0)
        options->serial = SERIAL_PCI;
    else if (parse_serial_port(word, &options->serial_port))
        options->serial = SERIAL_PORT;
    return options->serial != SERIAL_NONE;
}

static bool parse_console(const char *value, struct options *options)
{
    struct options parsed = *options;
    parsed.screen         = false;
    parsed.debug_port     = false;
    parsed.serial         = SERIAL_NONE;

    if (ends_with_comma(value))
        return false;
    for (bool is_done = strcmp(value, "none") == 0; !is_done; is_done = *value == '\0') {
        char word[WORD_SIZE];
        if (!next_part(&value, ',', word) || !parse_device(word, &parsed))
            return false;
    }
    *options = parsed;
    return true;
}

/* Parses the places of the JSON report. */
static bool parse_report(const char *value, struct options *options)
{
    bool json = false, efi = false, ram = false;

    if (ends_with_comma(value))
        return false;
    do {
        char word[WORD_SIZE];
        if (!next_part(&value, ',', word))
            return false;
        bool *place = strcmp(word, "json") == 0  ? &json
                      : strcmp(word, "efi") == 0 ? &efi
                      : strcmp(word, "ram") == 0 ? &ram
                                                 : NULL;
        if (place == NULL)
            return false;
        *place = true;
    } while (*value != '\0');
    options->report_json = json;
    options->report_efi  = efi;
    options->report_ram  = ram;
    return true;
}

/* Parses a section of the report: its name, or its number from 1. */
static bool parse_section(const char *word, unsigned int *section)
{
    for (unsigned int i = 0; i < OPTIONS_PAGES; i++) {
        bool is_number = word[0] == (char)('1' + i) && word[1] == '\0';
        if (is_number || strcmp(word, options_pages[i]) == 0) {
            *section = i + 1;
            return true;
        }
    }
    return false;
}

/* Parses a time in whole seconds, such as "20s", or "auto". */
static bool parse_seconds(const char *word, unsigned int *seconds)
{
    char digits[WORD_SIZE];
    size_t length  = strlen(word);
    uint64_t value = PAGE_SECONDS;

    if (strcmp(word, "auto") != 0) {
        if (length < 2 || word[length - 1] != 's' || word[0] < '0' || word[0] > '9')
            return false;
        memcpy(digits, word, length - 1);
        digits[length - 1] = '\0';
        if (!number_parse(digits, &value) || value == 0 || value > PAGE_SECONDS_MAX)
            return false;
    }
    *seconds = (unsigned int)value;
    return true;
}

/* Parses a section, a time, or both; each once. */
static bool parse_page(const char *value, struct options *options)
{
    unsigned int section = 0, seconds = 0;

    if (ends_with_comma(value))
        return false;
    do {
        char word[WORD_SIZE];
        bool is_new = next_part(&value, ',', word) &&
                      ((section == 0 && parse_section(word, &section)) ||
                       (seconds == 0 && parse_seconds(word, &seconds)));
        if (!is_new)
            return false;
    } while (*value != '\0');
    options->page         = section;
    options->page_seconds = seconds != 0 ? seconds : PAGE_SECONDS;
    return true;
}

/* Parses the physical address of a table. */
static bool parse_address(const char *value, uint64_t *address)
{
    uint64_t parsed;

    if (!string_starts_with(value, "0x") || !number_parse(value, &parsed) || parsed == 0)
        return false;
    *address = parsed;
    return true;
}

static bool parse_rsdp(const char *value, struct options *options)
{
    return parse_address(value, &options->rsdp);
}

static bool parse_smbios(const char *value, struct options *options)
{
    return parse_address(value, &options->smbios);
}

#define MEMBER(name) \
    NULL, offsetof(struct options, name), sizeof(((struct options *)NULL)->name)
#define FLAG         \
    {                \
        {            \
            "", true \
        }            \
    }

static const struct option {
    const char *name;   /* with its = if it takes a value */
    const char *values; /* the valid ones, for the warning */
    bool (*parse)(const char *value, struct options *options); /* NULL: choices */
    size_t offset, size;      /* of the member that it sets */
    struct choice choices[4]; /* unused ones have no word */
} option_table[] = {
    {"console=",
     "a comma-separated list of screen, e9, and one of serial, pci, com1 to com4, or a "
     "UART's address such as 0x3f8, mmio:0xfe030000 or mmio32:0xfe030000; or none",
     parse_console,
     0,
     0,
     {{0}}},
    {"log=",
     "error, warning, info or debug",
     MEMBER(log_level),
     {{"error", LOG_ERROR},
      {"warning", LOG_WARNING},
      {"info", LOG_INFO},
      {"debug", LOG_DEBUG}}},
    {"nosmp", NULL, MEMBER(nosmp), FLAG},
    {"nolock", NULL, MEMBER(nolock), FLAG},
    {"stats", NULL, MEMBER(stats), FLAG},
    {"large-pages", NULL, MEMBER(large_pages), FLAG},
    {"apic-timer", NULL, MEMBER(apic_timer), FLAG},
    {"exit=",
     "halt, reboot or poweroff",
     MEMBER(exit),
     {{"halt", END_HALT}, {"reboot", END_REBOOT}, {"poweroff", END_POWEROFF}}},
    {"panic=",
     "halt or reboot",
     MEMBER(panic),
     {{"halt", END_HALT}, {"reboot", END_REBOOT}}},
    {"mitigations=",
     "auto, off or all",
     MEMBER(mitigations),
     {{"auto", MITIGATIONS_AUTO}, {"off", MITIGATIONS_OFF}, {"all", MITIGATIONS_ALL}}},
    {"nocet", NULL, MEMBER(nocet), FLAG},
    {"smt=", "share", MEMBER(smt_share), {{"share", true}}},
    {"report=", "a comma-separated list of json, efi and ram", parse_report, 0, 0, {{0}}},
    {"page=",
     "a section of the report (1 to 7 or its name), how long its pages are shown "
     "(auto, or seconds such as 20s), or both, as in page=cpus,20s",
     parse_page,
     0,
     0,
     {{0}}},
    {"rsdp=",
     "the physical address of ACPI's RSDP, such as 0x7fb7e014",
     parse_rsdp,
     0,
     0,
     {{0}}},
    {"smbios=",
     "the physical address of the SMBIOS entry point, such as 0x7f8ec000",
     parse_smbios,
     0,
     0,
     {{0}}},
};

/* Returns the row of a word: its name, followed by a value if it takes one. */
static const struct option *find_option(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
        const struct option *option = &option_table[i];
        if (option->values != NULL ? string_starts_with(word, option->name)
                                   : strcmp(word, option->name) == 0)
            return option;
    }
    return NULL;
}

/* Stores a value in the option's member; false if it is not one of the choices. */
static bool parse_value(const struct option *option, const char *value,
                        struct options *options)
{
    if (option->parse != NULL)
        return option->parse(value, options);
    for (size_t i = 0; i < ARRAY_SIZE(option->choices); i++) {
        const struct choice *choice = &option->choices[i];
        if (choice->word != NULL && strcmp(choice->word, value) == 0) {
            memcpy((char *)options + option->offset, &choice->number, option->size);
            return true;
        }
    }
    return false;
}

static void parse_word(const char *word, struct options *options)
{
    const struct option *option = find_option(word);
    TEXT_DECLARE(known, LOG_LINE_SIZE);

    if (test_hook_parse_option != NULL && test_hook_parse_option(word))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(option_table); i++)
        text_append(&known, " %s", option_table[i].name);
    if (option == NULL)
        log_warning("option \"%s\": unknown, ignored; valid:%s", word, known.buffer);
    else if (!parse_value(option, word + strlen(option->name), options))
        log_warning("option \"%s\": invalid, ignored; %s accepts %s", word, option->name,
                    option->values);
}

/* Returns whether the word at the start of a text is a file's name. */
static bool is_file_name(const char *word)
{
    while (*word != '\0' && *word != ' ' && *word != '=' && *word != '/' && *word != '.')
        word++;
    return *word == '/' || *word == '.';
}

void options_parse(const char *command_line, struct options *options)
{
    *options = options_default;
    while (*command_line == ' ')
        command_line++;
    if (is_file_name(command_line)) {
        while (*command_line != '\0' && *command_line != ' ')
            command_line++;
    }
    while (*command_line != '\0') {
        char word[WORD_SIZE];
        const char *start = command_line;
        if (!next_part(&command_line, ' ', word))
            log_warning("option \"%.32s...\": longer than %d characters, ignored", start,
                        WORD_SIZE - 1);
        else if (word[0] != '\0')
            parse_word(word, options);
    }
}
