/* See apic.h. */
#include "platform/apic.h"

#include "cpu/traps.h"
#include "lib/ticks.h"
#include "mm/address_space.h"
#include "platform/clock.h"
#include "x86/msr.h"

#define LONGEST_COUNT  UINT32_MAX
#define CALIBRATION_US 1000U
#define CALIBRATIONS   10

/* The timer's limits, 20 us and 20 ms: QEMU would not catch up with a shorter period. */
#define TIMERS_PER_SECOND_MAX 50000U
#define TIMERS_PER_SECOND_MIN 50U

#define COMMAND_TIMEOUT_US 100000U

static bool is_enabled;
static bool is_x2apic;
static uint64_t base_address;

uint32_t apic_read(enum apic_register offset)
{
    if (is_x2apic)
        return (uint32_t)rdmsr(X2APIC_MSR(offset));
    return *(volatile uint32_t *)(uintptr_t)(base_address + (uint64_t)offset);
}

void apic_write(enum apic_register offset, uint32_t value)
{
    if (is_x2apic)
        wrmsr(X2APIC_MSR(offset), value);
    else
        *(volatile uint32_t *)(uintptr_t)(base_address + (uint64_t)offset) = value;
}

enum status apic_detect(const struct cpuid_snapshot *snapshot)
{
    if ((snapshot->leaf_1.edx & CPUID_1_EDX_APIC) == 0)
        return STATUS_UNSUPPORTED;
    uint64_t value = rdmsr(MSR_IA32_APIC_BASE);
    if ((value & APIC_BASE_EN) == 0)
        return STATUS_UNSUPPORTED;
    is_x2apic    = (value & APIC_BASE_EXTD) != 0;
    base_address = value & APIC_BASE_ADDRESS;
    if (!is_x2apic && address_space_map_device(base_address, APIC_REGISTERS_SIZE) == NULL)
        return STATUS_UNSUPPORTED;
    return STATUS_OK;
}

enum status apic_choose_x2apic(const struct cpuid_snapshot *snapshot)
{
    if ((snapshot->leaf_1.ecx & CPUID_1_ECX_X2APIC) == 0)
        return STATUS_UNSUPPORTED;
    is_x2apic = true;
    return STATUS_OK;
}

bool apic_is_x2apic(void)
{
    return is_x2apic;
}

bool apic_is_enabled(void)
{
    return is_enabled;
}

/* Family 10H, erratum 400: the timer stops in C1E, which firmware may have enabled. */
static void keep_timer_running(void)
{
    const struct cpuid_snapshot snapshot = {.leaf_1 = cpuid(CPUID_LEAF_FEATURES, 0)};
    uint64_t value;

    if (cpuid_signature(&snapshot).family == CPUID_FAMILY_10H &&
        rdmsr_safe(MSR_INT_PENDING, &value) == FAULT_NONE &&
        (value & INT_PENDING_C1E) != 0)
        (void)wrmsr_safe(MSR_INT_PENDING, value & ~INT_PENDING_C1E);
}

enum status apic_enable(void)
{
    uint64_t value  = rdmsr(MSR_IA32_APIC_BASE);
    uint64_t wanted = base_address | APIC_BASE_EN | (is_x2apic ? APIC_BASE_EXTD : 0) |
                      (value & APIC_BASE_BSP);

    if ((value & APIC_BASE_EN) == 0 || (value & ~wanted & APIC_BASE_EXTD) != 0)
        return STATUS_UNSUPPORTED;
    if (wanted != value && wrmsr_safe(MSR_IA32_APIC_BASE, wanted) != FAULT_NONE)
        return STATUS_UNSUPPORTED;
    keep_timer_running();
    apic_write(APIC_TASK_PRIORITY, 0);
    apic_write(APIC_SPURIOUS, SPURIOUS_APIC_ENABLE | VECTOR_APIC_SPURIOUS);
    is_enabled = true;
    return STATUS_OK;
}

uint32_t apic_id(void)
{
    uint32_t id = apic_read(APIC_ID);
    return is_x2apic ? id : id >> 24;
}

void apic_end_of_interrupt(void)
{
    if (is_enabled)
        apic_write(APIC_EOI, 0);
}

/* Waits until the xAPIC has sent the last command; x2APIC has no delivery status. */
static enum status wait_until_sent(void)
{
    struct deadline deadline = deadline_in(COMMAND_TIMEOUT_US);
    while ((apic_read(APIC_INTERRUPT_COMMAND) & ICR_PENDING) != 0) {
        if (deadline_has_passed(&deadline))
            return STATUS_TIMEOUT;
        cpu_pause();
    }
    return STATUS_OK;
}

