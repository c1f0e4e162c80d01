/* See key_hint.h. */
#include "report/key_hint.h"

static bool is_keyboard_missing(const struct key_sources *sources)
{
    return sources->is_asked && !sources->keyboard && !sources->has_sent;
}

void key_hint_append_keys(const struct key_sources *sources, struct text *line)
{
    if (!sources->keyboard && !sources->serial)
        return;
    text_append(line, "keys 1 to 7 show the report's pages, q exits: on the %s%s%s",
                sources->keyboard ? "keyboard" : "",
                sources->keyboard && sources->serial ? " or the " : "",
                sources->serial ? "serial line" : "");
}

void key_hint_append_remedy(const struct key_sources *sources, struct text *line)
{
    if (!is_keyboard_missing(sources))
        return;
    text_append(line,
                "no keyboard answers: %sfor a USB keyboard, %senable the "
                "firmware's USB legacy support",
                sources->serial ? "type at the serial line or, " : "",
                sources->is_efi ? "boot by BIOS and " : "");
}

/* Appends every way to the pages, at most 80 columns in all. */
static void append_instead(const struct key_sources *sources, struct text *row)
{
    if (sources->serial)
        text_append(row, "no keyboard answers: use GRUB's menu%s",
                    sources->is_efi ? " or the serial line, or boot by BIOS"
                                    : ", the serial line, or USB legacy support");
    else
        text_append(row, "no keyboard answers: choose pages in GRUB's menu, or %s",
                    sources->is_efi ? "boot by BIOS" : "enable USB legacy support");
}

static void append_turning(const struct key_sources *sources, unsigned int seconds,
                           struct text *row)
{
    text_append(row, "pages turn every %u s", seconds);
    if (!is_keyboard_missing(sources))
        text_append(row, "; a key stops them");
    else
        text_append(row, "; no keyboard answers%s",
                    sources->serial ? ", serial keys stop them" : "");
}

void key_hint_compose(const struct key_sources *sources, unsigned int seconds,
                      struct key_hint *hint)
{
    struct text row   = {.buffer = hint->row, .size = sizeof(hint->row)};
    struct text brief = {.buffer = hint->brief, .size = sizeof(hint->brief)};

    hint->row[0]   = '\0';
    hint->brief[0] = '\0';
    if (seconds > 0) {
        append_turning(sources, seconds, &row);
        text_append(&brief, "turns every %u s", seconds);
    } else if (is_keyboard_missing(sources)) {
        append_instead(sources, &row);
        text_append(&brief, "no keyboard answers");
    }
}
