/* See runner/guest_console.h. */
#include "runner/guest_console.h"

#include "console/console.h"
#include "console/serial.h"
#include "lib/history.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "platform/machine.h"
#include "platform/power.h"

#include <stdatomic.h>

#define ESCAPE    0x1DU /* Ctrl-] */
#define LINE_SIZE 199
#define SENT_SIZE 200

/* A guest, and what it has sent. */
struct screen_of_guest {
    struct vm *vm;

    /* Since the last flush, for the guest's CPU alone. */
    uint8_t sent[SENT_SIZE];
    size_t length;

    /* Under the lock. */
    char line[LINE_SIZE + 1]; /* that has not come to its end */
    size_t line_length;
    struct history history;
    char newest[PAGE_SIZE];
};

static struct screen_of_guest *guests[GUEST_CONSOLE_GUESTS];
static size_t guest_count;
static guest_restart *restart;
static bool is_escaped; /* Ctrl-] was the last that was typed */

/* Typing: the boot CPU does, and the terminal of the screen, which answers questions. */
static struct spinlock typing;
static bool is_replaying; /* what was asked then was answered then */

/*
 * In front of the log's: what a guest sends is kept and shown, or kept before it is. The
 * focus changes under it; to read it needs none, so that what is typed never waits for
 * what is sent.
 */
static struct spinlock lock;
static _Atomic(struct screen_of_guest *) focus; /* NULL: nobody has it */

enum status guest_console_add(struct vm *vm)
{
    void *pages;
    enum status status = STATUS_NO_MEMORY;

    if (guest_count < GUEST_CONSOLE_GUESTS)
        status = machine_allocate(sizeof(struct screen_of_guest), &pages);
    if (status != STATUS_OK)
        return status;
    struct screen_of_guest *guest = pages;
    guest->vm                     = vm;
    guest->history.buffer         = guest->newest;
    guest->history.size           = sizeof(guest->newest);
    vm->console                   = guest;
    guests[guest_count++]         = guest;
    return STATUS_OK;
}

static void type_for_guest(uint8_t byte);

/* On the CPU of the guest that asked. */
static void answer_guest(void *context, const char *bytes, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size && !is_replaying; i++)
        type_for_guest((uint8_t)bytes[i]);
}

void guest_console_start(guest_restart *restart_guest)
{
    restart = restart_guest;
    focus   = guest_count == 1 ? guests[0] : NULL;
    console_start_terminal(answer_guest);
}

static void show_line(struct screen_of_guest *guest)
{
    guest->line[guest->line_length] = '\0';
    guest->line_length              = 0;
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
    guest->line[guest->line_length++] = is_printable ? (char)byte : '.';
    if (guest->line_length == LINE_SIZE)
        show_line(guest);
}

/* Keeps what was sent, and shows it as the focus has it. */
static void take_sent(struct screen_of_guest *guest)
{
    unsigned int ticket = spinlock_acquire(&lock);

    history_append(&guest->history, (const char *)guest->sent, guest->length);
    if (focus == guest)
        console_pass((const char *)guest->sent, guest->length);
    for (size_t i = 0; focus == NULL && i < guest->length; i++)
        add_to_line(guest, guest->sent[i]);
    spinlock_release(&lock, ticket);
    guest->length = 0;
}

/* A guest waits for each byte that it sends: what most have to go through is short. */
void guest_console_print(void *context, uint8_t byte)
{
    struct vm *vm                 = context;
    struct screen_of_guest *guest = vm->console;

    guest->sent[guest->length++] = byte;
    if (guest->length == 1)
        vm_flush_soon(vm);
    else if (guest->length == SENT_SIZE)
        take_sent(guest);
}

void guest_console_flush(struct vm *vm)
{
    take_sent(vm->console);
    console_update();
}

