/* See virtualization.h. */
#include "virt/virtualization.h"

#include "lib/string.h"
#include "x86/paging.h"

/* SDM 3A, "4-Level Paging and 5-Level Paging". */
const struct nested_format trial_paging_format = {
    .table = {PAGE_ENTRY_PRESENT, PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE},
    .leaf  = PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE};

struct page_pool trial_map_pages(const struct trial *trial, size_t index,
                                 const struct nested_format *format)
{
    struct page_pool tables = {.pages = trial_page(trial, index),
                               .count = TRIAL_TABLE_PAGES};
    hpa_t start             = hpa_of(trial->pages);

    memset(tables.pages, 0, TRIAL_TABLE_PAGES * PAGE_SIZE);
    (void)!nested_paging_map(format, &tables, gpa(start.value), start,
                             trial->record.virtualization->trial_pages * PAGE_SIZE);
    return tables;
}

bool trial_exits_add(struct trial_exits *exits, uint64_t number)
{
    if (exits->count < ARRAY_SIZE(exits->number))
        exits->number[exits->count] = number;
    return exits->count++ < TRIAL_EXITS_MAX;
}

void trial_exits_append(const struct trial_exits *exits, const char *name,
                        struct text *text)
{
    text_append(text, "VM exits: %u", exits->count);
    if (exits->count == 1)
        text_append(text, ", %s 0x%lx", name, exits->number[0]);
    else if (exits->count > 1)
        text_append(text, "%s %ss 0x%lx and 0x%lx",
                    exits->count > 2 ? ", the first two with" : ",", name,
                    exits->number[0], exits->number[1]);
}

const struct virtualization *
virtualization_find(const struct virtualization *const *vendors, size_t count,
                    const struct cpuid_snapshot *cpuid)
{
    for (size_t i = 0; i < count; i++) {
        if (vendors[i]->is_offered(cpuid))
            return vendors[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (vendors[i]->is_usual != NULL && vendors[i]->is_usual(cpuid))
            return vendors[i];
    }
    return vendors[0];
}

const char *virtualization_name(const struct cpu_record *record)
{
    const struct virtualization *tried = record->virtualization;
    return tried->is_offered(&record->cpuid) ? tried->name : "virtualization";
}

enum verdict_word virtualization_word_if_not_offered(const struct cpu_record *record)
{
    return cpuid_has_hypervisor(&record->cpuid) ? VERDICT_HIDDEN_BY_HYPERVISOR
                                                : VERDICT_NO_VIRTUALIZATION;
}

struct msr_reading record_register(const struct cpu_record *record,
                                   const struct register_row *row)
{
    const void *member = (const char *)record + row->offset;

    if (row->msr != 0)
        return *(const struct msr_reading *)member;
    return (struct msr_reading){.value = *(const uint32_t *)member, .state = MSR_READ};
}

struct msr_reading record_msr(const struct cpu_record *record, uint32_t msr)
{
    const struct virtualization *virtualization = record->virtualization;

    for (size_t i = 0; i < virtualization->register_count; i++) {
        const struct register_row *row = &virtualization->registers[i];
        if (msr != 0 && row->msr == msr)
            return record_register(record, row);
    }
    return (struct msr_reading){.state = MSR_NOT_READ};
}
