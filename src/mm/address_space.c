/* See address_space.h. */
#include "mm/address_space.h"

#include "lib/log.h"
#include "mm/memory.h"
#include "mm/page_table.h"
#include "x86/paging.h"
#include "x86/pc_memory.h"

/* The page-aligned parts of the image, from hymir.ld. */
extern uint8_t image_start[];
extern uint8_t image_text_start[], image_text_end[];
extern uint8_t image_rodata_start[], image_rodata_end[];
extern uint8_t image_data_start[], image_data_end[];

extern uint8_t image_boot_only_start[], image_boot_only_end[];

static const struct page_table_format ia32e_format = {
    .present = PAGE_ENTRY_PRESENT, .table = PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE};

/* Tables must be below 4 GiB: for the boot code's map, and for CR3 in 32-bit mode. */
static enum status allocate_table(void *context, void **page)
{
    (void)context;
    return memory_allocate(1, frames_below_4_gib, page);
}

static struct page_table table = {.format = &ia32e_format, .allocate = allocate_table};
static uint64_t limit;
static bool is_active; /* otherwise the boot code's identity map of 4 GiB is */
static bool has_no_execute;

uint64_t address_space_limit(const struct cpuid_snapshot *snapshot)
{
    unsigned int width = cpuid_physical_address_width(snapshot);
    return BIT(width < 47 ? width : 47);
}

#define DATA_PAGE (PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE | PAGE_ENTRY_EXECUTE_DISABLE)

/* Devices use entry 3 of IA32_PAT and the screen entry 1: see cpu/setup.c. */
static uint64_t attributes_of(enum page_access access)
{
    static const uint64_t attributes[] = {
        [PAGE_NONE]         = 0,
        [PAGE_READ]         = PAGE_ENTRY_PRESENT | PAGE_ENTRY_EXECUTE_DISABLE,
        [PAGE_READ_WRITE]   = DATA_PAGE,
        [PAGE_READ_EXECUTE] = PAGE_ENTRY_PRESENT,
        [PAGE_FIRMWARE]     = PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE,
        /* SDM 3A, "Shadow-Stack Pages": read-only, and dirty */
        [PAGE_SHADOW_STACK] =
            PAGE_ENTRY_PRESENT | PAGE_ENTRY_DIRTY | PAGE_ENTRY_EXECUTE_DISABLE,
        [PAGE_DEVICE] = DATA_PAGE | PAGE_ENTRY_CACHE_DISABLE | PAGE_ENTRY_WRITE_THROUGH,
        [PAGE_SCREEN] = DATA_PAGE | PAGE_ENTRY_WRITE_THROUGH,
    };
    return attributes[access] & ~(has_no_execute ? 0 : PAGE_ENTRY_EXECUTE_DISABLE);
}

/* Identity-maps every page that overlaps [start, end). */
static enum status map_range(uint64_t start, uint64_t end, enum page_access access)
{
    start = align_down(start, PAGE_SIZE);
    end   = align_up(end, PAGE_SIZE);
    return page_table_map(&table, start, hpa(start), end - start, attributes_of(access));
}

/* Removes the sign extension of a canonical address: four levels translate 48 bits. */
static uint64_t without_sign(uintptr_t address)
{
    return address & (PAGE_TABLE_LIMIT - 1);
}

/* Maps whole pages of the image at their linked addresses. */
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
 * Maps RAM writable, except partial pages, and firmware tables read-only; anything else
 * is mapped on request. RAM that cannot be mapped is reserved.
 */
static void map_memory(void)
{
    static const enum page_access accesses[] = {
        [MEMORY_USABLE] = PAGE_READ_WRITE,     [MEMORY_ABSENT] = PAGE_NONE,
        [MEMORY_ACPI_RECLAIMABLE] = PAGE_READ, [MEMORY_ACPI_NVS] = PAGE_READ,
        [MEMORY_RESERVED] = PAGE_NONE,         [MEMORY_BAD] = PAGE_NONE,
    };
    _Static_assert(ARRAY_SIZE(accesses) == MEMORY_TYPES, "an access for each type");
    const struct memory_map *map = memory_get_map();

    for (size_t i = 0; i < map->count; i++) {
        struct memory_region region = memory_map_region(map, i);
        enum page_access access     = accesses[region.type];
        uint64_t start              = region.start;
        uint64_t end                = region.end;

        if (region.type == MEMORY_USABLE) {
            start = align_up(start, PAGE_SIZE);
            end   = align_down(end, PAGE_SIZE);
        }
        if (access == PAGE_NONE || start >= end ||
            map_range(start, end, access) == STATUS_OK)
            continue;
        log_warning("memory at 0x%lx: out of page tables; not used up to 0x%lx", start,
                    end);
        memory_reserve(start, end);
    }
}

