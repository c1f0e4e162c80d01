/* See acpi.h. */
#include "firmware/acpi.h"

#include "lib/string.h"

/* Intel VT-d, "DMA Remapping Hardware Unit Definition Structure". */
struct dmar_entry {
    uint16_t type;
    uint16_t length; /* with this header */
};
struct __attribute__((packed)) dmar_unit {
    struct dmar_entry entry;
    uint8_t flags, size;
    uint16_t segment;
    uint64_t address;
};
_Static_assert(sizeof(struct dmar_unit) == 16, "Intel VT-d, DRHD without device scopes");
#define DMAR_ENTRIES 48 /* offset of the first entry */
#define DMAR_UNIT    0  /* DRHD */

/* Reads the entry at *offset and advances past it; false at the end or if malformed. */
static bool next_entry(const struct acpi_view *dmar, size_t *offset,
                       struct dmar_unit *unit)
{
    struct dmar_entry entry;

    *unit = (struct dmar_unit){.entry.type = UINT16_MAX};
    if (*offset + sizeof(entry) > dmar->length)
        return false;
    memcpy(&entry, dmar->bytes + *offset, sizeof(entry));
    size_t least = entry.type == DMAR_UNIT ? sizeof(*unit) : sizeof(entry);
    if (entry.length < least || entry.length > dmar->length - *offset)
        return false;
    memcpy(unit, dmar->bytes + *offset, least);
    *offset += entry.length;
    return true;
}

struct acpi_listing acpi_list_units(const struct acpi_view *dmar, uint64_t *addresses,
                                    size_t capacity)
{
    struct acpi_listing units = {0};
    struct dmar_unit unit;
    size_t offset = DMAR_ENTRIES;

    while (next_entry(dmar, &offset, &unit)) {
        if (unit.entry.type != DMAR_UNIT)
            continue;
        if (units.count == capacity)
            units.dropped++;
        else
            addresses[units.count++] = unit.address;
    }
    units.is_broken = offset != dmar->length;
    return units;
}
