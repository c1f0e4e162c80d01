/* See number.h. */
#include "lib/number.h"

#include "lib/string.h"

/* Returns the value of a hexadecimal digit, or 16 for any other character. */
static unsigned int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned int)(digit - '0');
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned int)(lower - 'a') + 10 : 16;
}

bool number_parse(const char *text, uint64_t *number)
{
    uint64_t value    = 0;
    unsigned int base = 10;

    if (string_starts_with(text, "0x")) {
        base = 16;
        text += 2;
    }
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned int digit = digit_value(*text);
        if (digit >= base || value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *number = value;
    return true;
}
