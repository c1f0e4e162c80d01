/* See serial_ports.h. */
#include "platform/serial_ports.h"

#include "lib/log.h"

static const struct {
    const char *signature;
    enum status (*read)(const struct acpi_view *table, struct serial_port *port);
    enum serial_source source;
} tables[] = {
    {"SPCR", acpi_read_spcr, SERIAL_SOURCE_SPCR},
    {"DBG2", acpi_read_dbg2, SERIAL_SOURCE_DBG2},
};

/* Adds a port unless it is known; returns it, or NULL if the list is full. */
static struct described_port *add_port(struct serial_ports *ports,
                                       const struct described_port *described)
{
    for (size_t i = 0; i < ports->count; i++) {
        if (serial_port_is_same(&ports->port[i].port, &described->port))
            return &ports->port[i];
    }
    if (ports->count == SERIAL_PORTS_MAX)
        return NULL;
    ports->port[ports->count] = *described;
    return &ports->port[ports->count++];
}

/*
 * Finds the PCI function that an SPCR names, if it is there: a UART that does not start
 * at one of its base addresses cannot be found by its address.
 */
static void find_function(const struct acpi_view *spcr, struct described_port *described)
{
    struct acpi_pci_location found;

    described->is_in_pci = false;
    if (described->source != SERIAL_SOURCE_SPCR || !acpi_find_spcr_in_pci(spcr, &found))
        return;
    described->address   = (struct pci_address){.segment  = found.segment,
                                                .bus      = found.bus,
                                                .device   = found.device,
                                                .function = found.function};
    described->is_in_pci = found.device < PCI_DEVICES && found.function < PCI_FUNCTIONS &&
                           pci_is_present() &&
                           pci_read32(described->address, PCI_VENDOR_ID) ==
                               ((uint32_t)found.device_id << 16 | found.vendor_id);
}

/* Adds the ports of all tables with the signature. */
static void add_tables(const struct acpi *acpi, size_t row, struct serial_ports *ports)
{
    static const char *const problems[] = {
        [STATUS_OUT_OF_RANGE] = "its address cannot be a UART's",
        [STATUS_MALFORMED]    = "malformed",
        [STATUS_UNSUPPORTED]  = "not compatible with a 16550",
    };
    const char *signature           = tables[row].signature;
    struct described_port described = {.source = tables[row].source};
    struct acpi_view view;
    size_t next = 0;

    format_text(described.name, sizeof(described.name), "%s", signature);
    while (acpi_find_next(acpi, signature, &next, &view) == STATUS_OK) {
        enum status status = tables[row].read(&view, &described.port);
        if (status == STATUS_OK) {
            find_function(&view, &described);
            (void)add_port(ports, &described);
        } else if (status != STATUS_NOT_FOUND)
            log_info("console: serial port in the ACPI table %s: %s; ignored", signature,
                     problems[status]);
    }
}

/* Returns the UART at a base address in memory; registers of a byte each. */
static struct serial_port port_in_memory(uint64_t address)
{
    struct serial_port port = serial_port_in_memory(address, 1);

    port.baud     = SERIAL_BAUD;
    port.clock_hz = UART_CLOCK_HZ;
    return port;
}

bool serial_port_of_pci(const struct pci_function *function,
                        const uint32_t base_addresses[PCI_BASE_ADDRESS_COUNT],
                        struct serial_port *port)
{
    bool is_found = false;

    if (function->base_class != PCI_CLASS_COMMUNICATION ||
        function->sub_class != PCI_COMMUNICATION_SERIAL ||
        function->programming_interface > PCI_SERIAL_LAST_16550 ||
        function->header_layout != PCI_HEADER_DEVICE)
        return false;
    for (size_t i = 0; i < PCI_BASE_ADDRESS_COUNT; i++) {
        uint64_t address = base_addresses[i];
        bool is_io       = (address & PCI_BASE_ADDRESS_IO) != 0;
        bool is_64_bit   = (address & PCI_BASE_ADDRESS_TYPE) == PCI_BASE_ADDRESS_64_BIT;
        address &=
            ~(uint64_t)(is_io ? PCI_BASE_ADDRESS_IO_FLAGS : PCI_BASE_ADDRESS_FLAGS);
        if (!is_io && is_64_bit && ++i < PCI_BASE_ADDRESS_COUNT)
            address |= (uint64_t)base_addresses[i] << 32;
        struct serial_port next =
            is_io ? serial_port_at(address) : port_in_memory(address);
        if (!serial_port_is_possible(&next) || (is_found && !is_io))
            continue;
        *port    = next;
        is_found = true;
        if (is_io)
            break;
    }
    return is_found;
}

void serial_port_enable(const struct described_port *described)
{
    uint16_t bit = described->port.space == SERIAL_SPACE_IO ? PCI_COMMAND_IO_SPACE
                                                            : PCI_COMMAND_MEMORY_SPACE;

    if (!described->is_in_pci)
        return;
    uint16_t command = pci_read16(described->address, PCI_COMMAND);
    if ((command & bit) == 0)
        pci_write16(described->address, PCI_COMMAND, command | bit);
}

static void visit_function(const struct pci_function *function, void *context)
{
    struct pci_address address      = function->address;
    struct described_port described = {.source = SERIAL_SOURCE_PCI};
    uint32_t base_addresses[PCI_BASE_ADDRESS_COUNT];

    if (function->base_class != PCI_CLASS_COMMUNICATION)
        return;
    for (size_t i = 0; i < PCI_BASE_ADDRESS_COUNT; i++)
        base_addresses[i] =
            pci_read32(address, (uint8_t)(PCI_BASE_ADDRESSES + i * sizeof(uint32_t)));
    if (!serial_port_of_pci(function, base_addresses, &described.port))
        return;
    struct text name = {.buffer = described.name, .size = sizeof(described.name)};
    text_append(&name, "PCI ");
    pci_describe(address, &name);
    struct described_port *added = add_port(context, &described);
    if (added != NULL) {
        added->is_in_pci = true;
        added->address   = address;
    }
}

void serial_ports_find(const struct acpi *acpi, struct serial_ports *ports)
{
    ports->count = 0;
    for (size_t i = 0; acpi != NULL && i < ARRAY_SIZE(tables); i++)
        add_tables(acpi, i, ports);
    pci_walk(visit_function, ports);
}
