/*
 * Registers, as tools/decode takes them out of a short form, as the report that Hymir
 * would make of them: the same sources, on the machine that this is built on.
 *
 * Standard input: lines "NAME VALUE", with the names of the report's registers, and
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

/* The registers that a short form has, by the names of the report. */
static bool set_register(const char *name, uint64_t value)
{
    struct vmx_snapshot *before      = &record.before;
    const struct msr_reading reading = {.value = value, .state = MSR_READ};

    if (strcmp(name, "CPUID.01H:EAX") == 0)
        before->cpuid.leaf_1.eax = (uint32_t)value;
    else if (strcmp(name, "microcode revision") == 0)
        before->microcode = (uint32_t)value;
    else if (strcmp(name, "IA32_FEATURE_CONTROL") == 0)
        before->feature_control = reading;
    else if (strcmp(name, "IA32_ARCH_CAPABILITIES") == 0)
        before->arch_capabilities = reading;
    else {
        for (unsigned int i = 0; i < VMX_MSR_COUNT; i++) {
            if (strcmp(vmx_msr_name((enum vmx_msr)(VMX_MSR_FIRST + i)), name) != 0)
                continue;
            before->capabilities.msr[i] = reading;
            return true;
        }
        return false;
    }
    return true;
}

/* Takes a line apart: the value is behind the last tab. */
static bool take_line(char *line)
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
        if (!take_line(line)) {
            fprintf(stderr, "registers: cannot make sense of \"%s\"\n", line);
            return 1;
        }
    }
    json_report_write(&facts, write_out);
    putchar('\n');
    return 0;
}
