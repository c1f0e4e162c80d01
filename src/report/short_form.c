/* See short_form.h. */
#include "report/short_form.h"

#include "lib/format.h"
#include "lib/string.h"
#include "report/verdict_sheet.h"

#define BRAND_LENGTH 36 /* at most */
#define READINGS     (2 + VMX_MSR_COUNT)
#define MAX_BYTES    ((size_t)(3 + READINGS + 3) * 9)

/* The characters of numbers: QR's without the blank, which hands lose, so base 44. */
#define DIGITS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:"
#define BASE   44U

/* A number of bytes that grows. */
struct packed {
    uint8_t bytes[MAX_BYTES];
    size_t count;
};

/* A byte that says which of the eight bytes are not zero, and those. */
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
 * What most processors have, so that a value differs from it in few bits. Those of the
 * TRUE MSRs differ from the plain ones in these bits.
 */
static uint64_t usual_value(const struct vmx_capabilities *capabilities, enum vmx_msr msr)
{
    switch (msr) {
    case MSR_IA32_VMX_BASIC:
        return 0x00DA040000000000;
    case MSR_IA32_VMX_PINBASED_CTLS:
        return 0x0000007F00000016;
    case MSR_IA32_VMX_PROCBASED_CTLS:
        return 0xFFF9FFFE0401E172;
    case MSR_IA32_VMX_EXIT_CTLS:
        return 0x007FFFFF00036DFF;
    case MSR_IA32_VMX_ENTRY_CTLS:
        return 0x0000FFFF000011FF;
    case MSR_IA32_VMX_CR0_FIXED0:
        return 0x80000021;
    case MSR_IA32_VMX_CR0_FIXED1:
        return 0xFFFFFFFF;
    case MSR_IA32_VMX_CR4_FIXED0:
        return 0x2000;
    case MSR_IA32_VMX_EPT_VPID_CAP:
        return 0x00000F0106334141;
    case MSR_IA32_VMX_TRUE_PINBASED_CTLS:
        return vmx_capability_value(capabilities, MSR_IA32_VMX_PINBASED_CTLS);
    case MSR_IA32_VMX_TRUE_PROCBASED_CTLS:
        return vmx_capability_value(capabilities, MSR_IA32_VMX_PROCBASED_CTLS) ^ 0x18000;
    case MSR_IA32_VMX_TRUE_EXIT_CTLS:
        return vmx_capability_value(capabilities, MSR_IA32_VMX_EXIT_CTLS) ^ 0x4;
    case MSR_IA32_VMX_TRUE_ENTRY_CTLS:
        return vmx_capability_value(capabilities, MSR_IA32_VMX_ENTRY_CTLS) ^ 0x4;
    case MSR_IA32_VMX_MISC:
    case MSR_IA32_VMX_CR4_FIXED1:
    case MSR_IA32_VMX_VMCS_ENUM:
    case MSR_IA32_VMX_PROCBASED_CTLS2:
    case MSR_IA32_VMX_VMFUNC:
    case MSR_IA32_VMX_PROCBASED_CTLS3:
    case MSR_IA32_VMX_EXIT_CTLS2:
        break;
    }
    return 0;
}

/* Packs an MSR if it was read, and notes in *present that it was. */
static void pack_reading(struct packed *packed, uint32_t *present, unsigned int place,
                         const struct msr_reading *reading, uint64_t usual)
{
    if (reading->state != MSR_READ)
        return;
    *present |= 1U << place;
    pack(packed, reading->value ^ usual);
}

static void pack_snapshot(const struct report_facts *facts,
                          const struct vmx_snapshot *snapshot, struct packed *packed)
{
    const struct vmx_capabilities *capabilities = &snapshot->capabilities;
    uint32_t present                            = 0;

    pack(packed, snapshot->cpuid.leaf_1.eax);
    pack(packed, snapshot->microcode);
    pack(packed, facts->count);
    size_t head = packed->count;
    packed->count += 3;
    pack_reading(packed, &present, 0, &snapshot->feature_control, 0);
    pack_reading(packed, &present, 1, &snapshot->arch_capabilities, 0);
    for (unsigned int i = 0; i < VMX_MSR_COUNT; i++)
        pack_reading(packed, &present, 2 + i, &capabilities->msr[i],
                     usual_value(capabilities, (enum vmx_msr)(VMX_MSR_FIRST + i)));
    for (unsigned int i = 0; i < 3; i++)
        packed->bytes[head + i] = (uint8_t)(present >> (8 * i));
}

/* Two bytes in three digits, the lowest first; a byte that is left over in two. */
static void append_digits(const struct packed *packed, struct text *text)
{
    for (size_t i = 0; i < packed->count; i += 2) {
        bool is_last   = i + 1 == packed->count;
        uint32_t value = packed->bytes[i] + (is_last ? 0U : packed->bytes[i + 1] * 256U);
        for (int digit = 0; digit < (is_last ? 2 : 3); digit++) {
            text_append(text, "%c", DIGITS[value % BASE]);
            value /= BASE;
        }
    }
}

static size_t digits_of(const struct packed *packed)
{
    return packed->count / 2 * 3 + packed->count % 2 * 2;
}

/* The brand in the characters that there are, without the separator. */
static void append_brand(const char *brand, size_t room, struct text *text)
{
    for (size_t i = 0; brand[i] != '\0' && room > 0; i++) {
        char character = brand[i];
        if (character >= 'a' && character <= 'z')
            character = (char)(character - 'a' + 'A');
        bool is_known = (character >= '0' && character <= '9') ||
                        (character >= 'A' && character <= 'Z') || character == ' ' ||
                        character == '-' || character == '.' || character == '/';
        if (!is_known)
            continue;
        text_append(text, "%c", character);
        room--;
    }
}

bool short_form_write(const struct report_facts *facts, char text[SHORT_FORM_SIZE])
{
    const struct vmx_record *record =
        &facts->records[verdict_sheet_telling_cpu(facts->records, facts->count)];
    struct packed packed = {.count = 0};
    struct text out      = {.buffer = text, .size = SHORT_FORM_SIZE};
    char brand[CPUID_BRAND_SIZE];

    text[0] = '\0';
    pack_snapshot(facts, &record->before, &packed);
    cpuid_brand(&record->before.cpuid, brand);
    text_append(&out, "HYMIR1:%s:", verdict_name(facts->verdict));
    size_t needed = out.length + 1 + digits_of(&packed);
    if (needed > QR_CODE_MAX_TEXT) {
        text[0] = '\0';
        return false;
    }
    size_t room = QR_CODE_MAX_TEXT - needed;
    append_brand(brand, room < BRAND_LENGTH ? room : BRAND_LENGTH, &out);
    text_append(&out, ":");
    append_digits(&packed, &out);
    return true;
}
