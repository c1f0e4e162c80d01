/* See bus_masters.h. */
#include "platform/bus_masters.h"

#include "lib/format.h"
#include "lib/log.h"
#include "platform/usb_legacy.h"

/* Functions that the log names at level info; a line has room for so many. */
#define NAMED_MAX 6

/* The result of the walk, so far. */
struct bus_masters {
    bool is_efi, are_usb; /* are_usb: of USB controllers only, otherwise of all others */
    unsigned int stopped, kept, stuck;
    struct text names; /* of the first that were stopped */
};

static bool is_usb(const struct pci_function *function)
{
    return function->base_class == PCI_CLASS_SERIAL_BUS &&
           function->sub_class == PCI_SERIAL_BUS_USB;
}

bool bus_master_is_kept(const struct pci_function *function, bool is_efi)
{
    switch (function->base_class) {
    case PCI_CLASS_BRIDGE:
    case PCI_CLASS_DISPLAY:
        return true;
    case PCI_CLASS_UNCLASSIFIED:
        return function->sub_class == PCI_UNCLASSIFIED_VGA;
    case PCI_CLASS_SYSTEM:
        return function->sub_class == PCI_SYSTEM_IOMMU;
    case PCI_CLASS_SERIAL_BUS:
        return is_usb(function) && !is_efi;
    default:
        return function->header_layout != PCI_HEADER_DEVICE;
    }
}

/* Returns what a function is, in a word. */
static const char *class_name(const struct pci_function *function)
{
    static const char *const names[] = {
        [PCI_CLASS_STORAGE] = "storage",   [PCI_CLASS_NETWORK] = "network",
        [PCI_CLASS_DISPLAY] = "display",   [0x04] = "multimedia",
        [PCI_CLASS_BRIDGE] = "bridge",     [0x07] = "communication",
        [PCI_CLASS_SYSTEM] = "system",     [PCI_CLASS_SERIAL_BUS] = "serial bus",
        [PCI_CLASS_WIRELESS] = "wireless",
    };
    const char *name =
        function->base_class < ARRAY_SIZE(names) ? names[function->base_class] : NULL;
    return is_usb(function) ? "USB" : name != NULL ? name : "other";
}

static void log_function(const struct pci_function *function, const char *action)
{
    struct pci_address address = function->address;

    log_debug("PCI: %02x:%02x.%x [%04x:%04x] class %02x%02x%02x (%s): bus mastering %s",
              address.bus, address.device, address.function, function->vendor_id,
              function->device_id, function->base_class, function->sub_class,
              function->programming_interface, class_name(function), action);
}

/* Clears the bit; reading it again also completes the function's earlier writes. */
static void stop_function(const struct pci_function *function, uint16_t command,
                          struct bus_masters *masters)
{
    struct pci_address address = function->address;

    pci_write16(address, PCI_COMMAND, (uint16_t)(command & ~PCI_COMMAND_BUS_MASTER));
    if ((pci_read16(address, PCI_COMMAND) & PCI_COMMAND_BUS_MASTER) != 0) {
        masters->stuck++;
        log_function(function, "cannot be disabled");
        return;
    }
    if (masters->stopped++ < NAMED_MAX)
        text_append(&masters->names, "%s %02x:%02x.%x (%s)",
                    masters->stopped == 1 ? "" : ",", address.bus, address.device,
                    address.function, class_name(function));
    log_function(function, "disabled");
}

static void handle_function(const struct pci_function *function, void *context)
{
    struct bus_masters *masters = context;
    uint16_t command            = pci_read16(function->address, PCI_COMMAND);

    if (is_usb(function) != masters->are_usb || (command & PCI_COMMAND_BUS_MASTER) == 0)
        return;
    if (!bus_master_is_kept(function, masters->is_efi) &&
        !(is_usb(function) && usb_is_firmware_owned(function))) {
        stop_function(function, command, masters);
        return;
    }
    masters->kept++;
    log_function(function, "left enabled");
}

/* Disables those of USB controllers, or of all others, and logs which. */
static void stop_functions(bool is_efi, bool are_usb)
{
    TEXT_DECLARE(names, LOG_LINE_SIZE / 2 + NAMED_MAX * 8);
    struct bus_masters masters = {.is_efi = is_efi, .are_usb = are_usb, .names = names};

    pci_walk(handle_function, &masters);
    if (masters.stopped > NAMED_MAX)
        text_append(&masters.names, " and %u more", masters.stopped - NAMED_MAX);
    if (masters.stopped > 0)
        log_info("PCI: bus mastering disabled:%s; left enabled: %u", names.buffer,
                 masters.kept);
    if (masters.stuck > 0)
        log_warning("PCI: %u functions stay bus masters and may write to memory",
                    masters.stuck);
}

void bus_masters_stop(bool is_efi)
{
    stop_functions(is_efi, false);
}

void bus_masters_stop_usb(bool is_efi)
{
    stop_functions(is_efi, true);
}
