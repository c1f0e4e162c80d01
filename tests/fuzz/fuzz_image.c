/*
 * Kernel images: src/guest/load/image.c, elf.c, linux.c, pvh.c, multiboot1.c,
 * multiboot2.c and multiboot2_header.c. The input is the file.
 */
#include "fuzz.h"

#include "guest/load/image.h"

#define RAM_SIZE 0x400000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *ram;
    struct guest_memory memory = {0};
    struct vcpu_start start    = {0};
    const char *kind;
    TEXT_DECLARE(problem, 256);

    if (ram == NULL)
        ram = aligned_alloc(4096, RAM_SIZE);
    /* In two pieces, which are not contiguous. */
    REQUIRE(guest_memory_add(&memory, hpa_of(ram + RAM_SIZE / 2), RAM_SIZE / 2) ==
            STATUS_OK);
    REQUIRE(guest_memory_add(&memory, hpa_of(ram), RAM_SIZE / 2) == STATUS_OK);
    uint8_t *copy = malloc(size);
    memcpy(copy, data, size);
    struct image_parts parts = {.kernel       = {.bytes = copy, .size = size},
                                .initrd_count = 2,
                                .module_count = size % 2 == 0 ? 2 : 3,
                                .module       = {{{copy, size / 2}, ""},
                                                 {{copy, size / 3}, ""},
                                                 {{copy, size / 2}, "a string"}},
                                .command_line = "quiet"};
    bool is_loaded           = image_load(&parts, &memory, &start, &kind, &problem);
    REQUIRE(is_loaded == (problem.length == 0));
    /* Before memory is allocated, the answer is the same. */
    struct guest_memory planned     = {.size = RAM_SIZE};
    struct vcpu_start planned_start = {0};
    TEXT_DECLARE(planned_problem, 256);
    REQUIRE(image_load(&parts, &planned, &planned_start, &kind, &planned_problem) ==
            is_loaded);
    REQUIRE(strcmp(problem.buffer, planned_problem.buffer) == 0);
    REQUIRE(!is_loaded ||
            (start.rip == planned_start.rip && start.rbx == planned_start.rbx &&
             start.rsi == planned_start.rsi));
    if (is_loaded) {
        REQUIRE(start.rip < RAM_SIZE && start.rbx < RAM_SIZE && start.rsi < RAM_SIZE);
        REQUIRE(start.cr3 < RAM_SIZE && start.cr3 % 4096 == 0);
    }
    free(copy);
    return 0;
}
