/* See guest_console.h. */
#include "runner/guest_console.h"

#include "console/console.h"
#include "console/serial.h"
#include "cpu/traps.h"
#include "lib/history.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/power.h"
#include "platform/smp.h"

#include <stdatomic.h>

#define ESCAPE    0x1DU /* Ctrl-] */
#define LINE_SIZE 199
#define SHARE     32U /* bytes that one guest sends before the next one does */
#define RETRY_US  500

/* A guest and its output. */
struct guest_console {
    struct vm *vm;
    unsigned int asked; /* serves, at the last flush; only on the guest's CPU */

    /* Guarded by the lock. */
    char line[LINE_SIZE + 1]; /* unfinished */
    size_t line_length;
    struct history history;
    char newest[PAGE_SIZE];
};

static struct guest_console *guests[GUEST_CONSOLE_GUESTS];
static size_t guest_count;
static guest_restart *restart;
static bool is_escaped; /* the last byte was Ctrl-] */

/* Guards input: from the boot CPU, and the terminal's replies to queries. */
static struct spinlock input_lock;
static bool is_replaying; /* queries in replayed output were answered before */

/*
 * Lock order: this lock, then the log's. Guards history, lines, the taking of output and
 * changes of the focus; reading the focus needs no lock. Never held for a wait.
 */
static struct spinlock lock;
static _Atomic(struct guest_console *) focus; /* NULL: no guest has it */
static atomic_uint serves; /* how often the boot CPU has shown output */

enum status guest_console_add(struct vm *vm)
{
    void *pages;

    if (guest_count == GUEST_CONSOLE_GUESTS ||
        machine_allocate(sizeof(struct guest_console), &pages) != STATUS_OK)
        return STATUS_NO_MEMORY;
    struct guest_console *guest = pages;
    guest->vm                   = vm;
    guest->asked                = UINT32_MAX;
    guest->history.buffer       = guest->newest;
    guest->history.size         = sizeof(guest->newest);
    vm->console                 = guest;
    guests[guest_count++]       = guest;
    return STATUS_OK;
}

static void send_to_guest(uint8_t byte);

/* Sends the terminal's reply to a query. On the CPU of the guest that sent the query. */
static void send_reply(void *context, const char *bytes, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size && !is_replaying; i++)
        send_to_guest((uint8_t)bytes[i]);
}

void guest_console_start(guest_restart *restart_guest)
{
    restart = restart_guest;
    focus   = guest_count == 1 ? guests[0] : NULL;
    console_start_terminal(send_reply);
}

static void print_line(struct guest_console *guest)
{
    guest->line[guest->line_length] = '\0';
    guest->line_length              = 0;
    log_plain("[%s] %s", guest->vm->name, guest->line);
}

/* Prints a line when it ends or is full; replaces unprintable characters by dots. */
static void add_to_line(struct guest_console *guest, uint8_t byte)
{
    bool is_printable = (byte >= ' ' && byte <= '~') || byte == '\t';

    if (byte != '\n' && byte != '\r' && byte != '\0')
        guest->line[guest->line_length++] = is_printable ? (char)byte : '.';
    if (byte == '\n' || guest->line_length == LINE_SIZE)
        print_line(guest);
}

/* Shows up to size bytes of a guest's output; returns how many. */
static size_t show_output(struct guest_console *guest, size_t size)
{
    uint8_t bytes[SHARE];
    size_t length = 0;

    while (length < size && length < SHARE &&
           byte_queue_take(&guest->vm->output, &bytes[length]))
        length++;
    history_append(&guest->history, (const char *)bytes, length);
    if (focus == guest)
        console_pass((const char *)bytes, length);
    for (size_t i = 0; focus == NULL && i < length; i++)
        add_to_line(guest, bytes[i]);
    return length;
}

/* Shows output of the next guest that has any; returns how many bytes. */
static size_t show_next(size_t size)
{
    static size_t turn;
    size_t length = 0;

    for (size_t i = 0; length == 0 && i < guest_count; i++)
        length = show_output(guests[turn++ % guest_count], size);
    return length;
}

/* Keeps the output of the guests that another one with the focus hides. */
static void keep_hidden_output(void)
{
    for (size_t i = 0; focus != NULL && i < guest_count; i++) {
        while (guests[i] != focus && show_output(guests[i], SHARE) > 0)
            continue;
    }
}

void guest_console_serve(void)
{
    if (this_cpu() == &boot_cpu)
        atomic_fetch_add(&serves, 1);
    unsigned int ticket = spinlock_acquire(&lock);
    size_t room         = console_room();
    size_t shown        = 0, length;

    keep_hidden_output();
    while (shown < room && (length = show_next(room - shown)) > 0)
        shown += length;
    spinlock_release(&lock, ticket);
    if (shown > 0)
        console_update();
    console_continue();
}

/* A boot CPU that has done nothing since it was asked gets help. */
void guest_console_flush(void *context)
{
    const struct vm *vm         = context;
    struct guest_console *guest = vm->console;
    unsigned int count          = atomic_load(&serves);

    if (this_cpu() == &boot_cpu || count == guest->asked ||
        apic_send(boot_cpu.apic_id, ICR_FIXED | VECTOR_CONSOLE) != STATUS_OK)
        guest_console_serve();
    guest->asked = count;
}

