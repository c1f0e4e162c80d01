/* See string_io.h. */
#include "guest/string_io.h"

#include "guest/translate.h"
#include "guest/vm.h"

#define RFLAGS_DF BIT(10)

/* Adds to a register as wide as the string's addresses; a narrower one wraps around. */
static void advance(uint64_t *reg, uint8_t address_size, uint64_t by)
{
    if (address_size == 8)
        *reg += by;
    else if (address_size == 4)
        *reg = (uint32_t)(*reg + by);
    else
        *reg = (*reg & ~UINT64_C(0xFFFF)) | (uint16_t)(*reg + by);
}

/* Goes on to the next element; true if there is none. */
static bool is_last(struct vcpu *vcpu, const struct string_access *access)
{
    uint64_t *r      = vcpu->run.registers.r;
    uint64_t *index  = &r[access->is_in ? REGISTER_RDI : REGISTER_RSI];
    bool is_downward = (vcpu->backend->read_register(vcpu, VCPU_RFLAGS) & RFLAGS_DF) != 0;
    uint64_t distance = access->size;

    advance(index, access->address_size, is_downward ? 0 - distance : distance);
    if (!access->is_repeated)
        return true;
    advance(&r[REGISTER_RCX], access->address_size, UINT64_MAX);
    uint64_t mask = UINT64_MAX >> (64 - 8 * access->address_size);
    return (r[REGISTER_RCX] & mask) == 0;
}

enum exit_outcome string_io(struct vcpu *vcpu, const struct string_access *access)
{
    gpa_t bytes[sizeof(uint32_t)];
    uint32_t value = 0;

    /* All of the element is looked up before anything is done: it may cross a page. */
    for (uint8_t i = 0; i < access->size; i++) {
        if (!linear_address_translate(vcpu, access->linear_address + i, access->is_in,
                                      &bytes[i]))
            return EXIT_RESUME;
    }
    if (access->is_in)
        value = vm_port_read(vcpu, access->port, access->size);
    for (uint8_t i = 0; i < access->size; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        bool is_ram  = access->is_in
                           ? guest_memory_write(&vcpu->vm->memory, bytes[i], &byte, 1)
                           : guest_memory_read(&vcpu->vm->memory, bytes[i], &byte, 1);
        if (!is_ram)
            return vcpu->handlers->memory(
                vcpu,
                &(struct memory_access){.address = bytes[i], .is_write = access->is_in});
        value = access->is_in ? value : value | (uint32_t)byte << (8 * i);
    }
    if (!access->is_in &&
        vm_port_write(vcpu, access->port, access->size, value) == EXIT_STOP)
        return EXIT_STOP;
    return is_last(vcpu, access) ? EXIT_NEXT : EXIT_REPEAT;
}
