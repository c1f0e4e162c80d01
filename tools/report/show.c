/* See show.h. */
#include "show.h"

#include <string.h>

#include <jansson.h>

#define LINE_START "hymir-report: "

bool show_find_json(const struct report *text, const char **json, size_t *size)
{
    const char *found = NULL, *end = text->text + text->size;

    for (const char *line = text->text; line < end;) {
        size_t length        = (size_t)(end - line);
        const char *line_end = memchr(line, '\n', length);
        length               = line_end == NULL ? length : (size_t)(line_end - line);
        if (length > strlen(LINE_START) &&
            memcmp(line, LINE_START, strlen(LINE_START)) == 0) {
            found = line + strlen(LINE_START);
            *size = length - strlen(LINE_START);
        }
        line += length + (line_end == NULL ? 0 : 1);
    }
    if (found == NULL && text->size > 0 && text->text[0] == '{') {
        found = text->text;
        *size = text->size;
        while (found[*size - 1] == '\n' || found[*size - 1] == '\r')
            --*size;
    }
    *json = found;
    return found != NULL;
}

/* Writes text with what could control a terminal replaced by '?'. */
static void write_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        fputc(*text >= ' ' && *text <= '~' ? *text : '?', out);
}

static void write_page(FILE *out, const char *name, const json_t *rows)
{
    size_t i;
    const json_t *row;

    fputs("== ", out);
    write_text(out, name);
    fputs(" ==\n\n", out);
    json_array_foreach(rows, i, row)
    {
        write_text(out, json_is_string(row) ? json_string_value(row) : "");
        fputc('\n', out);
    }
    fputc('\n', out);
}

/* Writes when the report was made; a report of an older Hymir does not say. */
static void write_time(FILE *out, const json_t *report)
{
    const char *time = json_string_value(json_object_get(report, "time"));

    if (time == NULL)
        return;
    fputs("Report of ", out);
    write_text(out, time);
    fputs(" by the machine's clock\n\n", out);
}

/* Writes each section; a report of an older Hymir has none. */
static void write_pages(FILE *out, json_t *pages)
{
    const char *name;
    const json_t *rows;

    json_object_foreach(pages, name, rows)
    {
        write_page(out, name, rows);
    }
}

static enum report_status show_parsed(json_t *report, FILE *out, const char **problem)
{
    json_t *verdict  = json_object_get(report, "verdict");
    const char *word = json_string_value(json_object_get(verdict, "word"));
    const char *text = json_string_value(json_object_get(verdict, "text"));

    if (word == NULL || text == NULL) {
        *problem = "JSON, but not a report of Hymir: it has no verdict";
        return REPORT_NONE;
    }
    if (out != NULL) {
        write_time(out, report);
        write_pages(out, json_object_get(report, "pages"));
        fputs("hymir: verdict: ", out);
        write_text(out, word);
        fputs(": ", out);
        write_text(out, text);
        fputc('\n', out);
    }
    return strcmp(word, "READY") == 0 ? REPORT_WORKS : REPORT_DOES_NOT;
}

const char *show_time(const struct report *report, char time[SHOW_TIME_SIZE])
{
    const char *json, *problem = NULL;
    size_t size;

    time[0] = '\0';
    if (!show_find_json(report, &json, &size))
        return SHOW_NO_JSON;
    if (show_report(json, size, NULL, &problem) == REPORT_NONE)
        return problem;
    json_t *parsed   = json_loadb(json, size, 0, NULL);
    const char *text = json_string_value(json_object_get(parsed, "time"));
    if (text != NULL)
        snprintf(time, SHOW_TIME_SIZE, "%s", text);
    json_decref(parsed);
    return NULL;
}

enum report_status show_report(const char *json, size_t size, FILE *out,
                               const char **problem)
{
    json_error_t error;
    json_t *report = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);

    if (report == NULL) {
        *problem = "not valid JSON; it may be cut off";
        return REPORT_NONE;
    }
    enum report_status status = show_parsed(report, out, problem);
    json_decref(report);
    return status;
}
