/* See address_space.h. */
#include "mm/address_space.h"

#include "lib/log.h"
#include "mm/memory.h"
#include "mm/page_table.h"
#include "x86/paging.h"
#include "x86/pc_memory.h"

/* The image's parts, from hymir.ld; all begin on a page. */
extern uint8_t image_start[];
extern uint8_t image_text_start[], image_text_end[];
extern uint8_t image_rodata_start[], image_rodata_end[];
extern uint8_t image_data_start[], image_data_end[];

static const struct page_table_format ia32e_format = {
    .present = PAGE_ENTRY_PRESENT, .table = PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE};

/*
 * Tables lie below 4 GiB, where the boot code's map reaches, and CR3 of a CPU in 32-bit
 * mode.
 */
static enum status allocate_table(void **page)
{
    return memory_allocate(1, frames_below_4_gib, page);
}

static struct page_table table = {.format = &ia32e_format, .allocate = allocate_table};
static uint64_t limit;
static bool is_active; /* else the boot code's map is: the first 4 GiB, as they are */
static uint64_t no_execute; /* PAGE_ENTRY_EXECUTE_DISABLE if the processor has it */

uint64_t address_space_limit(const struct cpuid_snapshot *snapshot)
{
    unsigned int width = cpuid_physical_address_width(snapshot);
    return BIT(width < 47 ? width : 47);
}

static uint64_t attributes_of(enum page_access access)
{
    switch (access) {
    case PAGE_NONE:
        return 0;
    case PAGE_READ:
        return PAGE_ENTRY_PRESENT | no_execute;
    case PAGE_READ_WRITE:
        return PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE | no_execute;
    case PAGE_READ_EXECUTE:
        return PAGE_ENTRY_PRESENT;
    case PAGE_FIRMWARE:
        return PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE;
    case PAGE_DEVICE: /* entry 3 of IA32_PAT: see cpu/control.c */
        return PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE | no_execute |
               PAGE_ENTRY_CACHE_DISABLE | PAGE_ENTRY_WRITE_THROUGH;
    case PAGE_SCREEN: /* entry 1 */
        return PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE | no_execute |
               PAGE_ENTRY_WRITE_THROUGH;
    }
    return 0;
}

/* Maps every page that has a byte in [start, end), at its physical address. */
static enum status map_range(uint64_t start, uint64_t end, enum page_access access)
{
    start = align_down(start, PAGE_SIZE);
    end   = align_up(end, PAGE_SIZE);
    return page_table_map(&table, start, hpa(start), end - start, attributes_of(access));
}

/* Four levels translate 48 bits; the upper half's addresses have ones above them. */
static uint64_t without_sign(uintptr_t address)
{
    return address & (PAGE_TABLE_LIMIT - 1);
}

/* Maps a part of the image, of whole pages, where it was linked to. */
static enum status map_image_part(const uint8_t *start, const uint8_t *end,
                                  enum page_access access)
{
    uint64_t offset = (uintptr_t)start - (uintptr_t)image_start;
    uint64_t size   = (uintptr_t)end - (uintptr_t)start;
    return page_table_map(&table, without_sign((uintptr_t)start),
                          hpa(memory_get_image().start + offset), size,
                          attributes_of(access));
}

/*
 * Firmware's tables are read-only; what is neither that nor RAM is mapped when it is
 * asked for.
 */
static enum page_access access_of(enum memory_type type)
{
    switch (type) {
    case MEMORY_USABLE:
        return PAGE_READ_WRITE;
    case MEMORY_ACPI_RECLAIMABLE:
    case MEMORY_ACPI_NVS:
        return PAGE_READ;
    case MEMORY_RESERVED:
    case MEMORY_BAD:
        return PAGE_NONE;
    }
    return PAGE_NONE;
}

/*
 * A usable region is mapped but for pages it shares; what cannot be mapped is not used
 * either.
 */
static void map_memory(void)
{
    const struct memory_map *map = memory_get_map();

    for (size_t i = 0; i < map->count; i++) {
        const struct memory_region *region = &map->region[i];
        enum page_access access            = access_of(region->type);
        uint64_t start                     = region->start;
        uint64_t end                       = region->end;

        if (region->type == MEMORY_USABLE) {
            start = align_up(start, PAGE_SIZE);
            end   = align_down(end, PAGE_SIZE);
        }
        if (access == PAGE_NONE || start >= end ||
            map_range(start, end, access) == STATUS_OK)
            continue;
        log_warning("memory 0x%lx to 0x%lx is not used: no room for its page tables",
                    start, end);
        memory_reserve(start, end);
    }
}

/*
 * What Hymir cannot do without, and what must not be there: page 0, and a second way to
 * the image. A later row overrules an earlier one.
 */
