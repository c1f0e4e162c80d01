/* selftest=firmware-hang, firmware-fault: a service that hangs, or that faults. */
#include "selftest.h"

#include "cpu/instructions.h"
#include "lib/string.h"
#include "lib/test_hooks.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/machine.h"
#include "platform/smp.h"

static void hang_as_firmware(void)
{
    if (smp_count() > 1)
        interrupts_disable(); /* on a single CPU only the timer can end it */
    for (;;)
        cpu_pause();
}

/*
 * Code that faults with nothing left in the registers: that of firmware is outside of
 * Hymir's.
 */
extern const uint8_t faulting_service[], faulting_service_end[];
asm(".pushsection .rodata\n"
    "faulting_service:\n\t"
    "xor %eax, %eax\n\t"
    "xor %ebx, %ebx\n\t"
    "xor %ebp, %ebp\n\t"
    "xor %r12d, %r12d\n\t"
    "xor %r13d, %r13d\n\t"
    "xor %r14d, %r14d\n\t"
    "xor %r15d, %r15d\n\t"
    "std\n\t"
    "sub $1024, %rsp\n\t"
    "ud2\n"
    "faulting_service_end:\n"
    ".popsection");

static uint64_t make_faulting_service(void)
{
    void *page;

    if (machine_allocate(PAGE_SIZE, &page) != STATUS_OK)
        return 0;
    memcpy(page, faulting_service, (size_t)(faulting_service_end - faulting_service));
    return address_space_map(hpa_of(page).value, PAGE_SIZE, PAGE_FIRMWARE) == STATUS_OK
               ? hpa_of(page).value
               : 0;
}

/* Writes to the memory that firmware has for itself, as its services may. */
static void write_nvs(void)
{
    const struct memory_map *map = memory_get_map();

    for (size_t i = 0; i < map->count; i++) {
        struct memory_region region = memory_map_region(map, i);
        volatile uint8_t *byte      = hpa_pointer(hpa(region.start));
        if (region.type == MEMORY_ACPI_NVS)
            *byte = *byte;
    }
}

uint64_t test_hook_call_firmware(uint64_t service)
{
    if (selftest.kind == SELFTEST_FIRMWARE_HANG)
        return (uintptr_t)hang_as_firmware;
    if (selftest.kind == SELFTEST_FIRMWARE_FAULT) {
        write_nvs();
        return make_faulting_service();
    }
    return service;
}
