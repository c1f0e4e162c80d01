/* See patterns.h. */
#include "patterns.h"

#include "lib/bits.h"

char view_at(const struct text_view *view, size_t position)
{
    unsigned char c = (unsigned char)view->text[position];

    return c == '\n' || (c > ' ' && c < 0x7F) ? (char)c : ' ';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Returns whether a sequence that selects a color, as of dmesg, ends at a position. */
static bool is_color_end(const struct text_view *view, size_t position)
{
    size_t at = position;

    if (at == 0 || view->text[--at] != 'm')
        return false;
    while (at > 0 && (is_digit(view->text[at - 1]) || view->text[at - 1] == ';'))
        at--;
    return at > 1 && view->text[at - 1] == '[' && view->text[at - 2] == '\033';
}

bool view_is_start(const struct text_view *view, size_t position)
{
    return is_word(view_at(view, position)) &&
           (position == 0 || !is_word(view_at(view, position - 1)) ||
            is_color_end(view, position));
}

/* Returns the position after blanks, and after the quoting of a further line. */
static size_t skip_blanks(const struct text_view *view, size_t position)
{
    bool is_new_line = false;

    for (; position < view->length; position++) {
        char c      = view_at(view, position);
        bool is_end = c == '\n';

        if (is_end && is_new_line)
            break;
        if (!is_blank(c) && !(is_new_line && c == '>'))
            break;
        is_new_line |= is_end;
    }
    return position;
}

/* Returns the value of a digit, or base. */
static unsigned int digit_of(char c, unsigned int base)
{
    unsigned int digit = base;

    if (is_digit(c))
        digit = (unsigned int)(c - '0');
    else if (c >= 'a' && c <= 'f')
        digit = (unsigned int)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
        digit = (unsigned int)(c - 'A') + 10;
    return digit < base ? digit : base;
}

/* Reads a number that is a whole word of at most 64 bits. Advances *position past it. */
static bool read_number(const struct text_view *view, size_t *position, unsigned int base,
                        uint64_t *number)
{
    size_t at = skip_blanks(view, *position);
    size_t digits;

    if (base == 16 && at + 1 < view->length && view_at(view, at) == '0' &&
        (view_at(view, at + 1) | 0x20) == 'x')
        at += 2;
    *number = 0;
    for (digits = 0; at < view->length && digits <= 16; digits++, at++) {
        unsigned int digit = digit_of(view_at(view, at), base);
        if (digit == base)
            break;
        *number = *number * base + digit;
    }
    *position = at;
    return digits > 0 && digits <= 16 &&
           (at == view->length || !is_word(view_at(view, at)));
}

/* Matches one character of a pattern. Advances *position past what it matched. */
static bool match_one(const struct text_view *view, size_t *position, char pattern,
                      struct match *match)
{
    if (pattern == '%' || pattern == '#' || pattern == '$') {
        size_t start = skip_blanks(view, *position);
        if (match->count == PATTERN_NUMBERS ||
            !read_number(view, position, pattern == '#' ? 10 : 16,
                         &match->number[match->count]))
            return false;
        match->count++;
        return pattern != '$' || *position - start == 8;
    }
    if (pattern == ' ') {
        *position = skip_blanks(view, *position);
        return true;
    }
    return *position < view->length && view_at(view, (*position)++) == pattern;
}

bool pattern_match(const struct text_view *view, size_t position, const char *pattern,
                   struct match *match)
{
    bool is_enough = false;

    match->count = 0;
    match->end   = position;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '!') {
            is_enough  = true;
            match->end = position;
            continue;
        }
        size_t count = match->count;
        if (!match_one(view, &position, *pattern, match))
            return is_enough;
        if (match->count > count)
            match->end = position;
    }
    match->end = position;
    return true;
}
