/*
 * tools/report: reports that src/firmware/efi_report.c stored in simulated firmware are
 * read back, shown, and refused if damaged.
 */
#include "efi_store.h"

#include "machines.h"
#include "pages.h"

#include "../../tools/report/show.h"
#include "../../tools/report/sources.h"
#include "../../tools/report/stored.h"
#include "lib/deflate.h"
#include "lib/ram_report.h"
#include "report/json_report.h"

#include <unistd.h>

static char json[REPORT_MOST];
static size_t json_size;
static uint8_t stream[EFI_REPORT_SIZE];
static struct cpu_record record;

static void append_json(const char *text, size_t length)
{
    assert_true(json_size + length <= sizeof(json));
    memcpy(json + json_size, text, length);
    json_size += length;
}

/* Stores a text as Hymir does. */
static void text_store(void)
{
    static struct deflate_workspace workspace;
    static struct efi_exchange exchange;
    static const struct efi_firmware firmware = {
        {STORE_GET, STORE_SET, STORE_QUERY}, store_call, &exchange};
    struct deflate_output output = {stream, sizeof(stream), 0};
    TEXT_DECLARE(text, 512);

    deflate_compress((const uint8_t *)json, json_size, &workspace, &output);
    assert_true(output.size <= output.capacity);
    const struct efi_report report = {stream, output.size, json_size};
    assert_true(efi_report_write(&firmware, &report, &text));
}

/* Stores the report of a machine. */
static int report_start(void **state)
{
    memset(&store, 0, sizeof(store));
    store.storage = (struct efi_storage){262044, 200000, 33792};
    record        = record_of_machine(all_machines[0]);
    verdict_judge_cpu(&record);
    facts_load(&record, 1, "VMX root operation entered");
    json_size = 0;
    json_report_write_with_pages(&facts, append_json);
    text_store();
    return start_log(state);
}

/* A variable_reader. */
static long read_store(void *context, const char *name, uint8_t *bytes, size_t capacity)
{
    const struct store_variable *variable = store_find(name);

    assert_ptr_equal(context, &store);
    if (variable == NULL)
        return -1;
    memcpy(bytes, variable->data, variable->size < capacity ? variable->size : capacity);
    return (long)variable->size;
}

static void assert_problem(enum stored_problem expected)
{
    struct report report = {NULL, 0};
    assert_int_equal(stored_read(read_store, &store, &report), expected);
    assert_null(report.text);
}

static void test_read(void **state)
{
    (void)state;
    struct report report;
    assert_int_equal(stored_read(read_store, &store, &report), STORED_OK);
    assert_int_equal(report.size, json_size);
    assert_memory_equal(report.text, json, json_size);
    assert_int_equal(report.text[report.size], '\0');
    free(report.text);
}

static void test_absent(void **state)
{
    (void)state;
    store_find("HymirReport")->size = 0;
    assert_problem(STORED_INCOMPLETE);
    memset(store.variable, 0, sizeof(store.variable));
    assert_problem(STORED_NONE);
}

/* Every byte of every variable, changed, which is noticed or changes no text; every
 * variable, cut, lengthened or absent. */
static void test_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORE_VARIABLES; i++) {
        struct store_variable *variable = &store.variable[i];
        struct store_variable old       = *variable;
        for (size_t at = 0; at < old.size; at += 1 + at / 16) {
            struct report report = {NULL, 0};
            variable->data[at] ^= 0x5A;
            /* The bits that fill the stream's last byte mean nothing. */
            if (stored_read(read_store, &store, &report) == STORED_OK)
                assert_string_equal(report.text, json);
            free(report.text);
            variable->data[at] ^= 0x5A;
        }
        if (old.size == 0 || strcmp(old.name, "HymirReport") == 0)
            continue;
        for (variable->size = 0; variable->size < old.size; variable->size++)
            assert_problem(STORED_DAMAGED);
        variable->size = old.size + 1;
        assert_problem(STORED_DAMAGED);
        *variable = old;
    }
    struct store_variable *header = store_find("HymirReport");
    struct efi_report_header fields, good;
    memcpy(&good, header->data, sizeof(good));
    static const size_t offsets[]  = {offsetof(struct efi_report_header, parts),
                                      offsetof(struct efi_report_header, size),
                                      offsetof(struct efi_report_header, text_size)};
    static const uint32_t values[] = {0, 1, 33, 1 << 20, (1 << 20) + 1, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(offsets) * ARRAY_SIZE(values); i++) {
        fields = good;
        memcpy((char *)&fields + offsets[i / ARRAY_SIZE(values)],
               &values[i % ARRAY_SIZE(values)], sizeof(uint32_t));
        memcpy(header->data, &fields, sizeof(fields));
        assert_problem(STORED_DAMAGED);
    }
    fields         = good;
    fields.version = 2;
    memcpy(header->data, &fields, sizeof(fields));
    assert_problem(STORED_UNKNOWN);
    header->size = sizeof(fields) - 1;
    assert_problem(STORED_DAMAGED);
}

