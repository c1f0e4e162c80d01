/*
 * One instruction per function. The other inline assembly is in vmx/instructions.h and
 * lib/instructions.h.
 *
 * SDM 2, "Instruction Set Reference". The functions named *_safe handle an exception: the
 * exception table (cpu/traps.h) resumes after the instruction, and the function returns
 * the exception.
 */
#ifndef HYMIR_CPU_INSTRUCTIONS_H
#define HYMIR_CPU_INSTRUCTIONS_H

#include "lib/bits.h"
#include "x86/control_registers.h"
#include "x86/cpuid.h"

#include <stdbool.h>
#include <stdint.h>

/* Results of *_safe functions: FAULT_NONE, or FAULT_RAISED | the vector. */
#define FAULT_NONE      0U
#define FAULT_RAISED    0x100U
#define FAULT_VECTOR(f) ((f)&0xFFU)

/*
 * An exception table row for the instruction between labels 1 and 2. The trap handler
 * resumes at 2 with the fault in R11, which is preset to FAULT_NONE.
 */
#define EXCEPTION_TABLE_ROW                    \
    ".pushsection .exception_table, \"a\"\n\t" \
    ".quad 1b, 2b\n\t"                         \
    ".popsection"

/* Defines a function that executes instructions with operands, and returns nothing. */
#define DEFINE_INSTRUCTION(function, parameters, text, ...) \
    static inline void function parameters                  \
    {                                                       \
        __asm__ volatile(text : : __VA_ARGS__ : "memory");  \
    }

/* Defines a function that returns the register, by its constraint, that text writes. */
#define DEFINE_READ(type, function, parameters, text, constraint, ...)       \
    static inline type function parameters                                   \
    {                                                                        \
        type value;                                                          \
        __asm__ volatile(text : constraint(value) : __VA_ARGS__ : "memory"); \
        return value;                                                        \
    }

/* Defines a function that returns what an instruction stores in EDX:EAX. */
#define DEFINE_READ_PAIR(function, parameters, text, ...)                        \
    static inline uint64_t function parameters                                   \
    {                                                                            \
        uint32_t low, high;                                                      \
        __asm__ volatile(text : "=a"(low), "=d"(high) : __VA_ARGS__ : "memory"); \
        return (uint64_t)high << 32 | low;                                       \
    }

/* Defines a function that executes an instruction and returns its fault. */
#define DEFINE_SAFE(function, parameters, text, ...)               \
    static inline uint32_t function parameters                     \
    {                                                              \
        register uint64_t fault __asm__("r11") = FAULT_NONE;       \
        __asm__ volatile("1: " text "\n2:\n\t" EXCEPTION_TABLE_ROW \
                         : "+r"(fault)                             \
                         : __VA_ARGS__                             \
                         : "memory");                              \
        return (uint32_t)fault;                                    \
    }

/* The operands that pass value in EDX:EAX. */
#define IN_PAIR(value) "a"((uint32_t)(value)), "d"((uint32_t)((value) >> 32))

DEFINE_READ(uint8_t, io_in8, (uint16_t port), "inb %1, %0", "=a", "Nd"(port))
DEFINE_READ(uint16_t, io_in16, (uint16_t port), "inw %1, %0", "=a", "Nd"(port))
DEFINE_READ(uint32_t, io_in32, (uint16_t port), "inl %1, %0", "=a", "Nd"(port))
DEFINE_INSTRUCTION(io_out8, (uint16_t port, uint8_t value), "outb %0, %1", "a"(value),
                   "Nd"(port))
DEFINE_INSTRUCTION(io_out16, (uint16_t port, uint16_t value), "outw %0, %1", "a"(value),
                   "Nd"(port))
DEFINE_INSTRUCTION(io_out32, (uint16_t port, uint32_t value), "outl %0, %1", "a"(value),
                   "Nd"(port))

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result result;
    __asm__ volatile("cpuid"
                     : "=a"(result.eax), "=b"(result.ebx), "=c"(result.ecx),
                       "=d"(result.edx)
                     : "a"(leaf), "c"(subleaf));
    return result;
}

DEFINE_READ_PAIR(rdtsc, (void), "rdtsc")

/* Completes all earlier instructions before any later one starts. */
DEFINE_INSTRUCTION(load_fence, (void), "lfence")

/* Reads the TSC after all earlier instructions and before all later ones. */
static inline uint64_t rdtsc_ordered(void)
{
    load_fence();
    uint64_t ticks = rdtsc();
    load_fence();
    return ticks;
}

