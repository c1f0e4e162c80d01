/*
 * See loader.h: kernels with Xen's note PHYS32_ENTRY, "PVH".
 *
 * Xen, "x86/HVM direct boot ABI" and public/arch-x86/hvm/start_info.h: 32-bit protected
 * mode, flat segments, paging off, EBX points to struct hvm_start_info.
 */
#include "guest/acpi_tables.h"
#include "guest/load/elf.h"

#include "lib/bits.h"
#include "lib/string.h"

#define NOTE_PHYS32_ENTRY 18
#define START_INFO_MAGIC  0x336EC578U

struct note_header {
    uint32_t name_size, description_size, type;
};

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memory_map;
    uint32_t memory_map_count, reserved;
};
_Static_assert(sizeof(struct start_info) == 56, "Xen, struct hvm_start_info");

struct start_module {
    uint64_t address, size, command_line, reserved;
};

struct memory_entry {
    struct image_range range;
    uint32_t reserved;
};
_Static_assert(sizeof(struct memory_entry) == 24, "Xen, struct hvm_memmap_table_entry");

/* The boot information, contiguous in the guest's memory; the modules follow it. */
struct start_page {
    struct start_info info;
    struct memory_entry memory[IMAGE_RANGES];
};
_Static_assert(sizeof(struct start_page) % 8 == 0, "the modules are aligned");

/* Finds the entry point in the notes of a segment. */
static bool find_note(const uint8_t *bytes, uint64_t size, uint64_t *entry)
{
    uint64_t at = 0;

    while (size - at >= sizeof(struct note_header)) {
        struct note_header note;
        memcpy(&note, bytes + at, sizeof(note));
        uint64_t name        = at + sizeof(note);
        uint64_t description = name + align_up(note.name_size, 4);
        uint64_t end         = description + align_up(note.description_size, 4);
        if (end > size || description + note.description_size > size)
            return false;
        bool is_xen = note.name_size == 4 && memcmp(bytes + name, "Xen", 4) == 0;
        if (is_xen && note.type == NOTE_PHYS32_ENTRY &&
            (note.description_size == 4 || note.description_size == 8)) {
            *entry = 0;
            memcpy(entry, bytes + description, note.description_size);
            return true;
        }
        at = end;
    }
    return false;
}

static bool find_entry(const struct elf_file *file, uint64_t *entry)
{
    for (uint16_t i = 0; i < file->segment_count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        if (segment.type == ELF_SEGMENT_NOTE &&
            image_contains(file->bytes, segment.offset, segment.file_size) &&
            find_note(file->bytes.bytes + segment.offset, segment.file_size, entry))
            return true;
    }
    return false;
}

/* Returns whether the time that find_entry takes is bounded by the size of the file. */
static bool has_few_notes(const struct elf_file *file)
{
    return elf_notes_size(file) <= file->bytes.size;
}

/* Also an ELF file with so many notes that load_pvh refuses it. */
static bool is_pvh(struct image_bytes kernel)
{
    struct elf_file file;
    uint64_t entry;

    return elf_open(kernel, &file) &&
           (!has_few_notes(&file) || find_entry(&file, &entry));
}

static bool write_modules(const struct loader *loader, uint64_t address)
{
    bool is_written = true;

    for (size_t i = 0; i < loader->module_count; i++) {
        const struct loaded_module *module = &loader->module[i];
        const struct start_module entry    = {.address      = module->start,
                                              .size         = module->size,
                                              .command_line = module->string};
        is_written &= guest_memory_write(loader->memory, gpa(address + i * sizeof(entry)),
                                         &entry, sizeof(entry));
    }
    return is_written;
}

static bool load_kernel(struct loader *loader, uint64_t *entry)
{
    struct elf_file file;

    if (!elf_open(loader->parts->kernel, &file))
        return false;
    if (!has_few_notes(&file))
        return LOADER_FAIL(loader,
                           "notes overlap: 0x%lx bytes in all, in a file of 0x%lx",
                           elf_notes_size(&file), file.bytes.size);
    return find_entry(&file, entry) && elf_load(&file, loader);
}

static bool load_pvh(struct loader *loader)
{
    uint64_t entry;
    gpa_t at;

    if (!load_kernel(loader, &entry) || !loader_add_parts(loader) ||
        !loader_allocate(loader,
                         sizeof(struct start_page) +
                             loader->module_count * sizeof(struct start_module),
                         "the start info", &at) ||
        !loader_start_flat(loader, entry))
        return false;
    uint64_t modules       = at.value + sizeof(struct start_page);
    struct start_page page = {
        .info =
            {
                .magic            = START_INFO_MAGIC,
                .version          = 1,
                .module_count     = (uint32_t)loader->module_count,
                .modules          = modules,
                .command_line     = loader->command_line.value,
                .rsdp             = ACPI_TABLES_RSDP,
                .memory_map       = at.value + offsetof(struct start_page, memory),
                .memory_map_count = IMAGE_RANGES,
            },
    };
    loader_map_memory(loader, page.memory, sizeof(page.memory[0]));
    loader->start->rbx = at.value;
    return guest_memory_write(loader->memory, at, &page, sizeof(page)) &&
           write_modules(loader, modules);
}

const struct image_format pvh_format = {"PVH", is_pvh, load_pvh};
