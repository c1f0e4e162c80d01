/*
 * Reports in UEFI variables and files: tools/report. The input is used as variables, each
 * a byte with its size in fours followed by its value, in the order in which they are
 * read; and as a file.
 */
#include "fuzz.h"

#include "../../tools/report/show.h"
#include "../../tools/report/stored.h"

static const uint8_t *rest;
static size_t rest_size;

static long read_next(void *context, const char *name, uint8_t *bytes, size_t capacity)
{
    (void)context;
    REQUIRE(strncmp(name, "HymirReport", 11) == 0);
    if (rest_size == 0)
        return -1;
    size_t size = (size_t)rest[0] * 4;
    rest++;
    rest_size--;
    size = size < rest_size ? size : rest_size;
    memcpy(bytes, rest, size < capacity ? size : capacity);
    rest += size;
    rest_size -= size;
    return (long)size;
}

static void show(const struct report *report)
{
    const char *json, *problem = NULL;
    size_t size;
    char *shown = NULL;
    size_t shown_size;
    FILE *out = open_memstream(&shown, &shown_size);

    REQUIRE(out != NULL);
    if (show_find_json(report, &json, &size)) {
        REQUIRE(json >= report->text && size <= report->size);
        enum report_status status = show_report(json, size, out, &problem);
        REQUIRE((status == REPORT_NONE) == (problem != NULL));
    }
    fclose(out);
    for (size_t i = 0; i < shown_size; i++)
        REQUIRE(shown[i] == '\n' || (shown[i] >= ' ' && shown[i] <= '~'));
    free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report report = {malloc(size + 1), size};

    memcpy(report.text, data, size);
    report.text[size] = '\0';
    show(&report);
    free(report.text);
    rest      = data;
    rest_size = size;
    if (stored_read(read_next, NULL, &report) == STORED_OK) {
        show(&report);
        free(report.text);
    }
    return 0;
}
