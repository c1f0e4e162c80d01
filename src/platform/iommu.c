/* See iommu.h. */
#include "platform/iommu.h"

#include "lib/bits.h"
#include "lib/log.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "x86/amd_vi.h"
#include "x86/vt_d.h"

struct iommu_kind {
    const char *signature; /* of its table */
    const char *name;
    uint64_t size; /* of the registers that are mapped, and their alignment */

    /*
     * Reads a unit's registers. Returns false if it does not respond: all of them read as
     * zeros or as ones, which fields that are never 0 rule out.
     */
    bool (*read)(const volatile uint64_t *registers, struct iommu_unit *unit);
};

static bool is_valid(uint64_t value)
{
    return value != 0 && value != UINT64_MAX;
}

static bool read_vt_d_unit(const volatile uint64_t *registers, struct iommu_unit *unit)
{
    uint64_t capability = registers[VT_D_CAPABILITY];

    if (!is_valid(capability)) /* it has the address widths */
        return false;
    unit->capability          = capability;
    unit->extended_capability = registers[VT_D_EXTENDED_CAPABILITY];
    unit->version             = *(const volatile uint32_t *)registers;
    unit->status              = registers[VT_D_GLOBAL_STATUS] >> 32;
    return true;
}

static bool read_amd_vi_unit(const volatile uint64_t *registers, struct iommu_unit *unit)
{
    uint64_t features = registers[AMD_VI_EXTENDED_FEATURES];

    if (!is_valid(features | registers[AMD_VI_COMMAND_BUFFER_BASE])) /* it has a length */
        return false;
    unit->extended_features = features;
    unit->control           = registers[AMD_VI_CONTROL];
    return true;
}

static const struct iommu_kind vt_d = {
    .signature = "DMAR",
    .name      = "VT-d",
    .size      = VT_D_REGISTERS_SIZE,
    .read      = read_vt_d_unit,
};

static const struct iommu_kind amd_vi = {
    .signature = "IVRS",
    .name      = "AMD-Vi",
    .size      = AMD_VI_REGISTERS_SIZE,
    .read      = read_amd_vi_unit,
};

/* Logs what is on: both are left on, because devices may depend on them. */
static void log_unit(const struct iommu_kind *kind, const struct iommu_unit *unit)
{
    if ((unit->status & VT_D_STATUS_TRANSLATION) != 0 ||
        (unit->control & AMD_VI_CONTROL_IOMMU_EN) != 0)
        log_info("%s unit at 0x%lx: DMA remapping is on; left on", kind->name,
                 unit->address);
    if ((unit->status & VT_D_STATUS_INTERRUPT_REMAPPING) != 0)
        log_info("%s unit at 0x%lx: interrupt remapping is on; left on", kind->name,
                 unit->address);
}

static void read_unit(const struct iommu_kind *kind, uint64_t address,
                      struct iommu_unit *unit)
{
    const volatile uint64_t *registers = NULL;

    unit->address = address;
    if (is_aligned(address, kind->size))
        registers = address_space_map_device(address, kind->size);
    unit->answers = registers != NULL && kind->read(registers, unit);
    if (!unit->answers)
        log_warning("ACPI: %s unit at 0x%lx does not respond", kind->name, address);
    log_unit(kind, unit);
}

/* Allocates as much as the units of the table need; without memory, all are dropped. */
static void read_table(const struct acpi *acpi, const struct iommu_kind *kind,
                       struct iommu_table *table)
{
    struct acpi_view view;
    void *pages;

    if (acpi_find(acpi, kind->signature, &view) != STATUS_OK)
        return;
    size_t listed   = acpi_list_units(&view, NULL, 0).dropped;
    size_t capacity = listed < IOMMU_MAX_UNITS ? listed : IOMMU_MAX_UNITS;
    size_t size     = capacity * (sizeof(struct iommu_unit) + sizeof(uint64_t));
    if (memory_allocate(memory_page_count(size), frames_below_4_gib, &pages) != STATUS_OK)
        capacity = 0;
    else
        table->unit = pages;
    uint64_t *addresses       = (uint64_t *)(table->unit + capacity);
    struct acpi_listing units = acpi_list_units(&view, addresses, capacity);
    table->exists             = true;
    table->is_broken          = units.is_broken;
    table->count              = units.count;
    table->dropped            = units.dropped;
    for (size_t i = 0; i < units.count; i++)
        read_unit(kind, addresses[i], &table->unit[i]);
}

void iommus_read(const struct acpi *acpi, struct iommus *iommus)
{
    read_table(acpi, &vt_d, &iommus->vt_d);
    read_table(acpi, &amd_vi, &iommus->amd_vi);
}