/* Shows all output that is left, once the other CPUs have stopped. */
static void drain(void)
{
    for (size_t i = 0; i < guest_count; i++) {
        while (show_output(guests[i], SHARE) > 0)
            continue;
    }
    console_drain();
}

void guest_console_end(struct vm *vm, bool keeps_focus)
{
    struct guest_console *guest = vm->console;

    for (guest_console_serve(); byte_queue_length(&vm->output) > 0; guest_console_serve())
        clock_wait(RETRY_US);
    unsigned int ticket = spinlock_acquire(&lock);
    if (guest->line_length > 0)
        print_line(guest);
    if (focus == guest)
        console_reset_terminal();
    if (focus == guest && guest_count > 1 && !keeps_focus)
        focus = NULL;
    spinlock_release(&lock, ticket);
}

/* Appends a guest's CPUs, which follow each other but for those of other guests. */
static void append_cpus(const struct vm *vm, struct text *text)
{
    const struct vcpu *first = &vm->cpu[0]->vcpu;
    const struct vcpu *last  = &vm->cpu[vm->cpu_count - 1]->vcpu;

    if (first->id == VCPU_WITHOUT_CPU)
        text_append(text, "no cpu");
    else if (first == last)
        text_append(text, "cpu %u", first->id);
    else
        text_append(text, "%zu cpus from %u", vm->cpu_count, first->id);
}

static void list_guests(void)
{
    if (serial_lost() > 0)
        log_plain("hymir: serial input lost %u times", serial_lost());
    log_plain("hymir: keys after Ctrl-]: 1-9: console of a guest, 0: of all guests; "
              "s: stop, r: reset, b: power button, p: pause, c: continue, "
              "t: statistics; "
              "q: power off; Ctrl-]: itself");
    const struct guest_console *focused = atomic_load(&focus);

    for (size_t i = 0; i < guest_count; i++) {
        const struct vm *vm = guests[i]->vm;
        bool is_paused      = atomic_load(&vm->is_to_pause);
        TEXT_DECLARE(cpu, 16);
        append_cpus(vm, &cpu);
        log_plain("hymir: %zu%s vm %s: %s, %lu MiB, %s, %lu exits, %s%s", i + 1,
                  focused == guests[i] ? "*" : ":", vm->name, vm->kind,
                  vm->memory.size >> 20, cpu.buffer, vm_count_exits(vm),
                  vm_has_ended(vm) ? "stopped: "
                  : is_paused      ? "paused"
                                   : "running",
                  vm_has_ended(vm) ? vm->end.text : "");
    }
}

/* Clears the screen and shows the guest's recent output. */
static void replay_console(const struct guest_console *guest)
{
    console_clear_terminal();
    log_plain("hymir: console of %s", guest->vm->name);
    is_replaying = true;
    history_replay(&guest->history, console_pass);
    is_replaying = false;
}

/* Gives the focus to a guest, by its number, or to none (0). */
static void set_focus(size_t number)
{
    if (number > guest_count) {
        log_plain("hymir: no guest %zu", number);
        return;
    }
    unsigned int ticket = spinlock_acquire(&lock);
    focus               = number == 0 ? NULL : guests[number - 1];
    if (focus == NULL) {
        console_reset_terminal();
        log_plain("hymir: console of all");
    } else {
        focus->line_length = 0; /* the history contains it */
        replay_console(focus);
    }
    spinlock_release(&lock, ticket);
    console_update();
}

/* Handles a command for the guest with the focus. */
static void handle_guest_command(uint8_t key)
{
    const struct guest_console *focused = atomic_load(&focus);

    if (focused == NULL) {
        log_plain("hymir: choose a guest first: Ctrl-] and its number");
        return;
    }
    struct vm *vm = focused->vm;
    if (key == 't')
        vm_log_stats(vm);
    else if (!vm_has_ended(vm) && key == 'b')
        vm_press_power_button(vm);
    else if (!vm_has_ended(vm) && (key == 's' || key == 'r'))
        vm_request_stop(vm, key == 'r');
    else if (!vm_has_ended(vm) && (key == 'p' || key == 'c'))
        vm_request_pause(vm, key == 'p');
    else if (key == 'r')
        restart(vm);
}

static void send_to_guest(uint8_t byte)
{
    const struct guest_console *focused = atomic_load(&focus);

    if (focused == NULL)
        return;
    unsigned int ticket = spinlock_acquire(&input_lock);
    vm_type(focused->vm, byte);
    spinlock_release(&input_lock, ticket);
    vm_kick(focused->vm);
}

static void handle_command(uint8_t key)
{
    if (key >= '0' && key <= '9')
        set_focus((size_t)(key - '0'));
    else if (key == 's' || key == 'r' || key == 'b' || key == 'p' || key == 'c' ||
             key == 't')
        handle_guest_command(key);
    else if (key == 'q')
        power_exit(END_POWEROFF, drain);
    else if (key == ESCAPE)
        send_to_guest(key);
    else
        list_guests();
}

void guest_console_type(uint8_t byte)
{
    if (is_escaped) {
        is_escaped = false;
        handle_command(byte);
    } else if (byte == ESCAPE) {
        is_escaped = true;
    } else {
        send_to_guest(byte);
    }
}
