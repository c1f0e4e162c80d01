/* See acpi.h. */
#include "firmware/acpi.h"

#include "lib/bits.h"
#include "lib/string.h"

/*
 * The start of an entry that describes a unit. Intel VT-d, "DMA Remapping Hardware Unit
 * Definition Structure", and AMD's specification, "I/O Virtualization Hardware Definition
 * (IVHD) Block", have the same length and address.
 */
struct iommu_entry {
    uint16_t type;     /* IVRS: in the low byte; flags in the high one */
    uint16_t length;   /* with these two fields */
    uint32_t location; /* of the unit in PCI, or flags */
    uint64_t address;
};
_Static_assert(sizeof(struct iommu_entry) == 16, "Intel VT-d, DRHD without scopes");
#define ENTRY_HEADER_SIZE 4
#define ENTRIES           48 /* offset of the first entry, in both tables */

/* DMAR: the flags. */
#define DMAR_FLAGS          37
#define DMAR_INTR_REMAP     BIT(0)
#define DMAR_X2APIC_OPT_OUT BIT(1)

/* The types of entries that describe units, and their sizes without a list of devices. */
static const struct unit_type {
    char signature[ACPI_SIGNATURE_SIZE + 1];
    uint16_t mask, type;
    size_t size;
} unit_types[] = {
    {"DMAR", 0xFFFF, 0, 16},
    {"IVRS", 0xFF, 0x10, 24},
    {"IVRS", 0xFF, 0x11, 40},
    {"IVRS", 0xFF, 0x40, 40},
};

/* Returns the least size of an entry, or 0 if its type describes no unit. */
static size_t unit_size(const struct acpi_view *table, uint16_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(unit_types); i++) {
        const struct unit_type *row = &unit_types[i];
        if (memcmp(table->bytes, row->signature, ACPI_SIGNATURE_SIZE) == 0 &&
            (type & row->mask) == row->type)
            return row->size;
    }
    return 0;
}

static void add_unit(struct acpi_listing *units, uint64_t *addresses, size_t capacity,
                     uint64_t address)
{
    for (size_t i = 0; i < units->count; i++) {
        if (addresses[i] == address)
            return;
    }
    if (units->count == capacity)
        units->dropped++;
    else
        addresses[units->count++] = address;
}

struct acpi_listing acpi_list_units(const struct acpi_view *table, uint64_t *addresses,
                                    size_t capacity)
{
    struct acpi_listing units = {0};
    struct iommu_entry entry;
    size_t offset = ENTRIES;

    for (; offset + ENTRY_HEADER_SIZE <= table->length; offset += entry.length) {
        memcpy(&entry, table->bytes + offset, ENTRY_HEADER_SIZE);
        size_t least = unit_size(table, entry.type);
        if (entry.length < (least != 0 ? least : ENTRY_HEADER_SIZE) ||
            entry.length > table->length - offset)
            break;
        if (least == 0)
            continue;
        memcpy(&entry, table->bytes + offset, sizeof(entry));
        add_unit(&units, addresses, capacity, entry.address);
    }
    units.is_broken = offset != table->length;
    return units;
}

bool acpi_opts_out_of_x2apic(const struct acpi_view *dmar)
{
    uint64_t flags = DMAR_INTR_REMAP | DMAR_X2APIC_OPT_OUT;

    return dmar->length > DMAR_FLAGS && (dmar->bytes[DMAR_FLAGS] & flags) == flags;
}
