/* See pci.h. */
#include "platform/pci.h"

#include "cpu/instructions.h"
#include "mm/device_registers.h"

/* The buses of segments other than 0, whose configuration space is in memory. */
static struct acpi_pci_buses ranges[PCI_RANGES_MAX];
static size_t range_count;

enum status pci_add_buses(const struct acpi_pci_buses *buses)
{
    if (range_count == PCI_RANGES_MAX)
        return STATUS_NO_MEMORY;
    ranges[range_count++] = *buses;
    return STATUS_OK;
}

/* Selects the 32 bits that contain the offset; returns the port of the offset's byte. */
static uint16_t select_register(struct pci_address address, uint8_t offset)
{
    uint32_t device   = address.device % PCI_DEVICES;
    uint32_t function = address.function % PCI_FUNCTIONS;

    io_out32(PCI_PORT_ADDRESS, PCI_ADDRESS_ENABLE | (uint32_t)address.bus << 16 |
                                   device << 11 | function << 8 | (offset & ~3U));
    return (uint16_t)(PCI_PORT_DATA + offset % 4);
}

/* Returns the address of a register in memory, or 0 if no range has its bus. */
static uint64_t find_register(struct pci_address address, uint8_t offset)
{
    for (size_t i = 0; i < range_count; i++) {
        if (ranges[i].segment == address.segment && address.bus >= ranges[i].first &&
            address.bus <= ranges[i].last)
            return ranges[i].address + offset +
                   PCI_ECAM_OFFSET(address.bus, address.device % PCI_DEVICES,
                                   address.function % PCI_FUNCTIONS);
    }
    return 0;
}

static uint32_t read_memory(struct pci_address address, uint8_t offset, unsigned int size)
{
    uint64_t at = find_register(address, offset);
    return at != 0 ? device_read(at, size) : UINT32_MAX;
}

static void write_memory(struct pci_address address, uint8_t offset, unsigned int size,
                         uint32_t value)
{
    uint64_t at = find_register(address, offset);
    if (at != 0)
        device_write(at, size, value);
}

uint32_t pci_read32(struct pci_address address, uint8_t offset)
{
    return address.segment == 0 ? io_in32(select_register(address, offset))
                                : read_memory(address, offset, sizeof(uint32_t));
}

uint16_t pci_read16(struct pci_address address, uint8_t offset)
{
    return address.segment == 0
               ? io_in16(select_register(address, offset))
               : (uint16_t)read_memory(address, offset, sizeof(uint16_t));
}

uint8_t pci_read8(struct pci_address address, uint8_t offset)
{
    return address.segment == 0 ? io_in8(select_register(address, offset))
                                : (uint8_t)read_memory(address, offset, sizeof(uint8_t));
}

void pci_write32(struct pci_address address, uint8_t offset, uint32_t value)
{
    if (address.segment == 0)
        io_out32(select_register(address, offset), value);
    else
        write_memory(address, offset, sizeof(value), value);
}

void pci_write16(struct pci_address address, uint8_t offset, uint16_t value)
{
    if (address.segment == 0)
        io_out16(select_register(address, offset), value);
    else
        write_memory(address, offset, sizeof(value), value);
}

void pci_write8(struct pci_address address, uint8_t offset, uint8_t value)
{
    if (address.segment == 0)
        io_out8(select_register(address, offset), value);
    else
        write_memory(address, offset, sizeof(value), value);
}

void pci_describe(struct pci_address address, struct text *text)
{
    if (address.segment != 0)
        text_append(text, "%04x:", address.segment);
    text_append(text, "%02x:%02x.%x", address.bus, address.device, address.function);
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

/* A caller's function, with its argument. */
struct visitor {
    void (*visit)(const struct pci_function *function, void *context);
    void *context;
};

/* Visits the functions of all devices of a bus. */
static void walk_bus(struct pci_address address, const struct visitor *visitor)
{
    for (unsigned int device = 0; device < PCI_DEVICES; device++) {
        address.device   = (uint8_t)device;
        address.function = 0;
        struct pci_function function;
        unsigned int probes = count_probes(address);
        for (; address.function < probes; address.function++) {
            if (read_function(address, &function))
                visitor->visit(&function, visitor->context);
        }
    }
}

void pci_walk(void (*visit)(const struct pci_function *function, void *context),
              void *context)
{
    const struct visitor visitor = {visit, context};
    unsigned int buses           = pci_is_present() ? PCI_BUSES : 0;

    for (unsigned int bus = 0; bus < buses; bus++)
        walk_bus((struct pci_address){.bus = (uint8_t)bus}, &visitor);
    for (size_t i = 0; i < range_count; i++) {
        for (unsigned int bus = ranges[i].first; bus <= ranges[i].last; bus++)
            walk_bus(
                (struct pci_address){.segment = ranges[i].segment, .bus = (uint8_t)bus},
                &visitor);
    }
}
