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

struct acpi_listing acpi_list_units(const struct acpi_view *dmar, uint64_t *addresses,
                                    size_t capacity)
{
    struct acpi_listing units = {0};
    struct dmar_unit unit;
    size_t offset = DMAR_ENTRIES;

    for (; offset + sizeof(unit.entry) <= dmar->length; offset += unit.entry.length) {
        memcpy(&unit.entry, dmar->bytes + offset, sizeof(unit.entry));
        bool is_unit = unit.entry.type == DMAR_UNIT;
        size_t least = is_unit ? sizeof(unit) : sizeof(unit.entry);
        if (unit.entry.length < least || unit.entry.length > dmar->length - offset)
            break;
        memcpy(&unit, dmar->bytes + offset, least);
        if (is_unit && units.count == capacity)
            units.dropped++;
        else if (is_unit)
            addresses[units.count++] = unit.address;
    }
    units.is_broken = offset != dmar->length;
    return units;
}
