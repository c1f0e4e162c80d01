/*
 * The verdict as one screen: what machine this is, each check with its raw value, each
 * CPU, the answer. It fits on 80x25 and survives being photographed; what is cut there,
 * such as the CPUs of a large machine, is on the serial line in full. Pure.
 */
#ifndef HYMIR_VMX_VERDICT_SHEET_H
#define HYMIR_VMX_VERDICT_SHEET_H

#include "lib/sheet.h"
#include "vmx/record.h"
#include "vmx/verdict.h"

#include <stddef.h>
#include <stdint.h>

/* What the sheet says of the machine beside VT-x. */
struct machine_facts {
    const char *version;  /* Hymir's */
    const char *machine;  /* maker and product, or "unknown" */
    const char *firmware; /* "BIOS" or "UEFI", with its version if known */
    uint64_t ram_bytes;
    uint64_t used_bytes; /* by Hymir */
};

/* The verdict as verdict_decide gives it. */
struct verdict_line {
    enum verdict_word word;
    const char *text;
};

/*
 * Composes the sheet over count records with the decision about them. The rows of the
 * processor and its checks are those of the first that answered and is not in order, or
 * of the boot CPU; another one's number stands there.
 */
void verdict_sheet_compose(const struct machine_facts *facts,
                           const struct vmx_record *records, size_t count,
                           const struct verdict_line *verdict, struct sheet *sheet);

#endif
