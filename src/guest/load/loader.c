/* See loader.h. */
#include "guest/load/loader.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/control_registers.h"
#include "x86/descriptors.h"

#define SELECTOR_FLAT_CODE 0x10
#define SELECTOR_FLAT_DATA 0x18

bool loader_allocate(struct loader *loader, uint64_t size, const char *what,
                     gpa_t *address)
{
    uint64_t rounded = align_up(size, PAGE_SIZE);

    if (rounded < size || rounded > loader->bottom ||
        loader->bottom - rounded < loader->floor)
        return LOADER_FAIL(
            loader,
            "no room for %s of %lu bytes: free memory begins at 0x%lx of %lu MiB; "
            "increase memory=",
            what, size, loader->floor, loader->memory->size >> 20);
    loader->bottom -= rounded;
    *address = gpa(loader->bottom);
    return true;
}

bool loader_add(struct loader *loader, const void *data, uint64_t size, const char *what,
                gpa_t *address)
{
    return loader_allocate(loader, size, what, address) &&
           guest_memory_write(loader->memory, *address, data, size);
}

bool loader_add_parts(struct loader *loader)
{
    const char *line          = loader->parts->command_line;
    struct image_bytes initrd = loader->parts->initrd;

    loader->initrd = gpa(0);
    return (initrd.size == 0 || loader_add(loader, initrd.bytes, initrd.size,
                                           "the initrd", &loader->initrd)) &&
           loader_add(loader, line, strlen(line) + 1, "the command line",
                      &loader->command_line);
}

void loader_map_memory(const struct loader *loader, void *ranges, size_t distance)
{
    const struct image_range map[IMAGE_RANGES] = {
        {0, IMAGE_LOW_END, IMAGE_TYPE_RAM},
        {IMAGE_LOW_END, IMAGE_HIGH_START - IMAGE_LOW_END, IMAGE_TYPE_RESERVED},
        {IMAGE_HIGH_START, loader->memory->size - IMAGE_HIGH_START, IMAGE_TYPE_RAM},
    };

    for (size_t i = 0; i < IMAGE_RANGES; i++)
        memcpy((uint8_t *)ranges + i * distance, &map[i], sizeof(map[i]));
}

bool loader_start_flat(const struct loader *loader, uint64_t entry)
{
    if (entry >= loader->memory->size)
        return LOADER_FAIL(loader, "entry point 0x%lx is beyond the guest's %lu MiB",
                           entry, loader->memory->size >> 20);
    *loader->start = (struct vcpu_start){
        .rip  = entry,
        .cr0  = CR0_PE | CR0_ET,
        .code = {SELECTOR_FLAT_CODE, UINT32_MAX, ACCESS_RIGHTS_OF(CODE_DESCRIPTOR_32)},
        .data = {SELECTOR_FLAT_DATA, UINT32_MAX, ACCESS_RIGHTS_OF(DATA_DESCRIPTOR_32)},
    };
    return true;
}
