/*
 * The report in UEFI variables of Hymir's own vendor GUID: a header, HymirReport, and
 * parts of a zlib stream of the JSON, HymirReport00 and so on.
 *
 * The header is deleted first and written last, so that an interrupted run leaves no
 * report, and never parts of two. docs/REPORT.md describes the format; tools/report reads
 * it. Pure except for calls through the caller's function; firmware is not trusted.
 */
#ifndef HYMIR_FIRMWARE_EFI_REPORT_H
#define HYMIR_FIRMWARE_EFI_REPORT_H

#include "firmware/efi_variables.h"

/* f9484a81-12a7-4b4d-b0ad-1ea869876669, and as Linux names files. */
#define EFI_REPORT_GUID                                                               \
    {                                                                                 \
        0x81, 0x4A, 0x48, 0xF9, 0xA7, 0x12, 0x4D, 0x4B, 0xB0, 0xAD, 0x1E, 0xA8, 0x69, \
            0x87, 0x66, 0x69                                                          \
    }
#define EFI_REPORT_GUID_TEXT "f9484a81-12a7-4b4d-b0ad-1ea869876669"

#define EFI_REPORT_NAME       "HymirReport"
#define EFI_REPORT_PARTS      32   /* at most */
#define EFI_REPORT_PART_SIZE  1024 /* at most, in bytes: small firmware accepts it */
#define EFI_REPORT_PART_LEAST 256
#define EFI_REPORT_SIZE       ((size_t)EFI_REPORT_PARTS * EFI_REPORT_PART_SIZE)

/*
 * Bytes that must be free afterwards. Linux leaves 5 KiB, which Samsung named: Linux 6.1,
 * arch/x86/platform/efi/quirks.c efi_query_variable_store().
 */
#define EFI_REPORT_RESERVE 16384

struct efi_report_header {
    char magic[4];
    uint32_t version;
    uint32_t parts;
    uint32_t size;      /* of the zlib stream, all parts together */
    uint32_t text_size; /* of the JSON */
};
#define EFI_REPORT_MAGIC   \
    {                      \
        'H', 'y', 'R', 'p' \
    }
#define EFI_REPORT_VERSION 1

struct efi_report {
    const uint8_t *stream;
    size_t size;
    size_t text_size;
};

/* How a stream is divided. */
struct efi_report_plan {
    size_t part_size; /* except the last part's */
    size_t parts;
};

/*
 * Returns why nothing may be written on a machine, named by its SMBIOS manufacturer and
 * product, or NULL: firmware that is known to fail when its store fills.
 */
const char *efi_report_known_problem(const char *machine);

/* Divides a stream of size bytes. False with the reason if the store has no room. */
bool MUST_CHECK efi_report_plan(const struct efi_storage *storage, size_t size,
                                struct efi_report_plan *plan, struct text *reason);

/*
 * Replaces the stored report. Appends what was stored, or returns false with the reason;
 * then no report is stored, unless firmware also refuses to delete.
 */
bool MUST_CHECK efi_report_write(const struct efi_firmware *firmware,
                                 const struct efi_report *report, struct text *text);

#endif
