/* See percpu.h. The boot CPU's data is needed before memory is allocated: static. */
#include "cpu/percpu.h"

struct cpu_stacks boot_cpu_stacks;
struct cpu boot_cpu = {.stacks = &boot_cpu_stacks};

#define STACK(text, member)                                            \
    {                                                                  \
        .name = (text), .offset = offsetof(struct cpu_stacks, member), \
        .size = sizeof(((const struct cpu_stacks *)0)->member)         \
    }
const struct cpu_stack cpu_stack_table[CPU_STACK_COUNT] = {
    STACK("main stack", main),
    STACK("stack of fatal exceptions", fatal),
    STACK("stack of NMIs", nmi),
};

void cpu_leave_virtualization(void)
{
    void (*leave)(void) = this_cpu()->leave_virtualization;
    if (leave != NULL)
        leave();
}

_Noreturn void cpu_stop_this(void)
{
    interrupts_disable();
    cpu_leave_virtualization();
    atomic_store(&this_cpu()->state, CPU_STOPPED);
    for (;;)
        halt();
}
