/*
 * Turns registers, such as those that tools/decode extracts from a short form, into
 * Hymir's report, with Hymir's own sources built for the host.
 *
 * Standard input: lines "NAME", tab, "VALUE", with the names of the report's registers,
 * verdict and brand. Standard output: the JSON of docs/REPORT.md.
 */
#include "report/json_report.h"
#include "vmx/comparison.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct vmx_record record = {.answer = CPU_ANSWERED};
static const struct vt_d vt_d;
static struct report_facts facts = {
    .version      = HYMIR_VERSION,
    .machine      = "unknown",
    .firmware     = "unknown",
    .tsc_source   = "unknown",
    .vt_d         = &vt_d,
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
    strncpy((char *)record.before.cpuid.leaf_80000002, brand, CPUID_BRAND_SIZE - 1);
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

/* Registers other than the VMX MSRs, by their names in the report. */
static const struct {
    const char *name;
    size_t word, reading; /* offset in the snapshot; the other one is 0 */
} registers[] = {
#define WORD(name, member)                             \
    {                                                  \
        name, offsetof(struct vmx_snapshot, member), 0 \
    }
#define READING(name, member)                          \
    {                                                  \
        name, 0, offsetof(struct vmx_snapshot, member) \
    }
    WORD("CPUID.00H:EAX", cpuid.leaf_0.eax),
    WORD("CPUID.01H:EAX", cpuid.leaf_1.eax),
    WORD("CPUID.01H:ECX", cpuid.leaf_1.ecx),
    WORD("CPUID.01H:EDX", cpuid.leaf_1.edx),
    WORD("CPUID.07H:EBX", cpuid.leaf_7.ebx),
    WORD("CPUID.07H:ECX", cpuid.leaf_7.ecx),
    WORD("CPUID.07H:EDX", cpuid.leaf_7.edx),
    WORD("CPUID.0DH.1:EAX", cpuid.leaf_d_1.eax),
    WORD("CPUID.80000001H:EDX", cpuid.leaf_80000001.edx),
    WORD("CPUID.80000007H:EDX", cpuid.leaf_80000007.edx),
    WORD("CPUID.80000008H:EAX", cpuid.leaf_80000008.eax),
    WORD("microcode revision", microcode),
    READING("IA32_FEATURE_CONTROL", feature_control),
    READING("IA32_MISC_ENABLE", misc_enable),
    READING("IA32_ARCH_CAPABILITIES", arch_capabilities),
#undef WORD
#undef READING
};

static bool set_register(const char *name, uint64_t value)
{
    char *snapshot                   = (char *)&record.before;
    const struct msr_reading reading = {.value = value, .state = MSR_READ};

    for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
        if (strcmp(registers[i].name, name) != 0)
            continue;
        if (registers[i].reading != 0)
            *(struct msr_reading *)(snapshot + registers[i].reading) = reading;
        else
            *(uint32_t *)(snapshot + registers[i].word) = (uint32_t)value;
        return true;
    }
    for (unsigned int i = 0; i < VMX_MSR_COUNT; i++) {
        if (strcmp(vmx_msr_name((enum vmx_msr)(VMX_MSR_FIRST + i)), name) != 0)
            continue;
        record.before.capabilities.msr[i] = reading;
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
    json_report_write(&facts, write_out);
    putchar('\n');
    return 0;
}
