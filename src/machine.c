/* See machine.h. */
#include "machine.h"

#include "cpu/apic.h"
#include "cpu/clock.h"
#include "cpu/control.h"
#include "cpu/descriptors.h"
#include "cpu/power.h"
#include "cpu/smp.h"
#include "firmware/acpi.h"
#include "firmware/acpi_madt.h"
#include "firmware/acpi_power.h"
#include "firmware/efi.h"
#include "firmware/smbios.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/symbols.h"
#include "mm/address_space.h"
#include "mm/memory.h"

/* The memory of a CPU other than the boot CPU. */
struct cpu_memory {
    struct cpu_stacks stacks;
    struct cpu cpu;
};

static struct machine machine;
static struct memory_entries memory_entries;
static struct efi_tables efi_tables; /* zero without UEFI */
static bool has_efi_tables;
static struct acpi acpi;
static bool has_acpi;
static struct smbios smbios; /* empty without SMBIOS */
static bool has_smbios;

const struct machine *machine_get(void)
{
    return &machine;
}

enum status machine_allocate(uint64_t size, void **pages)
{
    uint64_t count = align_up(size, PAGE_SIZE) / PAGE_SIZE;
    return memory_allocate(count, frames_below_4_gib, pages);
}

void machine_start_boot_cpu(void)
{
    descriptors_load(&boot_cpu);
    control_init();
    apic_silence_pic();
    cpuid_snapshot_take(&machine.cpuid);
}

/* The boot code maps the first 4 GiB, and the structure lies below. */
const char *machine_read_boot_information(uint32_t information)
{
    size_t readable   = UINT32_MAX - information;
    const void *bytes = hpa_pointer(hpa(information));
    machine.boot = (struct multiboot2_information){.command_line = "", .loader_name = ""};
    enum status status = multiboot2_parse(bytes, readable, &machine.boot);
    return status == STATUS_OK
               ? NULL
               : "the boot loader's Multiboot2 information makes no sense; "
                 "use GRUB 2.06 or later";
}

void machine_start_clock(void)
{
    static const char *const sources[] = {
        [CLOCK_PIT]        = "measured with the 8254",
        [CLOCK_HYPERVISOR] = "told by the outer hypervisor",
        [CLOCK_CPUID]      = "told by CPUID leaves 0x15 and 0x16",
        [CLOCK_ASSUMED]    = "assumed: there is nothing to measure it with",
    };
    enum clock_source source = clock_init(&machine.cpuid);
    log_debug("clock: TSC at %lu kHz, %s", clock_frequency() / 1000, sources[source]);
}

static void log_memory_map(void)
{
    const struct memory_map *map = memory_get_map();
    for (size_t i = 0; i < map->count; i++)
        log_debug("memory: 0x%012lx to 0x%012lx %s", map->region[i].start,
                  map->region[i].end, memory_type_name(map->region[i].type));
}

static void reserve_range(uint64_t address, uint64_t size)
{
    memory_reserve(address, range_end(address, size));
}

static void reserve_what_the_loader_left(uint32_t information)
{
    struct multiboot2_symbols symbols;

    reserve_range(information, machine.boot.size);
    multiboot2_visit_modules(&machine.boot, memory_reserve);
    if (machine.boot.modules_dropped > 0)
        log_warning("%zu modules are not used: they are beyond the %d that Hymir takes, "
                    "or end before they start",
                    machine.boot.modules_dropped, MULTIBOOT2_MAX_MODULES);
    if (multiboot2_find_symbols(&machine.boot, &symbols) == STATUS_OK) {
        reserve_range(symbols.symbols, symbols.symbols_size);
        reserve_range(symbols.names, symbols.names_size);
    }
}

static bool has_found_acpi(const void *rsdp, size_t size)
{
    return acpi_open(rsdp, size, address_space_map_firmware, &acpi) == STATUS_OK;
}

