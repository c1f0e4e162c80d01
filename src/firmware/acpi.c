/* See acpi.h. */
#include "firmware/acpi.h"

#include "firmware/fadt.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/pc_memory.h"

static bool has_signature(const char *signature, const char *wanted)
{
    return memcmp(signature, wanted, ACPI_SIGNATURE_SIZE) == 0;
}

static bool has_valid_length(const struct acpi_entry *entry)
{
    return entry->length >= sizeof(struct acpi_table) &&
           entry->length <= ACPI_MAX_TABLE_SIZE;
}

/* Maps an entry's whole table; returns false if it is unreadable. */
static bool view_entry(const struct acpi *acpi, const struct acpi_entry *entry,
                       struct acpi_view *view)
{
    if (!has_valid_length(entry))
        return false;
    const void *bytes = acpi->map(entry->address, entry->length);
    if (bytes == NULL)
        return false;
    *view = (struct acpi_view){.bytes = bytes, .length = entry->length};
    return true;
}

/* Adds the table at an address; returns its entry, or NULL if unreadable or known. */
static const struct acpi_entry *add_table(struct acpi *acpi, uint64_t address)
{
    struct acpi_table header;

    if (address == 0 || acpi->count == ACPI_MAX_TABLES)
        return NULL;
    for (size_t i = 0; i < acpi->count; i++) {
        if (acpi->entry[i].address == address)
            return NULL;
    }
    const void *bytes = acpi->map(address, sizeof(header));
    if (bytes == NULL)
        return NULL;
    memcpy(&header, bytes, sizeof(header));
    struct acpi_entry *entry = &acpi->entry[acpi->count++];
    *entry = (struct acpi_entry){.address = address, .length = header.length};
    memcpy(entry->signature, header.signature, sizeof(entry->signature));
    return entry;
}

/* Adds the DSDT that a FADT points to. */
static void add_dsdt(struct acpi *acpi, const struct acpi_entry *entry)
{
    struct acpi_view view = {.length = entry->length};

    if (!has_signature(entry->signature, "FACP") || !has_valid_length(entry))
        return;
    view.bytes = acpi->map(entry->address, entry->length);
    if (view.bytes == NULL)
        return;
    struct fadt fadt = fadt_copy(&view);
    (void)add_table(acpi, fadt.x_dsdt != 0 ? fadt.x_dsdt : fadt.dsdt);
}

/*
 * Adds the root table and all tables it points to. Returns false if it is invalid: with a
 * wrong checksum, also if it points to no table.
 */
static bool add_root_tables(struct acpi *acpi, uint64_t address, const char *signature,
                            size_t pointer_size)
{
    struct acpi_view root;

    acpi->count                    = 0;
    const struct acpi_entry *entry = add_table(acpi, address);
    if (entry == NULL || !has_signature(entry->signature, signature) ||
        !view_entry(acpi, entry, &root))
        return false;
    for (size_t offset = sizeof(struct acpi_table);
         offset + pointer_size <= root.length && acpi->count < ACPI_MAX_TABLES;
         offset += pointer_size) {
        uint64_t pointer = 0;
        memcpy(&pointer, root.bytes + offset, pointer_size);
        const struct acpi_entry *table = add_table(acpi, pointer);
        if (table != NULL)
            add_dsdt(acpi, table);
    }
    return acpi->count > 1 || has_valid_checksum(root.bytes, root.length);
}

/* Returns the size of an RSDP, by its signature and revision: 36, 20 or 0. */
static size_t rsdp_size(const void *bytes, size_t size)
{
    struct rsdp rsdp = {0};
    memcpy(&rsdp, bytes, size < sizeof(rsdp) ? size : sizeof(rsdp));
    if (size < RSDP_SIZE_1 || memcmp(rsdp.signature, RSDP_SIGNATURE, 8) != 0)
        return 0;
    return size < sizeof(rsdp) || rsdp.revision < 2 ? RSDP_SIZE_1 : sizeof(rsdp);
}

/* Returns the size of the part of an RSDP whose checksum is right: 36, 20 or 0. */
static size_t valid_rsdp_size(const void *bytes, size_t size)
{
    size_t whole = rsdp_size(bytes, size);

    if (whole == 0 || !has_valid_checksum(bytes, RSDP_SIZE_1))
        return 0;
    return has_valid_checksum(bytes, whole) ? whole : RSDP_SIZE_1;
}

