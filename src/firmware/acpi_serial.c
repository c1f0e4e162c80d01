/* See acpi.h. */
#include "firmware/acpi.h"

#include "firmware/fadt.h"

/* Microsoft, "Serial Port Console Redirection Table (SPCR)"; revision 2 ends at 80. */
struct __attribute__((packed)) spcr {
    struct acpi_table header;
    uint8_t interface_type, reserved_37[3];
    struct generic_address base_address;
    uint8_t interrupt_type, irq; /* of the 8259A pair */
    uint32_t global_interrupt;
    uint8_t baud_rate, parity, stop_bits, flow_control, terminal_type, language;
    uint16_t pci_device_id, pci_vendor_id;
    uint8_t pci_bus, pci_device, pci_function;
    uint32_t pci_flags;
    uint8_t pci_segment;
    uint32_t clock_hz;     /* from revision 3 on */
    uint32_t precise_baud; /* from revision 4 on */
};
_Static_assert(offsetof(struct spcr, base_address) == 40, "SPCR");
_Static_assert(offsetof(struct spcr, baud_rate) == 58, "SPCR");
_Static_assert(offsetof(struct spcr, clock_hz) == 76, "SPCR");
_Static_assert(sizeof(struct spcr) == 84, "SPCR");
#define SPCR_SIZE_LEAST         76
#define SPCR_REVISION_CLOCK     3
#define SPCR_REVISION_BAUD      4
#define SPCR_NOT_IN_PCI         0xFFFFU /* as the vendor ID */
#define SPCR_8259_INPUTS        16U     /* of both */
#define SPCR_INTERRUPT_8259     BIT(0)
#define SPCR_INTERRUPT_IO_APIC  BIT(1)
#define SPCR_INTERRUPT_IO_SAPIC BIT(2)

/* Microsoft, "Microsoft Debug Port Table 2 (DBG2)". */
struct __attribute__((packed)) dbg2 {
    struct acpi_table header;
    uint32_t devices_offset, device_count;
};
struct __attribute__((packed)) dbg2_device {
    uint8_t revision;
    uint16_t length;
    uint8_t address_count;
    uint16_t name_length, name_offset, data_length, data_offset;
    uint16_t port_type, port_subtype, reserved;
    uint16_t addresses_offset, sizes_offset; /* from the start of the structure */
};
_Static_assert(sizeof(struct dbg2) == 44, "DBG2");
_Static_assert(sizeof(struct dbg2_device) == 22, "DBG2, Debug Device Information");
#define DBG2_SERIAL 0x8000U

/* Interfaces compatible with a 16550: DBG2, "Debug Port Types and Subtypes". */
static bool is_16550(uint16_t type)
{
    enum {
        FULL   = 0x00,
        SUBSET = 0x01,
        NVIDIA = 0x05,
        WIDTHS = 0x12, /* widths in the generic address */
        LPSS   = 0x14, /* of Intel's SoCs */
    };
    return type == FULL || type == SUBSET || type == NVIDIA || type == WIDTHS ||
           type == LPSS;
}

/* Converts the generic address of the first register. */
static enum status read_address(struct generic_address base, struct serial_port *port)
{
    static const uint8_t access_bytes[] = {0, 1, 2, 4}; /* by Access Size */
    uint8_t access                      = base.access_size < ARRAY_SIZE(access_bytes)
                                              ? access_bytes[base.access_size]
                                              : 0; /* 64 bits, or not defined */
    uint8_t stride                      = base.bit_width > 8 ? base.bit_width / 8 : 1;
    struct serial_port result =
        serial_port_in_memory(base.address, stride > access ? stride : access);

    if (base.space != GAS_SYSTEM_IO && base.space != GAS_SYSTEM_MEMORY)
        return STATUS_UNSUPPORTED;
    if (access != 0)
        result.width = access;
    if (base.space == GAS_SYSTEM_IO)
        result = serial_port_at(base.address);
    if (!serial_port_is_possible(&result))
        return STATUS_OUT_OF_RANGE;
    *port = result;
    return STATUS_OK;
}

