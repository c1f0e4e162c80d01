/* See efi_report.h. */
#include "firmware/efi_report.h"

#include "lib/string.h"

/*
 * Bytes of the store that a variable occupies besides its data: a header, 60 bytes in EDK
 * II, its name and alignment.
 */
#define VARIABLE_OVERHEAD 128

/* Characters of the longest name, "HymirReport00", with its NUL. */
enum { NAME_SIZE = sizeof(EFI_REPORT_NAME "00") };
#define NAME_BYTES (NAME_SIZE * sizeof(uint16_t))

static const uint8_t guid[EFI_GUID_SIZE] = EFI_REPORT_GUID;

const char *efi_report_known_problem(const char *machine)
{
    static const struct {
        const char *manufacturer;
        const char *problem;
    } rows[] = {
        {"SAMSUNG", "Samsung's firmware may not start again when its store fills"},
        {"Samsung", "Samsung's firmware may not start again when its store fills"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (string_starts_with(machine, rows[i].manufacturer))
            return rows[i].problem;
    }
    return NULL;
}

/* ---- The plan ---------------------------------------------------------------------- */

bool efi_report_plan(const struct efi_storage *storage, size_t size,
                     struct efi_report_plan *plan, struct text *reason)
{
    uint64_t part_size = EFI_REPORT_PART_SIZE;

    if (storage->total == 0 || storage->free > storage->total)
        return TEXT_FAIL(reason, "firmware reports %lu of %lu bytes free", storage->free,
                         storage->total);
    if (storage->largest < NAME_BYTES + EFI_REPORT_PART_LEAST)
        return TEXT_FAIL(reason, "firmware accepts only variables of %lu bytes",
                         storage->largest);
    if (part_size > storage->largest - NAME_BYTES)
        part_size = storage->largest - NAME_BYTES;
    uint64_t parts = (size + part_size - 1) / part_size;
    if (parts == 0 || parts > EFI_REPORT_PARTS)
        return TEXT_FAIL(reason,
                         "%zu bytes do not fit in %d variables of %lu bytes, the largest "
                         "that firmware accepts",
                         size, EFI_REPORT_PARTS, part_size);
    uint64_t needed =
        size + sizeof(struct efi_report_header) + (parts + 1) * VARIABLE_OVERHEAD;
    if (storage->free < needed + EFI_REPORT_RESERVE)
        return TEXT_FAIL(reason,
                         "firmware's store has %lu of %lu bytes free; the report needs "
                         "%lu, and %d must remain",
                         storage->free, storage->total, needed, EFI_REPORT_RESERVE);
    *plan = (struct efi_report_plan){part_size, parts};
    return true;
}

/* ---- Variables --------------------------------------------------------------------- */

static void name_part(size_t part, char name[NAME_SIZE])
{
    format_text(name, NAME_SIZE, EFI_REPORT_NAME "%02zu", part);
}

/* Appends the call that failed, and its status. Returns false. */
static bool fail(struct text *reason, const char *call, const char *name, uint64_t status)
{
    text_append(reason, "%s %s: ", call, name);
    efi_status_append(status, reason);
    return false;
}

static bool delete_variable(const struct efi_firmware *firmware, const char *name,
                            struct text *reason)
{
    if (efi_variable_get(firmware, guid, name) == EFI_NOT_FOUND)
        return true;
    uint64_t status = efi_variable_set(firmware, guid, name, 0);
    if (status != EFI_SUCCESS && status != EFI_NOT_FOUND)
        return fail(reason, "deleting", name, status);
    return true;
}

/* Deletes a report, or the rest of one, the header first. */
static bool delete_report(const struct efi_firmware *firmware, struct text *reason)
{
    if (!delete_variable(firmware, EFI_REPORT_NAME, reason))
        return false;
    for (size_t i = 0; i < EFI_REPORT_PARTS; i++) {
        char name[NAME_SIZE];
        name_part(i, name);
        if (!delete_variable(firmware, name, reason))
            return false;
    }
    return true;
}

/* Writes a variable of at most EFI_REPORT_PART_SIZE bytes, and reads it back. */
static bool write_variable(const struct efi_firmware *firmware, const char *name,
                           const void *bytes, size_t size, struct text *reason)
{
    struct efi_exchange *exchange = firmware->exchange;

    memcpy(exchange->data, bytes, size);
    uint64_t status = efi_variable_set(firmware, guid, name, size);
    if (status != EFI_SUCCESS)
        return fail(reason, "writing", name, status);
    memset(exchange->data, 0, sizeof(exchange->data));
    status = efi_variable_get(firmware, guid, name);
    if (status != EFI_SUCCESS)
        return fail(reason, "reading back", name, status);
    if (exchange->size != size || memcmp(exchange->data, bytes, size) != 0)
        return TEXT_FAIL(reason, "%s does not have the value written", name);
    return true;
}

static bool write_parts(const struct efi_firmware *firmware,
                        const struct efi_report *report,
                        const struct efi_report_plan *plan, struct text *reason)
{
    for (size_t i = 0; i < plan->parts; i++) {
        char name[NAME_SIZE];
        size_t start = i * plan->part_size;
        size_t size  = report->size - start;
        if (size > plan->part_size)
            size = plan->part_size;
        name_part(i, name);
        if (!write_variable(firmware, name, report->stream + start, size, reason))
            return false;
    }
    return true;
}

static bool write_report(const struct efi_firmware *firmware,
                         const struct efi_report *report,
                         const struct efi_report_plan *plan, struct text *reason)
{
    const struct efi_report_header header = {
        .magic     = EFI_REPORT_MAGIC,
        .version   = EFI_REPORT_VERSION,
        .parts     = (uint32_t)plan->parts,
        .size      = (uint32_t)report->size,
        .text_size = (uint32_t)report->text_size,
    };

    return write_parts(firmware, report, plan, reason) &&
           write_variable(firmware, EFI_REPORT_NAME, &header, sizeof(header), reason);
}

bool efi_report_write(const struct efi_firmware *firmware,
                      const struct efi_report *report, struct text *text)
{
    struct efi_storage storage;
    struct efi_report_plan plan;
    TEXT_DECLARE(ignored, 1);

    if (firmware->services.query_variable_info == 0)
        return TEXT_FAIL(text, "UEFI before 2.0, which cannot report its free space");
    if (!delete_report(firmware, text))
        return false;
    uint64_t status = efi_variable_query(firmware, &storage);
    if (status != EFI_SUCCESS)
        return fail(text, "querying", "the store", status);
    if (!efi_report_plan(&storage, report->size, &plan, text))
        return false;
    if (!write_report(firmware, report, &plan, text)) {
        (void)!delete_report(firmware, &ignored);
        return false;
    }
    text_append(text, "%zu bytes in %zu variables; %lu of %lu bytes were free",
                report->size, plan.parts + 1, storage.free, storage.total);
    return true;
}
