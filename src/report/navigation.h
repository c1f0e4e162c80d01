/*
 * Navigation through the report's pages by keys, from a PS/2 keyboard or a terminal.
 *
 * Keys are what a terminal sends: characters, and the ESC sequences of arrow and page
 * keys. Pure.
 */
#ifndef HYMIR_REPORT_NAVIGATION_H
#define HYMIR_REPORT_NAVIGATION_H

#include "report/key_hint.h"
#include "report/pages.h"

#include <stdbool.h>
#include <stdint.h>

struct navigation {
    const struct report_facts *facts;
    enum report_section section;
    size_t page;          /* of the section */
    bool is_leaving;      /* q was pressed: shows the exit menu */
    const char *refusal;  /* why the last choice in the menu failed, or NULL */
    struct key_hint hint; /* replaces the list of keys if it is not empty */

    /* The sequence that the bytes so far started. */
    enum {
        KEY_PLAIN,
        KEY_ESCAPE,   /* ESC */
        KEY_SEQUENCE, /* ESC [ or ESC O, and digits */
        KEY_MODIFIED, /* the same, then ';' */
        KEY_FUNCTION, /* ESC [ [ */
    } state;
    uint8_t number;    /* the digits of the sequence */
    bool is_swallowed; /* the sequence only closes the exit menu */
};

enum navigation_outcome {
    NAVIGATION_SAME,
    NAVIGATION_CHANGED, /* the sheet must be composed again */
    NAVIGATION_POWER_OFF,
    NAVIGATION_REBOOT,
    NAVIGATION_BOOT_NEXT, /* firmware's next boot entry */
};

/* Starts on the first page, the verdict. */
void navigation_start(struct navigation *navigation, const struct report_facts *facts);

/* Goes to the first page of a section. */
void navigation_select(struct navigation *navigation, enum report_section section);

/* Goes to the next page; from the last one, of the section or of all, to the first. */
void navigation_turn(struct navigation *navigation, bool stays_in_section);

/* Returns to the exit menu, with the reason why the choice failed. */
void navigation_refuse(struct navigation *navigation, const char *refusal);

/* Handles a byte from a keyboard or terminal; bytes of unknown keys change nothing. */
enum navigation_outcome navigation_handle_byte(struct navigation *navigation,
                                               uint8_t byte);

/* Composes the page, with the keys or the hint in the last row if that is free. */
void navigation_compose(const struct navigation *navigation, struct sheet *sheet);

#endif
