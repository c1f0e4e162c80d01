/* See setup.h. */
#include "cpu/setup.h"

#include "cpu/cpuid.h"
#include "cpu/inherited_state.h"
#include "cpu/machine_check.h"
#include "cpu/traps.h"
#include "x86/msr.h"
#include "x86/paging.h"

/* SDM 3A, "64-Bit Mode IDT", figure "64-Bit IDT Gate Descriptors": two quadwords each. */
static uint64_t idt[VECTOR_COUNT][2];

/* The interrupt stack of each vector; 0: the current stack. */
static const uint8_t interrupt_stacks[VECTOR_COUNT] = {
    [VECTOR_DF]  = INTERRUPT_STACK_DOUBLE_FAULT,
    [VECTOR_NMI] = INTERRUPT_STACK_NMI,
    [VECTOR_MC]  = INTERRUPT_STACK_MACHINE_CHECK,
};

static void fill_idt(void)
{
    for (unsigned int vector = 0; vector < VECTOR_COUNT; vector++) {
        uint64_t stub  = trap_stubs[vector];
        idt[vector][0] = BITS_GET(stub, 15, 0) | SELECTOR_CODE << 16 |
                         (uint64_t)interrupt_stacks[vector] << 32 |
                         GATE_PRESENT_INTERRUPT | BITS_GET(stub, 31, 16) << 48;
        idt[vector][1] = stub >> 32;
    }
}

static void fill_tss(struct cpu *cpu)
{
    uintptr_t fatal = (uintptr_t)(cpu->stacks->fatal + FATAL_STACK_SIZE);

    cpu->tss.ist[INTERRUPT_STACK_DOUBLE_FAULT - 1]  = fatal;
    cpu->tss.ist[INTERRUPT_STACK_MACHINE_CHECK - 1] = fatal;
    cpu->tss.ist[INTERRUPT_STACK_NMI - 1] =
        (uintptr_t)(cpu->stacks->nmi + NMI_STACK_SIZE);
    /* Beyond the limit: no I/O permission bitmap. */
    cpu->tss.io_map_base = sizeof(cpu->tss);
}

static void fill_gdt(struct cpu *cpu)
{
    uint64_t base  = (uintptr_t)&cpu->tss;
    uint64_t limit = sizeof(cpu->tss) - 1;

    cpu->gdt[SELECTOR_CODE / 8] = CODE_DESCRIPTOR;
    cpu->gdt[SELECTOR_DATA / 8] = DATA_DESCRIPTOR;
    cpu->gdt[SELECTOR_TSS / 8]  = DESCRIPTOR_PRESENT | DESCRIPTOR_TSS | limit |
                                 BITS_GET(base, 23, 0) << 16 |
                                 BITS_GET(base, 31, 24) << 56;
    cpu->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

/* Returns the bits of CR4 by which the processor refuses what Hymir never does. */
static uint64_t protections(void)
{
    struct cpuid_result features =
        cpuid_read_existing(CPUID_LEAF_STRUCTURED_FEATURES, 0, cpuid);
    uint64_t bits = 0;

    if ((features.ebx & CPUID_7_EBX_SMEP) != 0)
        bits |= CR4_SMEP;
    if ((features.ebx & CPUID_7_EBX_SMAP) != 0)
        bits |= CR4_SMAP;
    if ((features.ecx & CPUID_7_ECX_UMIP) != 0)
        bits |= CR4_UMIP;
    return bits;
}

static void enable_features(void)
{
    uint32_t features = cpuid(CPUID_LEAF_FEATURES, 0).edx;

    if ((features & CPUID_1_EDX_MCE) != 0)
        write_cr4(read_cr4() | CR4_MCE);
    write_cr4(read_cr4() | protections());
    machine_check_enable();
    if ((features & CPUID_1_EDX_PAT) != 0)
        wrmsr(MSR_IA32_PAT, PAT_WITH_PWT(PAT_WRITE_COMBINING));
}

void cpu_setup(struct cpu *cpu)
{
    const struct descriptor_table_register gdtr = {.limit = sizeof(cpu->gdt) - 1,
                                                   .base  = (uintptr_t)cpu->gdt};
    const struct descriptor_table_register idtr = {.limit = sizeof(idt) - 1,
                                                   .base  = (uintptr_t)idt};

    cpu->self = cpu;
    if (cpu == &boot_cpu)
        fill_idt();
    fill_tss(cpu);
    fill_gdt(cpu);
    lgdt(&gdtr);
    load_cs(SELECTOR_CODE);
    load_data_segments(SELECTOR_DATA);
    lldt(SELECTOR_NULL);
    wrmsr(MSR_IA32_GS_BASE, (uintptr_t)cpu);
    ltr(SELECTOR_TSS);
    lidt(&idtr);
    inherited_state_clear(cpu);
    enable_features();
}

uint64_t cpu_idt_base(void)
{
    return (uintptr_t)idt;
}
