/*
 * Says where keys can be typed, promising only what was proved. Pure.
 *
 * A PS/2 keyboard is proved by its answer or by a key. Firmware may emulate one with a
 * USB keyboard, but under UEFI it rarely does.
 */
#ifndef HYMIR_REPORT_KEY_HINT_H
#define HYMIR_REPORT_KEY_HINT_H

#include "lib/format.h"
#include "lib/sheet.h"

#include <stdbool.h>

struct key_sources {
    bool is_asked; /* a keyboard was looked for, because there is a screen */
    bool keyboard; /* answers */
    bool serial;   /* a port is present */
    bool has_sent; /* a key has come from one of them */
    bool is_efi;   /* booted by UEFI */
};

/* Appends where the keys of the report can be typed; nothing if nowhere. */
void key_hint_append_keys(const struct key_sources *sources, struct text *line);

/* Appends what to do if no keyboard answers; nothing if one does or a key has come. */
void key_hint_append_remedy(const struct key_sources *sources, struct text *line);

#define KEY_HINT_BRIEF_SIZE 23 /* the room on the title of a full verdict, and a NUL */

/* What replaces the list of keys on a page; empty if that list applies. */
struct key_hint {
    char row[SHEET_COLUMNS + 1];
    char brief[KEY_HINT_BRIEF_SIZE];
};

/* Composes the hint; each page is shown for seconds, or until a key if that is 0. */
void key_hint_compose(const struct key_sources *sources, unsigned int seconds,
                      struct key_hint *hint);

#endif
