/*
 * Turns registers, such as those that tools/decode extracts from a short form, into
 * Hymir's report, with Hymir's own sources built for the host.
 *
 * Standard input: lines "NAME", tab, "VALUE", with the names of the report's registers,
 * and verdict, brand, technology (VT-x unless the first line says AMD-V), and "CPUs that
 * are alike" (1 unless given; 0 if others differ). Standard output: the JSON of
 * docs/REPORT.md.
 */
#include "check/comparison.h"
#include "check/verdict.h"
#include "report/json_report.h"
#include "svm/record.h"
#include "svm/svm.h"
#include "vmx/vmx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct cpu_record records[SMP_MAX_CPUS] = {
    {.virtualization = &vt_x, .answer = CPU_ANSWERED}};
#define record records[0] /* the others are its copies */
static const struct iommus iommus;
static struct report_facts facts = {
    .version      = HYMIR_VERSION,
    .machine      = "unknown",
    .firmware     = "unknown",
    .tsc_source   = "unknown",
    .iommus       = &iommus,
    .records      = records,
    .count        = 1,
    .verdict_text = "",
};

static void write_out(const char *text, size_t length)
{
    fwrite(text, 1, length, stdout);
}

static void set_brand(const char *brand)
{
    strncpy((char *)record.cpuid.leaf_80000002, brand, CPUID_BRAND_SIZE - 1);
}

static bool set_verdict(const char *word)
{
    for (enum verdict_word i = VERDICT_READY; i <= VERDICT_FAILED; i++) {
        if (strcmp(verdict_name(i), word) == 0) {
            facts.verdict = i;
            return true;
        }
    }
    return false;
}

static bool set_technology(const char *name)
{
    static const struct virtualization *const all[] = {&vt_x, &amd_v};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (strcasecmp(all[i]->name, name) == 0) {
            record.virtualization = all[i];
            return true;
        }
    }
    return false;
}

/* Sets an outcome of AMD-V's trial. */
static bool set_svm_outcome(const char *name, uint64_t value)
{
    struct svm_record *own = svm_record_of(&record);
    const struct {
        const char *name;
        uint32_t *word;
        uint64_t *quadword;
    } numbers[] = {
        {"nested paging: VM exits", &own->steps.nested.exits.count, NULL},
        {"nested paging: exit code", NULL, &own->steps.nested.exits.number[0]},
        {"nested paging: RAX", NULL, &own->steps.nested.rax},
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (record.virtualization != &amd_v || strcmp(numbers[i].name, name) != 0)
            continue;
        if (numbers[i].word != NULL)
            *numbers[i].word = (uint32_t)value;
        else
            *numbers[i].quadword = value;
        return true;
    }
    return false;
}

/* Sets a register by its name in the report. */
static bool set_register(const char *name, uint64_t value)
{
    static const struct {
        const char *name;
        uint32_t *word;
    } words[] = {
        {"CPUID.00H:EAX", &record.cpuid.leaf_0.eax},
        {"CPUID.00H:EBX", &record.cpuid.leaf_0.ebx},
        {"CPUID.00H:ECX", &record.cpuid.leaf_0.ecx},
        {"CPUID.00H:EDX", &record.cpuid.leaf_0.edx},
        {"CPUID.01H:EAX", &record.cpuid.leaf_1.eax},
        {"CPUID.01H:ECX", &record.cpuid.leaf_1.ecx},
        {"CPUID.01H:EDX", &record.cpuid.leaf_1.edx},
        {"CPUID.07H:EBX", &record.cpuid.leaf_7.ebx},
        {"CPUID.07H:ECX", &record.cpuid.leaf_7.ecx},
        {"CPUID.07H:EDX", &record.cpuid.leaf_7.edx},
        {"CPUID.0DH.1:EAX", &record.cpuid.leaf_d_1.eax},
        {"CPUID.80000001H:ECX", &record.cpuid.leaf_80000001.ecx},
        {"CPUID.80000001H:EDX", &record.cpuid.leaf_80000001.edx},
        {"CPUID.80000007H:EDX", &record.cpuid.leaf_80000007.edx},
        {"CPUID.80000008H:EAX", &record.cpuid.leaf_80000008.eax},
        {"microcode revision", &record.microcode},
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(words[i].name, name) == 0) {
            *words[i].word = (uint32_t)value;
            return true;
        }
    }
    for (size_t i = 0; i < record.virtualization->register_count; i++) {
        const struct register_row *row = &record.virtualization->registers[i];
        if (strcmp(row->name, name) != 0)
            continue;
        void *member = (char *)&record + row->offset;
        if (row->msr == 0)
            *(uint32_t *)member = (uint32_t)value;
        else
            *(struct msr_reading *)member =
                (struct msr_reading){.value = value, .state = MSR_READ};
        return true;
    }
    return set_svm_outcome(name, value);
}

/* Sets how many CPUs have the record's registers: 0 if those of others are unknown. */
static bool set_alike(unsigned long count)
{
    if (count == 0)
        facts.unseen = "only the registers of one CPU are known";
    else
        facts.count = count;
    return count <= SMP_MAX_CPUS;
}

/* Parses a line; the value follows the last tab. */
static bool parse_line(char *line)
{
    char *tab = strrchr(line, '\t');

    line[strcspn(line, "\n")] = '\0';
    if (tab == NULL)
        return false;
    *tab = '\0';
    if (strcmp(line, "verdict") == 0)
        return set_verdict(tab + 1);
    if (strcmp(line, "technology") == 0)
        return set_technology(tab + 1);
    if (strcmp(line, "CPUs that are alike") == 0)
        return set_alike(strtoul(tab + 1, NULL, 16));
    if (strcmp(line, "brand") == 0) {
        set_brand(tab + 1);
        return true;
    }
    return set_register(line, strtoull(tab + 1, NULL, 16));
}

/*
 * Writes what the registers explain of the verdict: not a failed step of the trial, nor
 * an outer hypervisor, whose signature is not in the input.
 */
static void explain(struct text *text)
{
    struct verdict_scope scope = {.machine = facts.machine};

    if (facts.verdict == VERDICT_READY && facts.unseen == NULL)
        text_append(text, "%s on %zu of %zu CPUs", record.virtualization->success,
                    facts.count, facts.count);
    else if (facts.verdict == VERDICT_FAILED ||
             facts.verdict == VERDICT_HIDDEN_BY_HYPERVISOR ||
             verdict_decide(&record, 1, &scope, text) != facts.verdict)
        text->buffer[0] = '\0';
}

/* Judges the record. The word is that of the input, which has no steps of the trial. */
static void judge(void)
{
    static char buffer[2048];
    struct text text = {.buffer = buffer, .size = sizeof(buffer)};

    record.nolock = facts.verdict == VERDICT_UNLOCKED;
    explain(&text);
    facts.verdict_text = buffer;
    verdict_judge_cpu(&record);
    if (facts.verdict != VERDICT_NONE)
        record.judgement.word = facts.verdict;
    for (size_t i = 1; i < facts.count; i++)
        records[i] = record;
}

int main(void)
{
    char line[256];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (!parse_line(line)) {
            fprintf(stderr, "registers: invalid line \"%s\"\n", line);
            return 1;
        }
    }
    judge();
    json_report_write(&facts, write_out);
    putchar('\n');
    return 0;
}
