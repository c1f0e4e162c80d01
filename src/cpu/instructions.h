/*
 * One instruction per function: the only inline assembly outside vmx/instructions.h.
 *
 * SDM 2, "Instruction Set Reference". The functions named *_safe handle an exception: the
 * exception table (cpu/traps.h) resumes after the instruction, and the function returns
 * the exception.
 */
#ifndef HYMIR_CPU_INSTRUCTIONS_H
#define HYMIR_CPU_INSTRUCTIONS_H

#include "lib/bits.h"
#include "x86/cpuid.h"
#include "x86/debug_registers.h"

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

static inline uint8_t io_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void io_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint16_t io_in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void io_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result result;
    __asm__ volatile("cpuid"
                     : "=a"(result.eax), "=b"(result.ebx), "=c"(result.ecx),
                       "=d"(result.edx)
                     : "a"(leaf), "c"(subleaf));
    return result;
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* The low half of the TSC, for short distances. */
static inline uint32_t rdtsc_low(void)
{
    uint32_t low;
    __asm__ volatile("rdtsc" : "=a"(low) : : "edx", "memory");
    return low;
}

/* Reads an MSR that is known to exist; an exception is a bug in Hymir. */
static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

/* Writes an MSR that is known to exist; an exception is a bug in Hymir. */
static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

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

