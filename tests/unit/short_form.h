/*
 * Unpacks the report's short form, as docs/REPORT.md describes it.
 */
#ifndef HYMIR_TESTS_SHORT_FORM_H
#define HYMIR_TESTS_SHORT_FORM_H

#include "unit.h"

#include "report/code_page.h"
#include "report/short_form.h"

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:";

static struct report_facts facts;
static char text[SHORT_FORM_SIZE];

/* The bytes of the numbers in text, and the next one to read. */
static uint8_t bytes[SHORT_FORM_SIZE];
static size_t size, next;

static inline uint32_t value_of_digit(char digit)
{
    const char *found = strchr(digits, digit);
    assert_non_null(found);
    return (uint32_t)(found - digits);
}

/* Writes the form, and unpacks the bytes after its fourth colon. */
static inline void write_and_unpack(void)
{
    assert_true(short_form_write(&facts, text));
    const char *part = text;
    for (int i = 0; i < 4; i++) {
        part = strchr(part, ':');
        assert_non_null(part);
        part++;
    }
    size_t length = strlen(part);
    size = next = 0;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t value = value_of_digit(part[i]) + 44 * value_of_digit(part[i + 1]);
        bool is_last   = i + 2 == length;
        if (!is_last)
            value += 44 * 44 * value_of_digit(part[i + 2]);
        bytes[size++] = (uint8_t)value;
        if (!is_last)
            bytes[size++] = (uint8_t)(value >> 8);
    }
}

static inline uint64_t read_number(void)
{
    uint64_t number = 0;
    uint8_t mask    = bytes[next++];

    for (int i = 0; i < 8; i++) {
        if ((mask >> i & 1) != 0)
            number |= (uint64_t)bytes[next++] << 8 * i;
    }
    assert_true(next <= size);
    return number;
}

/* Asserts the numbers before the rows, and returns the mask of rows that are present. */
static inline uint32_t read_start(uint32_t signature, size_t cpus, bool are_alike)
{
    assert_int_equal(read_number(), signature);
    assert_int_equal(read_number(), 0x430); /* microcode */
    assert_int_equal(read_number(), cpus);
    assert_int_equal(read_number(), are_alike);
    next += 4;
    return bytes[next - 4] | (uint32_t)bytes[next - 3] << 8 |
           (uint32_t)bytes[next - 2] << 16 | (uint32_t)bytes[next - 1] << 24;
}

static inline void set_names(struct cpu_record *record, const char *brand)
{
    strcpy((char *)record->cpuid.leaf_80000002, brand);
    record->microcode = 0x430;
}

static inline void assert_fits(void)
{
    static struct sheet sheet;
    struct qr_code code;

    assert_true(strlen(text) <= QR_CODE_MAX_TEXT);
    assert_true(qr_code_make(text, &code));
    code_page_compose(&facts, &sheet);
    assert_false(sheet.overflow);
}

#endif
