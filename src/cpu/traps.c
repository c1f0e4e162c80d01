/* See traps.h. */
#include "cpu/traps.h"

#include "cpu/machine_check.h"
#include "cpu/percpu.h"
#include "cpu/shadow_stack.h"
#include "lib/log.h"

/* A row of the exception table, made by EXCEPTION_TABLE_ROW; hymir.ld has its bounds. */
struct exception_row {
    uint64_t instruction;  /* may fault */
    uint64_t continuation; /* where to resume if it does */
};
extern const struct exception_row exception_table_start[];
extern const struct exception_row exception_table_end[];

static const char *const exception_names[EXCEPTION_VECTORS] = {
#define EXCEPTION_NAME(mnemonic, vector, name) [vector] = (name),
    EXCEPTIONS(EXCEPTION_NAME)
#undef EXCEPTION_NAME
};

static struct trap_hooks hooks;

void trap_set_hooks(const struct trap_hooks *new_hooks)
{
    hooks = *new_hooks;
}

const char *trap_name(uint64_t vector)
{
    if (vector >= EXCEPTION_VECTORS)
        return "interrupt";
    return exception_names[vector] != NULL ? exception_names[vector]
                                           : "reserved exception";
}

/*
 * Resumes after an instruction that has a row in the exception table, and returns where;
 * 0 if it has none.
 */
static uint64_t resume_after_fault(struct trap_frame *frame)
{
    uintptr_t size = (uintptr_t)exception_table_end - (uintptr_t)exception_table_start;

    for (size_t i = 0; i < size / sizeof(struct exception_row); i++) {
        if (exception_table_start[i].instruction == frame->rip) {
            frame->rip = exception_table_start[i].continuation;
            frame->r11 = FAULT_RAISED | frame->vector;
            return exception_table_start[i].continuation;
        }
    }
    return 0;
}

/* Does not log: this CPU may hold the log's lock. */
static void handle_nmi(void)
{
    if (atomic_load(&this_cpu()->stop_requested))
        cpu_stop_this();
    atomic_fetch_add(&this_cpu()->foreign_nmis, 1);
}

static bool (*recovery)(struct trap_frame *frame);

void trap_set_recovery(bool (*recover)(struct trap_frame *frame))
{
    recovery = recover;
}

/* Returns where the exception table resumes, or 0. */
static uint64_t handle_exception(struct trap_frame *frame)
{
    if (frame->vector == VECTOR_MC && machine_check_take(false) == MACHINE_CHECK_RESUME)
        return 0;
    /* An imprecise exception is not caused by the instruction that it interrupts. */
    bool is_precise       = frame->vector != VECTOR_DF && frame->vector != VECTOR_MC;
    uint64_t continuation = is_precise ? resume_after_fault(frame) : 0;
    if (continuation == 0 &&
        (frame->vector == VECTOR_MC || recovery == NULL || !recovery(frame)))
        hooks.unhandled_exception(frame);
    return continuation;
}

static void (*handlers[VECTOR_COUNT])(void);

void trap_set_handler(uint8_t vector, void (*handler)(void))
{
    handlers[vector] = handler;
}

/* Wake-ups and the timer need no handler: the CPU then checks for work. */
static void handle_interrupt(uint8_t vector)
{
    void (*handler)(void) = handlers[vector];

    if (vector == VECTOR_APIC_SPURIOUS)
        return; /* is not ended by an EOI: SDM 3A, "Spurious Interrupt" */
    if (handler == NULL && vector != VECTOR_WAKE && vector != VECTOR_TIMER) {
        hooks.unwanted_interrupt(vector);
        return;
    }
    hooks.begin_interrupt(vector);
    if (handler != NULL)
        handler();
    hooks.end_interrupt(vector);
}

/* Firmware may have used the vectors of later exceptions for interrupts. */
static bool is_interrupt(const struct trap_frame *frame)
{
    return frame->vector >= EXCEPTION_VECTORS ||
           (frame->vector >= LEAST_INTERRUPT_VECTOR &&
            hooks.is_interrupt((uint8_t)frame->vector));
}

/* Returns where the exception table resumes, or 0. */
static uint64_t dispatch(struct trap_frame *frame)
{
    bool is_init = frame->vector == VECTOR_SX && frame->error_code == SX_BY_INIT;

    if (is_init)
        return 0; /* redirected and ignored: svm/operation.c */
    if (frame->vector != VECTOR_NMI && !is_interrupt(frame))
        return handle_exception(frame);
    if (frame->vector == VECTOR_NMI)
        handle_nmi();
    else
        handle_interrupt((uint8_t)frame->vector);
    return 0;
}

void trap_handle(struct trap_frame *frame, struct shadow_frame *shadow)
{
    uint64_t continuation = dispatch(frame);

    if (shadow != NULL)
        shadow_stack_prepare_return(shadow, continuation);
}
