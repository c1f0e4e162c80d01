/* See hypercall.h. */
#include "guest/hypercall.h"

#include "guest/vm.h"
#include "lib/string.h"

/* Prints the text as output of the UART. */
static __attribute__((noinline)) uint64_t print(struct vcpu *vcpu, gpa_t address,
                                                uint64_t size)
{
    char character;

    if (size > HYPERCALL_PRINT_MAX ||
        !guest_memory_is_ram(&vcpu->vm->memory, address, size))
        return HYPERCALL_ERROR;
    for (uint64_t i = 0; i < size; i++) {
        if (!guest_memory_read(&vcpu->vm->memory, gpa(address.value + i), &character, 1))
            return HYPERCALL_ERROR;
        vcpu->vm->uart.output(vcpu->vm, (uint8_t)character);
    }
    return 0;
}

/* Returns eight bytes of a text from an offset on, padded with zeros. */
static uint64_t text_read_piece(const char *text, uint64_t offset)
{
    size_t length  = strlen(text);
    uint64_t piece = 0;

    if (offset < length)
        memcpy(&piece, text + offset,
               length - offset < sizeof(piece) ? length - offset : sizeof(piece));
    return piece;
}

/* Handles the calls that are allowed in any ring. */
static __attribute__((noinline)) uint64_t read_statistics(const struct vcpu *vcpu,
                                                          uint64_t number,
                                                          uint64_t reason,
                                                          uint64_t offset)
{
    if (reason >= vcpu->row_count)
        return HYPERCALL_ERROR;
    if (number == HYPERCALL_REASON)
        return text_read_piece(vcpu->backend->exit_name((uint32_t)reason), offset);
    return number == HYPERCALL_EXITS ? vcpu->row[reason].exits : vcpu->row[reason].ticks;
}

enum exit_outcome hypercall_handle(struct vcpu *vcpu)
{
    uint64_t *r = vcpu->run.registers.r;

    if (r[REGISTER_RAX] == HYPERCALL_VERSION) {
        r[REGISTER_RAX] = HYPERCALL_INTERFACE;
        return EXIT_NEXT;
    }
    if (r[REGISTER_RAX] >= HYPERCALL_EXITS && r[REGISTER_RAX] <= HYPERCALL_REASON) {
        r[REGISTER_RAX] =
            read_statistics(vcpu, r[REGISTER_RAX], r[REGISTER_RBX], r[REGISTER_RCX]);
        return EXIT_NEXT;
    }
    uint64_t number = r[REGISTER_RAX];
    r[REGISTER_RAX] = HYPERCALL_ERROR;
    if (vcpu->backend->read_register(vcpu, VCPU_CPL) != 0)
        return EXIT_NEXT;
    if (number == HYPERCALL_END)
        return vcpu_end(vcpu, "ended by itself with value 0x%lx", r[REGISTER_RBX]);
    if (number == HYPERCALL_PRINT)
        r[REGISTER_RAX] = print(vcpu, gpa(r[REGISTER_RBX]), r[REGISTER_RCX]);
    if (number == HYPERCALL_NMI) {
        vcpu->backend->request_nmi(vcpu);
        r[REGISTER_RAX] = 0;
    }
    return EXIT_NEXT;
}