static enum status map_essentials(void)
{
    const struct {
        uint64_t start, end;
        enum page_access access;
    } ranges[] = {
        {PC_VIDEO_START, PC_ROM_START, PAGE_DEVICE},
        {PC_ROM_START, PC_ROM_END, PAGE_READ},
        {0, PAGE_SIZE, PAGE_NONE},
        {memory_get_image().start, memory_get_image().end, PAGE_NONE},
    };
    static const struct {
        const uint8_t *start, *end;
        enum page_access access;
    } parts[] = {
        {image_text_start, image_text_end, PAGE_READ_EXECUTE},
        {image_rodata_start, image_rodata_end, PAGE_READ},
        {image_data_start, image_data_end, PAGE_READ_WRITE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        enum status status = map_range(ranges[i].start, ranges[i].end, ranges[i].access);
        if (status != STATUS_OK)
            return status;
    }
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        enum status status =
            map_image_part(parts[i].start, parts[i].end, parts[i].access);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status address_space_build(const struct cpuid_snapshot *snapshot)
{
    uint32_t features  = snapshot->leaf_80000001.edx;
    bool has_1_gib     = (features & CPUID_80000001_EDX_PAGES_1_GIB) != 0;
    bool has_nx        = (features & CPUID_80000001_EDX_NX) != 0;
    table.largest_page = has_1_gib ? PAGE_SIZE_1_GIB : PAGE_SIZE_2_MIB;
    limit              = address_space_limit(snapshot);
    no_execute         = has_nx ? PAGE_ENTRY_EXECUTE_DISABLE : 0;

    enum status status = page_table_init(&table);
    if (status != STATUS_OK)
        return status;
    /*
     * The essentials come first, so that an absurd memory map cannot take their tables,
     * and again, so that it cannot overrule them.
     */
    status = map_essentials();
    if (status != STATUS_OK)
        return status;
    map_memory();
    status = map_essentials();
    if (status != STATUS_OK)
        return status;
    if (!has_nx)
        log_warning("the processor has no execute-disable: data stays executable");
    write_cr3(table.root.value);
    is_active = true;
    return STATUS_OK;
}

enum status address_space_map(uint64_t physical, uint64_t size, enum page_access access)
{
    uint64_t start = align_down(physical, PAGE_SIZE);
    uint64_t end   = align_up(range_end(physical, size), PAGE_SIZE);

    if (size == 0 || start < PAGE_SIZE || end > limit)
        return STATUS_OUT_OF_RANGE;
    enum status status = map_range(start, end, access);
    for (uint64_t page = start; page < end; page += PAGE_SIZE)
        invlpg(hpa_pointer(hpa(page)));
    return status;
}

/* What the boot code has mapped of a range, until Hymir's own address space is active. */
static void *boot_mapped(uint64_t physical, uint64_t size)
{
    return range_end(physical, size) > BIT(32) ? NULL : hpa_pointer(hpa(physical));
}

/* True if no page of the range is mapped, but as a device. */
static bool is_device_range(uint64_t start, uint64_t end)
{
    for (uint64_t page = align_down(start, PAGE_SIZE); page < end; page += PAGE_SIZE) {
        struct page_mapping mapping;
        if (page_table_lookup(&table, page, &mapping) == STATUS_OK &&
            (mapping.attributes &
             (PAGE_ENTRY_CACHE_DISABLE | PAGE_ENTRY_WRITE_THROUGH)) == 0)
            return false;
    }
    return true;
}

static volatile void *map_device(uint64_t physical, uint64_t size,
                                 enum page_access access)
{
    if (!is_active)
        return boot_mapped(physical, size);
    if (size > DEVICE_MAX_SIZE || range_end(physical, size) > limit ||
        !is_device_range(physical, physical + size) ||
        address_space_map(physical, size, access) != STATUS_OK)
        return NULL;
    return hpa_pointer(hpa(physical));
}

volatile void *address_space_map_device(uint64_t physical, uint64_t size)
{
    return map_device(physical, size, PAGE_DEVICE);
}

volatile void *address_space_map_screen(uint64_t physical, uint64_t size)
{
    return map_device(physical, size, PAGE_SCREEN);
}

const void *address_space_map_firmware(uint64_t physical, uint64_t size)
{
    uint64_t end = range_end(physical, size);

    if (!is_active)
        return boot_mapped(physical, size);
    if (size == 0 || size > FIRMWARE_MAX_SIZE || physical < PAGE_SIZE || end > limit)
        return NULL;
    for (uint64_t page = align_down(physical, PAGE_SIZE); page < end; page += PAGE_SIZE) {
        struct page_mapping mapping;
        if (page_table_lookup(&table, page, &mapping) != STATUS_OK &&
            address_space_map(page, PAGE_SIZE, PAGE_READ) != STATUS_OK)
            return NULL;
    }
    return hpa_pointer(hpa(physical));
}

bool address_space_is_mapped(uint64_t physical, uint64_t size)
{
    uint64_t end = range_end(physical, size);
    struct page_mapping mapping;

    for (uint64_t at = physical; at < end;
         at          = align_down(at, mapping.page_size) + mapping.page_size) {
        if (page_table_lookup(&table, at, &mapping) != STATUS_OK)
            return false;
    }
    return true;
}

/* Takes a page away, at an address of Hymir's image or of memory it allocated. */
static enum status unmap_page(const uint8_t *page)
{
    enum status status =
        page_table_map(&table, without_sign((uintptr_t)page), hpa(0), PAGE_SIZE, 0);
    invlpg(page);
    return status;
}

enum status address_space_unmap_guards(const struct cpu_stacks *stacks)
{
    enum status status = unmap_page(stacks->main_guard);
    for (size_t i = 0; i < ARRAY_SIZE(stacks->ist) && status == STATUS_OK; i++)
        status = unmap_page(stacks->ist[i].guard);
    return status;
}
