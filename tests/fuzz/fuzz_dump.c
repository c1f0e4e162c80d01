/* Dumps of VMCSs and VMCBs in text: tools/explain, and the rules over what they hold. */
#include "fuzz.h"

#include "../../tools/explain/dump.h"
#include "../../tools/explain/explanation.h"

static size_t lines;

static void check_line(void *context, const char *line)
{
    (void)context;
    REQUIRE(strlen(line) < 512 && strchr(line, '\n') == NULL);
}

static void check_item(void *context, const struct dump_item *item)
{
    bool *has_begun = context;

    *has_begun |= item->kind == DUMP_BEGINS;
    REQUIRE(item->line >= 1 && item->line <= lines);
    REQUIRE(item->kind != DUMP_VALUE ||
            (*has_begun && item->number > 0 && item->number < ENTRY_VALUES_MAX));
    REQUIRE(item->kind != DUMP_BEGINS ||
            (item->number > DUMP_NO_KIND && item->number < DUMP_KINDS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct facts facts = {0};
    bool has_begun     = false;
    char *text         = malloc(size);

    memcpy(text, data, size);
    size  = dump_decode(text, size);
    lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    dump_read(text, size, check_item, &has_begun);
    REQUIRE(explanation_print(text, size, &facts, check_line, NULL) <=
            EXPLANATION_NO_DUMP);
    free(text);
    return 0;
}
