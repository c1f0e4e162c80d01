/* See page_table.h. Level 4 is the root; level 1 maps 4 KiB pages. */
#include "mm/page_table.h"

#include "x86/paging.h"

#define ENTRIES    512
#define ROOT_LEVEL 4

/* Returns how many bytes an entry of a level maps. */
static uint64_t level_size(unsigned int level)
{
    return PAGE_SIZE << (9 * (level - 1));
}

static uint64_t *entry_at(hpa_t table, uint64_t virtual, unsigned int level)
{
    uint64_t *entries = hpa_pointer(table);
    return &entries[virtual / level_size(level) % ENTRIES];
}

static bool is_present(const struct page_table *table, uint64_t entry)
{
    return (entry & table->format->present) != 0;
}

static bool is_leaf(uint64_t entry, unsigned int level)
{
    return level == 1 || (entry & PAGE_ENTRY_PAGE_SIZE) != 0;
}

static hpa_t entry_address(uint64_t entry)
{
    return hpa(entry & PAGE_ENTRY_ADDRESS);
}

static enum status allocate_table(struct page_table *table, hpa_t *address)
{
    void *page;
    enum status status = table->allocate(table->context, &page);
    if (status != STATUS_OK)
        return status;
    table->table_count++;
    *address = hpa_of(page);
    return STATUS_OK;
}

enum status page_pool_allocate(void *context, void **page)
{
    struct page_pool *pool = context;

    if (pool->used == pool->count)
        return STATUS_NO_MEMORY;
    *page = (uint8_t *)pool->pages + pool->used++ * PAGE_SIZE;
    return STATUS_OK;
}

enum status page_table_init(struct page_table *table)
{
    table->table_count = 0;
    return allocate_table(table, &table->root);
}

/* Returns a leaf entry, or 0 if the attributes have no present bit. */
static uint64_t make_leaf(const struct page_table *table, hpa_t physical,
                          uint64_t attributes, unsigned int level)
{
    if (!is_present(table, attributes))
        return 0;
    return physical.value | attributes | (level > 1 ? PAGE_ENTRY_PAGE_SIZE : 0);
}

/*
 * Points *entry to a new table: empty, or with the smaller pages of the large one that
 * *entry maps, with attributes. It is complete when a processor can find it.
 */
static enum status add_table(struct page_table *table, uint64_t *entry,
                             unsigned int level, uint64_t attributes)
{
    hpa_t frame;
    enum status status = allocate_table(table, &frame);

    if (status != STATUS_OK)
        return status;
    if (is_present(table, *entry)) {
        uint64_t *entries = hpa_pointer(frame);
        uint64_t leaf = make_leaf(table, entry_address(*entry), attributes, level - 1);
#pragma GCC unroll 8 /* a guest waits */
        for (uint64_t i = 0; i < ENTRIES; i++)
            entries[i] = leaf + i * level_size(level - 1);
    }
    __atomic_store_n(entry, frame.value | table->format->table, __ATOMIC_RELEASE);
    return STATUS_OK;
}

/* Ensures that *entry points to a table, allocating one or splitting a large page. */
static enum status ensure_table(struct page_table *table, uint64_t *entry,
                                unsigned int level)
{
    uint64_t old = *entry;

    if (is_present(table, old) && !is_leaf(old, level))
        return STATUS_OK;
    return add_table(table, entry, level,
                     old & ~PAGE_ENTRY_ADDRESS & ~PAGE_ENTRY_PAGE_SIZE);
}

/* The rest of a range to map. */
struct range {
    uint64_t virtual;
    hpa_t physical;
    uint64_t size;
};

/* Returns whether a page of this level is left to map, and old is not a table. */
static bool has_leaf(const struct page_table *table, const struct range *range,
                     unsigned int level, uint64_t old)
{
    bool is_table = is_present(table, old) && !is_leaf(old, level);
    return range->size >= level_size(level) && !is_table;
}

