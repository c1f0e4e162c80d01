/* See report_store.h. */
#include "runner/report_store.h"

#include "check/verdict.h"
#include "cpu/instructions.h"
#include "firmware/efi_report.h"
#include "lib/deflate.h"
#include "lib/log.h"
#include "lib/ram_report.h"
#include "lib/string.h"
#include "mm/memory.h"
#include "platform/machine.h"
#include "platform/smp.h"
#include "report/json_report.h"

#define TEXT_MOST       (1U << 20) /* bytes; 1,024 CPUs that are alike have a quarter */
#define CACHE_LINE_SIZE 64         /* at least that of every 64-bit processor */

/* The report, allocated while it is stored. */
static struct store {
    size_t size; /* of the text; above TEXT_MOST if it is too long */
    char text[TEXT_MOST];
    struct deflate_workspace workspace;
    uint8_t stream[EFI_REPORT_SIZE];
} * store;

/* A json_output. */
static void append(const char *text, size_t length)
{
    if (length <= TEXT_MOST && store->size <= TEXT_MOST - length)
        memcpy(store->text + store->size, text, length);
    store->size += length;
}

/* ---- UEFI variables ---------------------------------------------------------------- */

/* Appends what was stored, or returns false with the reason. */
static bool store_in_variables(const struct report_facts *facts,
                               const struct firmware_hang *hang, struct text *text)
{
    struct efi_firmware firmware;
    struct deflate_output stream = {store->stream, sizeof(store->stream), 0};
    const char *problem          = efi_report_known_problem(facts->machine);

    if (this_cpu() != &boot_cpu)
        problem = "the boot CPU does not respond";
    if (problem == NULL)
        problem = firmware_services_find(&firmware);
    if (problem != NULL)
        return TEXT_FAIL(text, "%s", problem);
    deflate_compress((const uint8_t *)store->text, store->size, &store->workspace,
                     &stream);
    if (stream.size > stream.capacity)
        return TEXT_FAIL(text, "%zu bytes, compressed; at most %zu are stored",
                         stream.size, stream.capacity);
    const struct efi_report report = {store->stream, stream.size, store->size};
    log_info("report: verdict %s; writing UEFI variables", verdict_name(facts->verdict));
    TEXT_DECLARE(result, LOG_LINE_SIZE);
    firmware_services_begin(hang);
    bool is_stored = efi_report_write(&firmware, &report, &result);
    problem        = firmware_services_end();
    text_append(text, "%s", problem == NULL ? result.buffer : problem);
    return is_stored && problem == NULL;
}

/* ---- RAM --------------------------------------------------------------------------- */

/* Writes what caches hold of the place to RAM, because a reset discards it. */
static void flush_caches(const struct ram_report *place)
{
    const char *bytes = (const char *)place;

    for (size_t i = 0; i < RAM_REPORT_SIZE; i += CACHE_LINE_SIZE)
        cache_line_flush(bytes + i);
}

static bool store_in_ram(struct text *text)
{
    struct ram_report *place = hpa_pointer(hpa(RAM_REPORT_ADDRESS));

    if (!machine_get()->has_report_memory)
        return TEXT_FAIL(text, "memory at 0x%x is in use or not RAM", RAM_REPORT_ADDRESS);
    place->signature = 0; /* no older report stays */
    flush_caches(place);
    if (store->size > RAM_REPORT_TEXT_SIZE)
        return TEXT_FAIL(text, "%zu bytes; at most %zu are stored", store->size,
                         RAM_REPORT_TEXT_SIZE);
    memcpy(place->text, store->text, store->size);
    place->start     = 0;
    place->size      = (uint32_t)store->size;
    place->signature = RAM_REPORT_SIGNATURE;
    flush_caches(place);
    if (memcmp(place->text, store->text, store->size) != 0)
        return TEXT_FAIL(text, "memory at 0x%x is not RAM", RAM_REPORT_ADDRESS);
    text_append(text, "%zu bytes at 0x%x", store->size, RAM_REPORT_ADDRESS);
    return true;
}

/* ------------------------------------------------------------------------------------ */

static void log_result(const char *place, bool is_stored, const struct text *text,
                       const char *others)
{
    if (is_stored)
        log_info("report: stored in %s: %s", place, text->buffer);
    else
        log_error("report: not stored in %s: %s; use %s", place, text->buffer, others);
}

static void store_text(const struct options *options, const struct report_facts *facts,
                       const struct firmware_hang *hang)
{
    TEXT_DECLARE(ram, LOG_LINE_SIZE);
    TEXT_DECLARE(variables, LOG_LINE_SIZE);

    if (options->report_ram)
        log_result("RAM", store_in_ram(&ram), &ram,
                   "report=efi, report=json or the QR code");
    if (options->report_efi)
        log_result("UEFI variables", store_in_variables(facts, hang, &variables),
                   &variables, REPORT_WITHOUT_EFI);
}

void report_store(const struct options *options, const struct report_facts *facts,
                  const struct firmware_hang *hang)
{
    void *pages;

    if (!options->report_efi && !options->report_ram)
        return;
    if (machine_allocate(sizeof(*store), &pages) != STATUS_OK) {
        log_error("report: not stored: out of memory");
        return;
    }
    store       = pages;
    store->size = 0;
    json_report_write_with_pages(facts, append);
    if (store->size <= TEXT_MOST)
        store_text(options, facts, hang);
    else
        log_error("report: not stored: %zu bytes; at most %d are", store->size,
                  TEXT_MOST);
    memory_free(store, memory_page_count(sizeof(*store)));
}
