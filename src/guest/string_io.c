/* See string_io.h. */
#include "guest/string_io.h"

#include "guest/translate.h"
#include "guest/vm.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

/* Adds to a register of the address size: one of 2 bytes keeps the bits above. */
static void advance_register(uint64_t *reg, uint8_t address_size, uint64_t by)
{
    uint64_t mask = UINT64_MAX >> (64 - 8 * address_size);
    uint64_t kept = address_size == sizeof(uint16_t) ? *reg & ~mask : 0;

    *reg = kept | ((*reg + by) & mask);
}

/* Advances the registers by one element; returns whether it was the last. */
static bool advance_element(struct vcpu *vcpu, const struct string_access *access)
{
    uint64_t *r      = vcpu->run.registers.r;
    uint64_t *index  = &r[access->is_in ? REGISTER_RDI : REGISTER_RSI];
    bool is_downward = (vcpu->backend->read_register(vcpu, VCPU_RFLAGS) & RFLAGS_DF) != 0;
    uint64_t distance = access->size;

    advance_register(index, access->address_size, is_downward ? 0 - distance : distance);
    if (!access->is_repeated)
        return true;
    advance_register(&r[REGISTER_RCX], access->address_size, UINT64_MAX);
    uint64_t mask = UINT64_MAX >> (64 - 8 * access->address_size);
    return (r[REGISTER_RCX] & mask) == 0;
}

enum exit_outcome string_io_handle(struct vcpu *vcpu, const struct string_access *access)
{
    gpa_t bytes[sizeof(uint32_t)];
    uint32_t value = 0;

    if (!segment_permits(&access->segment, access->is_64_bit, access->linear_address,
                         access->size, access->is_in))
        return vcpu_inject_exception(vcpu, access->is_stack ? VECTOR_SS : VECTOR_GP, 0);
    /* The element may cross a page: all of it is translated before the port access. */
    for (uint8_t i = 0; i < access->size; i++) {
        if (!linear_address_translate(vcpu, access->linear_address + i, access->is_in,
                                      &bytes[i]))
            return EXIT_RESUME;
    }
    if (access->is_in)
        value = vcpu->handlers->port_read(vcpu, access->port, access->size);
    for (uint8_t i = 0; i < access->size; i++) {
        uint8_t *byte = (uint8_t *)&value + i;
        bool is_ram   = access->is_in
                            ? guest_memory_write(&vcpu->vm->memory, bytes[i], byte, 1)
                            : guest_memory_read(&vcpu->vm->memory, bytes[i], byte, 1);
        if (!is_ram)
            return vcpu->handlers->memory(
                vcpu, &(struct memory_access){bytes[i], access->is_in ? MEMORY_WRITE
                                                                      : MEMORY_READ});
    }
    if (!access->is_in &&
        vcpu->handlers->port_write(vcpu, access->port, access->size, value) == EXIT_STOP)
        return EXIT_STOP;
    return advance_element(vcpu, access) ? EXIT_NEXT : EXIT_REPEAT;
}
