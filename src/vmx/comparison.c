/* See comparison.h. */
#include "vmx/comparison.h"

#include "lib/string.h"
#include "vmx/capability_rows.h"

/* Bits that the operating system's settings show in, and not the processor: OSXSAVE. */
#define LEAF_1_ECX (~(uint32_t)BIT(27))
#define LEAF_7_ECX (~(uint32_t)BIT(4)) /* OSPKE */

/* A 32-bit register of CPUID, or another number, in the snapshot. */
static const struct word {
    const char *name;
    size_t offset;
    uint32_t mask;
} words[] = {
#define WORD(name, member, mask)                          \
    {                                                     \
        name, offsetof(struct vmx_snapshot, member), mask \
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
#define MICROCODE offsetof(struct vmx_snapshot, microcode)

/* MSRs beside the VMX ones. */
static const struct {
    const char *name;
    size_t offset;
} msrs[] = {
    {"IA32_FEATURE_CONTROL", offsetof(struct vmx_snapshot, feature_control)},
    {"IA32_MISC_ENABLE", offsetof(struct vmx_snapshot, misc_enable)},
    {"IA32_ARCH_CAPABILITIES", offsetof(struct vmx_snapshot, arch_capabilities)},
};

#define FIRST_MSR ARRAY_SIZE(words)
#define FIRST_VMX (FIRST_MSR + ARRAY_SIZE(msrs))

size_t comparison_count(void)
{
    return FIRST_VMX + VMX_MSR_COUNT;
}

const char *comparison_name(size_t row)
{
    if (row < FIRST_MSR)
        return words[row].name;
    if (row < FIRST_VMX)
        return msrs[row - FIRST_MSR].name;
    return vmx_msr_name((enum vmx_msr)(VMX_MSR_FIRST + (row - FIRST_VMX)));
}

uint32_t comparison_vmx_msr(size_t row)
{
    return row < FIRST_VMX ? 0 : VMX_MSR_FIRST + (uint32_t)(row - FIRST_VMX);
}

struct msr_reading comparison_reading(size_t row, const struct vmx_record *record)
{
    const char *snapshot = (const char *)&record->before;

    if (row < FIRST_MSR) {
        uint32_t word = *(const uint32_t *)(snapshot + words[row].offset);
        bool is_known = words[row].offset != MICROCODE || word != 0;
        return (struct msr_reading){.value = word & words[row].mask,
                                    .state = is_known ? MSR_READ : MSR_NOT_READ};
    }
    if (row < FIRST_VMX)
        return *(const struct msr_reading *)(snapshot + msrs[row - FIRST_MSR].offset);
    return record->before.capabilities.msr[row - FIRST_VMX];
}

/* True if both CPUs, which answered, have the same in a register, or in all. */
static bool is_same(size_t row, const struct vmx_record *a, const struct vmx_record *b)
{
    struct msr_reading of_a = comparison_reading(row, a);
    struct msr_reading of_b = comparison_reading(row, b);

    return of_a.state == of_b.state && of_a.value == of_b.value &&
           of_a.vector == of_b.vector;
}

static bool are_alike(const struct vmx_record *a, const struct vmx_record *b)
{
    for (size_t row = 0; row < comparison_count(); row++) {
        if (!is_same(row, a, b))
            return false;
    }
    return true;
}

static bool has_answered(const struct vmx_record *record)
{
    return record->answer == CPU_ANSWERED;
}

size_t comparison_first_alike(const struct vmx_record *records, size_t index)
{
    for (size_t i = 0; i < index && has_answered(&records[index]); i++) {
        if (has_answered(&records[i]) && are_alike(&records[i], &records[index]))
            return i;
    }
    return index;
}

/* The first CPU with the value that the one of index has in the register. */
static size_t first_with_value(size_t row, const struct vmx_record *records, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (has_answered(&records[i]) && is_same(row, &records[i], &records[index]))
            return i;
    }
    return index;
}

bool comparison_differs(size_t row, const struct vmx_record *records, size_t count)
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
static bool has_same_value(size_t row, const struct vmx_record *records, size_t index,
                           size_t cpu)
{
    return has_answered(&records[cpu]) && is_same(row, &records[cpu], &records[index]);
}

/* Appends the numbers of the CPUs that have the value of the one of index, as ranges. */
static void append_cpus(size_t row, const struct vmx_record *records, size_t count,
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

void comparison_visit_values(size_t row, const struct vmx_record *records, size_t count,
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

bool comparison_usable(const struct vmx_record *records, size_t count,
                       struct vmx_capabilities *usable)
{
    bool is_first = true;

    for (size_t i = 0; i < count; i++) {
        const struct vmx_capabilities *own = &records[i].before.capabilities;
        if (!has_answered(&records[i]) ||
            vmx_capability(own, MSR_IA32_VMX_BASIC)->state != MSR_READ)
            continue;
        if (is_first)
            *usable = *own;
        else
            capabilities_intersect(usable, own);
        is_first = false;
    }
    return !is_first;
}
