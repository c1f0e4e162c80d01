/* See hypercall.h. */
#include "guest/hypercall.h"

#include "guest/vm.h"

/* As if the UART had sent it. */
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

enum exit_outcome hypercall(struct vcpu *vcpu)
{
    uint64_t *r = vcpu->run.registers.r;

    if (r[REGISTER_RAX] == HYPERCALL_VERSION) {
        r[REGISTER_RAX] = HYPERCALL_INTERFACE;
        return EXIT_NEXT;
    }
    if (vcpu->backend->read_register(vcpu, VCPU_CPL) != 0) {
        r[REGISTER_RAX] = HYPERCALL_ERROR;
        return EXIT_NEXT;
    }
    switch (r[REGISTER_RAX]) {
    case HYPERCALL_PRINT:
        r[REGISTER_RAX] = print(vcpu, gpa(r[REGISTER_RBX]), r[REGISTER_RCX]);
        return EXIT_NEXT;
    case HYPERCALL_END:
        return vcpu_end(vcpu, "ended by itself with value 0x%lx", r[REGISTER_RBX]);
    case HYPERCALL_NMI:
        vcpu->backend->request_nmi(vcpu);
        r[REGISTER_RAX] = 0;
        return EXIT_NEXT;
    default:
        r[REGISTER_RAX] = HYPERCALL_ERROR;
        return EXIT_NEXT;
    }
}
