/*
 * Shows the report that Hymir stored with report=efi or report=ram: the pages of its
 * screen, then the verdict.
 *
 * Exit status: 0 virtualization works (READY), 1 another verdict, 2 no report or a wrong
 * argument. docs/REPORT.md describes it.
 */
#include "show.h"
#include "sources.h"

#include <stdlib.h>
#include <string.h>

#define USAGE                                                                           \
    "usage: hymir-report [--json] [--file FILE] [--efivars DIRECTORY]\n"                \
    "       hymir-report --clear [--efivars DIRECTORY]\n"                               \
    "Shows the report that Hymir stored with the option report=efi or report=ram, or\n" \
    "that in FILE (-: standard input): JSON, or a log of the serial line.\n"            \
    "  --json     print the JSON instead of the pages\n"                                \
    "  --clear    delete the report in UEFI variables\n"                                \
    "  --efivars  the directory of UEFI variables, instead of " SOURCES_EFIVARS "\n"    \
    "Exit status: 0 virtualization works, 1 it does not, 2 there is no report.\n"

struct arguments {
    bool json, clear, help;
    const char *file, *efivars;
};

/* Prints what is wrong with an argument; returns false. */
static bool refuse(const char *argument, const char *fault)
{
    fprintf(stderr, "hymir-report: %s: %s\n%s", argument, fault, USAGE);
    return false;
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    const struct {
        const char *name;
        bool *flag;
        const char **value;
    } rows[] = {
        {"--json", &arguments->json, NULL},       {"--clear", &arguments->clear, NULL},
        {"--help", &arguments->help, NULL},       {"--file", NULL, &arguments->file},
        {"--efivars", NULL, &arguments->efivars},
    };

    for (int i = 1; i < argc; i++) {
        size_t row = 0;
        while (row < sizeof(rows) / sizeof(rows[0]) &&
               strcmp(argv[i], rows[row].name) != 0)
            row++;
        if (row == sizeof(rows) / sizeof(rows[0]))
            return refuse(argv[i], "unknown argument");
        if (rows[row].flag != NULL)
            *rows[row].flag = true;
        else if (++i < argc)
            *rows[row].value = argv[i];
        else
            return refuse(argv[i - 1], "requires a value");
    }
    return true;
}

static int clear(const char *efivars)
{
    size_t count;
    const char *problem = source_clear_variables(efivars, &count);

    if (problem != NULL) {
        fprintf(stderr, "hymir-report: not cleared: %s\n", problem);
        return REPORT_NONE;
    }
    printf("UEFI variables deleted: %zu\n", count);
    return 0;
}

/* Reads the newest report, or names what each place lacks. */
static bool read_stored(const char *efivars, struct report *report)
{
    static struct source sources[] = {
        {.read = source_read_variables},
        {.read = source_read_file, .path = SOURCES_PSTORE},
        {.read = source_read_memory, .path = SOURCES_MEMORY},
    };
    size_t count = sizeof(sources) / sizeof(sources[0]);

    sources[0].path = efivars;
    if (source_read_newest(sources, count, report))
        return true;
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "hymir-report: %s\n", sources[i].problem);
    return false;
}

static bool read_report(const struct arguments *arguments, struct report *report)
{
    if (arguments->file == NULL)
        return read_stored(arguments->efivars, report);
    const char *problem = source_read_file(arguments->file, report);
    if (problem != NULL)
        fprintf(stderr, "hymir-report: %s\n", problem);
    return problem == NULL;
}

/* Prints the report as the arguments select; returns the exit status. */
static int print_report(const struct arguments *arguments, const struct report *report)
{
    const char *json, *problem = SHOW_NO_JSON;
    size_t size;
    enum report_status status = REPORT_NONE;

    if (show_find_json(report, &json, &size))
        status = show_report(json, size, arguments->json ? NULL : stdout, &problem);
    if (status == REPORT_NONE) {
        fprintf(stderr, "hymir-report: %s\n", problem);
    } else if (arguments->json) {
        fwrite(json, 1, size, stdout);
        putchar('\n');
    }
    if (fflush(stdout) != 0) {
        perror("hymir-report");
        return REPORT_NONE;
    }
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.efivars = SOURCES_EFIVARS};
    struct report report;

    if (!read_arguments(argc, argv, &arguments))
        return REPORT_NONE;
    if (arguments.help) {
        fputs(USAGE, stdout);
        return 0;
    }
    if (arguments.clear)
        return clear(arguments.efivars);
    if (!read_report(&arguments, &report))
        return REPORT_NONE;
    int status = print_report(&arguments, &report);
    free(report.text);
    return status;
}
