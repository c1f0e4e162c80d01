/* See pci_segments.h. */
#include "platform/pci_segments.h"

#include "lib/log.h"
#include "mm/address_space.h"
#include "platform/pci.h"

/* Entries that are read, so that a broken table does not fill the log. */
#define MCFG_ENTRIES_MAX 128

/* Maps the registers of the buses; returns why that is impossible, or NULL. */
static const char *add_buses(const struct acpi_pci_buses *buses)
{
    uint64_t start = (uint64_t)buses->first * PCI_ECAM_BUS_SIZE;
    uint64_t end   = (uint64_t)(buses->last + 1) * PCI_ECAM_BUS_SIZE;

    if (end <= start || !is_aligned(buses->address, PCI_ECAM_BUS_SIZE) ||
        buses->address > UINT64_MAX - end)
        return "invalid";
    if (address_space_map_device(buses->address + start, end - start) == NULL)
        return "RAM, or not mappable";
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