/* Opens ACPI's tables by the loader's RSDP, by UEFI's or by one in low memory. */
static bool open_acpi(void)
{
    uint8_t rsdp[RSDP_MAX_SIZE];
    size_t size;

    if (has_found_acpi(machine.boot.rsdp, machine.boot.rsdp_size))
        return true;
    const void *named = efi_tables.rsdp == 0
                            ? NULL
                            : address_space_map_firmware(efi_tables.rsdp, RSDP_MAX_SIZE);
    if (named != NULL && has_found_acpi(named, RSDP_MAX_SIZE))
        return true;
    return acpi_scan_low_memory(address_space_map_firmware, rsdp, &size) == STATUS_OK &&
           has_found_acpi(rsdp, size);
}

static bool read_smbios(void)
{
    physical_map *map = address_space_map_firmware;
    return (efi_tables.smbios != 0 ? smbios_read(efi_tables.smbios, map, &smbios)
                                   : smbios_scan_low_memory(map, &smbios)) == STATUS_OK;
}

/*
 * Finds firmware's tables. Runs twice: before memory is allocated, to keep what can be
 * reached then from being overwritten, and in Hymir's own address space, where all can.
 */
static void find_tables(void)
{
    uint64_t system_table = machine.boot.efi_system_table;

    has_efi_tables =
        system_table != 0 && efi_find_tables(system_table, address_space_map_firmware,
                                             &efi_tables) == STATUS_OK;
    has_acpi   = open_acpi();
    has_smbios = has_smbios || read_smbios();
}

const char *machine_take_over_memory(uint32_t information, uint32_t image)
{
    memory_entries.limit = address_space_limit(&machine.cpuid);
    if (multiboot2_memory_map(&machine.boot, &memory_entries) != STATUS_OK)
        return "the boot loader gives no memory map; use GRUB 2.06 or later";
    if (memory_entries.dropped_usable > 0)
        log_warning("memory: %zu usable regions are not used: firmware's map is too long",
                    memory_entries.dropped_usable);
    if (memory_init(&memory_entries, image) != STATUS_OK)
        return "firmware's memory map has more than 256 reserved regions: no RAM can be "
               "told "
               "from them; update the firmware";
    log_debug("image at 0x%x", image);
    log_memory_map();
    reserve_what_the_loader_left(information);
    find_tables();
    if (has_acpi)
        acpi_visit(&acpi, reserve_range);
    if (address_space_build(&machine.cpuid) != STATUS_OK ||
        address_space_unmap_guards(&boot_cpu_stacks) != STATUS_OK)
        return MACHINE_NO_MEMORY;
    if (address_space_map_firmware(information, machine.boot.size) == NULL)
        return "the boot loader's Multiboot2 information lies outside all memory; use "
               "GRUB "
               "2.06 or later";
    return NULL;
}

void machine_read_symbols(void)
{
    struct multiboot2_symbols found;

    if (multiboot2_find_symbols(&machine.boot, &found) != STATUS_OK)
        return; /* a stripped Hymir: a backtrace then has no names */
    struct symbol_table table = {
        .symbols      = address_space_map_firmware(found.symbols, found.symbols_size),
        .symbols_size = found.symbols_size,
        .names        = address_space_map_firmware(found.names, found.names_size),
        .names_size   = found.names_size,
    };
    if (table.symbols != NULL && table.names != NULL)
        symbols_set(&table);
}

/* A register in memory is mapped, or, if that cannot be, counts as absent. */
static void make_usable(struct platform_register *target)
{
    if (target->space == REGISTER_MEMORY &&
        address_space_map_device(target->address, sizeof(uint32_t)) == NULL)
        target->space = REGISTER_NONE;
}

