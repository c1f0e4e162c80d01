/*
 * ACPI tables: src/firmware/acpi.c, acpi_madt.c, acpi_mcfg.c, acpi_power.c. The input is
 * the machine's memory, with the RSDP at its start.
 */
#include "fuzz.h"

#include "firmware/acpi.h"

static void check_table(uint64_t address, uint64_t size)
{
    REQUIRE(size >= sizeof(struct acpi_table) && address != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t apic_ids[16];
    struct acpi_view madt, mcfg;
    struct acpi_pci_buses buses;
    size_t index = 0;
    struct platform_power power;
    struct acpi_timers timers;
    struct acpi acpi;
    uint8_t *memory = malloc(size);

    memcpy(memory, data, size);
    fuzz_memory      = memory;
    fuzz_memory_size = size;
    if (acpi_open(memory, size < 36 ? size : 36, fuzz_map, &acpi) == STATUS_OK) {
        acpi_log_faults(&acpi);
        acpi_visit(&acpi, check_table);
        acpi_find_power(&acpi, &power);
        acpi_find_timers(&acpi, &timers);
        REQUIRE(timers.hpet == 0 || timers.hpet > UINT16_MAX);
        REQUIRE(power.s5_type_a <= 7 && power.s5_type_b <= 7);
        if (acpi_find(&acpi, "APIC", &madt) == STATUS_OK) {
            struct acpi_listing cpus = acpi_list_cpus(&madt, apic_ids, 16);
            REQUIRE(cpus.count <= 16);
        }
        while (acpi_find(&acpi, "MCFG", &mcfg) == STATUS_OK &&
               acpi_next_pci_buses(&mcfg, &index, &buses) == STATUS_OK)
            REQUIRE(index * 16 < size);
    }
    free(memory);
    return 0;
}
