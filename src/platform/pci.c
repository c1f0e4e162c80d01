/* See pci.h. */
#include "platform/pci.h"

#include "cpu/instructions.h"

/* Selects the 32 bits that contain the offset; returns the port of the offset's byte. */
static uint16_t select_register(struct pci_address address, uint8_t offset)
{
    uint32_t device   = address.device % PCI_DEVICES;
    uint32_t function = address.function % PCI_FUNCTIONS;

    io_out32(PCI_PORT_ADDRESS, PCI_ADDRESS_ENABLE | (uint32_t)address.bus << 16 |
                                   device << 11 | function << 8 | (offset & ~3U));
    return (uint16_t)(PCI_PORT_DATA + offset % 4);
}

uint32_t pci_read32(struct pci_address address, uint8_t offset)
{
    return io_in32(select_register(address, offset));
}

uint16_t pci_read16(struct pci_address address, uint8_t offset)
{
    return io_in16(select_register(address, offset));
}

uint8_t pci_read8(struct pci_address address, uint8_t offset)
{
    return io_in8(select_register(address, offset));
}

void pci_write32(struct pci_address address, uint8_t offset, uint32_t value)
{
    io_out32(select_register(address, offset), value);
}

void pci_write16(struct pci_address address, uint8_t offset, uint16_t value)
{
    io_out16(select_register(address, offset), value);
}

void pci_write8(struct pci_address address, uint8_t offset, uint8_t value)
{
    io_out8(select_register(address, offset), value);
}

/* The address port keeps what is written to it; a port that is not there does not. */
bool pci_is_present(void)
{
    io_out32(PCI_PORT_ADDRESS, PCI_ADDRESS_ENABLE);
    return io_in32(PCI_PORT_ADDRESS) == PCI_ADDRESS_ENABLE;
}

/* Reads the header of the function at an address; returns false if there is none. */
static bool read_function(struct pci_address address, struct pci_function *function)
{
    uint32_t id     = pci_read32(address, PCI_VENDOR_ID);
    uint16_t vendor = (uint16_t)id;

    if (vendor == PCI_VENDOR_NONE || vendor == 0)
        return false;
    uint32_t class = pci_read32(address, PCI_REVISION_ID);
    *function      = (struct pci_function){
             .address               = address,
             .vendor_id             = vendor,
             .device_id             = (uint16_t)(id >> 16),
             .base_class            = (uint8_t)(class >> 24),
             .sub_class             = (uint8_t)(class >> 16),
             .programming_interface = (uint8_t)(class >> 8),
             .header_layout         = PCI_HEADER_LAYOUT(pci_read8(address, PCI_HEADER_TYPE)),
    };
    return true;
}

/* Returns how many functions to probe: function 0 tells whether there are more. */
static unsigned int count_probes(struct pci_address address)
{
    uint32_t vendor = pci_read16(address, PCI_VENDOR_ID);

    if (vendor == PCI_VENDOR_NONE || vendor == 0)
        return 0;
    bool has_more =
        (pci_read8(address, PCI_HEADER_TYPE) & PCI_HEADER_MULTI_FUNCTION) != 0;
    return has_more ? PCI_FUNCTIONS : 1;
}

void pci_walk(void (*visit)(const struct pci_function *function, void *context),
              void *context)
{
    unsigned int slots = pci_is_present() ? PCI_BUSES * PCI_DEVICES : 0;

    for (unsigned int slot = 0; slot < slots; slot++) {
        struct pci_address address = {.bus    = (uint8_t)(slot / PCI_DEVICES),
                                      .device = (uint8_t)(slot % PCI_DEVICES)};
        struct pci_function function;
        unsigned int probes = count_probes(address);
        for (; address.function < probes; address.function++) {
            if (read_function(address, &function))
                visit(&function, context);
        }
    }
}
