/* See machine.h. */
#include "platform/machine.h"

#include "cpu/setup.h"
#include "cpu/traps.h"
#include "firmware/acpi.h"
#include "firmware/efi.h"
#include "firmware/smbios.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/ram_report.h"
#include "lib/symbols.h"
#include "lib/test_hooks.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/bus_masters.h"
#include "platform/clock.h"
#include "platform/interrupts.h"
#include "platform/io_apic.h"
#include "platform/iommu.h"
#include "platform/panic.h"
#include "platform/pci_segments.h"
#include "platform/pic.h"
#include "platform/power.h"
#include "platform/smp.h"
#include "x86/pc_memory.h"

static struct machine machine;
static struct memory_map memory_map BOOT_ONLY; /* until memory has its own copy */
static struct efi_tables efi_tables; /* those not known are 0, which is never mapped */
static bool has_efi_tables;
static struct efi_tables named_tables; /* by the command line; 0 if not named */
static bool has_named_acpi;
static struct acpi acpi;
static struct smbios smbios; /* empty without SMBIOS */
static bool has_smbios;

const struct machine *machine_get(void)
{
    return &machine;
}

enum status machine_allocate(uint64_t size, void **pages)
{
    return memory_allocate(memory_page_count(size), frames_below_4_gib, pages);
}

void machine_start_boot_cpu(void)
{
    static const struct trap_hooks hooks = {
        .unhandled_exception = panic_at_trap,
        .is_interrupt        = interrupt_is_in_service,
        .begin_interrupt     = interrupt_begin,
        .end_interrupt       = interrupt_end,
        .unwanted_interrupt  = interrupt_handle_unwanted,
    };

    trap_set_hooks(&hooks);
    cpu_setup(&boot_cpu);
    pic_disable();
    cpuid_snapshot_read(&machine.cpuid);
}

/* The boot code maps the first 4 GiB, which contain the structure. */
const char *machine_read_boot_information(uint32_t information)
{
    size_t readable   = UINT32_MAX - information;
    const void *bytes = hpa_pointer(hpa(information));
    machine.boot = (struct multiboot2_information){.command_line = "", .loader_name = ""};
    if (multiboot2_parse(bytes, readable, &machine.boot) != STATUS_OK)
        return "invalid Multiboot2 information; use GRUB 2.06 or later";
    return NULL;
}

/* An RSDP above the memory in which a BIOS leaves it is UEFI's. */
void machine_set_tables(uint64_t rsdp, uint64_t smbios_entry)
{
    named_tables        = (struct efi_tables){.rsdp = rsdp, .smbios_64 = smbios_entry};
    machine.boot.is_efi = machine.boot.is_efi || rsdp >= PC_ROM_END;
}

void machine_start_clock(void)
{
    clock_init(&machine.cpuid);
}

void machine_finish_clock(void)
{
    clock_end_measurement();
    log_debug("clock: TSC at %lu kHz, %s", clock_frequency() / 1000, clock_source());
}

void machine_report_interrupts(void)
{
    smp_report_foreign_nmis();
    interrupts_report();
}

static void log_memory_map(void)
{
    for (size_t i = 0; i < memory_map.count; i++) {
        struct memory_region region = memory_map_region(&memory_map, i);
        if (region.type != MEMORY_ABSENT)
            log_debug("memory: 0x%012lx to 0x%012lx %s", region.start, region.end,
                      memory_type_names[region.type]);
    }
    if (memory_map.dropped > 0)
        log_warning("memory: firmware's map has %zu regions too many; %lu MiB of RAM in "
                    "the smallest ones not used",
                    memory_map.dropped,
                    align_up(memory_map.dropped_bytes, BIT(20)) >> 20);
}

/* Reserves a range. */
static void keep_range(uint64_t start, uint64_t end)
{
    memory_reserve(start, end);
    if (test_hook_keep_range != NULL)
        test_hook_keep_range(start, end);
}

static void keep_bytes(uint64_t address, uint64_t size)
{
    keep_range(address, range_end(address, size));
}

