/* See acpi_tables.h. */
#include "guest/acpi_tables.h"

#include "dev/acpi_pm.h"
#include "dev/isa_lines.h"
#include "lib/string.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/cmos_clock.h"
#include "x86/io_apic.h"
#include "x86/power_control.h"

/* The DSDT, compiled by iasl: guest/dsdt.asm. */
extern const uint8_t acpi_dsdt[];

/* The tables in the guest's memory. The MADT is the last, because its length varies. */
struct __attribute__((packed)) tables {
    struct rsdp rsdp;
    uint8_t reserved[FACS_ALIGNMENT - sizeof(struct rsdp)];
    struct facs facs;
    struct __attribute__((packed)) {
        struct acpi_table header;
        uint64_t fadt, madt;
    } xsdt;
    struct fadt fadt;
    struct madt madt;
    struct madt_io_apic io_apic;
    struct madt_override timer, sci;
    struct madt_local_nmi nmi;
    uint8_t cpus[ACPI_TABLES_CPUS * sizeof(struct madt_local_x2apic) +
                 sizeof(struct madt_local_x2apic_nmi)];
};
#define ADDRESS_OF(member) (ACPI_TABLES_RSDP + offsetof(struct tables, member))
#define DSDT_ADDRESS       (ACPI_TABLES_RSDP + sizeof(struct tables))

#define OEM_ID "HYMIR "

/* The header of a table, without its checksum. */
#define HEADER(name, size, version)                              \
    {                                                            \
        name, size, version, 0, OEM_ID, "GUEST   ", 1, "HYMR", 1 \
    }

/* A register at an I/O port; access: GAS_..._ACCESS. */
#define IO_REGISTER(port, bits, access)      \
    {                                        \
        GAS_SYSTEM_IO, bits, 0, access, port \
    }

static const struct tables template = {
    .rsdp    = {.signature    = RSDP_SIGNATURE,
                .oem_id       = OEM_ID,
                .revision     = 2,
                .length       = sizeof(struct rsdp),
                .xsdt_address = ADDRESS_OF(xsdt)},
    .facs    = {.signature = "FACS", .length = sizeof(struct facs), .version = 2},
    .xsdt    = {.header = HEADER("XSDT", sizeof(template.xsdt), 1),
                .fadt   = ADDRESS_OF(fadt),
                .madt   = ADDRESS_OF(madt)},
    .fadt    = {.header             = HEADER("FACP", sizeof(struct fadt), 6),
                .minor_version      = 5,
                .firmware_control   = ADDRESS_OF(facs),
                .dsdt               = DSDT_ADDRESS,
                .x_dsdt             = DSDT_ADDRESS,
                .sci_interrupt      = ACPI_PM_SCI,
                .pm1a_event         = ACPI_PM_PORT,
                .pm1_event_length   = 4,
                .x_pm1a_event       = IO_REGISTER(ACPI_PM_PORT, 32, GAS_WORD_ACCESS),
                .pm1a_control       = ACPI_PM_PORT_CONTROL,
                .pm1_control_length = 2,
                .x_pm1a_control     = IO_REGISTER(ACPI_PM_PORT_CONTROL, 16, GAS_WORD_ACCESS),
                .pm_timer           = ACPI_PM_PORT_TIMER,
                .pm_timer_length    = 4,
                .x_pm_timer         = IO_REGISTER(ACPI_PM_PORT_TIMER, 32, GAS_DWORD_ACCESS),
                .c2_latency         = FADT_NO_C2,
                .c3_latency         = FADT_NO_C3,
                .century            = RTC_CENTURY,
                .boot_architecture  = FADT_LEGACY_DEVICES | FADT_8042 | FADT_VGA_NOT_PRESENT,
                .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC |
                         FADT_TMR_VAL_EXT | FADT_RESET_REG_SUP | FADT_HEADLESS,
                .reset_register = IO_REGISTER(RESET_CONTROL_PORT, 8, GAS_BYTE_ACCESS),
                .reset_value    = RESET_CONTROL_SYSTEM | RESET_CONTROL_CPU},
    .madt    = {.header =
                    HEADER("APIC",
                           offsetof(struct tables, cpus) - offsetof(struct tables, madt), 5),
                .local_apic_address = APIC_BASE_AFTER_RESET,
                .flags              = MADT_PCAT_COMPAT},
    .io_apic = {.header  = {MADT_IO_APIC, sizeof(struct madt_io_apic)},
                .address = IO_APIC_ADDRESS},
    .timer   = {.header = {MADT_OVERRIDE, sizeof(struct madt_override)},
                .bus    = MADT_BUS_ISA,
                .source = ISA_TIMER_LINE,
                .global = ISA_TIMER_IO_APIC_INPUT},
    .sci     = {.header = {MADT_OVERRIDE, sizeof(struct madt_override)},
                .bus    = MADT_BUS_ISA,
                .source = ACPI_PM_SCI,
                .global = ACPI_PM_SCI,
                .flags  = MADT_POLARITY_HIGH | MADT_TRIGGER_LEVEL},
    .nmi     = {.header        = {MADT_LOCAL_NMI, sizeof(struct madt_local_nmi)},
                .processor_uid = MADT_ALL_CPUS,
                .lint          = 1},
};