enum status apic_send(uint32_t id, uint32_t command)
{
    if (!is_enabled)
        return STATUS_UNSUPPORTED;
    if (is_x2apic) {
        /* WRMSR must not pass earlier writes that the other CPU reads. */
        memory_fence();
        wrmsr(X2APIC_MSR(APIC_INTERRUPT_COMMAND),
              (uint64_t)id << 32 | command | ICR_ASSERT);
        return STATUS_OK;
    }
    if (id > XAPIC_MAX_ID)
        return STATUS_OUT_OF_RANGE;
    if (wait_until_sent() != STATUS_OK)
        return STATUS_TIMEOUT;
    apic_write(APIC_INTERRUPT_COMMAND_H, id << 24);
    apic_write(APIC_INTERRUPT_COMMAND, command | ICR_ASSERT);
    return wait_until_sent();
}

/* Counts the timer's ticks in a millisecond. Returns false if that took longer. */
static bool count_ticks(uint64_t *count)
{
    uint64_t start = rdtsc();
    uint64_t longest =
        clock_frequency() / 1000000 * (CALIBRATION_US + CALIBRATION_US / 8);

    apic_write(APIC_INITIAL_COUNT, (uint32_t)LONGEST_COUNT);
    clock_wait(CALIBRATION_US);
    *count = LONGEST_COUNT - apic_read(APIC_CURRENT_COUNT);
    return rdtsc() - start <= longest;
}

/*
 * Returns the timer's frequency in Hz, the same on all CPUs. Measures again if the CPU
 * did something else meanwhile: SMM, or another virtual machine.
 */
static uint64_t timer_frequency(void)
{
    static uint64_t frequency;
    uint64_t count = 0;

    if (frequency == 0) {
        apic_write(APIC_LVT_TIMER, LVT_MASKED);
        apic_write(APIC_DIVIDE, DIVIDE_BY_1);
        for (int i = 0; i < CALIBRATIONS && !count_ticks(&count); i++)
            continue;
        frequency = count * (1000000 / CALIBRATION_US) + 1;
    }
    return frequency;
}

/* Returns the count after which the timer expires, within its limits. */
static uint32_t timer_count(uint64_t tsc_ticks)
{
    uint64_t longest  = clock_frequency() / TIMERS_PER_SECOND_MIN;
    uint64_t shortest = clock_frequency() / TIMERS_PER_SECOND_MAX;
    uint64_t ticks    = tsc_ticks < longest ? tsc_ticks : longest;

    ticks          = ticks > shortest ? ticks : shortest;
    uint64_t count = ticks_until(ticks, clock_frequency(), timer_frequency()) + 1;
    return (uint32_t)(count < LONGEST_COUNT ? count : LONGEST_COUNT);
}

/* Programs the executing CPU's timer, which repeats until it is programmed again. */
static void program_timer(uint64_t tsc_ticks)
{
    if (!is_enabled)
        return;
    uint32_t count = tsc_ticks == TICKS_NEVER ? 0 : timer_count(tsc_ticks);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER,
               VECTOR_TIMER | (count == 0 ? LVT_MASKED : (uint32_t)LVT_PERIODIC));
    apic_write(APIC_INITIAL_COUNT, count);
}

/* When the boot CPU's two timers expire, by its TSC. */
#define STOPPED UINT64_MAX
static uint64_t alarm_time = STOPPED;
static uint64_t poll_time  = STOPPED;

static uint64_t time_after(uint64_t tsc_ticks)
{
    return tsc_ticks == TICKS_NEVER ? STOPPED : rdtsc() + tsc_ticks;
}

/* Programs the boot CPU's timer for the one that expires first. */
static void program_boot_cpu_timer(void)
{
    uint64_t time = alarm_time < poll_time ? alarm_time : poll_time;
    uint64_t now  = rdtsc();

    program_timer(time == STOPPED ? TICKS_NEVER : time > now ? time - now : 0);
}

void apic_set_timer(uint64_t tsc_ticks)
{
    if (this_cpu() != &boot_cpu) {
        program_timer(tsc_ticks);
        return;
    }
    alarm_time = time_after(tsc_ticks);
    program_boot_cpu_timer();
}

void apic_set_poll_timer(uint64_t tsc_ticks)
{
    poll_time = time_after(tsc_ticks);
    program_boot_cpu_timer();
}

bool apic_handle_timer(void)
{
    uint64_t now = rdtsc();
    bool is_poll = now >= poll_time;

    if (now >= alarm_time)
        alarm_time = STOPPED;
    if (is_poll)
        poll_time = STOPPED;
    program_boot_cpu_timer();
    return is_poll;
}