/* Returns whether a leaf of this level can map the start of the range. */
static bool leaf_fits(const struct page_table *table, const struct range *range,
                      unsigned int level, uint64_t old)
{
    uint64_t page = level_size(level);
    return page <= table->largest_page && has_leaf(table, range, level, old) &&
           is_aligned(range->virtual | range->physical.value, page);
}

/*
 * Maps pages of one size from *entry on, the first of which fits, to the end of the
 * table at most. Advances the range.
 */
static void map_leaves(const struct page_table *table, struct range *range,
                       uint64_t attributes, unsigned int level, uint64_t *entry)
{
    uint64_t page = level_size(level);

    do {
        *entry++ = make_leaf(table, range->physical, attributes, level);
        range->virtual += page;
        range->physical.value += page;
        range->size -= page;
    } while (!is_aligned((uintptr_t)entry, PAGE_SIZE) &&
             has_leaf(table, range, level, *entry));
}

/* Maps the start of the range with the largest pages that fit, and advances the range. */
static enum status map_pages(struct page_table *table, struct range *range,
                             uint64_t attributes)
{
    hpa_t frame = table->root;

    for (unsigned int level = ROOT_LEVEL;; level--) {
        uint64_t *entry = entry_at(frame, range->virtual, level);
        if (leaf_fits(table, range, level, *entry)) {
            map_leaves(table, range, attributes, level, entry);
            return STATUS_OK;
        }
        enum status status = ensure_table(table, entry, level);
        if (status != STATUS_OK)
            return status;
        frame = entry_address(*entry);
    }
}

enum status page_table_map(struct page_table *table, uint64_t virtual, hpa_t physical,
                           uint64_t size, uint64_t attributes)
{
    if (!is_aligned(virtual | physical.value | size, PAGE_SIZE) ||
        range_end(virtual, size) > PAGE_TABLE_LIMIT)
        return STATUS_OUT_OF_RANGE;
    struct range rest  = {.virtual = virtual, .physical = physical, .size = size};
    enum status status = STATUS_OK;
    while (rest.size > 0 && status == STATUS_OK)
        status = map_pages(table, &rest, attributes);
    return status;
}

enum status page_table_split(struct page_table *table, uint64_t virtual,
                             uint64_t attributes)
{
    hpa_t frame = table->root;

    for (unsigned int level = ROOT_LEVEL; level >= 1; level--) {
        uint64_t *entry = entry_at(frame, virtual, level);
        if (!is_present(table, *entry))
            break;
        if (is_leaf(*entry, level))
            return level == 1 ? STATUS_OK : add_table(table, entry, level, attributes);
        frame = entry_address(*entry);
    }
    return STATUS_NOT_FOUND;
}

enum status page_table_lookup(const struct page_table *table, uint64_t virtual,
                              struct page_mapping *mapping)
{
    hpa_t frame = table->root;

    if (virtual >= PAGE_TABLE_LIMIT)
        return STATUS_NOT_FOUND;
    for (unsigned int level = ROOT_LEVEL; level >= 1; level--) {
        uint64_t entry = *entry_at(frame, virtual, level);
        if (!is_present(table, entry))
            return STATUS_NOT_FOUND;
        frame = entry_address(entry);
        if (is_leaf(entry, level)) {
            uint64_t size       = level_size(level);
            mapping->physical   = hpa(frame.value + virtual % size);
            mapping->attributes = entry & ~PAGE_ENTRY_ADDRESS & ~PAGE_ENTRY_PAGE_SIZE;
            mapping->page_size  = size;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}

/* A PML4, a PDPT, and directories; below them page tables, unless pages are large. */
uint64_t page_table_count(uint64_t size, uint64_t largest_page)
{
    uint64_t directories = align_up(size, PAGE_SIZE_1_GIB) / PAGE_SIZE_1_GIB;
    uint64_t page_tables = align_up(size, PAGE_SIZE_2_MIB) / PAGE_SIZE_2_MIB;

    return 2 + directories + (largest_page == PAGE_SIZE ? page_tables : 0);
}
