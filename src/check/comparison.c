/* See comparison.h. */
#include "check/comparison.h"

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

/* Reads a row of a record. A microcode revision of 0 is unknown. */
static struct msr_reading read_row(size_t row, const struct cpu_record *record)
{
    const struct register_row *found = find_row(record->virtualization, row);
    struct msr_reading reading       = record_register(record, found);

    if (row < ARRAY_SIZE(words))
        reading.value &= ~(uint64_t)words[row].ignored;
    if (reading.value == 0 && found->offset == offsetof(struct cpu_record, microcode))
        reading.state = MSR_NOT_READ;
    return reading;
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

/* The CPUs with the same value of a row as the one at index. */
struct alike {
    size_t row;
    const struct cpu_record *records;
    size_t count, index;
};

/* Returns the first of them from start on, or count. */
static size_t find_alike(const struct alike *alike, size_t start)
{
    const struct cpu_record *records = alike->records;
    while (start < alike->count &&
           !is_same(alike->row, &records[start], &records[alike->index]))
        start++;
    return start;
}

/* Appends the first CPU, or a range that it starts. Returns the next CPU, or count. */
static size_t append_range(const struct alike *alike, size_t first, struct text *text)
{
    size_t last = first, next = find_alike(alike, first + 1);
    size_t step = next - first;

    text_append(text, "%s%zu", text->length > 0 ? "," : "", first);
    if (step > 1 && find_alike(alike, next + 1) != next + step)
        return next; /* two alone are no range */
    while (next < alike->count && next == last + step) {
        last = next;
        next = find_alike(alike, next + 1);
    }
    if (last > first)
        text_append(text, "-%zu", last);
    if (last > first && step > 1)
        text_append(text, "/%zu", step);
    return next;
}

void comparison_visit_values(size_t row, const struct cpu_record *records, size_t count,
                             comparison_visit *visit, void *context)
{
    static char list[COMPARISON_CPUS_SIZE];

    for (size_t i = 0; i < count; i++) {
        const struct alike alike = {row, records, count, i};
        struct text cpus         = {.buffer = list, .size = sizeof(list)};
        TEXT_DECLARE(value, COMPARISON_VALUE_SIZE);
        if (!is_first_with_value(row, records, i))
            continue;
        comparison_append_value(row, &records[i], &value);
        for (size_t next = i; next < count;)
            next = append_range(&alike, next, &cpus);
        visit(value.buffer, list, context);
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
