/*
 * The command hymir of the boot medium's Linux guest: prints Hymir's version and the cost
 * of this guest's exits so far, and measures the cost of an exit.
 *
 * Uses Hymir's formatting and no C library. Linux's system calls have their number in RAX
 * and arguments in RDI, RSI and RDX. Sources: docs/GUESTS.md, "Hypercalls"; syscall(2).
 */
#include "guest/hypercall.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

#include <stdbool.h>
#include <stdint.h>

#define SYS_WRITE 1
#define SYS_EXIT  60

#define SAMPLES   1001
#define SIGNATURE "HymirHymir\0"
#define MHZ       1000000

struct registers {
    uint32_t eax, ebx, ecx, edx;
};

static int64_t system_call(uint64_t number, uint64_t rdi, uint64_t rsi, uint64_t rdx)
{
    int64_t result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(rdi), "S"(rsi), "d"(rdx)
                     : "rcx", "r11", "memory");
    return result;
}

static struct registers cpuid(uint32_t leaf)
{
    struct registers r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(0));
    return r;
}

/* Whether hypercalls need VMMCALL: VMCALL is #UD on AMD's and Hygon's processors. */
static bool uses_vmmcall;

static void choose_hypercall(void)
{
    struct registers leaf = cpuid(0);
    uses_vmmcall          = memcmp(&leaf.ecx, "cAMD", sizeof(leaf.ecx)) == 0 ||
                   memcmp(&leaf.ecx, "uine", sizeof(leaf.ecx)) == 0;
}

static uint64_t vmcall(enum hypercall number, uint64_t rbx, uint64_t rcx)
{
    uint64_t result;
    __asm__ volatile("vmcall"
                     : "=a"(result)
                     : "a"((uint64_t)number), "b"(rbx), "c"(rcx)
                     : "memory");
    return result;
}

static uint64_t vmmcall(enum hypercall number, uint64_t rbx, uint64_t rcx)
{
    uint64_t result;
    __asm__ volatile("vmmcall"
                     : "=a"(result)
                     : "a"((uint64_t)number), "b"(rbx), "c"(rcx)
                     : "memory");
    return result;
}

static uint64_t hypercall_of(enum hypercall number, uint64_t rbx, uint64_t rcx)
{
    return uses_vmmcall ? vmmcall(number, rbx, rcx) : vmcall(number, rbx, rcx);
}

/* Reads the TSC after all earlier instructions. SDM 2, "LFENCE", "RDTSC". */
static uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void print(const char *format, ...)
{
    char line[256];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(line, sizeof(line), format, arguments);
    va_end(arguments);
    (void)system_call(SYS_WRITE, 1, (uint64_t)(uintptr_t)line, strlen(line));
}

static _Noreturn void leave(int status)
{
    for (;;)
        (void)system_call(SYS_EXIT, (uint64_t)status, 0, 0);
}

static void measure_nothing(void)
{
}

static void measure_cpuid(void)
{
    (void)cpuid(0);
}

static void measure_vmcall(void)
{
    (void)vmcall(HYPERCALL_VERSION, 0, 0);
}

static void measure_vmmcall(void)
{
    (void)vmmcall(HYPERCALL_VERSION, 0, 0);
}

static void sort(uint64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t value = values[i];
        size_t at      = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

/* Returns the median duration of a function in TSC ticks, including the measurement. */
static uint64_t median_of(void (*measured)(void))
{
    static uint64_t samples[SAMPLES];

    for (size_t i = 0; i < SAMPLES; i++) {
        uint64_t start = read_tsc();
        measured();
        samples[i] = read_tsc() - start;
    }
    sort(samples, SAMPLES);
    return samples[SAMPLES / 2];
}

/* Returns the TSC frequency, or 0 if unknown. SDM 2, "CPUID", leaf 0x15. */
static uint64_t tsc_hz(void)
{
    struct registers leaf = cpuid(0x15);
    return leaf.eax == 0 ? 0 : (uint64_t)leaf.ecx * leaf.ebx / leaf.eax;
}

static void print_cost(const char *name, void (*measured)(void))
{
    uint64_t cost = median_of(measured) - median_of(measure_nothing);
    uint64_t hz   = tsc_hz();

    print("  %-10s %8lu ticks", name, cost);
    if (hz >= MHZ)
        print(", %lu ns", cost * 1000 / (hz / MHZ));
    print("\n");
}

static void print_reason(uint64_t reason, uint64_t exits)
{
    char name[33] = "";

    for (uint64_t offset = 0; offset < sizeof(name) - 1; offset += sizeof(uint64_t)) {
        uint64_t piece = hypercall_of(HYPERCALL_REASON, reason, offset);
        memcpy(name + offset, &piece, sizeof(piece));
    }
    print("  %-32s %10lu %12lu\n", name, exits,
          hypercall_of(HYPERCALL_TICKS, reason, 0) / exits);
}

static void print_exits(void)
{
    uint64_t all = 0, ticks = 0, exits;

    print("  %-32s %10s %12s\n", "exits by reason", "exits", "ticks each");
    for (uint64_t reason = 0;
         (exits = hypercall_of(HYPERCALL_EXITS, reason, 0)) != HYPERCALL_ERROR;
         reason++) {
        all += exits;
        ticks += hypercall_of(HYPERCALL_TICKS, reason, 0);
        if (exits > 0)
            print_reason(reason, exits);
    }
    print("  %-32s %10lu, %lu ticks of %lu since the guest's start\n", "all", all, ticks,
          read_tsc());
}

static void report(void)
{
    struct registers version = cpuid(0x40000001);
    char text[13]            = "";

    choose_hypercall();
    memcpy(text, &version.ebx, 12);
    print("Hymir %s, hypercall version %lu\n", text,
          hypercall_of(HYPERCALL_VERSION, 0, 0));
    print_exits();
    print("cost of an exit:\n");
    print_cost("CPUID", measure_cpuid);
    if (uses_vmmcall)
        print_cost("VMMCALL", measure_vmmcall);
    else
        print_cost("VMCALL", measure_vmcall);
}

static bool is_under_hymir(void)
{
    struct registers leaf = cpuid(0x40000000);
    return memcmp(&leaf.ebx, SIGNATURE, 12) == 0;
}

static __attribute__((used)) _Noreturn void start(void)
{
    if (!is_under_hymir()) {
        print("hymir: not a guest of Hymir; %lu TSC ticks\n", read_tsc());
        leave(1);
    }
    report();
    leave(0);
}

__asm__(".globl _start\n"
        "_start:\n\t"
        "andq $-16, %rsp\n\t"
        "call start\n");
