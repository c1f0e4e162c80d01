/*
 * selftest=memory: overwrites all free memory, then compares the ranges that must be
 * kept.
 */
#include "selftest.h"

#include "lib/bits.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/test_hooks.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/machine.h"

#define KEPT_RANGES 64

/* Modules, boot information and ACPI tables, each with a sum of its bytes. */
static struct kept_range {
    uint64_t start, end;
    uint64_t sum;
} kept_ranges[KEPT_RANGES];
static size_t kept_range_count;

static uint64_t sum_of_range(uint64_t start, uint64_t end)
{
    const uint8_t *bytes = hpa_pointer(hpa(start));
    uint64_t sum         = 0;
    for (uint64_t i = 0; i < end - start; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

/* The boot code maps the first 4 GiB. */
void test_hook_keep_range(uint64_t start, uint64_t end)
{
    if (selftest.kind == SELFTEST_MEMORY && kept_range_count < KEPT_RANGES &&
        start < end && end <= BIT(32))
        kept_ranges[kept_range_count++] = (struct kept_range){
            .start = start, .end = end, .sum = sum_of_range(start, end)};
}

/* Allocates all free memory and overwrites it. Returns the number of pages. */
static uint64_t use_up_memory(void)
{
    static const struct frame_zone anywhere = {.start = 0, .end = UINT64_MAX};
    uint64_t pages                          = 0;
    void *page;

    for (uint64_t count = 512; count > 0; count /= 8) {
        while (memory_allocate(count, anywhere, &page) == STATUS_OK) {
            memset(page, 0xA5, count * PAGE_SIZE);
            pages += count;
        }
    }
    return pages;
}

/* Removes the modules, because no memory is left for guests. */
static void drop_guests(void)
{
    struct machine *machine    = (struct machine *)(uintptr_t)machine_get();
    machine->boot.module_count = 0;
}

void selftest_check_memory(void)
{
    size_t changed = 0;
    uint64_t pages = use_up_memory();

    for (size_t i = 0; i < kept_range_count; i++) {
        const struct kept_range *range = &kept_ranges[i];
        if (address_space_map_firmware(range->start, range->end - range->start) != NULL &&
            sum_of_range(range->start, range->end) == range->sum)
            continue;
        log_error("selftest: 0x%lx to 0x%lx has changed", range->start, range->end);
        changed++;
    }
    log_info("selftest: %lu pages written over, %zu of %zu ranges as they were", pages,
             kept_range_count - changed, kept_range_count);
    drop_guests();
}