static void reserve_boot_data(uint32_t information)
{
    struct multiboot2_symbols symbols;

    keep_bytes(information, machine.boot.size);
    multiboot2_visit_modules(&machine.boot, keep_range);
    if (machine.boot.modules_dropped > 0)
        log_warning("%zu modules ignored: more than %d, or with invalid addresses",
                    machine.boot.modules_dropped, MULTIBOOT2_MAX_MODULES);
    if (multiboot2_find_symbols(&machine.boot, &symbols) == STATUS_OK) {
        keep_bytes(symbols.symbols, symbols.symbols_size);
        keep_bytes(symbols.names, symbols.names_size);
    }
}

/* Reserves the place of the report in RAM if all of it is free. */
static void reserve_report_memory(void)
{
    struct frame_zone zone = {RAM_REPORT_ADDRESS, RAM_REPORT_ADDRESS + RAM_REPORT_SIZE};

    machine.has_report_memory = memory_free_size(zone) == RAM_REPORT_SIZE;
    if (machine.has_report_memory)
        keep_range(zone.start, zone.end);
}

static bool try_rsdp(const void *rsdp, size_t size)
{
    return acpi_open(rsdp, size, address_space_map_firmware, &acpi) == STATUS_OK;
}

static bool try_rsdp_at(uint64_t address)
{
    const void *rsdp = address_space_map_firmware(address, RSDP_MAX_SIZE);

    return rsdp != NULL && try_rsdp(rsdp, RSDP_MAX_SIZE);
}

/*
 * Opens ACPI's tables by the RSDP of the command line, of the boot loader, of UEFI, or in
 * low memory.
 */
static bool open_acpi(void)
{
    uint8_t rsdp[RSDP_MAX_SIZE];
    size_t size;

    has_named_acpi = named_tables.rsdp != 0 && try_rsdp_at(named_tables.rsdp);
    if (has_named_acpi || try_rsdp(machine.boot.rsdp, machine.boot.rsdp_size) ||
        try_rsdp_at(efi_tables.rsdp))
        return true;
    return acpi_scan_low_memory(address_space_map_firmware, rsdp, &size) == STATUS_OK &&
           try_rsdp(rsdp, size);
}

static bool read_smbios(void)
{
    physical_map *map = address_space_map_firmware;

    return smbios_read(named_tables.smbios_64, map, &smbios) == STATUS_OK ||
           smbios_read(efi_tables.smbios_64, map, &smbios) == STATUS_OK ||
           smbios_read(efi_tables.smbios_32, map, &smbios) == STATUS_OK ||
           smbios_scan_low_memory(map, &smbios) == STATUS_OK;
}

/*
 * Finds firmware's tables. Runs twice: before memory is allocated, to reserve the tables
 * that are mapped then, and in Hymir's own address space, which can map all of them.
 */
static void find_tables(void)
{
    uint64_t system_table = machine.boot.efi_system_table;

    has_efi_tables =
        system_table != 0 &&
        efi_find_tables(system_table, machine.boot.is_efi_32_bit,
                        address_space_map_firmware, &efi_tables) == STATUS_OK;
    machine.acpi = open_acpi() ? &acpi : NULL;
    has_smbios   = has_smbios || read_smbios();
}

const char *machine_take_over_memory(uint32_t information, uint32_t image,
                                     bool keeps_report)
{
    bus_masters_stop(machine.boot.is_efi);
    memory_map_init(&memory_map, address_space_limit(&machine.cpuid));
    if (multiboot2_memory_map(&machine.boot, &memory_map) != STATUS_OK)
        return "no memory map from the boot loader; use GRUB 2.06 or later";
    memory_init(&memory_map, image);
    log_debug("image at 0x%x", image);
    log_memory_map();
    reserve_boot_data(information);
    find_tables();
    if (machine.acpi != NULL)
        acpi_visit(&acpi, keep_bytes);
    if (keeps_report)
        reserve_report_memory();
    if (address_space_build(&machine.cpuid) != STATUS_OK)
        return MACHINE_NO_MEMORY;
    if (address_space_map_firmware(information, machine.boot.size) == NULL)
        return "Multiboot2 information outside of memory; use GRUB 2.06 or later";
    find_tables();
    pci_segments_find(machine.acpi);
    bus_masters_stop_late(machine.boot.is_efi);
    return NULL;
}