/* Writes an MSR that may not exist, or a value that it may not accept. */
static inline uint32_t wrmsr_safe(uint32_t msr, uint64_t value)
{
    register uint64_t fault __asm__("r11") = FAULT_NONE;
    __asm__ volatile("1: wrmsr\n2:\n\t" EXCEPTION_TABLE_ROW
                     : "+r"(fault)
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
    return (uint32_t)fault;
}

#define DEFINE_READ(function, name)                                        \
    static inline uint64_t function(void)                                  \
    {                                                                      \
        uint64_t value;                                                    \
        __asm__ volatile("mov %%" name ", %0" : "=r"(value) : : "memory"); \
        return value;                                                      \
    }
DEFINE_READ(read_cr0, "cr0")
DEFINE_READ(read_cr2, "cr2")
DEFINE_READ(read_cr3, "cr3")
DEFINE_READ(read_cr4, "cr4")

#define DEFINE_WRITE(function, name)                                   \
    static inline void function(uint64_t value)                        \
    {                                                                  \
        __asm__ volatile("mov %0, %%" name : : "r"(value) : "memory"); \
    }
DEFINE_WRITE(write_cr2, "cr2")
DEFINE_WRITE(write_cr3, "cr3")
DEFINE_WRITE(write_cr4, "cr4")

/* Writes a control register with bits that the processor may not accept. */
#define DEFINE_WRITE_SAFE(function, name)                                    \
    static inline uint32_t function(uint64_t value)                          \
    {                                                                        \
        register uint64_t fault __asm__("r11") = FAULT_NONE;                 \
        __asm__ volatile("1: mov %1, %%" name "\n2:\n\t" EXCEPTION_TABLE_ROW \
                         : "+r"(fault)                                       \
                         : "r"(value)                                        \
                         : "memory");                                        \
        return (uint32_t)fault;                                              \
    }
DEFINE_WRITE_SAFE(write_cr0_safe, "cr0")
DEFINE_WRITE_SAFE(write_cr4_safe, "cr4")

static inline void invlpg(const volatile void *address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* The operand of LGDT and LIDT, and of SGDT and SIDT. */
struct __attribute__((packed)) descriptor_table_register {
    uint16_t limit;
    uint64_t base;
};
_Static_assert(sizeof(struct descriptor_table_register) == 10, "SDM 2, LGDT/LIDT");

static inline void lgdt(const struct descriptor_table_register *gdtr)
{
    __asm__ volatile("lgdt %0" : : "m"(*gdtr) : "memory");
}

static inline void lidt(const struct descriptor_table_register *idtr)
{
    __asm__ volatile("lidt %0" : : "m"(*idtr) : "memory");
}

static inline void ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

static inline void lldt(uint16_t selector)
{
    __asm__ volatile("lldt %0" : : "r"(selector));
}

/* Loads CS by a far return to the next instruction. */
static inline void load_cs(uint16_t selector)
{
    uint64_t scratch;
    __asm__ volatile("sub $16, %%rsp\n\t"
                     "lea 1f(%%rip), %0\n\t"
                     "mov %0, (%%rsp)\n\t"
                     "mov %1, 8(%%rsp)\n\t"
                     "lretq\n"
                     "1:"
                     : "=&r"(scratch)
                     : "r"((uint64_t)selector)
                     : "memory", "cc");
}

/* Loads DS, ES, SS with selector and FS, GS with the null selector. */
static inline void load_data_segments(uint16_t selector)
{
    __asm__ volatile("mov %0, %%ds\n\t"
                     "mov %0, %%es\n\t"
                     "mov %0, %%ss\n\t"
                     "mov %1, %%fs\n\t"
                     "mov %1, %%gs"
                     :
                     : "r"(selector), "r"((uint16_t)0)
                     : "memory");
}

/* Reads the pointer at the start of the GS segment: the CPU's struct cpu. */
static inline void *read_gs_pointer(void)
{
    void *pointer;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(pointer));
    return pointer;
}

static inline void interrupts_disable(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* Halts until an NMI; for a CPU that has stopped. */
static inline void halt(void)
{
    __asm__ volatile("hlt" : : : "memory");
}

/*
 * Enables interrupts, halts until one has been handled, and disables them again. STI
 * takes effect after the next instruction, so no interrupt is handled before HLT.
 */
static inline void halt_until_interrupt(void)
{
    __asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

/* Writes count quadwords of zero. */
static inline void clear_quadwords(void *address, uint64_t count)
{
    __asm__ volatile("rep stosq"
                     : "+D"(address), "+c"(count)
                     : "a"(UINT64_C(0))
                     : "memory");
}

/* Writes back and invalidates the cache line of address: the next read is from memory. */
static inline void cache_line_flush(const volatile void *address)
{
    __asm__ volatile("mfence\n\tclflush (%0)\n\tmfence" : : "r"(address) : "memory");
}

/* Orders all accesses before it before all after it, including WRMSR. */
static inline void memory_fence(void)
{
    __asm__ volatile("mfence\n\tlfence" : : : "memory");
}

static inline void cpu_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

static inline uint64_t xgetbv(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* Writes XCR0 with a value that it may not accept. Requires CR4.OSXSAVE. */
static inline uint32_t xsetbv_safe(uint64_t value)
{
    register uint64_t fault __asm__("r11") = FAULT_NONE;
    __asm__ volatile("1: xsetbv\n2:\n\t" EXCEPTION_TABLE_ROW
                     : "+r"(fault)
                     : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
    return (uint32_t)fault;
}

/* Restores the state components in mask from an XSAVE area. */
static inline void xrstor(const void *area, uint64_t mask)
{
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
                     : "memory");
}

static inline void fxrstor(const void *area)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

/* Resets the debug registers that VM entry and VM exit do not load. */
static inline void clear_debug_registers(void)
{
    __asm__ volatile("mov %0, %%dr0\n\t"
                     "mov %0, %%dr1\n\t"
                     "mov %0, %%dr2\n\t"
                     "mov %0, %%dr3\n\t"
                     "mov %1, %%dr6"
                     :
                     : "r"(UINT64_C(0)), "r"(DR6_AFTER_RESET));
}

static inline uint64_t read_dr6(void)
{
    uint64_t value;
    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

static inline void write_dr6(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr6" : : "r"(value));
}

/* Enables interrupts for one instruction, to handle those that are pending. */
static inline void interrupts_handle_pending(void)
{
    __asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
}

/* Calls the #MC handler; for a machine check that caused a VM exit. */
static inline void raise_machine_check(void)
{
    __asm__ volatile("int $18" : : : "memory");
}

/* Calls the NMI handler; for an NMI that caused a VM exit. */
static inline void raise_nmi(void)
{
    __asm__ volatile("int $2" : : : "memory");
}

/* Raises #UD; for the self-test. */
static inline void undefined_instruction(void)
{
    __asm__ volatile("ud2");
}

#endif
