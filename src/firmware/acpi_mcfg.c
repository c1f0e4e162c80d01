/* See acpi.h. */
#include "firmware/acpi.h"

#include "lib/string.h"

enum status acpi_next_pci_buses(const struct acpi_view *mcfg, size_t *index,
                                struct acpi_pci_buses *buses)
{
    size_t offset = sizeof(struct mcfg) + *index * sizeof(struct mcfg_entry);
    struct mcfg_entry entry;

    if (offset == mcfg->length)
        return STATUS_NOT_FOUND;
    if (offset > mcfg->length || mcfg->length - offset < sizeof(entry))
        return STATUS_MALFORMED;
    memcpy(&entry, mcfg->bytes + offset, sizeof(entry));
    *buses = (struct acpi_pci_buses){.address = entry.base_address,
                                     .segment = entry.segment,
                                     .first   = entry.first_bus,
                                     .last    = entry.last_bus};
    (*index)++;
    return STATUS_OK;
}
