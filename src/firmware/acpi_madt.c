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
#define MADT_ENTRIES      44 /* where they start: behind two more numbers of 32 bits */
#define MADT_LOCAL_APIC   0
#define MADT_LOCAL_X2APIC 9
#define MADT_CPU_ENABLED  BIT(0)
#define MADT_NO_APIC_ID   0xFFU /* of type 0: not a CPU */

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

struct acpi_cpus acpi_list_cpus(const struct acpi_view *madt, uint32_t *apic_ids,
                                size_t capacity)
{
    struct acpi_cpus cpus = {0};
    size_t offset         = MADT_ENTRIES;

    while (offset + sizeof(struct madt_entry) <= madt->length) {
        struct madt_entry entry;
        memcpy(&entry, madt->bytes + offset, sizeof(entry));
        if (entry.length < sizeof(entry) || entry.length > madt->length - offset) {
            cpus.is_broken = true;
            break;
        }
        uint32_t id;
        if (read_apic_id(madt->bytes + offset, entry, &id))
            add_cpu(&cpus, apic_ids, capacity, id);
        offset += entry.length;
    }
    return cpus;
}