void machine_read_platform(void)
{
    struct platform_power power = {0};

    find_tables();
    if (machine.boot.efi_system_table != 0 && !has_efi_tables)
        log_warning("the EFI system table at 0x%lx makes no sense; ignored",
                    machine.boot.efi_system_table);
    if (!has_smbios)
        log_debug("SMBIOS: no sound entry point");
    if (!has_acpi) {
        log_warning(
            "ACPI: no sound RSDP with a sound RSDT or XSDT; the other CPUs and the "
            "way to power off stay unknown");
        return;
    }
    acpi_find_power(&acpi, &power);
    make_usable(&power.reset);
    make_usable(&power.pm1a_status);
    make_usable(&power.pm1b_status);
    make_usable(&power.pm1a_control);
    make_usable(&power.pm1b_control);
    make_usable(&power.sleep_control);
    power_set_registers(&power);
}

/*
 * The APIC IDs of the CPUs in the list, the boot CPU's first, until machine_start_cpus
 * gives them memory. The MADT names the boot CPU too, so there is room for one more.
 */
static uint32_t apic_ids[1 + SMP_MAX_CPUS];
static size_t apic_id_count;

/* Takes the IDs that are the boot CPU's, from the second on, out of the list. */
static void drop_boot_cpu(void)
{
    size_t count = 1;
    for (size_t i = 1; i < apic_id_count; i++) {
        if (apic_ids[i] != apic_ids[0])
            apic_ids[count++] = apic_ids[i];
    }
    apic_id_count = count;
}

/* Adds the CPUs of the MADT to the list. */
static void read_madt(void)
{
    struct acpi_view madt;

    if (!has_acpi || acpi_find(&acpi, "APIC", &madt) != STATUS_OK) {
        log_warning("ACPI: no sound MADT; only the boot CPU is known");
        return;
    }
    struct acpi_cpus cpus = acpi_list_cpus(&madt, apic_ids + 1, SMP_MAX_CPUS);
    if (cpus.is_broken)
        log_warning("ACPI: the MADT has a broken entry; the CPUs behind it stay unknown");
    apic_id_count += cpus.count;
    machine.has_cpu_list = true;
    machine.dropped_cpus = cpus.dropped;
}

/* Finds the boot CPU's local APIC and makes its registers usable. */
static bool find_apic(void)
{
    uint64_t base;
    return apic_detect(&machine.cpuid, &base) == STATUS_OK &&
           (apic_is_x2apic() ||
            address_space_map_device(base, APIC_REGISTERS_SIZE) != NULL);
}

/* Enables it, in x2APIC mode if a CPU has an ID that an xAPIC cannot address. */
static bool enable_apic(void)
{
    bool needs_x2apic = false;
    for (size_t i = 0; i < apic_id_count; i++)
        needs_x2apic |= apic_ids[i] > XAPIC_MAX_ID;
    if (needs_x2apic && !apic_is_x2apic() &&
        apic_choose_x2apic(&machine.cpuid) != STATUS_OK)
        log_warning("CPUs with APIC IDs above %d cannot be reached: the processor has no "
                    "x2APIC mode",
                    XAPIC_MAX_ID);
    return apic_enable() == STATUS_OK;
}

/* Adds a CPU that does not exist to the list, for selftest=absent-cpu. */
static void add_absent_cpu(uint32_t id)
{
    for (size_t i = 0; i < apic_id_count; i++) {
        if (apic_ids[i] == id) {
            log_warning("selftest: the machine has a CPU with APIC ID %u; give another, "
                        "as in selftest=absent-cpu@254",
                        id);
            return;
        }
    }
    if (apic_id_count < SMP_MAX_CPUS)
        apic_ids[apic_id_count++] = id;
}

