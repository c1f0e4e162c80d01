/* See comparison.h. */
#include "check/comparison.h"

#include "lib/string.h"

/* Without the bits that show the operating system's settings: OSXSAVE, OSPKE. */
#define LEAF_1_ECX (~(uint32_t)BIT(27))
#define LEAF_7_ECX (~(uint32_t)BIT(4))

/* A 32-bit register of CPUID, or another number, in the record. */
static const struct word {
    const char *name;
    size_t offset;
    uint32_t mask;
} words[] = {
#define WORD(name, member, mask)                        \
    {                                                   \
        name, offsetof(struct cpu_record, member), mask \
    }
    WORD("CPUID.00H:EAX", cpuid.leaf_0.eax, UINT32_MAX),
    WORD("CPUID.00H:EBX", cpuid.leaf_0.ebx, UINT32_MAX),
    WORD("CPUID.00H:ECX", cpuid.leaf_0.ecx, UINT32_MAX),
    WORD("CPUID.00H:EDX", cpuid.leaf_0.edx, UINT32_MAX),
    WORD("CPUID.01H:EAX", cpuid.leaf_1.eax, UINT32_MAX),
    WORD("CPUID.01H:ECX", cpuid.leaf_1.ecx, LEAF_1_ECX),
    WORD("CPUID.01H:EDX", cpuid.leaf_1.edx, UINT32_MAX),
    WORD("CPUID.07H:EBX", cpuid.leaf_7.ebx, UINT32_MAX),
    WORD("CPUID.07H:ECX", cpuid.leaf_7.ecx, LEAF_7_ECX),
    WORD("CPUID.07H:EDX", cpuid.leaf_7.edx, UINT32_MAX),
    WORD("CPUID.0DH.1:EAX", cpuid.leaf_d_1.eax, UINT32_MAX),
    WORD("CPUID.1AH:EAX", cpuid.leaf_1a.eax, UINT32_MAX),
    WORD("CPUID.80000001H:ECX", cpuid.leaf_80000001.ecx, UINT32_MAX),
    WORD("CPUID.80000001H:EDX", cpuid.leaf_80000001.edx, UINT32_MAX),
    WORD("CPUID.80000007H:EDX", cpuid.leaf_80000007.edx, UINT32_MAX),
    WORD("CPUID.80000008H:EAX", cpuid.leaf_80000008.eax, UINT32_MAX),
    WORD("microcode revision", microcode, UINT32_MAX),
#undef WORD
};

/* 0 if there is none to be known. */
#define MICROCODE offsetof(struct cpu_record, microcode)

size_t comparison_count(const struct virtualization *virtualization)
{
    return ARRAY_SIZE(words) + virtualization->compared_count;
}

const char *comparison_name(const struct virtualization *virtualization, size_t row)
{
    return row < ARRAY_SIZE(words)
               ? words[row].name
               : virtualization->registers[row - ARRAY_SIZE(words)].name;
}

uint32_t comparison_msr(const struct virtualization *virtualization, size_t row)
{
    return row < ARRAY_SIZE(words)
               ? 0
               : virtualization->registers[row - ARRAY_SIZE(words)].msr;
}

struct msr_reading comparison_reading(size_t row, const struct cpu_record *record)
{
    const char *bytes = (const char *)record;

    if (row < ARRAY_SIZE(words)) {
        uint32_t word = *(const uint32_t *)(bytes + words[row].offset);
        bool is_known = words[row].offset != MICROCODE || word != 0;
        return (struct msr_reading){.value = word & words[row].mask,
                                    .state = is_known ? MSR_READ : MSR_NOT_READ};
    }
    const struct virtualization *virtualization = record->virtualization;
    size_t index                                = row - ARRAY_SIZE(words);
    return *(const struct msr_reading *)(bytes + virtualization->registers[index].offset);
}

