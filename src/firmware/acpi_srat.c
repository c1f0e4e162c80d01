/* See acpi.h. */
#include "firmware/acpi.h"

#include "lib/bits.h"
#include "lib/string.h"

/* Reads the node of a CPU. Returns whether the entry is its. */
static bool read_cpu(const struct acpi_view *entry, uint32_t apic_id, bool is_wide,
                     uint32_t *node)
{
    struct srat_local_apic apic;
    struct srat_local_x2apic x2apic;

    if (entry->bytes[0] == SRAT_LOCAL_APIC && entry->length >= sizeof(apic)) {
        memcpy(&apic, entry->bytes, sizeof(apic));
        *node = apic.domain;
        if (is_wide)
            *node |= (uint32_t)apic.domain_high[0] << 8 |
                     (uint32_t)apic.domain_high[1] << 16 |
                     (uint32_t)apic.domain_high[2] << 24;
        return apic.apic_id == apic_id && (apic.flags & SRAT_ENABLED) != 0;
    }
    if (entry->bytes[0] == SRAT_LOCAL_X2APIC && entry->length >= sizeof(x2apic)) {
        memcpy(&x2apic, entry->bytes, sizeof(x2apic));
        *node = x2apic.domain;
        return x2apic.x2apic_id == apic_id && (x2apic.flags & SRAT_ENABLED) != 0;
    }
    return false;
}

/* Returns whether the nodes of the entries by APIC ID have 32 bits. */
static bool is_wide(const struct acpi_view *srat)
{
    struct acpi_table header;

    if (srat->length < sizeof(header))
        return false;
    memcpy(&header, srat->bytes, sizeof(header));
    return header.revision >= SRAT_WIDE_DOMAINS;
}

uint32_t acpi_node_of_cpu(const struct acpi_view *srat, uint32_t apic_id)
{
    size_t offset         = sizeof(struct srat);
    bool has_wide_domains = is_wide(srat);
    struct acpi_view entry;
    uint32_t node;

    while (acpi_next_entry(srat, &offset, &entry)) {
        if (read_cpu(&entry, apic_id, has_wide_domains, &node))
            return node;
    }
    return 0;
}

uint32_t acpi_node_of_memory(const struct acpi_view *srat, uint64_t address)
{
    size_t offset = sizeof(struct srat);
    struct acpi_view entry;
    struct srat_memory memory;

    while (acpi_next_entry(srat, &offset, &entry)) {
        if (entry.bytes[0] != SRAT_MEMORY || entry.length < sizeof(memory))
            continue;
        memcpy(&memory, entry.bytes, sizeof(memory));
        if ((memory.flags & SRAT_ENABLED) != 0 && address >= memory.address &&
            address - memory.address < memory.size)
            return memory.domain;
    }
    return 0;
}
