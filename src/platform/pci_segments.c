/* See pci_segments.h. */
#include "platform/pci_segments.h"

#include "lib/log.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/pci.h"
#include "x86/pc_memory.h"

/* Entries that are read, so that a broken table does not fill the log. */
#define MCFG_ENTRIES_MAX 128

/*
 * Returns whether firmware's memory map reserves all of a range, and no APIC is in it:
 * then it is not the registers of another device, to which nothing may be written.
 */
static bool is_reserved(uint64_t start, uint64_t end)
{
    bool is_other = start < PC_APICS_END && end > PC_APICS_START;

    for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
        is_other |= type != MEMORY_RESERVED &&
                    memory_map_overlaps(memory_get_map(), type, start, end);
    return !is_other;
}

/* Maps the registers of the buses; returns why that is impossible, or NULL. */
static const char *add_buses(const struct acpi_pci_buses *buses)
{
    uint64_t start = (uint64_t)buses->first * PCI_ECAM_BUS_SIZE;
    uint64_t end   = (uint64_t)(buses->last + 1) * PCI_ECAM_BUS_SIZE;

    if (end <= start || !is_aligned(buses->address, PCI_ECAM_BUS_SIZE) ||
        buses->address > UINT64_MAX - end)
        return "invalid";
    if (!is_reserved(buses->address + start, buses->address + end))
        return "not reserved for it in the memory map";
    if (address_space_map_device(buses->address + start, end - start) == NULL)
        return "not mappable";
    return pci_add_buses(buses) == STATUS_OK ? NULL : "too many";
}

void pci_segments_find(const struct acpi *acpi)
{
    struct acpi_pci_buses buses;
    enum status status = STATUS_OK;
    struct acpi_view mcfg;
    size_t index = 0;

    if (acpi == NULL || acpi_find(acpi, "MCFG", &mcfg) != STATUS_OK)
        return;
    while (index < MCFG_ENTRIES_MAX &&
           (status = acpi_next_pci_buses(&mcfg, &index, &buses)) == STATUS_OK) {
        const char *problem = buses.segment != 0 ? add_buses(&buses) : NULL;
        if (problem != NULL)
            log_warning(
                "PCI: segment %u, buses %u to %u at 0x%lx in the ACPI table MCFG: "
                "%s; bus masters there may write to memory",
                buses.segment, buses.first, buses.last, buses.address, problem);
    }
    if (status != STATUS_NOT_FOUND)
        log_warning("ACPI: MCFG has a malformed entry, or more than %d; not used further",
                    MCFG_ENTRIES_MAX);
}
