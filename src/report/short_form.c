/* See short_form.h. */
#include "report/short_form.h"

#include "check/verdict.h"
#include "lib/format.h"
#include "lib/string.h"
#include "report/verdict_sheet.h"
#include "x86/vmx_capabilities.h"

#define MAX_BRAND_LENGTH 36
#define MAX_BYTES        ((size_t)(3 + SHORT_REGISTERS_MAX) * 9 + 3)

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
 * The values of most processors, from which others differ in few bits. A TRUE MSR differs
 * from the plain one, base, in these bits.
 */
static const struct usual {
    enum vmx_msr msr, base;
    uint64_t bits;
} usual_values[] = {
    {MSR_IA32_VMX_BASIC, 0, 0x00DA040000000000},
    {MSR_IA32_VMX_PINBASED_CTLS, 0, 0x0000007F00000016},
    {MSR_IA32_VMX_PROCBASED_CTLS, 0, 0xFFF9FFFE0401E172},
    {MSR_IA32_VMX_EXIT_CTLS, 0, 0x007FFFFF00036DFF},
    {MSR_IA32_VMX_ENTRY_CTLS, 0, 0x0000FFFF000011FF},
    {MSR_IA32_VMX_CR0_FIXED0, 0, 0x80000021},
    {MSR_IA32_VMX_CR0_FIXED1, 0, 0xFFFFFFFF},
    {MSR_IA32_VMX_CR4_FIXED0, 0, 0x2000},
    {MSR_IA32_VMX_EPT_VPID_CAP, 0, 0x00000F0106334141},
    {MSR_IA32_VMX_TRUE_PINBASED_CTLS, MSR_IA32_VMX_PINBASED_CTLS, 0},
    {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, MSR_IA32_VMX_PROCBASED_CTLS, 0x18000},
    {MSR_IA32_VMX_TRUE_EXIT_CTLS, MSR_IA32_VMX_EXIT_CTLS, 0x4},
    {MSR_IA32_VMX_TRUE_ENTRY_CTLS, MSR_IA32_VMX_ENTRY_CTLS, 0x4},
};

static uint64_t usual_value(const struct cpu_record *record, uint32_t msr)
{
    for (size_t i = 0; i < ARRAY_SIZE(usual_values); i++) {
        const struct usual *usual = &usual_values[i];
        if (usual->msr == msr)
            return record_msr(record, usual->base).value ^ usual->bits;
    }
    return 0;
}

/* Packs the numbers, and 3 bytes before the registers: a mask of those that were read. */
static void pack_record(const struct report_facts *facts, const struct cpu_record *record,
                        struct packed *packed)
{
    pack(packed, record->cpuid.leaf_1.eax);
    pack(packed, record->microcode);
    pack(packed, facts->count);
    uint8_t *present = &packed->bytes[packed->count];
    packed->count += 3;
    for (size_t i = 0; i < record->virtualization->short_count; i++) {
        const struct register_row *row = &record->virtualization->registers[i];
        struct msr_reading reading     = record_register(record, row);
        if (reading.state != MSR_READ)
            continue;
        present[i / 8] |= (uint8_t)BIT(i % 8);
        pack(packed, reading.value ^ usual_value(record, row->msr));
    }
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

/* Appends the brand in capitals: at most room letters, digits, blanks and "-./". */
static void append_brand(const char *brand, size_t room, struct text *text)
{
    for (; *brand != '\0' && room > 0; brand++) {
        bool is_lower  = *brand >= 'a' && *brand <= 'z';
        char character = is_lower ? (char)(*brand - 'a' + 'A') : *brand;
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

    pack_record(facts, record, &packed);
    cpuid_brand(&record->cpuid, brand);
    text_append(&out, "%s:%s:", record->virtualization->short_form,
                verdict_name(facts->verdict));
    size_t digits = packed.count / 2 * 3 + packed.count % 2 * 2;
    size_t needed = out.length + 1 + digits;
    if (needed > QR_CODE_MAX_TEXT) {
        text[0] = '\0';
        return false;
    }
    size_t room = QR_CODE_MAX_TEXT - needed;
    append_brand(brand, room < MAX_BRAND_LENGTH ? room : MAX_BRAND_LENGTH, &out);
    text_append(&out, ":");
    append_digits(&packed, &out);
    return true;
}
