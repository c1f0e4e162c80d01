/* See fetch.h. */
#include "guest/fetch.h"

#include "guest/translate.h"
#include "guest/vm.h"

/* Where code is: offset 0 is at base. */
struct code {
    enum code_size size;
    uint64_t base, rip;
    unsigned int width; /* of canonical addresses */
};

static struct code read_code(struct vcpu *vcpu)
{
    const struct backend *backend = vcpu->backend;
    struct code code              = {
                     .size  = (enum code_size)backend->read_register(vcpu, VCPU_CODE_SIZE),
                     .rip   = backend->read_register(vcpu, VCPU_RIP),
                     .width = linear_address_width(vcpu),
    };

    if (code.size != CODE_64) /* 64-bit code ignores the base */
        code.base = backend->read_register(vcpu, VCPU_CS_BASE);
    return code;
}

/*
 * Finds the byte of the instruction with that index. Outside 64-bit code offsets and
 * addresses wrap around at 4 GiB, also in 16-bit code, which may have a larger limit.
 */
static bool find_byte(struct vcpu *vcpu, const struct code *code, size_t index,
                      gpa_t *physical)
{
    uint64_t linear = code->base + code->rip + index;

    if (code->size != CODE_64)
        linear = (uint32_t)linear;
    else if (!address_is_canonical(linear, code->width))
        return false;
    return code_address_translate(vcpu, linear, physical);
}

size_t instruction_fetch(struct vcpu *vcpu, uint8_t bytes[INSTRUCTION_LENGTH_MAX])
{
    const struct guest_memory *memory = &vcpu->vm->memory;
    struct code code                  = read_code(vcpu);
    size_t count                      = 0;
    gpa_t physical;

    if (!find_byte(vcpu, &code, 0, &physical))
        return 0;
    if (physical.value % PAGE_SIZE <= PAGE_SIZE - INSTRUCTION_LENGTH_MAX) {
        const void *ram = guest_memory_pointer(memory, physical, INSTRUCTION_LENGTH_MAX);
        if (ram != NULL) {
            __builtin_memcpy(bytes, ram, INSTRUCTION_LENGTH_MAX);
            return INSTRUCTION_LENGTH_MAX;
        }
    }
    while (count < INSTRUCTION_LENGTH_MAX && find_byte(vcpu, &code, count, &physical)) {
        uint64_t in_page = PAGE_SIZE - physical.value % PAGE_SIZE;
        uint64_t left    = INSTRUCTION_LENGTH_MAX - count;
        uint64_t size    = left < in_page ? left : in_page;
        if (!guest_memory_read(memory, physical, bytes + count, size))
            break;
        count += size;
    }
    return count;
}
