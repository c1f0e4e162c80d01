/*
 * Moving through the report's pages by keys, from a PS/2 keyboard or a terminal.
 *
 * Keys are what a terminal sends: characters, and sequences of ESC for arrows and page
 * keys. Pure.
 */
#ifndef HYMIR_REPORT_NAVIGATION_H
#define HYMIR_REPORT_NAVIGATION_H

#include "report/pages.h"

#include <stdbool.h>
#include <stdint.h>

struct navigation {
    const struct report_facts *facts;
    enum report_section section;
    size_t page;         /* of the section */
    bool is_ending;      /* q was pressed: how is asked */
    const char *refusal; /* why the last choice was not obeyed; NULL: it was */

    /* A key's sequence as far as it has come. */
    enum {
        KEY_PLAIN,
        KEY_ESCAPE,   /* behind ESC */
        KEY_SEQUENCE, /* behind ESC [ or ESC O */
        KEY_MODIFIED, /* behind the ; in it */
        KEY_FUNCTION, /* behind ESC [ [ */
    } state;
    uint8_t number;    /* that has come in it */
    bool is_swallowed; /* it only leads away from the question how it is to end */
};

/* What a byte leads to. */
enum navigation_outcome {
    NAVIGATION_SAME,
    NAVIGATION_CHANGED, /* another page is to be shown, or the same with another last row
                         */
    NAVIGATION_POWER_OFF,
    NAVIGATION_REBOOT,
    NAVIGATION_BOOT_NEXT, /* of firmware's boot entries the next one */
};

/* Starts on the first page, the verdict. */
void navigation_start(struct navigation *navigation, const struct report_facts *facts);

/* Asks again how it is to end, with the reason why it cannot be as was chosen. */
void navigation_refuse(struct navigation *navigation, const char *refusal);

/* Takes a byte that was typed. What is no key of the pages changes nothing. */
enum navigation_outcome navigation_take(struct navigation *navigation, uint8_t byte);

/* Composes the page, with the keys in the last row, if that is free. */
void navigation_compose(const struct navigation *navigation, struct sheet *sheet);

#endif