/* The low half of the TSC, for short distances. */
static inline uint32_t rdtsc_low(void)
{
    uint32_t low;
    __asm__ volatile("rdtsc" : "=a"(low) : : "edx", "memory");
    return low;
}

/* Read and write an MSR that is known to exist; an exception is a bug in Hymir. */
DEFINE_READ_PAIR(rdmsr, (uint32_t msr), "rdmsr", "c"(msr))
DEFINE_INSTRUCTION(wrmsr, (uint32_t msr, uint64_t value), "wrmsr", "c"(msr),
                   IN_PAIR(value))

/* Reads an MSR that may not exist; on a fault *value is 0. */
static inline uint32_t rdmsr_safe(uint32_t msr, uint64_t *value)
{
    uint32_t low = 0, high = 0;
    register uint64_t fault __asm__("r11") = FAULT_NONE;
    __asm__ volatile("1: rdmsr\n2:\n\t" EXCEPTION_TABLE_ROW
                     : "+a"(low), "+d"(high), "+r"(fault)
                     : "c"(msr));
    *value = fault == FAULT_NONE ? (uint64_t)high << 32 | low : 0;
    return (uint32_t)fault;
}

/* Reads memory that may not be mapped. Returns the fault; *value is then unchanged. */
static inline uint32_t read_memory_safe(const void *at, uint64_t *value)
{
    register uint64_t fault __asm__("r11") = FAULT_NONE;
    __asm__ volatile("1: movq (%2), %1\n2:\n\t" EXCEPTION_TABLE_ROW
                     : "+r"(fault), "+r"(*value)
                     : "r"(at)
                     : "memory");
    return (uint32_t)fault;
}

/* Writes an MSR that may not exist, or a value that it may not accept. */
DEFINE_SAFE(wrmsr_safe, (uint32_t msr, uint64_t value), "wrmsr", "c"(msr), IN_PAIR(value))

DEFINE_READ(uint64_t, read_cr0, (void), "mov %%cr0, %0", "=r")
DEFINE_READ(uint64_t, read_cr2, (void), "mov %%cr2, %0", "=r")
DEFINE_READ(uint64_t, read_cr3, (void), "mov %%cr3, %0", "=r")
DEFINE_READ(uint64_t, read_cr4, (void), "mov %%cr4, %0", "=r")
DEFINE_READ(uint64_t, read_dr0, (void), "mov %%dr0, %0", "=r")
DEFINE_READ(uint64_t, read_dr1, (void), "mov %%dr1, %0", "=r")
DEFINE_READ(uint64_t, read_dr2, (void), "mov %%dr2, %0", "=r")
DEFINE_READ(uint64_t, read_dr3, (void), "mov %%dr3, %0", "=r")
DEFINE_READ(uint64_t, read_dr6, (void), "mov %%dr6, %0", "=r")
DEFINE_INSTRUCTION(write_cr2, (uint64_t value), "mov %0, %%cr2", "r"(value))
DEFINE_INSTRUCTION(write_cr3, (uint64_t value), "mov %0, %%cr3", "r"(value))
DEFINE_INSTRUCTION(write_cr4, (uint64_t value), "mov %0, %%cr4", "r"(value))
DEFINE_INSTRUCTION(write_dr6, (uint64_t value), "mov %0, %%dr6", "r"(value))

/* Write a control register with bits that the processor may not accept. */
DEFINE_SAFE(write_cr0_safe, (uint64_t value), "mov %1, %%cr0", "r"(value))
DEFINE_SAFE(write_cr4_safe, (uint64_t value), "mov %1, %%cr4", "r"(value))

/* Sets GIF, which only SVM can clear: APM 3, "STGI". Faults if EFER.SVME is clear. */
DEFINE_SAFE(stgi_safe, (void), "stgi", )

/* Resets the debug registers that VM entry and VM exit do not load. */
DEFINE_INSTRUCTION(clear_debug_registers, (void),
                   "mov %0, %%dr0\n\tmov %0, %%dr1\n\tmov %0, %%dr2\n\t"
                   "mov %0, %%dr3\n\tmov %1, %%dr6",
                   "r"(UINT64_C(0)), "r"(DR6_AFTER_RESET))

/* Reads PKRU. Requires CR4.PKE. */
DEFINE_READ_PAIR(rdpkru, (void), "rdpkru", "c"(0))

/* Reads XCR0. Requires CR4.OSXSAVE. */
DEFINE_READ_PAIR(xgetbv, (void), "xgetbv", "c"(0))

/* Writes XCR0 with a value that it may not accept. Requires CR4.OSXSAVE. */
DEFINE_SAFE(xsetbv_safe, (uint64_t value), "xsetbv", "c"(0), IN_PAIR(value))