static void read_speed(const struct spcr *spcr, struct serial_port *port)
{
    static const uint32_t speeds[] = {[3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200};
    bool is_known                  = spcr->baud_rate < ARRAY_SIZE(speeds);

    port->baud = is_known ? speeds[spcr->baud_rate] : SERIAL_BAUD_AS_IS;
    if (spcr->header.revision >= SPCR_REVISION_CLOCK && spcr->clock_hz != 0)
        port->clock_hz = spcr->clock_hz;
    if (spcr->header.revision >= SPCR_REVISION_BAUD && spcr->precise_baud != 0)
        port->baud = spcr->precise_baud;
}

static void read_interrupt(const struct spcr *spcr, struct serial_port *port)
{
    const unsigned int global = SPCR_INTERRUPT_IO_APIC | SPCR_INTERRUPT_IO_SAPIC;

    if ((spcr->interrupt_type & SPCR_INTERRUPT_8259) != 0 && spcr->irq != 0 &&
        spcr->irq < SPCR_8259_INPUTS)
        port->interrupt = spcr->irq;
    else if ((spcr->interrupt_type & global) != 0 && spcr->global_interrupt != 0)
        port->interrupt = spcr->global_interrupt;
}

enum status acpi_read_spcr(const struct acpi_view *view, struct serial_port *port)
{
    struct spcr spcr = {0};

    if (view->length < SPCR_SIZE_LEAST)
        return STATUS_MALFORMED;
    memcpy(&spcr, view->bytes, view->length < sizeof(spcr) ? view->length : sizeof(spcr));
    if (spcr.base_address.address == 0)
        return STATUS_NOT_FOUND;
    enum status status = is_16550(spcr.interface_type)
                             ? read_address(spcr.base_address, port)
                             : STATUS_UNSUPPORTED;
    if (status != STATUS_OK)
        return status;
    read_speed(&spcr, port);
    read_interrupt(&spcr, port);
    return STATUS_OK;
}

bool acpi_find_spcr_in_pci(const struct acpi_view *view,
                           struct acpi_pci_location *location)
{
    struct spcr spcr = {0};

    if (view->length < SPCR_SIZE_LEAST)
        return false;
    memcpy(&spcr, view->bytes, SPCR_SIZE_LEAST);
    *location = (struct acpi_pci_location){.segment   = spcr.pci_segment,
                                           .bus       = spcr.pci_bus,
                                           .device    = spcr.pci_device,
                                           .function  = spcr.pci_function,
                                           .vendor_id = spcr.pci_vendor_id,
                                           .device_id = spcr.pci_device_id};
    return spcr.pci_vendor_id != 0 && spcr.pci_vendor_id != SPCR_NOT_IN_PCI;
}

/* Reads the first usable address of a device whose structure is at an offset. */
static enum status read_device(const struct acpi_view *view, size_t offset,
                               const struct dbg2_device *device, struct serial_port *port)
{
    enum status status = STATUS_NOT_FOUND;

    if (device->port_type != DBG2_SERIAL)
        return STATUS_NOT_FOUND;
    if (!is_16550(device->port_subtype))
        return STATUS_UNSUPPORTED;
    for (size_t i = 0; i < device->address_count && status != STATUS_OK; i++) {
        struct generic_address base;
        size_t at = device->addresses_offset + i * sizeof(base);
        if (at + sizeof(base) > device->length)
            return STATUS_MALFORMED;
        memcpy(&base, view->bytes + offset + at, sizeof(base));
        if (base.address != 0)
            status = read_address(base, port);
    }
    return status;
}

enum status acpi_read_dbg2(const struct acpi_view *view, struct serial_port *port)
{
    struct dbg2 dbg2;
    enum status status = STATUS_NOT_FOUND;

    if (view->length < sizeof(dbg2))
        return STATUS_MALFORMED;
    memcpy(&dbg2, view->bytes, sizeof(dbg2));
    size_t offset = dbg2.devices_offset;
    for (uint32_t i = 0; i < dbg2.device_count && status != STATUS_OK; i++) {
        struct dbg2_device device;
        if (offset > view->length || view->length - offset < sizeof(device))
            return STATUS_MALFORMED;
        memcpy(&device, view->bytes + offset, sizeof(device));
        if (device.length < sizeof(device) || device.length > view->length - offset)
            return STATUS_MALFORMED;
        status = read_device(view, offset, &device, port);
        offset += device.length;
    }
    return status;
}
