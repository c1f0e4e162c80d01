/* See bus_masters.h. */
#include "platform/bus_masters.h"

#include "lib/format.h"
#include "lib/log.h"
#include "platform/usb_legacy.h"

/* Functions that the log names at level info; a line has room for so many. */
#define NAMED_MAX 6

/* The result of the walk, so far. */
struct bus_masters {
    bool is_efi, is_late; /* is_late: of the functions that need is_late */
    unsigned int stopped, kept, stuck;
    struct text names; /* of the first that were stopped */
};

static bool is_usb(const struct pci_function *function)
{
    return function->base_class == PCI_CLASS_SERIAL_BUS &&
           function->sub_class == PCI_SERIAL_BUS_USB;
}

/* Returns whether a function needs registers in memory: its own, or those of PCI. */
static bool is_late(const struct pci_function *function)
{
    return is_usb(function) || function->address.segment != 0;
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
    TEXT_DECLARE(address, PCI_TEXT_SIZE);

    pci_describe(function->address, &address);
    log_debug("PCI: %s [%04x:%04x] class %02x%02x%02x (%s): bus mastering %s",
              address.buffer, function->vendor_id, function->device_id,
              function->base_class, function->sub_class, function->programming_interface,
              class_name(function), action);
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
    if (masters->stopped++ < NAMED_MAX) {
        text_append(&masters->names, "%s ", masters->stopped == 1 ? "" : ",");
        pci_describe(address, &masters->names);
        text_append(&masters->names, " (%s)", class_name(function));
    }
    log_function(function, "disabled");
}

static void handle_function(const struct pci_function *function, void *context)
{
    struct bus_masters *masters = context;
    uint16_t command            = pci_read16(function->address, PCI_COMMAND);

    if (is_late(function) != masters->is_late || (command & PCI_COMMAND_BUS_MASTER) == 0)
        return;
    if (!bus_master_is_kept(function, masters->is_efi) &&
        !(is_usb(function) && usb_is_firmware_owned(function))) {
        stop_function(function, command, masters);
        return;
    }
    masters->kept++;
    log_function(function, "left enabled");
}

/* Disables those of the functions that need registers in memory, or of all others. */
static void stop_functions(bool is_efi, bool is_late)
{
    TEXT_DECLARE(names, LOG_LINE_SIZE / 2 + NAMED_MAX * 8);
    struct bus_masters masters = {.is_efi = is_efi, .is_late = is_late, .names = names};

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

void bus_masters_stop_late(bool is_efi)
{
    stop_functions(is_efi, true);
}