/*
 * Maps VGA memory, ROMs and the image; unmaps page 0 and the image's identity mapping.
 * Later rows override earlier ones.
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
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_SIZE(ranges) && status == STATUS_OK; i++)
        status = map_range(ranges[i].start, ranges[i].end, ranges[i].access);
    for (size_t i = 0; i < ARRAY_SIZE(parts) && status == STATUS_OK; i++)
        status = map_image_part(parts[i].start, parts[i].end, parts[i].access);
    return status;
}

/* Unmaps pages of the image and frees their memory. */
static enum status free_image_part(const uint8_t *start, uint64_t size)
{
    uint64_t offset    = (uintptr_t)start - (uintptr_t)image_start;
    uint64_t physical  = memory_get_image().start + offset;
    enum status status = map_image_part(start, start + size, PAGE_NONE);

    if (status == STATUS_OK)
        status = map_range(physical, physical + size, PAGE_READ_WRITE);
    if (status == STATUS_OK)
        memory_free(hpa_pointer(hpa(physical)), size / PAGE_SIZE);
    return status;
}

/* Frees what the image has only for the boot, and below the boot CPU's stacks. */
static enum status free_boot_memory(void)
{
    const uint8_t *stacks = (const uint8_t *)&boot_cpu_stacks;
    enum status status    = free_image_part(image_start, (uintptr_t)image_text_start -
                                                             (uintptr_t)image_start);

    if (status == STATUS_OK)
        status =
            free_image_part(image_boot_only_start, (uintptr_t)image_boot_only_end -
                                                       (uintptr_t)image_boot_only_start);
    for (size_t i = 0; i < CPU_STACK_COUNT && status == STATUS_OK; i++)
        status =
            free_image_part(stacks + cpu_stack_table[i].offset - PAGE_SIZE, PAGE_SIZE);
    write_cr3(table.root.value); /* invalidates the TLB */
    return status;
}

enum status address_space_build(const struct cpuid_snapshot *snapshot)
{
    uint32_t features  = snapshot->leaf_80000001.edx;
    bool has_1_gib     = (features & CPUID_80000001_EDX_PAGES_1_GIB) != 0;
    has_no_execute     = (features & CPUID_80000001_EDX_NX) != 0;
    table.largest_page = has_1_gib ? PAGE_SIZE_1_GIB : PAGE_SIZE_2_MIB;
    limit              = address_space_limit(snapshot);

    /* Mapped first, so that an absurd memory map cannot use up the tables. */
    if (page_table_init(&table) != STATUS_OK || map_essentials() != STATUS_OK)
        return STATUS_NO_MEMORY;
    map_memory();
    if (map_essentials() != STATUS_OK) /* overrides the memory map */
        return STATUS_NO_MEMORY;
    if (!has_no_execute)
        log_warning("CPUID: no execute-disable (NX); data pages are executable");
    write_cr3(table.root.value);
    is_active = true;
    return memory_copy_map() == STATUS_OK ? free_boot_memory() : STATUS_NO_MEMORY;
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

/* Returns a pointer into the boot code's map, or NULL if the range is not in it. */
static void *boot_mapped(uint64_t physical, uint64_t size)
{
    return range_end(physical, size) > BIT(32) ? NULL : hpa_pointer(hpa(physical));
}

/*
 * Returns whether all pages of the range are unmapped or mapped as a device. RAM never
 * is: that of the image and of stacks is mapped elsewhere.
 */
static bool is_device_range(uint64_t start, uint64_t end)
{
    if (memory_map_overlaps(memory_get_map(), MEMORY_USABLE, start, end))
        return false;
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

bool address_space_is_code(uint64_t address)
{
    return address >= (uintptr_t)image_text_start && address < (uintptr_t)image_text_end;
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

/* Maps new, zeroed pages at an address, and only there. */
static enum status map_new_pages(uintptr_t address, uint64_t size)
{
    void *pages;
    enum status status = memory_allocate(size / PAGE_SIZE, frames_above_1_mib, &pages);

    if (status == STATUS_OK)
        status = page_table_map(&table, without_sign(address), hpa_of(pages), size,
                                attributes_of(PAGE_READ_WRITE));
    if (status == STATUS_OK)
        status = address_space_map(hpa_of(pages).value, size, PAGE_NONE);
    return status;
}

enum status address_space_map_stacks(size_t index, struct cpu_stacks **stacks)
{
    uintptr_t start    = (uintptr_t)image_start + PAGE_SIZE_2_MIB; /* above the image */
    enum status status = STATUS_OK;

    start += index * sizeof(struct cpu_stacks);
    for (size_t i = 0; i < CPU_STACK_COUNT && status == STATUS_OK; i++)
        status =
            map_new_pages(start + cpu_stack_table[i].offset, cpu_stack_table[i].size);
    if (status == STATUS_OK)
        *stacks = (struct cpu_stacks *)start;
    return status;
}