/* ------------------------------------------------------------------------------------ */

/* Shows a report; returns the text, to be freed. */
static char *show(const char *text, enum report_status expected)
{
    char *shown;
    size_t size;
    const char *problem = NULL;
    FILE *out           = open_memstream(&shown, &size);

    assert_int_equal(show_report(text, strlen(text), out, &problem), expected);
    assert_true((problem != NULL) == (expected == REPORT_NONE));
    fclose(out);
    return shown;
}

/* The pages are those of the screen, row by row. */
static void test_pages(void **state)
{
    (void)state;
    char *text               = strndup(json, json_size);
    char *shown              = show(text, REPORT_WORKS);
    static const char time[] = "Report of 2025-11-30 09:30:00 by the machine's clock\n\n";
    const char *at           = shown;
    assert_memory_equal(at, time, strlen(time));
    at += strlen(time);
    for (enum report_section i = REPORT_VERDICT; i < REPORT_CODE; i++) {
        char title[32];
        snprintf(title, sizeof(title), "== %s ==\n\n", report_section_name(i));
        assert_memory_equal(at, title, strlen(title));
        at += strlen(title);
        for (size_t page = 0; page < report_page_count(i, &facts); page++) {
            report_compose_page(i, page, &facts, &sheet);
            for (size_t row = i == REPORT_VERDICT ? 0 : 1; row < sheet.rows; row++) {
                size_t length = strlen(sheet.row[row].text);
                assert_memory_equal(at, sheet.row[row].text, length);
                assert_int_equal(at[length], '\n');
                at += length + 1;
            }
        }
        assert_int_equal(*at++, '\n');
    }
    assert_string_equal(at, "hymir: verdict: READY: VMX root operation entered\n");
    free(shown);
    free(text);
}

static void test_verdicts(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum report_status status;
        const char *shown;
    } rows[] = {
        {"{\"verdict\":{\"word\":\"READY\",\"text\":\"t\"}}", REPORT_WORKS,
         "hymir: verdict: READY: t\n"},
        {"{\"verdict\":{\"word\":\"MIXED\",\"text\":\"a\\u001b[2J\\u00e4\"}}",
         REPORT_DOES_NOT, "hymir: verdict: MIXED: a?[2J??\n"},
        {"{\"verdict\":{\"word\":\"READY\",\"text\":\"\"},\"pages\":{\"A\\n\":[\"b\",1]}"
         "}",
         REPORT_WORKS, "== A? ==\n\nb\n\n\nhymir: verdict: READY: \n"},
        {"{\"verdict\":{\"word\":\"READY\",\"text\":\"\"},\"pages\":[]}", REPORT_WORKS,
         "hymir: verdict: READY: \n"},
        {"{\"time\":\"\\u001b2\",\"verdict\":{\"word\":\"READY\",\"text\":\"t\"}}",
         REPORT_WORKS,
         "Report of ?2 by the machine's clock\n\nhymir: verdict: READY: t\n"},
        {"{\"time\":null,\"verdict\":{\"word\":\"READY\",\"text\":\"t\"}}", REPORT_WORKS,
         "hymir: verdict: READY: t\n"},
        {"{\"verdict\":{\"word\":\"READY\"}}", REPORT_NONE, ""},
        {"{\"verdict\":{\"word\":0,\"text\":\"\"}}", REPORT_NONE, ""},
        {"{\"verdict\":[]}", REPORT_NONE, ""},
        {"{}", REPORT_NONE, ""},
        {"[]", REPORT_NONE, ""},
        {"", REPORT_NONE, ""},
        {"{\"verdict\":", REPORT_NONE, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *shown = show(rows[i].json, rows[i].status);
        assert_string_equal(shown, rows[i].shown);
        free(shown);
    }
}

/* ------------------------------------------------------------------------------------ */

/* A folder for the files of a test. */
static char folder[32];

