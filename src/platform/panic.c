/* See panic.h. */
#include "platform/panic.h"

#include "cpu/machine_check.h"
#include "cpu/percpu.h"
#include "cpu/shadow_stack.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/symbols.h"
#include "mm/address_space.h"
#include "platform/power.h"
#include "platform/smp.h"
#include "x86/msr.h"

#include <stdatomic.h>

/* Limits the report to a screen of 25 rows. */
#define BACKTRACE_DEPTH 10

static enum end_action end_action = END_HALT;
static void (*show_console)(void);
static void (*drain_console)(void);

/* The index of the panicking CPU, plus 1; 0 if there is none. */
static _Atomic uint32_t panicking;

void panic_set_exit(enum end_action action, void (*show)(void), void (*drain)(void))
{
    end_action    = action;
    show_console  = show;
    drain_console = drain;
}

/* The stack frame layout of -fno-omit-frame-pointer. */
struct stack_frame {
    const struct stack_frame *older;
    uint64_t return_address;
};

/* Returns the stack of this CPU that contains the whole frame, or NULL. */
static const struct cpu_stack *find_stack(const struct stack_frame *frame)
{
    uintptr_t offset = (uintptr_t)frame - (uintptr_t)this_cpu()->stacks;

    for (size_t i = 0; i < CPU_STACK_COUNT; i++) {
        const struct cpu_stack *stack = &cpu_stack_table[i];
        if (offset - stack->offset <= stack->size - sizeof(*frame) && offset % 8 == 0)
            return stack;
    }
    return NULL;
}

static void print_address(unsigned int depth, uint64_t address)
{
    const char *name;
    uint64_t offset;

    /* The 32-bit boot code's symbols are addresses of other memory by now. */
    if (address_space_is_code(address) && symbols_find(address, &name, &offset))
        log_plain("  #%-2u 0x%08lx %s+0x%lx", depth, address, name, offset);
    else
        log_plain("  #%-2u 0x%08lx (no symbol)", depth, address);
}

/* Prints the words on the stack from *word on that are addresses of code. */
static void print_code_addresses(unsigned int depth, const uint64_t *word)
{
    const struct cpu_stack *stack = find_stack((const struct stack_frame *)word);

    for (; stack != NULL && depth < BACKTRACE_DEPTH &&
           find_stack((const struct stack_frame *)word) == stack;
         word++) {
        if (address_space_is_code(*word - 1))
            print_address(depth++, *word - 1);
    }
}

/*
 * Prints the address of each caller, starting at the frame of the faulting function.
 * Callers are higher on the same stack, or on the stack that was interrupted. The path of
 * VM exits has no frames, and RBP there is the guest's: what follows is then the code
 * addresses above the last frame, or above *top.
 */
static void print_callers(const struct stack_frame *frame, const uint64_t *top)
{
    for (unsigned int depth = 1; depth < BACKTRACE_DEPTH; depth++) {
        const struct cpu_stack *stack = find_stack(frame);
        if (stack == NULL) {
            print_code_addresses(depth, top);
            return;
        }
        if (frame->return_address == 0)
            return;
        /* Minus 1: a call may be the last instruction of its function. */
        print_address(depth, frame->return_address - 1);
        if (frame->older <= frame && find_stack(frame->older) == stack)
            return;
        top   = (const uint64_t *)(frame + 1);
        frame = frame->older;
    }
}

static void print_control_registers(void)
{
    log_plain("  cr0 %016lx  cr2 %016lx  cr3 %016lx", read_cr0(), read_cr2(), read_cr3());
    log_plain("  cr4 %016lx  efer %016lx  (virtualization left)", read_cr4(),
              rdmsr(MSR_IA32_EFER));
}

static void print_registers(const struct trap_frame *frame)
{
    log_plain("  rax %016lx  rbx %016lx  rcx %016lx", frame->rax, frame->rbx, frame->rcx);
    log_plain("  rdx %016lx  rsi %016lx  rdi %016lx", frame->rdx, frame->rsi, frame->rdi);
    log_plain("  rbp %016lx  rsp %016lx  r8  %016lx", frame->rbp, frame->rsp, frame->r8);
    log_plain("  r9  %016lx  r10 %016lx  r11 %016lx", frame->r9, frame->r10, frame->r11);
    log_plain("  r12 %016lx  r13 %016lx  r14 %016lx", frame->r12, frame->r13, frame->r14);
    log_plain("  r15 %016lx  rip %016lx  rflags %lx", frame->r15, frame->rip,
              frame->rflags);
    log_plain("  cs %lx  ss %lx  error code %lx", frame->cs, frame->ss,
              frame->error_code);
}

/* Reports a stack overflow if CR2 points to a guard page. */
static void print_stack_overflow(void)
{
    uintptr_t offset = read_cr2() - (uintptr_t)this_cpu()->stacks;

    for (size_t i = 0; i < CPU_STACK_COUNT; i++) {
        if (offset - (cpu_stack_table[i].offset - PAGE_SIZE) < PAGE_SIZE)
            log_plain("  stack overflow: cr2 lies in the guard page under the %s",
                      cpu_stack_table[i].name);
    }
}

/*
 * Makes this the only CPU that panics: leaves virtualization and stops the other CPUs. A
 * second panicking CPU stops; a fault during the panic is logged once and halts the CPU.
 */
static void panic_begin(void)
{
    static bool is_nested;
    uint32_t self = this_cpu()->index + 1;
    uint32_t none = 0;

    interrupts_disable();
    if (!atomic_compare_exchange_strong(&panicking, &none, self)) {
        if (none == self && !is_nested) {
            is_nested = true;
            log_plain("hymir: panic: cpu %u: nested fault during the report", self - 1);
        }
        cpu_stop_this();
    }
    cpu_leave_virtualization();
    if (show_console != NULL)
        show_console();
    size_t unanswered = smp_stop_others();
    if (unanswered > 0)
        log_plain("hymir: panic: %zu CPUs did not stop", unanswered);
    if (drain_console != NULL)
        drain_console(); /* output is no longer queued */
}

static _Noreturn void panic_end(void)
{
    log_plain("hymir: panic: %s; virtualization left on all CPUs that responded",
              end_action == END_REBOOT ? "resetting" : "halted");
    power_exit(end_action, drain_console);
}

_Noreturn void panic_at_trap(const struct trap_frame *frame)
{
    shadow_stack_disable(); /* a fault during the report would find its own one in use */
    panic_begin();
    if (this_cpu()->log_activity != NULL)
        this_cpu()->log_activity(this_cpu()->activity);
    if (frame->vector == VECTOR_MC)
        machine_check_log();
    log_plain("hymir: panic: cpu %u: %s (vector %lu), error code 0x%lx",
              this_cpu()->index, trap_name(frame->vector), frame->vector,
              frame->error_code);
    print_registers(frame);
    print_control_registers();
    if (frame->vector == VECTOR_CP)
        log_plain("  a return that does not match the shadow stack; if this recurs, boot "
                  "with nocet");
    if (frame->vector == VECTOR_DF || frame->vector == VECTOR_PF)
        print_stack_overflow();
    print_address(0, frame->rip);
    print_callers((const struct stack_frame *)frame->rbp, (const uint64_t *)frame->rsp);
    panic_end();
}