enum status acpi_open(const void *rsdp_bytes, size_t size, physical_map *map,
                      struct acpi *acpi)
{
    struct rsdp rsdp = {0};
    size_t whole     = rsdp_size(rsdp_bytes, size);

    acpi->map                     = map;
    acpi->count                   = 0;
    acpi->has_wrong_rsdp_checksum = valid_rsdp_size(rsdp_bytes, size) != whole;
    if (whole == 0)
        return STATUS_MALFORMED;
    memcpy(&rsdp, rsdp_bytes, whole);
    if (add_root_tables(acpi, rsdp.xsdt_address, "XSDT", sizeof(uint64_t)) ||
        add_root_tables(acpi, rsdp.rsdt_address, "RSDT", sizeof(uint32_t)))
        return STATUS_OK;
    acpi->count = 0;
    return STATUS_MALFORMED;
}

enum status acpi_scan_low_memory(physical_map *map, uint8_t rsdp[36], size_t *size)
{
    /*
     * The last 128 KiB of conventional memory, which contain the EBDA, and the BIOS ROM.
     * The EBDA's exact address is in page 0, which Hymir does not map.
     */
    static const struct {
        uint64_t start, size;
    } areas[] = {{0x80000, 0x20000}, {PC_BIOS_START, PC_ROM_END - PC_BIOS_START}};

    for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
        const uint8_t *area = map(areas[i].start, areas[i].size);
        for (uint64_t offset = 0;
             area != NULL && offset + sizeof(struct rsdp) <= areas[i].size;
             offset += RSDP_ALIGNMENT) {
            size_t found = valid_rsdp_size(area + offset, sizeof(struct rsdp));
            if (found == 0)
                continue;
            memcpy(rsdp, area + offset, found);
            *size = found;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}

enum status acpi_find_next(const struct acpi *acpi, const char *signature, size_t *next,
                           struct acpi_view *view)
{
    for (; *next < acpi->count; (*next)++) {
        const struct acpi_entry *entry = &acpi->entry[*next];
        if (has_signature(entry->signature, signature) && view_entry(acpi, entry, view)) {
            (*next)++;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}

enum status acpi_find(const struct acpi *acpi, const char *signature,
                      struct acpi_view *view)
{
    size_t next = 0;
    return acpi_find_next(acpi, signature, &next, view);
}

void acpi_visit(const struct acpi *acpi, void (*visit)(uint64_t address, uint64_t size))
{
    for (size_t i = 0; i < acpi->count; i++) {
        if (has_valid_length(&acpi->entry[i]))
            visit(acpi->entry[i].address, acpi->entry[i].length);
    }
}

void acpi_log_faults(const struct acpi *acpi)
{
    if (acpi->has_wrong_rsdp_checksum)
        log_warning("ACPI: wrong checksum of the RSDP; used; update the firmware");
    for (size_t i = 0; i < acpi->count; i++) {
        const struct acpi_entry *entry          = &acpi->entry[i];
        char signature[ACPI_SIGNATURE_SIZE + 1] = {0};
        struct acpi_view view;
        bool is_readable = view_entry(acpi, entry, &view);
        if (is_readable && has_valid_checksum(view.bytes, view.length))
            continue;
        memcpy(signature, entry->signature, ACPI_SIGNATURE_SIZE);
        text_make_printable(signature, ACPI_SIGNATURE_SIZE);
        log_warning("ACPI table %s at 0x%lx, %u bytes: %s; update the firmware",
                    signature, entry->address, entry->length,
                    is_readable ? "wrong checksum; used" : "unreadable; ignored");
    }
}

bool acpi_next_entry(const struct acpi_view *table, size_t *offset,
                     struct acpi_view *entry)
{
    struct acpi_entry_header header;

    if (*offset + sizeof(header) > table->length)
        return false;
    memcpy(&header, table->bytes + *offset, sizeof(header));
    if (header.length < sizeof(header) || header.length > table->length - *offset)
        return false;
    *entry = (struct acpi_view){table->bytes + *offset, header.length};
    *offset += header.length;
    return true;
}
