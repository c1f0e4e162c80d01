/* See short_form.h. */
#include "report/short_form.h"

#include "check/comparison.h"
#include "check/verdict.h"
#include "lib/format.h"
#include "report/verdict_sheet.h"

#define MAX_BRAND_LENGTH 36
#define MAX_BYTES        ((size_t)(4 + SHORT_FORM_MAX_ROWS) * 9 + SHORT_FORM_MAX_ROWS / 8)

/* The digits of numbers: QR's characters without the blank, which is easily lost. */
#define DIGITS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:"
#define BASE   44U

/* Packed numbers. */
struct packed {
    uint8_t bytes[MAX_BYTES];
    size_t count;
};

/* Appends a mask of the bytes of a number that are not zero, and those bytes. */
static void pack(struct packed *packed, uint64_t number)
{
    uint8_t *mask = &packed->bytes[packed->count++];

    *mask = 0;
    for (unsigned int i = 0; i < 8; i++) {
        uint8_t byte = (uint8_t)(number >> (8 * i));
        if (byte == 0)
            continue;
        *mask |= (uint8_t)(1U << i);
        packed->bytes[packed->count++] = byte;
    }
}

/*
 * Packs a mask of the rows that are present, and those. An MSR is present if it was read,
 * another number if it is not 0.
 */
static void pack_rows(const struct cpu_record *record, struct packed *packed)
{
    uint8_t *present = &packed->bytes[packed->count];

    packed->count += SHORT_FORM_MAX_ROWS / 8;
    for (size_t i = 0; i < record->virtualization->short_form_count; i++) {
        const struct short_form_row *row  = &record->virtualization->short_form[i];
        const void *member                = (const char *)record + row->offset;
        const struct msr_reading *reading = member;
        bool is_msr                       = row->kind == SHORT_FORM_MSR;
        uint64_t number                   = *(const uint32_t *)member;
        if (row->kind != SHORT_FORM_32_BITS)
            number = is_msr ? reading->value : *(const uint64_t *)member;
        if (is_msr ? reading->state != MSR_READ : number == 0)
            continue;
        present[i / 8] |= (uint8_t)BIT(i % 8);
        pack(packed, number ^ row->usual);
    }
}

/* Returns whether all CPUs were checked and have the same registers and verdict. */
static bool are_alike(const struct report_facts *facts)
{
    const struct cpu_record *records = facts->records;
    size_t i                         = 0;

    while (i < facts->count && comparison_first_alike(records, i) == 0 &&
           records[i].judgement.word == records[0].judgement.word)
        i++;
    return i == facts->count && facts->unseen == NULL;
}

/* Appends two bytes as three digits, the lowest first; a last single byte as two. */
static void append_digits(const struct packed *packed, struct text *text)
{
    for (size_t i = 0; i < packed->count; i += 2) {
        bool is_single = i + 1 == packed->count;
        uint32_t value =
            packed->bytes[i] + (is_single ? 0U : packed->bytes[i + 1] * 256U);
        for (int digit = 0; digit < (is_single ? 2 : 3); digit++, value /= BASE)
            text_append(text, "%c", DIGITS[value % BASE]);
    }
}

/* Appends a name in capitals: at most room letters, digits, blanks and "-./". */
static void append_name(const char *name, size_t room, struct text *text)
{
    for (; *name != '\0' && room > 0; name++) {
        bool is_lower  = *name >= 'a' && *name <= 'z';
        char character = is_lower ? (char)(*name - 'a' + 'A') : *name;
        bool is_letter = character >= 'A' && character <= 'Z';
        bool is_other  = character == ' ' || (character >= '-' && character <= '9');
        if (!is_letter && !is_other)
            continue;
        text_append(text, "%c", character);
        room--;
    }
}

bool short_form_write(const struct report_facts *facts, char text[SHORT_FORM_SIZE])
{
    const struct cpu_record *record =
        &facts->records[verdict_sheet_find_cpu(facts->records, facts->count)];
    struct packed packed = {.count = 0};
    struct text out      = {.buffer = text, .size = SHORT_FORM_SIZE};
    char brand[CPUID_BRAND_SIZE];

    pack(&packed, record->cpuid.leaf_1.eax);
    pack(&packed, record->microcode);
    pack(&packed, facts->count);
    pack(&packed, are_alike(facts) ? 1 : 0);
    pack_rows(record, &packed);
    cpuid_brand(&record->cpuid, brand);
    text_append(&out, "HYMIR2:");
    append_name(record->virtualization->name, SHORT_FORM_SIZE, &out);
    text_append(&out, ":%s:", verdict_name(facts->verdict));
    size_t digits = packed.count / 2 * 3 + packed.count % 2 * 2;
    size_t needed = out.length + 1 + digits;
    if (needed > QR_CODE_MAX_TEXT) {
        text[0] = '\0';
        return false;
    }
    size_t room = QR_CODE_MAX_TEXT - needed;
    append_name(brand, room < MAX_BRAND_LENGTH ? room : MAX_BRAND_LENGTH, &out);
    text_append(&out, ":");
    append_digits(&packed, &out);
    return true;
}
