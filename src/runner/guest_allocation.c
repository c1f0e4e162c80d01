/* See guest_allocation.h. */
#include "runner/guest_allocation.h"

#include "lib/string.h"
#include "mm/memory.h"
#include "platform/machine.h"

/*
 * What a guest needs besides its memory and tables, in bytes, generously: a vCPU, a
 * console, and what is lost to alignment.
 */
#define MEMORY_BESIDE BIT(22)
#define MIB           BIT(20)

/* Allocates a piece for the end of the memory: if it can be, for the largest pages. */
static enum status allocate_piece(const struct guest_memory *memory, uint64_t size,
                                  void **pages)
{
    uint64_t alignment = nested_paging_alignment(gpa(memory->size), size);
    enum status status;

    do {
        status = memory_allocate_unprepared(size / PAGE_SIZE, alignment,
                                            frames_above_1_mib, pages);
        alignment /= PAGE_SIZE_1_GIB / PAGE_SIZE_2_MIB;
    } while (status != STATUS_OK && alignment >= PAGE_SIZE_2_MIB);
    return status;
}

/* Allocates few, large pieces. */
static bool allocate_pieces(struct guest_memory *memory, uint64_t size)
{
    uint64_t piece = size;

    while (memory->size < size) {
        uint64_t rest = size - memory->size;
        void *pages;
        piece = piece < rest ? piece : rest;
        if (allocate_piece(memory, piece, &pages) != STATUS_OK) {
            if (piece <= PAGE_SIZE_2_MIB)
                return false;
            piece = align_up(piece / 2, PAGE_SIZE_2_MIB);
        } else if (guest_memory_add(memory, hpa_of(pages), piece) != STATUS_OK) {
            memory_free(pages, piece / PAGE_SIZE);
            return false;
        }
    }
    return true;
}

void guest_memory_free(struct vm *vm)
{
    for (size_t i = 0; i < vm->memory.piece_count; i++)
        memory_free(hpa_pointer(vm->memory.piece[i].host),
                    vm->memory.piece[i].size / PAGE_SIZE);
    if (vm->tables.count > 0)
        memory_free(vm->tables.pages, vm->tables.count);
    vm->memory = (struct guest_memory){0};
    vm->tables = (struct page_pool){0};
}

/*
 * Explains that free bytes are too few for a VM with size bytes of memory and that many
 * tables. False, for the caller to return.
 */
static bool explain_shortage(uint64_t size, uint64_t tables, uint64_t free,
                             struct text *problem)
{
    uint64_t wanted = size + tables * PAGE_SIZE + MEMORY_BESIDE;
    uint64_t ram    = memory_ram_size();
    char machine[MACHINE_TEXT_SIZE], firmware[MACHINE_TEXT_SIZE];

    if (wanted <= free)
        return TEXT_FAIL(problem, "memory=%luM: free memory is too fragmented; reduce it",
                         size / MIB);
    uint64_t needed = align_up(ram + wanted - free, MIB) / MIB;
    text_append(problem,
                "not enough memory: memory=%luM needs a machine with %lu MiB, and this "
                "one has %lu; ",
                size / MIB, needed, ram / MIB);
    machine_describe(machine, firmware);
    if (string_starts_with(machine, "QEMU"))
        return TEXT_FAIL(problem, "start QEMU with -m %luG",
                         align_up(needed, 1024) / 1024);
    return TEXT_FAIL(problem, "reduce memory=");
}

bool guest_memory_allocate(struct vm *vm, uint64_t size, struct text *problem)
{
    uint64_t tables = nested_paging_count_tables(size);
    uint64_t free   = memory_free_size(frames_above_1_mib);

    if (!allocate_pieces(&vm->memory, size) ||
        memory_allocate_unprepared(tables, PAGE_SIZE, frames_above_1_mib,
                                   &vm->tables.pages) != STATUS_OK)
        return explain_shortage(size, tables, free, problem);
    vm->tables.count = tables;
    return true;
}

/* Zeroes a VM's memory and tables. Returns the first page that is not RAM, or NULL. */
static const void *clear_new_memory(struct vm *vm)
{
    const void *bad = memory_prepare(vm->tables.pages, vm->tables.count);

    for (size_t i = 0; i < vm->memory.piece_count && bad == NULL; i++)
        bad = memory_prepare(hpa_pointer(vm->memory.piece[i].host),
                             vm->memory.piece[i].size / PAGE_SIZE);
    return bad;
}

bool guest_memory_prepare(struct vm *vm, struct text *problem)
{
    uint64_t size = vm->memory.size;
    const void *bad;

    if (vm->tables.used > 0)
        return guest_memory_clear(&vm->memory, gpa(0), size);
    while ((bad = clear_new_memory(vm)) != NULL) {
        guest_memory_free(vm);
        memory_exclude(bad);
        if (!guest_memory_allocate(vm, size, problem))
            return false;
    }
    return vm_map_memory(vm) == STATUS_OK || TEXT_FAIL(problem, "too few page tables");
}

bool guest_cpus_allocate(struct vm *vm, const struct backend *backend, size_t count,
                         struct text *problem)
{
    while (vm->cpu_count < count) {
        void *pages;
        if (machine_allocate(sizeof(struct vm_cpu), &pages) != STATUS_OK)
            break;
        struct vm_cpu *cpu       = pages;
        vm->cpu[vm->cpu_count++] = cpu;
        cpu->vcpu.id             = VCPU_WITHOUT_CPU;
        if (machine_allocate(backend->state_size, &cpu->vcpu.arch) != STATUS_OK)
            break;
        if (vm->cpu_count == count)
            return true;
    }
    return TEXT_FAIL(problem, "not enough memory for its vCPUs; reduce memory= or cpus=");
}

void guest_cpus_free(struct vm *vm, const struct backend *backend)
{
    for (size_t i = 0; i < vm->cpu_count; i++) {
        if (vm->cpu[i]->vcpu.arch != NULL)
            memory_free(vm->cpu[i]->vcpu.arch, memory_page_count(backend->state_size));
        memory_free(vm->cpu[i], memory_page_count(sizeof(struct vm_cpu)));
    }
}
