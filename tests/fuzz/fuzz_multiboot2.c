/* The boot information: src/firmware/multiboot2.c, and src/mm/memory_map.c. */
#include "fuzz.h"

#include "firmware/multiboot2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct memory_map map;
    struct multiboot2_information information;
    struct multiboot2_symbols symbols;
    /* The loader aligns the structure to 8 bytes; its end is not aligned. */
    uint8_t *structure = aligned_alloc(8, (size + 7) & ~(size_t)7);
    memcpy(structure, data, size);

    if (multiboot2_parse(structure, size, &information) == STATUS_OK) {
        REQUIRE(strlen(information.command_line) < size);
        REQUIRE(strlen(information.loader_name) < size);
        for (size_t i = 0; i < information.module_count; i++) {
            REQUIRE(information.module[i].start <= information.module[i].end);
            REQUIRE(strlen(information.module[i].command_line) < size);
        }
        memory_map_init(&map, BIT(46));
        if (multiboot2_memory_map(&information, &map) == STATUS_OK) {
            uint64_t end = 0;
            for (size_t i = 0; i < map.count; i++) {
                struct memory_region region = memory_map_region(&map, i);
                REQUIRE(region.start == end && region.start < region.end);
                end = region.end;
            }
            REQUIRE(end == BIT(46));
        }
        if (multiboot2_find_symbols(&information, &symbols) == STATUS_OK)
            REQUIRE(symbols.symbols + symbols.symbols_size <= UINT32_MAX);
    }
    free(structure);
    return 0;
}
