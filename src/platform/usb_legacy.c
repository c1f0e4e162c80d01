/* See usb_legacy.h. */
#include "platform/usb_legacy.h"

#include "mm/address_space.h"
#include "x86/usb_legacy.h"

#define REGISTERS_SIZE 0x10000U /* the largest that a controller is known to need */

/* Returns the registers at the first base address, or NULL. */
static const volatile uint8_t *map_registers(struct pci_address address)
{
    uint32_t low  = pci_read32(address, PCI_BASE_ADDRESSES);
    uint64_t base = low & ~PCI_BASE_ADDRESS_FLAGS;

    if ((low & PCI_BASE_ADDRESS_TYPE) == PCI_BASE_ADDRESS_64_BIT)
        base |= (uint64_t)pci_read32(address, PCI_BASE_ADDRESSES + 4) << 32;
    if (base == 0)
        return NULL;
    return address_space_map_device(base, REGISTERS_SIZE);
}

static uint32_t read_register(const volatile uint8_t *registers, uint32_t offset)
{
    return *(const volatile uint32_t *)(registers + offset);
}

static bool is_legacy(uint32_t capability)
{
    return USB_CAPABILITY_ID(capability) == USB_CAPABILITY_LEGACY;
}

/* Each step is one of at most 256, whatever the pointers say. */
static bool is_ehci_owned(struct pci_address address, uint32_t parameters)
{
    uint32_t offset = EHCI_HCCPARAMS_CAPABILITIES(parameters);

    for (int i = 0; i < 256 && offset >= EHCI_CAPABILITIES_MIN; i++) {
        uint32_t capability = pci_read32(address, (uint8_t)offset);
        if (is_legacy(capability))
            return (capability & USB_LEGACY_FIRMWARE_OWNS) != 0;
        offset = USB_CAPABILITY_NEXT(capability);
    }
    return false;
}

/* The offset grows with each step. */
static bool is_xhci_owned(const volatile uint8_t *registers, uint32_t parameters)
{
    uint32_t offset = 4 * XHCI_HCCPARAMS1_CAPABILITIES(parameters);
    uint32_t next   = offset;

    while (next != 0 && offset <= REGISTERS_SIZE - sizeof(uint32_t)) {
        uint32_t capability = read_register(registers, offset);
        if (is_legacy(capability))
            return (capability & USB_LEGACY_FIRMWARE_OWNS) != 0;
        next = 4 * USB_CAPABILITY_NEXT(capability);
        offset += next;
    }
    return false;
}

bool usb_is_firmware_owned(const struct pci_function *function)
{
    struct pci_address address = function->address;

    if (function->programming_interface == USB_UHCI)
        return (pci_read16(address, UHCI_LEGACY_SUPPORT) & UHCI_LEGACY_ENABLES) != 0;
    const volatile uint8_t *registers = map_registers(address);
    if (registers == NULL)
        return true;
    switch (function->programming_interface) {
    case USB_OHCI:
        return (read_register(registers, OHCI_CONTROL) &
                OHCI_CONTROL_INTERRUPT_ROUTING) != 0;
    case USB_EHCI:
        return is_ehci_owned(address, read_register(registers, EHCI_HCCPARAMS));
    case USB_XHCI:
        return is_xhci_owned(registers, read_register(registers, XHCI_HCCPARAMS1));
    default:
        return false;
    }
}