void guest_console_end(struct vm *vm, bool keeps_focus)
{
    struct screen_of_guest *guest = vm->console;

    guest_console_flush(vm);
    unsigned int ticket = spinlock_acquire(&lock);
    if (guest->line_length > 0)
        show_line(guest);
    if (focus == guest)
        console_reset_terminal();
    if (focus == guest && guest_count > 1 && !keeps_focus)
        focus = NULL;
    spinlock_release(&lock, ticket);
}

static bool is_running(const struct vm *vm)
{
    return vm->vcpu.end[0] == '\0';
}

static uint64_t count_exits(const struct vm *vm)
{
    uint64_t exits = 0;
    for (uint32_t row = 0; row < vm->vcpu.row_count; row++)
        exits += vm->vcpu.row[row].exits;
    return exits;
}

static void list_guests(void)
{
    if (serial_lost() > 0)
        log_plain("hymir: serial line: %u times something that was typed was lost",
                  serial_lost());
    log_plain("hymir: keys behind Ctrl-]: 1 to 9: the console of that guest, 0: of all; "
              "s: stop it, r: reset it, p: pause it, c: continue it, t: its statistics; "
              "q: power off; "
              "Ctrl-]: itself");
    const struct screen_of_guest *focused = atomic_load(&focus);

    for (size_t i = 0; i < guest_count; i++) {
        const struct vm *vm = guests[i]->vm;
        bool is_paused      = atomic_load(&vm->is_to_pause);
        TEXT_DECLARE(cpu, 16);
        if (vm->vcpu.id == VCPU_WITHOUT_CPU)
            text_append(&cpu, "no cpu");
        else
            text_append(&cpu, "cpu %u", vm->vcpu.id);
        log_plain("hymir: %zu%s vm %s: %s, %lu MiB, %s, %lu exits, %s%s", i + 1,
                  focused == guests[i] ? "*" : ":", vm->name, vm->kind,
                  vm->memory.size >> 20, cpu.buffer, count_exits(vm),
                  !is_running(vm) ? "stopped: "
                  : is_paused     ? "paused"
                                  : "running",
                  vm->vcpu.end);
    }
}

/* The guest's console as it left it, on a screen of its own. */
static void show_console(const struct screen_of_guest *guest)
{
    console_clear_terminal();
    log_plain("hymir: console of %s", guest->vm->name);
    is_replaying = true;
    history_replay(&guest->history, console_pass);
    is_replaying = false;
}

static void choose(size_t number)
{
    if (number > guest_count) {
        log_plain("hymir: there is no guest %zu", number);
        return;
    }
    unsigned int ticket = spinlock_acquire(&lock);
    focus               = number == 0 ? NULL : guests[number - 1];
    if (focus == NULL) {
        console_reset_terminal();
        log_plain("hymir: console of all");
    } else {
        focus->line_length = 0; /* it is shown with the rest */
        show_console(focus);
    }
    spinlock_release(&lock, ticket);
    console_update();
}

/* What is to be done with the guest that has the focus. */
static void do_with_guest(uint8_t key)
{
    const struct screen_of_guest *focused = atomic_load(&focus);

    if (focused == NULL) {
        log_plain("hymir: choose a guest first: Ctrl-] and its number");
        return;
    }
    struct vm *vm = focused->vm;
    if (key == 't') {
        vm_log_stats(vm);
        return;
    }
    if (!is_running(vm)) {
        if (key == 'r')
            restart(vm);
        return;
    }
    if (key == 's' || key == 'r')
        vm_request_stop(vm, key == 'r');
    else
        vm_request_pause(vm, key == 'p');
}

static void type_for_guest(uint8_t byte)
{
    const struct screen_of_guest *focused = atomic_load(&focus);

    if (focused == NULL)
        return;
    unsigned int ticket = spinlock_acquire(&typing);
    vm_type(focused->vm, byte);
    spinlock_release(&typing, ticket);
}

static void obey(uint8_t key)
{
    if (key >= '0' && key <= '9')
        choose((size_t)(key - '0'));
    else if (key == 's' || key == 'r' || key == 'p' || key == 'c' || key == 't')
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