void machine_list_cpus(const struct options *options)
{
    bool has_apic = find_apic();

    apic_ids[0] =
        has_apic ? apic_id() : (uint32_t)BITS_GET(machine.cpuid.leaf_1.ebx, 31, 24);
    apic_id_count = 1;
    if (!options->nosmp)
        read_madt();
    drop_boot_cpu();
    if (options->selftest == SELFTEST_ABSENT_CPU)
        add_absent_cpu(options->selftest_cpu);
    if (!has_apic || !enable_apic()) {
        log_warning("the boot CPU's local APIC is absent, off or unusable");
        machine.cannot_start = apic_id_count > 1;
        apic_id_count        = 1;
    } else {
        apic_ids[0] = apic_id(); /* in x2APIC mode it has more bits */
        drop_boot_cpu();
    }
    if (apic_id_count > SMP_MAX_CPUS) {
        machine.dropped_cpus += apic_id_count - SMP_MAX_CPUS;
        apic_id_count = SMP_MAX_CPUS;
    }
    boot_cpu.apic_id = apic_ids[0];
    smp_add(&boot_cpu);
    atomic_store(&boot_cpu.state, CPU_READY);
}

/* Gives a CPU its memory and starts it on the trampoline. */
static const char *start_cpu(uint32_t id, const void *trampoline)
{
    void *pages;
    if (machine_allocate(sizeof(struct cpu_memory), &pages) != STATUS_OK)
        return MACHINE_NO_MEMORY;
    struct cpu_memory *memory = pages;
    memory->cpu.stacks        = &memory->stacks;
    memory->cpu.apic_id       = id;
    smp_add(&memory->cpu);
    if (address_space_unmap_guards(&memory->stacks) != STATUS_OK)
        return MACHINE_NO_MEMORY;
    if (smp_start(&memory->cpu, trampoline) != STATUS_OK)
        log_warning("cpu %u: apic %u: no answer to INIT-SIPI-SIPI within %d ms",
                    memory->cpu.index, id, SMP_START_TIMEOUT_US / 1000);
    return NULL;
}

/* The page stays what it is: a CPU that comes late must not find something else there. */
static void *make_trampoline(void)
{
    void *page;
    if (memory_allocate(1, frames_below_1_mib, &page) != STATUS_OK)
        return NULL;
    smp_place_trampoline(page);
    if (address_space_map(hpa_of(page).value, PAGE_SIZE, PAGE_READ_EXECUTE) != STATUS_OK)
        return NULL;
    return page;
}

const char *machine_start_cpus(void)
{
    if (apic_id_count == 1)
        return NULL;
    const void *trampoline = make_trampoline();
    if (trampoline == NULL) {
        log_warning("no free page below 1 MiB, where the other CPUs would have to start");
        machine.cannot_start = true;
        return NULL;
    }
    for (size_t i = 1; i < apic_id_count; i++) {
        const char *problem = start_cpu(apic_ids[i], trampoline);
        if (problem != NULL)
            return problem;
    }
    size_t answered = 0;
    for (size_t i = 0; i < smp_count(); i++)
        answered += atomic_load(&smp_cpu(i)->state) == CPU_READY ? 1 : 0;
    log_info("%zu of %zu CPUs answered", answered, smp_count());
    return NULL;
}

/* Joins two words that may be missing. */
static void append_words(struct text *text, const char *separator, const char *words)
{
    if (words[0] != '\0')
        text_append(text, "%s%s", text->length > 0 ? separator : "", words);
}

void machine_describe(char name[MACHINE_TEXT_SIZE], char firmware[MACHINE_TEXT_SIZE])
{
    struct text machine_text  = {.buffer = name, .size = MACHINE_TEXT_SIZE};
    struct text firmware_text = {.buffer = firmware, .size = MACHINE_TEXT_SIZE};

    text_append(&machine_text, "%s", smbios.manufacturer);
    append_words(&machine_text, " ", smbios.product);
    if (machine_text.length == 0)
        text_append(&machine_text, "unknown");
    text_append(&firmware_text, "%s", machine.boot.is_efi ? "UEFI" : "BIOS");
    append_words(&firmware_text, ", ", smbios.firmware_vendor);
    append_words(&firmware_text, " ", smbios.firmware_version);
}
