/* See platform/processors.h. */
#include "platform/processors.h"

#include "firmware/acpi.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/apic.h"
#include "platform/local_sources.h"
#include "platform/machine.h"
#include "platform/returns.h"
#include "platform/smp.h"
#include "platform/thermal.h"

static struct processors processors;

const struct processors *processors_get(void)
{
    return &processors;
}

/*
 * The APIC IDs of the CPUs, the boot CPU's first. The MADT lists the boot CPU too, hence
 * one more.
 */
static uint32_t apic_ids[1 + SMP_MAX_CPUS];
static size_t apic_id_count;

/* Removes later entries with the boot CPU's ID from the list. */
static void remove_duplicate_boot_cpu(void)
{
    size_t count = 1;
    for (size_t i = 1; i < apic_id_count; i++) {
        if (apic_ids[i] != apic_ids[0])
            apic_ids[count++] = apic_ids[i];
    }
    apic_id_count = count;
}

/* Adds the CPUs in the MADT to the list. */
static void read_madt(void)
{
    const struct acpi *acpi = machine_get()->acpi;
    struct acpi_view madt;

    if (acpi == NULL || acpi_find(acpi, "APIC", &madt) != STATUS_OK) {
        log_warning("ACPI: no valid MADT; only the boot CPU is used");
        return;
    }
    struct acpi_listing cpus = acpi_list_cpus(&madt, apic_ids + 1, SMP_MAX_CPUS);
    if (cpus.is_broken)
        log_warning("ACPI: malformed MADT entry; CPUs listed after it are ignored");
    apic_id_count += cpus.count;
    processors.has_list        = true;
    processors.has_broken_list = cpus.is_broken;
    processors.dropped         = cpus.dropped;
}

/* Chooses x2APIC mode; returns why it cannot be used, or NULL. */
static const char *choose_x2apic(void)
{
    const struct acpi *acpi = machine_get()->acpi;
    struct acpi_view dmar;

    if (acpi != NULL && acpi_find(acpi, "DMAR", &dmar) == STATUS_OK &&
        acpi_opts_out_of_x2apic(&dmar))
        return "firmware opts out of x2APIC mode in the ACPI table DMAR";
    return apic_choose_x2apic(&machine_get()->cpuid) == STATUS_OK ? NULL
                                                                  : "no x2APIC mode";
}

/* Enables the local APIC, in x2APIC mode if an xAPIC cannot address all CPUs. */
static bool enable_apic(void)
{
    bool needs_x2apic = false;
    for (size_t i = 0; i < apic_id_count; i++)
        needs_x2apic |= apic_ids[i] > XAPIC_MAX_ID;
    const char *problem = needs_x2apic && !apic_is_x2apic() ? choose_x2apic() : NULL;
    if (problem != NULL)
        log_warning("CPUs with APIC IDs above %d cannot be started: %s", XAPIC_MAX_ID,
                    problem);
    if (apic_enable() != STATUS_OK)
        return false;
    local_sources_mask();
    thermal_start();
    return true;
}

void processors_list(const struct options *options)
{
    bool has_apic = apic_detect(&machine_get()->cpuid) == STATUS_OK;

    apic_ids[0]   = has_apic ? apic_id()
                             : (uint32_t)BITS_GET(machine_get()->cpuid.leaf_1.ebx, 31, 24);
    apic_id_count = 1;
    if (!options->nosmp)
        read_madt();
    if (test_hook_list_cpus != NULL)
        apic_id_count = test_hook_list_cpus(apic_ids, apic_id_count, SMP_MAX_CPUS);
    bool is_usable = has_apic && enable_apic();
    if (is_usable)
        apic_ids[0] = apic_id(); /* has more bits in x2APIC mode */
    remove_duplicate_boot_cpu();
    if (!is_usable) {
        log_warning("the boot CPU's local APIC is absent, disabled or unusable");
        processors.cannot_start = apic_id_count > 1;
        apic_id_count           = 1;
    }
    if (apic_id_count > SMP_MAX_CPUS) {
        processors.dropped += apic_id_count - SMP_MAX_CPUS;
        apic_id_count = SMP_MAX_CPUS;
    }
    boot_cpu.apic_id = apic_ids[0];
    smp_add(&boot_cpu);
    atomic_store(&boot_cpu.state, CPU_READY);
}

/*
 * Adds the CPUs other than the boot CPU to the list, with their data and stacks. Returns
 * how many there is memory for.
 */
static size_t add_cpus(void)
{
    size_t count = apic_id_count - 1;
    void *pages;

    if (machine_allocate(count * sizeof(struct cpu), &pages) != STATUS_OK)
        return 0;
    struct cpu *others = pages;
    for (size_t i = 0; i < count; i++) {
        others[i].apic_id = apic_ids[1 + i];
        if (address_space_map_stacks(i, &others[i].stacks) != STATUS_OK)
            return i;
        returns_protect(&others[i]);
        smp_add(&others[i]);
    }
    return count;
}

static void start_cpu(struct cpu *cpu, const void *trampoline)
{
    enum status status = smp_start(cpu, trampoline);
    if (status == STATUS_TIMEOUT)
        log_warning("cpu %u: apic %u: no answer to INIT-SIPI-SIPI within %d ms",
                    cpu->index, cpu->apic_id, SMP_START_TIMEOUT_US / 1000);
    else if (status != STATUS_OK)
        log_warning("cpu %u: apic %u: cannot be addressed", cpu->index, cpu->apic_id);
}

/* Copies the trampoline to a page that is never freed: a CPU may still start late. */
static void *place_trampoline(void)
{
    void *page;
    if (memory_allocate(1, frames_below_1_mib, &page) != STATUS_OK &&
        memory_allocate(1, frames_below_64_kib, &page) != STATUS_OK)
        return NULL;
    smp_place_trampoline(page);
    if (address_space_map(hpa_of(page).value, PAGE_SIZE, PAGE_READ_EXECUTE) != STATUS_OK)
        return NULL;
    return page;
}

void processors_start(void)
{
    if (apic_id_count == 1)
        return;
    const void *trampoline = place_trampoline();
    if (trampoline == NULL) {
        log_warning("no free page below 1 MiB: the other CPUs cannot be started");
        processors.cannot_start = true;
        return;
    }
    size_t added = 1 + add_cpus();
    if (added < apic_id_count)
        log_warning("out of memory: CPUs %zu to %zu of the list not started", added + 1,
                    apic_id_count);
    processors.dropped += apic_id_count - added;
    smp_init_others();
    for (size_t i = 1; i < smp_count(); i++)
        start_cpu(smp_cpu(i), trampoline);
    size_t answered = 0;
    for (size_t i = 0; i < smp_count(); i++)
        answered += atomic_load(&smp_cpu(i)->state) == CPU_READY;
    log_info("%zu of %zu CPUs responded", answered, smp_count());
}
