/* At the end, logs how much of its stacks each CPU has used, if log=debug. */
#include "selftest.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "platform/smp.h"

/* Stacks are zero at first: the lowest byte that is not zero shows the depth. */
static unsigned int used_percent(const uint8_t *stack, size_t size)
{
    size_t unused = 0;

    while (unused < size && stack[unused] == 0)
        unused++;
    return size == 0 ? 0 : (unsigned int)((size - unused) * 100 / size);
}

void test_hook_end(void)
{
    selftest_log_host_save_area();
    for (size_t cpu = 0; cpu < smp_count(); cpu++) {
        TEXT_DECLARE(line, 128);
        const uint8_t *stacks = (const uint8_t *)smp_cpu(cpu)->stacks;
        for (size_t i = 0; i < CPU_STACK_COUNT; i++) {
            const struct cpu_stack *stack = &cpu_stack_table[i];
            text_append(&line, ", %s %u%%", stack->name,
                        used_percent(stacks + stack->offset, stack->size));
        }
        log_debug("selftest: cpu %zu: stack use:%s", cpu, line.buffer + 1);
    }
}