static const char *file_path(const char *name)
{
    static char paths[4][64];
    static size_t next;
    char *path = paths[next++ % ARRAY_SIZE(paths)];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void file_write(const char *name, long offset, const void *bytes, size_t size)
{
    FILE *file = fopen(file_path(name), "wb");

    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

#define REPORT_AT(time) \
    "{\"time\":" time ",\"verdict\":{\"word\":\"READY\",\"text\":\"t\"}}"

/* Writes a report to the file that stands in for RAM; NULL: RAM has none. */
static void memory_write(const char *text)
{
    static union {
        struct ram_report report;
        char bytes[RAM_REPORT_SIZE];
    } place;

    memset(&place, 0, sizeof(place));
    if (text != NULL) {
        place.report.signature = RAM_REPORT_SIGNATURE;
        place.report.size      = (uint32_t)strlen(text);
        memcpy(place.report.text, text, strlen(text));
    }
    file_write("memory", RAM_REPORT_ADDRESS, &place, sizeof(place));
}

/* Returns which source has the newest report; 2: none. pstore is a file, as RAM is. */
static size_t find_newest(const char *pstore, const char *memory)
{
    struct source sources[] = {{.read = source_read_file, .path = file_path("pstore")},
                               {.read = source_read_memory, .path = file_path("memory")}};
    struct report report;

    if (pstore != NULL)
        file_write("pstore", 0, pstore, strlen(pstore));
    memory_write(memory);
    bool is_found = source_read_newest(sources, 2, &report);
    size_t which  = 2;
    if (is_found) {
        which = pstore != NULL && strcmp(report.text, pstore) == 0 ? 0 : 1;
        assert_string_equal(report.text, which == 0 ? pstore : memory);
        assert_string_equal(sources[which].problem, "");
        free(report.text);
    } else {
        assert_string_not_equal(sources[0].problem, "");
        assert_string_not_equal(sources[1].problem, "");
    }
    unlink(file_path("pstore"));
    unlink(file_path("memory"));
    return which;
}

/* The newest report is shown, whatever else is in the other places. */
static void test_newest(void **state)
{
    (void)state;
    static const char linux_log[] = "[    0.000000] Linux version 6.1.0\n";
    static const char old[]       = REPORT_AT("\"2025-11-30 09:30:00\"");
    static const char new[]       = REPORT_AT("\"2025-12-01 08:00:00\"");
    static const char unknown[]   = REPORT_AT("null");

    snprintf(folder, sizeof(folder), "/tmp/hymir-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(find_newest(old, new), 1);
    assert_int_equal(find_newest(new, old), 0);
    assert_int_equal(find_newest(old, old), 0);
    assert_int_equal(find_newest(unknown, old), 1);
    assert_int_equal(find_newest(old, unknown), 0);
    assert_int_equal(find_newest(old, NULL), 0);
    assert_int_equal(find_newest(NULL, old), 1);
    assert_int_equal(find_newest(linux_log, old), 1);
    assert_int_equal(find_newest("{", old), 1);
    assert_int_equal(find_newest(linux_log, "["), 2);
    assert_int_equal(find_newest(NULL, NULL), 2);
    rmdir(folder);
}

static void test_find(void **state)
{
    (void)state;
    static const struct {
        const char *text, *found;
    } rows[] = {
        {"{}", "{}"},
        {"{\"a\":1}\r\n\n", "{\"a\":1}"},
        {"info: x\nhymir-report: {\"a\":1}\nhymir: verdict: READY: x\n", "{\"a\":1}"},
        {"hymir-report: {1}\nhymir-report: {2}", "{2}"},
        {"hymir-report: ", NULL},
        {" hymir-report: {}", NULL},
        {"", NULL},
        {"\n", NULL},
        {"info: x\n", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct report report = {strdup(rows[i].text), strlen(rows[i].text)};
        const char *found;
        size_t size;
        assert_true(show_find_json(&report, &found, &size) == (rows[i].found != NULL));
        if (rows[i].found != NULL) {
            assert_int_equal(size, strlen(rows[i].found));
            assert_memory_equal(found, rows[i].found, size);
        }
        free(report.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_read, report_start),
        cmocka_unit_test_setup(test_absent, report_start),
        cmocka_unit_test_setup(test_damaged, report_start),
        cmocka_unit_test_setup(test_pages, report_start),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_newest),
    };
    return cmocka_run_group_tests_name("stored", tests, NULL, NULL);
}
