/* See guest_console.h. */
#include "guest_console.h"

#include "console/console.h"
#include "cpu/apic.h"
#include "cpu/power.h"
#include "cpu/registers.h"
#include "cpu/smp.h"
#include "lib/log.h"

#include <stdatomic.h>

#define ESCAPE    0x1DU /* Ctrl-] */
#define LINE_SIZE 199

/*
 * A guest, and what it has sent that was not shown yet: a line that is not at its end, or
 * bytes that are passed on soon.
 */
static struct screen_of_guest {
    struct vm *vm;
    char line[LINE_SIZE + 1];
    size_t length;
    bool is_passed; /* bytes */
} guests[GUEST_CONSOLE_GUESTS];
static size_t guest_count;
static _Atomic(struct screen_of_guest *) focus; /* NULL: nobody has it */
static bool is_escaped;                         /* Ctrl-] was the last that was typed */

void guest_console_start(struct vm *const *vms, size_t count)
{
    guest_count = count < GUEST_CONSOLE_GUESTS ? count : GUEST_CONSOLE_GUESTS;
    for (size_t i = 0; i < guest_count; i++) {
        guests[i].vm    = vms[i];
        vms[i]->console = &guests[i];
    }
    atomic_store(&focus, guest_count == 1 ? &guests[0] : NULL);
    console_start_terminal();
}

static void show_line(struct screen_of_guest *guest)
{
    guest->line[guest->length] = '\0';
    guest->length              = 0;
    log_plain("[%s] %s", guest->vm->name, guest->line);
}

/* A line is shown when it ends, or is as long as it can be; what is no text as a dot. */
static void add_to_line(struct screen_of_guest *guest, uint8_t byte)
{
    bool is_printable = (byte >= ' ' && byte <= '~') || byte == '\t';

    if (byte == '\n') {
        show_line(guest);
        return;
    }
    if (byte == '\r' || byte == '\0')
        return;
    guest->line[guest->length++] = is_printable ? (char)byte : '.';
    if (guest->length == LINE_SIZE)
        show_line(guest);
}

static void pass_bytes(struct screen_of_guest *guest)
{
    console_pass((const uint8_t *)guest->line, guest->length);
    guest->length = 0;
}

/* Shows what waits, in the way in which it was to be shown. */
static void show_rest(struct screen_of_guest *guest)
{
    if (guest->length == 0)
        return;
    if (guest->is_passed)
        pass_bytes(guest);
    else
        show_line(guest);
}

/* The first byte since the last flush, or nothing is to be shown, or in another way. */
static __attribute__((noinline)) void print_otherwise(struct vm *vm, uint8_t byte)
{
    struct screen_of_guest *guest   = vm->console;
    struct screen_of_guest *focused = atomic_load(&focus);
    bool is_passed                  = focused == guest;

    if (focused != NULL && !is_passed)
        return;
    if (guest->is_passed != is_passed || guest->length == LINE_SIZE)
        show_rest(guest);
    guest->is_passed = is_passed;
    if (is_passed)
        guest->line[guest->length++] = (char)byte;
    else
        add_to_line(guest, byte);
    vm_flush_soon(vm);
}

/* A guest waits for each byte that it sends: what most have to go through is short. */
void guest_console_print(void *context, uint8_t byte)
{
    struct vm *vm                 = context;
    struct screen_of_guest *guest = vm->console;

    if (guest->is_passed && guest->length < LINE_SIZE &&
        atomic_load_explicit(&focus, memory_order_relaxed) == guest)
        guest->line[guest->length++] = (char)byte;
    else
        print_otherwise(vm, byte);
}

void guest_console_flush(struct vm *vm)
{
    struct screen_of_guest *guest = vm->console;

    if (guest->is_passed)
        show_rest(guest);
    guest->is_passed = false; /* the next byte sets the timer again */
    console_update();
}

void guest_console_end(struct vm *vm)
{
    struct screen_of_guest *guest = vm->console;

    show_rest(guest);
    if (atomic_load(&focus) == guest && guest_count > 1)
        atomic_store(&focus, NULL);
}

/* Has the guest's CPU look at what it was sent. */
static void wake(const struct vm *vm)
{
    const struct cpu *cpu = smp_cpu(vm->vcpu.id);

    if (cpu != this_cpu() && apic_send_interrupt(cpu->apic_id, VECTOR_WAKE) != STATUS_OK)
        log_error("vm %s: cpu %u cannot be woken", vm->name, cpu->index);
}

static bool is_running(const struct vm *vm)
{
    return vm->vcpu.end[0] == '\0';
}

static uint64_t count_exits(const struct vm *vm)
{
    uint64_t exits = 0;
    for (uint32_t row = 0; row < EXIT_ROWS; row++)
        exits += vm->vcpu.row[row].exits;
    return exits;
}

static void list_guests(void)
{
    log_plain("hymir: keys behind Ctrl-]: 1 to 9: the console of that guest, 0: of all; "
              "s: stop it, p: pause it, c: continue it, t: its statistics; q: power off; "
              "Ctrl-]: itself");
    for (size_t i = 0; i < guest_count; i++) {
        const struct vm *vm = guests[i].vm;
        bool is_paused      = atomic_load(&vm->is_to_pause);
        log_plain("hymir: %zu%s vm %s: %s, %lu MiB, cpu %u, %lu exits, %s%s", i + 1,
                  atomic_load(&focus) == &guests[i] ? "*" : ":", vm->name, vm->kind,
                  vm->memory.size >> 20, vm->vcpu.id, count_exits(vm),
                  !is_running(vm) ? "stopped: "
                  : is_paused     ? "paused"
                                  : "running",
                  vm->vcpu.end);
    }
}

static void choose(size_t number)
{
    if (number > guest_count) {
        log_plain("hymir: there is no guest %zu", number);
        return;
    }
    atomic_store(&focus, number == 0 ? NULL : &guests[number - 1]);
    log_plain("hymir: console of %s", number == 0 ? "all" : guests[number - 1].vm->name);
}

/* What is to be done with the guest that has the focus. */
static void do_with_guest(uint8_t key)
{
    struct screen_of_guest *focused = atomic_load(&focus);

    if (focused == NULL) {
        log_plain("hymir: choose a guest first: Ctrl-] and its number");
        return;
    }
    struct vm *vm = focused->vm;
    if (key == 't') {
        vm_log_stats(vm);
        return;
    }
    if (key == 's')
        vm_ask_to_stop(vm);
    else
        vm_ask_to_pause(vm, key == 'p');
    wake(vm);
}

static void type_for_guest(uint8_t byte)
{
    struct screen_of_guest *focused = atomic_load(&focus);

    if (focused == NULL)
        return;
    vm_type(focused->vm, byte);
    wake(focused->vm);
}

static void obey(uint8_t key)
{
    if (key >= '0' && key <= '9')
        choose((size_t)(key - '0'));
    else if (key == 's' || key == 'p' || key == 'c' || key == 't')
        do_with_guest(key);
    else if (key == 'q')
        power_exit(EXIT_POWEROFF, console_drain);
    else if (key == ESCAPE)
        type_for_guest(key);
    else
        list_guests();
}

void guest_console_type(uint8_t byte)
{
    if (is_escaped) {
        is_escaped = false;
        obey(byte);
    } else if (byte == ESCAPE) {
        is_escaped = true;
    } else {
        type_for_guest(byte);
    }
}