/* Returns whether both CPUs, which answered, have the same in a register, or in all. */
static bool is_same(size_t row, const struct cpu_record *a, const struct cpu_record *b)
{
    struct msr_reading of_a = comparison_reading(row, a);
    struct msr_reading of_b = comparison_reading(row, b);

    return of_a.state == of_b.state && of_a.value == of_b.value &&
           of_a.vector == of_b.vector;
}

static bool are_alike(const struct cpu_record *a, const struct cpu_record *b)
{
    for (size_t row = 0; row < comparison_count(a->virtualization); row++) {
        if (!is_same(row, a, b))
            return false;
    }
    return true;
}

static bool has_answered(const struct cpu_record *record)
{
    return record->answer == CPU_ANSWERED;
}

size_t comparison_first_alike(const struct cpu_record *records, size_t index)
{
    for (size_t i = 0; i < index && has_answered(&records[index]); i++) {
        if (has_answered(&records[i]) && are_alike(&records[i], &records[index]))
            return i;
    }
    return index;
}

/* The first CPU with the value that the one of index has in the register. */
static size_t first_with_value(size_t row, const struct cpu_record *records, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (has_answered(&records[i]) && is_same(row, &records[i], &records[index]))
            return i;
    }
    return index;
}

bool comparison_differs(size_t row, const struct cpu_record *records, size_t count)
{
    size_t values = 0;

    for (size_t i = 0; i < count; i++) {
        if (has_answered(&records[i]) && first_with_value(row, records, i) == i)
            values++;
    }
    return values > 1;
}

void comparison_append_reading(const struct msr_reading *reading, struct text *text)
{
    if (reading->state == MSR_READ)
        text_append(text, "0x%lx", reading->value);
    else if (reading->state == MSR_FAULTED)
        text_append(text, "exception %u", reading->vector);
    else
        text_append(text, "none");
}

/* True if the CPU has the same in a register as the one of index. */
static bool has_same_value(size_t row, const struct cpu_record *records, size_t index,
                           size_t cpu)
{
    return has_answered(&records[cpu]) && is_same(row, &records[cpu], &records[index]);
}

/* Appends the numbers of the CPUs that have the value of the one of index, as ranges. */
static void append_cpus(size_t row, const struct cpu_record *records, size_t count,
                        size_t index, struct text *text)
{
    for (size_t i = index; i < count; i++) {
        if (!has_same_value(row, records, index, i))
            continue;
        size_t first = i;
        while (i + 1 < count && has_same_value(row, records, index, i + 1))
            i++;
        text_append(text, "%s%zu", text->length > 0 ? "," : "", first);
        if (i > first)
            text_append(text, "-%zu", i);
    }
}

/* A list that filled its text was cut. */
static void end_in_dots(struct text *text)
{
    if (text->length + 1 >= text->size)
        memcpy(text->buffer + text->size - 4, "...", 4);
}

void comparison_visit_values(size_t row, const struct cpu_record *records, size_t count,
                             comparison_visit *visit, void *context)
{
    for (size_t i = 0; i < count; i++) {
        TEXT_DECLARE(value, 24);
        TEXT_DECLARE(cpus, COMPARISON_CPUS_SIZE);
        if (!has_answered(&records[i]) || first_with_value(row, records, i) != i)
            continue;
        struct msr_reading reading = comparison_reading(row, &records[i]);
        comparison_append_reading(&reading, &value);
        append_cpus(row, records, count, i, &cpus);
        end_in_dots(&cpus);
        visit(value.buffer, cpus.buffer, context);
    }
}

bool comparison_usable(const struct cpu_record *records, size_t count,
                       struct capability_set *usable)
{
    const struct virtualization *virtualization = records[0].virtualization;
    bool has_any                                = false;

    *usable = (struct capability_set){0};
    for (size_t i = 0; i < count; i++) {
        struct capability_set own;
        if (!has_answered(&records[i]) ||
            !virtualization->read_capabilities(&records[i], &own))
            continue;
        if (has_any)
            capability_set_intersect(virtualization->capability_table, usable, &own);
        else
            *usable = own;
        has_any = true;
    }
    return has_any;
}
