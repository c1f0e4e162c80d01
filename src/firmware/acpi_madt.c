/* See acpi.h. */
#include "firmware/acpi.h"

#include "lib/bits.h"
#include "lib/string.h"

/* An entry of a type that is read, or its beginning. */
union madt_entry {
    struct acpi_entry_header header;
    struct madt_local_apic local_apic;
    struct madt_local_x2apic local_x2apic;
    struct madt_io_apic io_apic;
    struct madt_override override;
};
#define ISA_INTERRUPTS    16U
#define IO_APIC_ALIGNMENT 16U /* the distance of its registers */

static void add_cpu(struct acpi_listing *cpus, uint32_t *apic_ids, size_t capacity,
                    uint32_t id)
{
    for (size_t i = 0; i < cpus->count; i++) {
        if (apic_ids[i] == id)
            return;
    }
    if (cpus->count == capacity)
        cpus->dropped++;
    else
        apic_ids[cpus->count++] = id;
}

/* Reads the APIC ID of an entry; returns whether it is an enabled CPU's. */
static bool read_apic_id(const union madt_entry *entry, uint32_t *id)
{
    uint32_t flags = 0;

    if (entry->header.type == MADT_LOCAL_APIC) {
        *id   = entry->local_apic.apic_id;
        flags = *id == MADT_NO_APIC_ID ? 0 : entry->local_apic.flags;
    } else if (entry->header.type == MADT_LOCAL_X2APIC) {
        *id   = entry->local_x2apic.x2apic_id;
        flags = *id == UINT32_MAX ? 0 : entry->local_x2apic.flags;
    }
    return (flags & MADT_CPU_ENABLED) != 0;
}

/*
 * Reads the entry at *offset and advances past it; false at the end or if malformed. An
 * entry too short for its type, or of another type, reads as zero: a disabled CPU.
 */
static bool next_entry(const struct acpi_view *madt, size_t *offset,
                       union madt_entry *entry)
{
    static const uint8_t sizes[] = {
        [MADT_LOCAL_APIC]   = sizeof(struct madt_local_apic),
        [MADT_IO_APIC]      = sizeof(struct madt_io_apic),
        [MADT_OVERRIDE]     = sizeof(struct madt_override),
        [MADT_LOCAL_X2APIC] = sizeof(struct madt_local_x2apic),
    };
    struct acpi_view view;

    if (!acpi_next_entry(madt, offset, &view))
        return false;
    memset(entry, 0, sizeof(*entry));
    if (view.bytes[0] < ARRAY_SIZE(sizes) && view.length >= sizes[view.bytes[0]])
        memcpy(entry, view.bytes, sizes[view.bytes[0]]);
    return true;
}

struct acpi_listing acpi_list_cpus(const struct acpi_view *madt, uint32_t *apic_ids,
                                   size_t capacity)
{
    struct acpi_listing cpus = {0};
    size_t offset            = sizeof(struct madt);
    union madt_entry entry;

    while (next_entry(madt, &offset, &entry)) {
        uint32_t id;
        if (read_apic_id(&entry, &id))
            add_cpu(&cpus, apic_ids, capacity, id);
    }
    cpus.is_broken = offset + sizeof(entry.header) <= madt->length;
    return cpus;
}

/* Returns whether the entry is an I/O APIC's, at an address that can be one. */
static bool is_io_apic(const union madt_entry *entry)
{
    return entry->header.type == MADT_IO_APIC &&
           is_aligned(entry->io_apic.address, IO_APIC_ALIGNMENT);
}

struct acpi_listing acpi_list_io_apics(const struct acpi_view *madt, uint64_t *addresses,
                                       size_t capacity)
{
    struct acpi_listing io_apics = {0};
    size_t offset                = sizeof(struct madt);
    union madt_entry entry;

    while (next_entry(madt, &offset, &entry)) {
        if (!is_io_apic(&entry))
            continue;
        if (io_apics.count == capacity)
            io_apics.dropped++;
        else
            addresses[io_apics.count++] = entry.io_apic.address;
    }
    io_apics.is_broken = offset + sizeof(entry.header) <= madt->length;
    return io_apics;
}

/* Applies the source override of an ISA interrupt, if there is one. */
static void apply_override(const struct acpi_view *madt, uint32_t interrupt,
                           struct acpi_interrupt *found, uint32_t *global)
{
    size_t offset = sizeof(struct madt);
    union madt_entry entry;

    while (next_entry(madt, &offset, &entry)) {
        const struct madt_override *override = &entry.override;
        if (entry.header.type != MADT_OVERRIDE || override->bus != MADT_BUS_ISA ||
            override->source != interrupt)
            continue;
        *global              = override->global;
        found->is_active_low = (override->flags & MADT_POLARITY) == MADT_POLARITY_LOW;
        found->is_level      = (override->flags & MADT_TRIGGER) == MADT_TRIGGER_LEVEL;
    }
}

enum status acpi_find_interrupt(const struct acpi_view *madt, uint32_t interrupt,
                                struct acpi_interrupt *found)
{
    bool is_isa                  = interrupt < ISA_INTERRUPTS;
    struct acpi_interrupt result = {.is_active_low = !is_isa, .is_level = !is_isa};
    uint32_t global              = interrupt;
    bool is_found                = false;
    uint32_t base                = 0;
    size_t offset                = sizeof(struct madt);
    union madt_entry entry;

    if (is_isa)
        apply_override(madt, interrupt, &result, &global);
    while (next_entry(madt, &offset, &entry)) {
        /* The I/O APIC with the highest base not above the interrupt has the input. */
        if (!is_io_apic(&entry) || entry.io_apic.global_base > global ||
            entry.io_apic.global_base < base)
            continue;
        is_found       = true;
        base           = entry.io_apic.global_base;
        result.io_apic = entry.io_apic.address;
        result.input   = global - base;
    }
    if (!is_found)
        return STATUS_NOT_FOUND;
    *found = result;
    return STATUS_OK;
}