/* Appends an entry to the MADT. */
static void add_entry(struct tables *tables, const void *entry, uint8_t size)
{
    memcpy((uint8_t *)&tables->madt + tables->madt.header.length, entry, size);
    tables->madt.header.length += size;
}

/* Adds a CPU; returns whether it has an x2APIC entry. */
static bool add_cpu(struct tables *tables, uint8_t uid, uint32_t apic_id)
{
    const struct madt_local_apic local_apic = {
        {MADT_LOCAL_APIC, sizeof(local_apic)}, uid, (uint8_t)apic_id, MADT_CPU_ENABLED};
    const struct madt_local_x2apic local_x2apic = {
        {MADT_LOCAL_X2APIC, sizeof(local_x2apic)}, 0, apic_id, MADT_CPU_ENABLED, uid};

    if (apic_id <= XAPIC_MAX_ID)
        add_entry(tables, &local_apic, sizeof(local_apic));
    else
        add_entry(tables, &local_x2apic, sizeof(local_x2apic));
    return apic_id > XAPIC_MAX_ID;
}

static void add_cpus(struct tables *tables, const uint32_t *apic_ids, size_t cpu_count)
{
    static const struct madt_local_x2apic_nmi nmi = {
        .header        = {MADT_LOCAL_X2APIC_NMI, sizeof(nmi)},
        .processor_uid = MADT_ALL_X2APICS,
        .lint          = 1};
    bool has_x2apic = false;

    for (size_t i = 0; i < cpu_count; i++)
        has_x2apic |= add_cpu(tables, (uint8_t)i, apic_ids[i]);
    if (has_x2apic)
        add_entry(tables, &nmi, sizeof(nmi));
}

static void add_checksum(struct acpi_table *table)
{
    table->checksum = (uint8_t)-byte_sum(table, table->length);
}

/* The BIOS area is in the first piece of the guest's RAM. */
void acpi_tables_write(const struct guest_memory *memory, const uint32_t *apic_ids,
                       size_t cpu_count, uint8_t io_apic_id)
{
    size_t dsdt_size = ((const struct acpi_table *)acpi_dsdt)->length;
    struct tables *tables =
        guest_memory_pointer(memory, gpa(ACPI_TABLES_RSDP), sizeof(*tables) + dsdt_size);

    if (tables == NULL)
        return;
    memcpy(tables, &template, sizeof(*tables));
    memcpy(tables + 1, acpi_dsdt, dsdt_size);
    tables->io_apic.id = io_apic_id;
    add_cpus(tables, apic_ids, cpu_count);
    add_checksum(&tables->xsdt.header);
    add_checksum(&tables->fadt.header);
    add_checksum(&tables->madt.header);
    tables->rsdp.checksum = (uint8_t)-byte_sum(&tables->rsdp, RSDP_SIZE_1);
    tables->rsdp.extended_checksum =
        (uint8_t)-byte_sum(&tables->rsdp, sizeof(tables->rsdp));
}
