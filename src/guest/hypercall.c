/* See hypercall.h. */
#include "guest/hypercall.h"

#include "guest/vm.h"
#include "lib/clamp.h"
#include "lib/string.h"

/* Prints the text as output of the UART; without room, the call is executed again. */
static enum exit_outcome print_text(struct vcpu *vcpu, gpa_t address, uint64_t size)
{
    uint64_t *r = vcpu->run.registers.r;
    uint8_t text[HYPERCALL_PRINT_MAX];

    if (size > sizeof(text) ||
        !guest_memory_read(&vcpu->vm->memory, address, text, size)) {
        r[REGISTER_RAX] = HYPERCALL_ERROR;
        return EXIT_NEXT;
    }
    if (!vm_print(vcpu->vm, text, size))
        return EXIT_RESUME;
    r[REGISTER_RAX] = 0;
    return EXIT_NEXT;
}

/* Returns eight bytes of a text from an offset on, padded with zeros. */
static uint64_t text_read_piece(const char *text, uint64_t offset)
{
    size_t length  = strlen(text);
    uint64_t piece = 0;

    if (offset < length)
        memcpy(&piece, text + clamp_index(offset, length),
               length - offset < sizeof(piece) ? length - offset : sizeof(piece));
    return piece;
}

/* Handles the calls that are allowed in any ring. */
static uint64_t read_statistics(const struct vcpu *vcpu, uint64_t number, uint64_t reason,
                                uint64_t offset)
{
    if (reason >= vcpu->row_count)
        return HYPERCALL_ERROR;
    reason = clamp_index(reason, vcpu->row_count);
    if (number == HYPERCALL_REASON)
        return text_read_piece(vcpu->backend->exit_name((uint32_t)reason), offset);
    return number == HYPERCALL_EXITS ? vcpu->row[reason].exits : vcpu->row[reason].ticks;
}

static __attribute__((noinline)) enum exit_outcome handle_other_call(struct vcpu *vcpu)
{
    uint64_t *r   = vcpu->run.registers.r;
    bool is_64    = vcpu->backend->read_register(vcpu, VCPU_CODE_SIZE) == CODE_64;
    uint64_t mask = is_64 ? UINT64_MAX : UINT32_MAX; /* other code has 32-bit registers */
    uint64_t number = r[REGISTER_RAX] & mask;
    uint64_t rbx = r[REGISTER_RBX] & mask, rcx = r[REGISTER_RCX] & mask;
    uint64_t result = HYPERCALL_ERROR;

    if (number == HYPERCALL_VERSION) {
        result = HYPERCALL_INTERFACE;
    } else if (number >= HYPERCALL_EXITS && number <= HYPERCALL_REASON) {
        result = read_statistics(vcpu, number, rbx, rcx);
    } else if (vcpu->backend->read_register(vcpu, VCPU_CPL) != 0) {
        result = HYPERCALL_ERROR;
    } else if (number == HYPERCALL_PRINT) {
        return print_text(vcpu, gpa(rbx), rcx);
    } else if (number == HYPERCALL_END) {
        return vcpu_end(vcpu, "ended by hypercall with value 0x%lx", rbx);
    } else if (number == HYPERCALL_NMI) {
        vcpu->backend->request_nmi(vcpu);
        result = 0;
    }
    r[REGISTER_RAX] = result;
    return EXIT_NEXT;
}

enum exit_outcome hypercall_handle(struct vcpu *vcpu)
{
    uint64_t *r = vcpu->run.registers.r;

    if (r[REGISTER_RAX] != HYPERCALL_VERSION)
        return handle_other_call(vcpu);
    r[REGISTER_RAX] = HYPERCALL_INTERFACE;
    return EXIT_NEXT;
}
