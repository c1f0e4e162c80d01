/* See loader.h. */
#include "guest/load/loader.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/control_registers.h"
#include "x86/descriptors.h"

#define SELECTOR_FLAT_CODE 0x10
#define SELECTOR_FLAT_DATA 0x18
#define INITRD_ALIGNMENT   4U

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

/* Returns the offset of the next initrd after size bytes of others. */
static uint64_t align_initrd(uint64_t size)
{
    return range_end(size, -size % INITRD_ALIGNMENT);
}

/* Adds the initrds as the first module. Linux, early-userspace/buffer-format.rst. */
static bool add_initrds(struct loader *loader)
{
    const struct image_parts *parts = loader->parts;
    uint64_t size                   = 0;
    gpa_t address;

    if (parts->initrd_count == 0)
        return true;
    for (size_t i = 0; i < parts->initrd_count; i++) {
        if (i > 0 && parts->module[i].string[0] != '\0')
            return LOADER_FAIL(loader,
                               "the words after -- of initrd %zu: only the first initrd "
                               "can have a string, because they become one module",
                               i + 1);
        size = range_end(align_initrd(size), parts->module[i].bytes.size);
    }
    if (!loader_allocate(loader, size, "the initrd", &address))
        return false;
    loader->module[loader->module_count++] =
        (struct loaded_module){.start = address.value, .size = size};
    size = 0;
    for (size_t i = 0; i < parts->initrd_count; i++) {
        struct image_bytes initrd = parts->module[i].bytes;
        size                      = align_initrd(size);
        if (!guest_memory_write(loader->memory, gpa(address.value + size), initrd.bytes,
                                initrd.size))
            return false;
        size += initrd.size;
    }
    return true;
}

static bool add_modules(struct loader *loader)
{
    const struct image_parts *parts = loader->parts;

    for (size_t i = parts->initrd_count; i < parts->module_count; i++) {
        struct image_bytes bytes = parts->module[i].bytes;
        gpa_t address;
        if (!loader_add(loader, bytes.bytes, bytes.size, "a module", &address))
            return false;
        loader->module[loader->module_count++] =
            (struct loaded_module){.start = address.value, .size = bytes.size};
    }
    return true;
}

const char *loader_module_string(const struct loader *loader, size_t index)
{
    size_t initrds = loader->parts->initrd_count;
    size_t merged  = initrds > 1 ? initrds - 1 : 0; /* into the first */

    return loader->parts->module[index == 0 ? 0 : index + merged].string;
}

/* Writes a string with its NUL at *address, and advances that. */
static bool write_string(const struct loader *loader, const char *string,
                         uint64_t *address)
{
    uint64_t start = *address;

    *address += strlen(string) + 1;
    return guest_memory_write(loader->memory, gpa(start), string, *address - start);
}

/* Adds the command line and, after it, the strings of the modules. */
static bool add_strings(struct loader *loader)
{
    const char *line = loader->parts->command_line;
    uint64_t size    = strlen(line) + 1;

    for (size_t i = 0; i < loader->module_count; i++)
        size += strlen(loader_module_string(loader, i)) + 1;
    if (!loader_allocate(loader, size, "the command line", &loader->command_line))
        return false;
    uint64_t at     = loader->command_line.value;
    bool is_written = write_string(loader, line, &at);
    for (size_t i = 0; i < loader->module_count; i++) {
        loader->module[i].string = at;
        is_written &= write_string(loader, loader_module_string(loader, i), &at);
    }
    return is_written;
}

bool loader_add_parts(struct loader *loader)
{
    return add_initrds(loader) && add_modules(loader) && add_strings(loader);
}

bool loader_find_piece(const struct loader *loader,
                       const struct load_addresses *addresses, uint64_t offset,
                       struct image_bytes *piece, uint64_t *end)
{
    struct image_bytes kernel = loader->parts->kernel;
    uint64_t skipped          = addresses->header - addresses->load;

    if (addresses->load > addresses->header || skipped > offset)
        return LOADER_FAIL(loader,
                           "header address 0x%lx, load address 0x%lx: load range starts "
                           "before the file",
                           addresses->header, addresses->load);
    uint64_t from = offset - skipped;
    uint64_t size = addresses->load_end == 0 ? kernel.size - from
                                             : addresses->load_end - addresses->load;
    if (!image_contains(kernel, from, size)) /* also if it ends before it starts */
        return LOADER_FAIL(loader, "load range 0x%lx to 0x%lx is larger than the file",
                           addresses->load, addresses->load_end);
    *piece = (struct image_bytes){kernel.bytes + from, size};
    *end   = addresses->load + size;
    if (addresses->bss_end > *end)
        *end = addresses->bss_end;
    return true;
}

bool loader_add_piece(struct loader *loader, struct image_bytes piece, uint64_t address,
                      uint64_t end)
{
    if (end > loader->memory->size)
        return LOADER_FAIL(loader, "the kernel ends at 0x%lx, beyond the guest's %lu MiB",
                           end, loader->memory->size >> 20);
    if (end > loader->floor)
        loader->floor = end;
    return guest_memory_write(loader->memory, gpa(address), piece.bytes, piece.size);
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