/* Restores the state components in mask from an XSAVE area. */
DEFINE_INSTRUCTION(xrstor, (const void *area, uint64_t mask), "xrstor64 (%0)", "r"(area),
                   IN_PAIR(mask))

DEFINE_INSTRUCTION(ldmxcsr, (uint32_t value), "ldmxcsr %0", "m"(value))

/* Initializes x87, the pointers of the last instruction and operand included. */
DEFINE_INSTRUCTION(fninit, (void), "fninit")

/* Restores x87, and XMM registers only if CR4.OSFXSR is set. */
DEFINE_INSTRUCTION(fxrstor, (const void *area), "fxrstor64 (%0)", "r"(area))

DEFINE_INSTRUCTION(invlpg, (const volatile void *address), "invlpg (%0)", "r"(address))

/* The operand of LGDT and LIDT, and of SGDT and SIDT. */
struct __attribute__((packed)) descriptor_table_register {
    uint16_t limit;
    uint64_t base;
};
_Static_assert(sizeof(struct descriptor_table_register) == 10, "SDM 2, LGDT/LIDT");

DEFINE_INSTRUCTION(lgdt, (const struct descriptor_table_register *gdtr), "lgdt %0",
                   "m"(*gdtr))
DEFINE_INSTRUCTION(lidt, (const struct descriptor_table_register *idtr), "lidt %0",
                   "m"(*idtr))
DEFINE_INSTRUCTION(ltr, (uint16_t selector), "ltr %0", "r"(selector))
DEFINE_INSTRUCTION(lldt, (uint16_t selector), "lldt %0", "r"(selector))

/* Loads CS by a far return to the next instruction. */
static inline void load_cs(uint16_t selector)
{
    uint64_t scratch;
    __asm__ volatile("push %1\n\t"
                     "lea 1f(%%rip), %0\n\t"
                     "push %0\n\t"
                     "lretq\n"
                     "1:"
                     : "=&r"(scratch)
                     : "r"((uint64_t)selector)
                     : "memory");
}

/* Loads DS, ES, SS with selector and FS, GS with the null selector. */
DEFINE_INSTRUCTION(
    load_data_segments, (uint16_t selector),
    "mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%ss\n\tmov %1, %%fs\n\tmov %1, %%gs",
    "r"(selector), "r"((uint16_t)0))

/* Reads the pointer at the start of the GS segment: the CPU's struct cpu. */
static inline void *read_gs_pointer(void)
{
    void *pointer;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(pointer));
    return pointer;
}

/*
 * Loads CR4, which sets CET, and SSP from IA32_PL0_SSP. No call or return may be between
 * them, nor a return after them that has no call there.
 */
static inline __attribute__((always_inline)) void shadow_stack_switch(uint64_t cr4)
{
    __asm__ volatile("mov %0, %%cr4\n\tsetssbsy" : : "r"(cr4) : "memory");
}

/* Writes to a shadow stack; IA32_S_CET must allow it. */
DEFINE_INSTRUCTION(shadow_stack_write, (uint64_t * at, uint64_t value), "wrssq %0, (%1)",
                   "r"(value), "r"(at))

DEFINE_INSTRUCTION(interrupts_disable, (void), "cli")

/* Halts until an NMI; for a CPU that has stopped. */
DEFINE_INSTRUCTION(halt, (void), "hlt")

/*
 * Enables interrupts, halts until one has been handled, and disables them again. STI
 * takes effect after the next instruction, so no interrupt is handled before HLT.
 */
DEFINE_INSTRUCTION(halt_until_interrupt, (void), "sti\n\thlt\n\tcli")

/* Enables interrupts for one instruction, to handle those that are pending. */
DEFINE_INSTRUCTION(interrupts_handle_pending, (void), "sti\n\tnop\n\tcli")

/* Calls the handler of an NMI or a machine check that caused a VM exit. */
DEFINE_INSTRUCTION(raise_nmi, (void), "int $2")
DEFINE_INSTRUCTION(raise_machine_check, (void), "int $18")

/* Raises #UD; for the self-test. */
DEFINE_INSTRUCTION(undefined_instruction, (void), "ud2")

/* Writes back and invalidates the cache line of address: the next read is from memory. */
DEFINE_INSTRUCTION(cache_line_flush, (const volatile void *address),
                   "mfence\n\tclflush (%0)\n\tmfence", "r"(address))

/* Orders all accesses before it before all after it, including WRMSR. */
DEFINE_INSTRUCTION(memory_fence, (void), "mfence\n\tlfence")

DEFINE_INSTRUCTION(cpu_pause, (void), "pause")

#endif
