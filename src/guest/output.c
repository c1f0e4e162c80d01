/* See vm.h: what the guest's UART sends. */
#include "guest/vm.h"

#define FLUSHES_PER_SECOND 100

/* The UART begins to send: shows that within 10 ms, together with what follows. */
static void set_flush_timer(void *context)
{
    struct vm *vm = context;

    if (vm->flush_timer.deadline == TICKS_NEVER)
        device_timer_set(&vm->flush_timer, device_clock_now(&vm->clock) +
                                               vm->clock.hz / FLUSHES_PER_SECOND);
}

/* The caller has the lock, and calls vm_flush_output without it. */
static void request_flush(void *context)
{
    struct vm *vm = context;

    vm->is_to_flush = true;
}

void vm_add_uart(struct vm *vm, struct interrupt_line *line)
{
    device_timer_init(&vm->flush_timer, &vm->clock, request_flush, vm);
    uart_init(&vm->uart, &vm->ports, line,
              &(struct uart_line){&vm->output, set_flush_timer, vm});
}

void vm_flush_output(struct vm *vm)
{
    vm->is_to_flush = false;
    vm->environment.flush(vm);
    unsigned int ticket = vm_lock(vm);
    uart_update_transmitter(&vm->uart);
    if (byte_queue_length(&vm->output) > 0)
        set_flush_timer(vm);
    vm_unlock(vm, ticket);
}

bool vm_print(struct vm *vm, const uint8_t *text, size_t size)
{
    unsigned int ticket = vm_lock(vm);
    bool fits           = byte_queue_room(&vm->output) >= size;

    for (size_t i = 0; fits && i < size; i++)
        (void)uart_send(&vm->uart, text[i]);
    vm_unlock(vm, ticket);
    return fits;
}