void machine_read_symbols(void)
{
    struct multiboot2_symbols found;

    if (multiboot2_find_symbols(&machine.boot, &found) != STATUS_OK)
        return; /* a stripped image: backtraces have no names */
    struct symbol_table table = {
        .symbols      = address_space_map_firmware(found.symbols, found.symbols_size),
        .symbols_size = found.symbols_size,
        .names        = address_space_map_firmware(found.names, found.names_size),
        .names_size   = found.names_size,
    };
    if (table.symbols != NULL && table.names != NULL)
        symbols_set(&table);
}

/* Maps the registers in memory; marks those that cannot be mapped as absent. */
static void map_registers(struct platform_power *power)
{
    struct platform_register *const registers[] = {
        &power->reset,        &power->pm1a_status,  &power->pm1b_status,
        &power->pm1a_control, &power->pm1b_control, &power->sleep_control};

    for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
        if (registers[i]->space == REGISTER_MEMORY &&
            address_space_map_device(registers[i]->address, sizeof(uint32_t)) == NULL)
            registers[i]->space = REGISTER_NONE;
    }
}

void machine_read_platform(void)
{
    struct platform_power power = {0};

    if (machine.boot.efi_system_table != 0 && !has_efi_tables)
        log_warning("EFI: invalid system table at 0x%lx; ignored",
                    machine.boot.efi_system_table);
    if (named_tables.rsdp != 0 && !has_named_acpi)
        log_warning("ACPI: no valid RSDP at 0x%lx, which rsdp= names; using another",
                    named_tables.rsdp);
    if (!has_smbios)
        log_debug("SMBIOS: no valid entry point");
    if (machine.acpi == NULL) {
        log_warning("ACPI: no valid RSDP, RSDT or XSDT; no other CPUs and no power-off");
        clock_begin_measurement(NULL);
        return;
    }
    acpi_log_faults(&acpi);
    interrupts_stop_sources(&acpi);
    clock_begin_measurement(&acpi);
    acpi_find_power(&acpi, &power);
    map_registers(&power);
    power_set_registers(&power);
    iommus_read(&acpi, &machine.iommus);
}

/* Appends words, which may be empty, after a separator. */
static void append_words(struct text *text, const char *separator, const char *words)
{
    if (words[0] != '\0')
        text_append(text, "%s%s", text->length > 0 ? separator : "", words);
}

void machine_describe(char name[MACHINE_TEXT_SIZE], char firmware[MACHINE_TEXT_SIZE])
{
    TEXT_DECLARE(machine_text, 2 * sizeof(smbios.product));
    TEXT_DECLARE(firmware_text, 3 * sizeof(smbios.product));

    text_append(&machine_text, "%s", smbios.manufacturer);
    append_words(&machine_text, " ", smbios.product);
    if (machine_text.length == 0)
        text_append(&machine_text, "unknown");
    text_append(&firmware_text, "%s", machine.boot.is_efi ? "UEFI" : "BIOS");
    append_words(&firmware_text, ", ", machine.boot.is_efi_32_bit ? "32-bit" : "");
    append_words(&firmware_text, ", ", smbios.firmware_vendor);
    append_words(&firmware_text, " ", smbios.firmware_version);
    text_copy_shortened(name, MACHINE_TEXT_SIZE, machine_text.buffer,
                        machine_text.length);
    text_copy_shortened(firmware, MACHINE_TEXT_SIZE, firmware_text.buffer,
                        firmware_text.length);
}

enum status machine_route_interrupt(uint32_t interrupt, uint8_t vector)
{
    struct acpi_interrupt found;
    struct acpi_view madt;

    if (machine.acpi == NULL || acpi_find(machine.acpi, "APIC", &madt) != STATUS_OK)
        return STATUS_NOT_FOUND;
    enum status status = acpi_find_interrupt(&madt, interrupt, &found);
    if (status != STATUS_OK)
        return status;
    const struct io_apic_input input = {
        .registers     = address_space_map_device(found.io_apic, IO_APIC_REGISTERS_SIZE),
        .number        = found.input,
        .is_active_low = found.is_active_low,
        .is_level      = found.is_level,
    };
    if (input.registers == NULL)
        return STATUS_UNSUPPORTED;
    return io_apic_enable(&input, vector, boot_cpu.apic_id);
}
