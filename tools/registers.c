/*
 * Turns registers, such as those that tools/decode extracts from a short form, into
 * Hymir's report, with Hymir's own sources built for the host.
 *
 * Standard input: lines "NAME", tab, "VALUE", with the names of the report's registers,
 * technology (the first line, unless it is VT-x), verdict and brand. Standard output: the
 * JSON of docs/REPORT.md.
 */
#include "check/comparison.h"
#include "check/verdict.h"
#include "report/json_report.h"
#include "svm/svm.h"
#include "vmx/vmx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cpu_record record = {.virtualization = &vt_x, .answer = CPU_ANSWERED};
static const struct iommus iommus;
static struct report_facts facts = {
    .version      = HYMIR_VERSION,
    .machine      = "unknown",
    .firmware     = "unknown",
    .tsc_source   = "unknown",
    .iommus       = &iommus,
    .records      = &record,
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

/* A short form lacks the CPUID leaf that offers AMD-V, unlike the one on its features. */
static bool set_technology(const char *name)
{
    if (strcmp(name, amd_v.name) == 0) {
        record.virtualization = &amd_v;
        record.cpuid.leaf_80000001.ecx |= (uint32_t)CPUID_80000001_ECX_SVM;
    }
    return strcmp(name, record.virtualization->name) == 0;
}

/* Sets a register by its name in the report. */
static bool set_register(const char *name, uint64_t value)
{
    static const struct {
        const char *name;
        uint32_t *word;
    } words[] = {
        {"CPUID.00H:EAX", &record.cpuid.leaf_0.eax},
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

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].name, name) == 0) {
            *words[i].word = (uint32_t)value;
            return true;
        }
    }
    for (size_t i = 0; i < record.virtualization->register_count; i++) {
        const struct register_row *row = &record.virtualization->registers[i];
        void *member                   = (char *)&record + row->offset;
        if (strcmp(row->name, name) != 0)
            continue;
        if (row->msr == 0)
            *(uint32_t *)member = (uint32_t)value;
        else
            *(struct msr_reading *)member =
                (struct msr_reading){.value = value, .state = MSR_READ};
        return true;
    }
    return false;
}

/* Parses a line; the value follows the last tab. */
static bool parse_line(char *line)
{
    char *tab = strrchr(line, '\t');

    line[strcspn(line, "\n")] = '\0';
    if (tab == NULL)
        return false;
    *tab = '\0';
    if (strcmp(line, "technology") == 0)
        return set_technology(tab + 1);
    if (strcmp(line, "verdict") == 0)
        return set_verdict(tab + 1);
    if (strcmp(line, "brand") == 0) {
        set_brand(tab + 1);
        return true;
    }
    return set_register(line, strtoull(tab + 1, NULL, 16));
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
    verdict_judge_cpu(&record);
    if (facts.verdict != VERDICT_NONE) /* the steps of the trial are not in the input */
        record.judgement.word = facts.verdict;
    json_report_write(&facts, write_out);
    putchar('\n');
    return 0;
}
