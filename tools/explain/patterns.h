/*
 * Patterns of the fields in dumps.
 *
 * In a pattern a blank is any number of blanks, of which one may be the end of a line; %
 * is a hexadecimal number, with or without 0x, $ one of eight digits, # a decimal one;
 * after ! the pattern need not match to its end. Other characters match themselves.
 */
#ifndef HYMIR_TOOLS_EXPLAIN_PATTERNS_H
#define HYMIR_TOOLS_EXPLAIN_PATTERNS_H

#include "dump.h"

#define PATTERN_NUMBERS 7

struct text_view {
    const char *text;
    size_t length;
};

/* The numbers of a pattern that matched, and where it ends. */
struct match {
    uint64_t number[PATTERN_NUMBERS];
    size_t count, end;
};

/* Returns the character at a position; a blank for those that no dump has, or '\n'. */
char view_at(const struct text_view *view, size_t position);

/* Returns whether a word can begin at a position. */
bool view_is_start(const struct text_view *view, size_t position);

/* Matches a pattern at a position. */
bool pattern_match(const struct text_view *view, size_t position, const char *pattern,
                   struct match *match);

/* The sections of dumps, in which the same name means different fields. */
enum dump_section {
    IN_ANY,
    IN_GUEST, /* of a VMCS */
    IN_HOST,
};

/* How a number becomes a value. */
enum number_use {
    USE_WHOLE,
    USE_LOW,   /* bits 31:0 of the value */
    USE_HIGH,  /* bits 63:32 of the value */
    USE_SPLIT, /* bits 31:0 are the value, bits 63:32 the next one */
    USE_NOT,
};
#define LOW(value)   ((value) | USE_LOW << 12)
#define HIGH(value)  ((value) | USE_HIGH << 12)
#define SPLIT(value) ((value) | USE_SPLIT << 12)
#define NOT          (USE_NOT << 12)

/* A pattern, and what its numbers are. A distinct one also shows that a dump begins. */
struct dump_row {
    const char *pattern;
    uint16_t values[PATTERN_NUMBERS];
    uint8_t section;
    bool is_distinct;
    bool is_exit_code; /* in place of a value */
};

struct dump_table {
    const struct dump_row *rows;
    size_t count;
};
extern const struct dump_table vmcs_table, vmcb_table;

#endif
