/*
 * The verdict as one screen: what machine this is, each check with its raw value, each
 * CPU, the answer. It is complete on 80x25 and survives being photographed. Pure.
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

/*
 * Composes the sheet over count records with the decision about them. The rows of the
 * checks are those of the boot CPU, or, if that one is in order, of the first that
 * answered and is not.
 */
void verdict_sheet_compose(const struct machine_facts *facts,
                           const struct vmx_record *records, size_t count,
                           enum verdict_word word, const char *verdict,
                           struct sheet *sheet);

#endif
