/* See comparison.h. */
#include "check/comparison.h"

#include "lib/string.h"

/* A 32-bit register of CPUID, or another number, in the record. */
static const struct word {
    struct register_row row;
    uint32_t ignored; /* bits that show the operating system's settings */
} words[] = {
#define WORD(name, member, ...)                                     \
    {                                                               \
        {name, 0, offsetof(struct cpu_record, member)}, __VA_ARGS__ \
    }
    WORD("CPUID.00H:EAX", cpuid.leaf_0.eax, 0),
    WORD("CPUID.00H:EBX", cpuid.leaf_0.ebx, 0),
    WORD("CPUID.00H:ECX", cpuid.leaf_0.ecx, 0),
    WORD("CPUID.00H:EDX", cpuid.leaf_0.edx, 0),
    WORD("CPUID.01H:EAX", cpuid.leaf_1.eax, 0),
    WORD("CPUID.01H:ECX", cpuid.leaf_1.ecx, CPUID_1_ECX_OSXSAVE),
    WORD("CPUID.01H:EDX", cpuid.leaf_1.edx, 0),
    WORD("CPUID.07H:EBX", cpuid.leaf_7.ebx, 0),
    WORD("CPUID.07H:ECX", cpuid.leaf_7.ecx, CPUID_7_ECX_OSPKE),
    WORD("CPUID.07H:EDX", cpuid.leaf_7.edx, 0),
    WORD("CPUID.0DH.1:EAX", cpuid.leaf_d_1.eax, 0),
    WORD("CPUID.1AH:EAX", cpuid.leaf_1a.eax, 0),
    WORD("CPUID.80000001H:ECX", cpuid.leaf_80000001.ecx, 0),
    WORD("CPUID.80000001H:EDX", cpuid.leaf_80000001.edx, 0),
    WORD("CPUID.80000007H:EDX", cpuid.leaf_80000007.edx, 0),
    WORD("CPUID.80000008H:EAX", cpuid.leaf_80000008.eax, 0),
    WORD("microcode revision", microcode, 0),
#undef WORD
};

static const struct register_row *find_row(const struct virtualization *virtualization,
                                           size_t row)
{
    return row < ARRAY_SIZE(words) ? &words[row].row
                                   : &virtualization->registers[row - ARRAY_SIZE(words)];
}

size_t comparison_count(const struct virtualization *virtualization)
{
    return ARRAY_SIZE(words) + virtualization->compared_count;
}

const char *comparison_name(const struct virtualization *virtualization, size_t row)
{
    return find_row(virtualization, row)->name;
}

uint32_t comparison_msr(const struct virtualization *virtualization, size_t row)
{
    return find_row(virtualization, row)->msr;
}

/* Reads a row of a record. A microcode revision of 0 is unknown. */
static struct msr_reading read_row(size_t row, const struct cpu_record *record)
{
    size_t offset      = find_row(record->virtualization, row)->offset;
    const void *member = (const char *)record + offset;

    if (row >= ARRAY_SIZE(words))
        return *(const struct msr_reading *)member;
    uint32_t value = *(const uint32_t *)member & ~words[row].ignored;
    bool is_known  = value != 0 || offset != offsetof(struct cpu_record, microcode);
    return (struct msr_reading){.value = value,
                                .state = is_known ? MSR_READ : MSR_NOT_READ};
}

bool comparison_append_value(size_t row, const struct cpu_record *record,
                             struct text *text)
{
    const struct msr_reading reading = read_row(row, record);

    if (reading.state == MSR_READ)
        text_append(text, "0x%lx", reading.value);
    else if (reading.state == MSR_FAULTED)
        text_append(text, "exception %u", reading.vector);
    else
        text_append(text, "none");
    return reading.state != MSR_NOT_READ;
}

/* Returns whether two CPUs answered and have the same value in a row. */
static bool is_same(size_t row, const struct cpu_record *a, const struct cpu_record *b)
{
    if (a->answer != CPU_ANSWERED || b->answer != CPU_ANSWERED)
        return false;
    const struct msr_reading of_a = read_row(row, a), of_b = read_row(row, b);
    return of_a.state == of_b.state && of_a.value == of_b.value &&
           of_a.vector == of_b.vector;
}

static bool are_alike(const struct cpu_record *a, const struct cpu_record *b)
{
    size_t row = 0;
    while (row < comparison_count(a->virtualization) && is_same(row, a, b))
        row++;
    return row == comparison_count(a->virtualization);
}

size_t comparison_first_alike(const struct cpu_record *records, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (are_alike(&records[i], &records[index]))
            return i;
    }
    return index;
}

/* Returns whether the CPU answered and is the first with its value in a row. */
static bool is_first_with_value(size_t row, const struct cpu_record *records,
                                size_t index)
{
    size_t i = 0;
    while (i < index && !is_same(row, &records[i], &records[index]))
        i++;
    return i == index && records[index].answer == CPU_ANSWERED;
}

bool comparison_differs(size_t row, const struct cpu_record *records, size_t count)
{
    size_t values = 0;
    for (size_t i = 0; i < count; i++)
        values += is_first_with_value(row, records, i) ? 1 : 0;
    return values > 1;
}

/* Appends the numbers of the CPUs that have the value of the one at index, as ranges. */
static void append_cpus(size_t row, const struct cpu_record *records, size_t count,
                        size_t index, struct text *text)
{
    for (size_t i = index; i < count; i++) {
        size_t first = i;
        while (i < count && is_same(row, &records[i], &records[index]))
            i++;
        if (i > first)
            text_append(text, "%s%zu", text->length > 0 ? "," : "", first);
        if (i > first + 1)
            text_append(text, "-%zu", i - 1);
    }
    if (text->length + 1 >= text->size) /* truncated */
        memcpy(text->buffer + text->size - 4, "...", 4);
}

void comparison_visit_values(size_t row, const struct cpu_record *records, size_t count,
                             comparison_visit *visit, void *context)
{
    for (size_t i = 0; i < count; i++) {
        TEXT_DECLARE(value, COMPARISON_VALUE_SIZE);
        TEXT_DECLARE(cpus, COMPARISON_CPUS_SIZE);
        if (!is_first_with_value(row, records, i))
            continue;
        comparison_append_value(row, &records[i], &value);
        append_cpus(row, records, count, i, &cpus);
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
        if (records[i].answer != CPU_ANSWERED ||
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
