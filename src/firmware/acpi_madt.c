/* See acpi_madt.h. */
#include "firmware/acpi_madt.h"

#include "lib/bits.h"
#include "lib/string.h"

/* ACPI 6.5, "Multiple APIC Description Table (MADT)". */
struct madt_entry {
    uint8_t type;
    uint8_t length; /* with this header */
};
struct __attribute__((packed)) madt_local_apic {
    struct madt_entry entry;
    uint8_t processor_uid, apic_id;
    uint32_t flags;
};
_Static_assert(sizeof(struct madt_local_apic) == 8, "ACPI 6.5, MADT type 0");
struct __attribute__((packed)) madt_local_x2apic {
    struct madt_entry entry;
    uint16_t reserved;
    uint32_t x2apic_id, flags, processor_uid;
};
_Static_assert(sizeof(struct madt_local_x2apic) == 16, "ACPI 6.5, MADT type 9");
struct __attribute__((packed)) madt_io_apic {
    struct madt_entry entry;
    uint8_t id, reserved;
    uint32_t address, global_base;
};
_Static_assert(sizeof(struct madt_io_apic) == 12, "ACPI 6.5, MADT type 1");
struct __attribute__((packed)) madt_override {
    struct madt_entry entry;
    uint8_t bus, source;
    uint32_t global;
    uint16_t flags;
};
_Static_assert(sizeof(struct madt_override) == 10, "ACPI 6.5, MADT type 2");
#define MADT_ENTRIES      44 /* where they start: behind two more numbers of 32 bits */
#define MADT_LOCAL_APIC   0
#define MADT_IO_APIC      1
#define MADT_OVERRIDE     2
#define MADT_LOCAL_X2APIC 9
#define MADT_CPU_ENABLED  BIT(0)
#define MADT_NO_APIC_ID   0xFFU /* of type 0: not a CPU */
#define BUS_ISA           0
#define OVERRIDE_POLARITY 0x03U
#define OVERRIDE_LOW      0x03U
#define OVERRIDE_TRIGGER  0x0CU
#define OVERRIDE_LEVEL    0x0CU

static void add_cpu(struct acpi_cpus *cpus, uint32_t *apic_ids, size_t capacity,
                    uint32_t id)
{
    for (size_t i = 0; i < cpus->count; i++) {
        if (apic_ids[i] == id)
            return;
    }
    if (cpus->count == capacity)
        cpus->dropped++;
    else
        apic_ids[cpus->count++] = id;
}

/* Reads the APIC ID out of an entry, if it is an enabled CPU's. */
static bool read_apic_id(const uint8_t *bytes, struct madt_entry entry, uint32_t *id)
{
    struct madt_local_apic local;
    struct madt_local_x2apic local_x2;
    uint32_t flags = 0;

    if (entry.type == MADT_LOCAL_APIC && entry.length >= sizeof(local)) {
        memcpy(&local, bytes, sizeof(local));
        flags = local.apic_id == MADT_NO_APIC_ID ? 0 : local.flags;
        *id   = local.apic_id;
    } else if (entry.type == MADT_LOCAL_X2APIC && entry.length >= sizeof(local_x2)) {
        memcpy(&local_x2, bytes, sizeof(local_x2));
        flags = local_x2.x2apic_id == UINT32_MAX ? 0 : local_x2.flags;
        *id   = local_x2.x2apic_id;
    }
    return (flags & MADT_CPU_ENABLED) != 0;
}

/* The entry at *offset, which then stands behind it; false at the end or a broken one. */
static bool next_entry(const struct acpi_view *madt, size_t *offset,
                       const uint8_t **bytes, struct madt_entry *entry)
{
    if (*offset + sizeof(*entry) > madt->length)
        return false;
    *bytes = madt->bytes + *offset;
    memcpy(entry, *bytes, sizeof(*entry));
    if (entry->length < sizeof(*entry) || entry->length > madt->length - *offset)
        return false;
    *offset += entry->length;
    return true;
}

struct acpi_cpus acpi_list_cpus(const struct acpi_view *madt, uint32_t *apic_ids,
                                size_t capacity)
{
    struct acpi_cpus cpus = {0};
    size_t offset         = MADT_ENTRIES;
    const uint8_t *bytes;
    struct madt_entry entry;

    while (next_entry(madt, &offset, &bytes, &entry)) {
        uint32_t id;
        if (read_apic_id(bytes, entry, &id))
            add_cpu(&cpus, apic_ids, capacity, id);
    }
    cpus.is_broken = offset + sizeof(entry) <= madt->length;
    return cpus;
}

/* Where the source override of an ISA interrupt leads, if it has one. */
static void follow_override(const struct acpi_view *madt, uint8_t interrupt,
                            struct acpi_interrupt *found, uint32_t *global)
{
    size_t offset = MADT_ENTRIES;
    const uint8_t *bytes;
    struct madt_entry entry;

    while (next_entry(madt, &offset, &bytes, &entry)) {
        struct madt_override source;
        if (entry.type != MADT_OVERRIDE || entry.length < sizeof(source))
            continue;
        memcpy(&source, bytes, sizeof(source));
        if (source.bus != BUS_ISA || source.source != interrupt)
            continue;
        *global              = source.global;
        found->is_active_low = (source.flags & OVERRIDE_POLARITY) == OVERRIDE_LOW;
        found->is_level      = (source.flags & OVERRIDE_TRIGGER) == OVERRIDE_LEVEL;
    }
}

enum status acpi_find_interrupt(const struct acpi_view *madt, uint8_t interrupt,
                                struct acpi_interrupt *found)
{
    struct acpi_interrupt result = {0};
    uint32_t global              = interrupt;
    bool is_found                = false;
    uint32_t base                = 0;
    size_t offset                = MADT_ENTRIES;
    const uint8_t *bytes;
    struct madt_entry entry;

    follow_override(madt, interrupt, &result, &global);
    while (next_entry(madt, &offset, &bytes, &entry)) {
        struct madt_io_apic io_apic;
        if (entry.type != MADT_IO_APIC || entry.length < sizeof(io_apic))
            continue;
        memcpy(&io_apic, bytes, sizeof(io_apic));
        /* The one with the highest base that is not above it has the input. */
        if (io_apic.global_base > global || (is_found && io_apic.global_base < base))
            continue;
        is_found       = true;
        base           = io_apic.global_base;
        result.io_apic = io_apic.address;
        result.input   = global - base;
    }
    if (!is_found)
        return STATUS_NOT_FOUND;
    *found = result;
    return STATUS_OK;
}
