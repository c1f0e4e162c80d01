/* See capability.h. */
#include "virt/capability.h"

const char *capability_name(const struct capability_table *table, uint32_t group,
                            uint64_t bit)
{
    for (size_t i = 0; i < table->row_count; i++) {
        if (table->rows[i].group == group && table->rows[i].mask == bit)
            return table->rows[i].name;
    }
    return NULL;
}

void capability_append_name(const struct capability_table *table, uint32_t group,
                            uint64_t bit, struct text *text)
{
    const char *name = capability_name(table, group, bit);

    if (name != NULL)
        text_append(text, "\"%s\"", name);
    else
        text_append(text, "\"bit %u\"", (unsigned int)__builtin_ctzll(bit));
}

enum capability_state capability_state_of(const struct capability_table *table,
                                          const struct capability_row *row,
                                          const struct capability_bits *bits)
{
    bool may_be_1  = (bits->may_be_1 & row->mask) != 0;
    bool must_be_1 = (bits->must_be_1 & row->mask) != 0;

    if ((bits->unlike & row->mask) != 0 || (must_be_1 && !may_be_1))
        return CAPABILITY_DIFFERS;
    if ((row->mask & (row->mask - 1)) != 0)
        return CAPABILITY_NUMBER;
    if (!table->groups[row->group].has_settings)
        return may_be_1 ? CAPABILITY_YES : CAPABILITY_NO;
    if (!may_be_1)
        return CAPABILITY_FIXED_0;
    return must_be_1 ? CAPABILITY_FIXED_1 : CAPABILITY_OPTIONAL;
}

const char *capability_state_name(enum capability_state state)
{
    static const char *const names[] = {"no",       "yes",    "fixed 0", "fixed 1",
                                        "optional", "number", "differs"};
    _Static_assert(ARRAY_SIZE(names) == CAPABILITY_STATES, "one name for each state");
    return names[state];
}

uint64_t capability_number(const struct capability_row *row,
                           const struct capability_bits *bits)
{
    return (bits->may_be_1 & row->mask) >> __builtin_ctzll(row->mask);
}

uint64_t capability_unnamed_bits(const struct capability_table *table, uint32_t group,
                                 const struct capability_bits *bits)
{
    uint64_t unnamed = bits->may_be_1 | bits->must_be_1;

    for (size_t i = 0; i < table->row_count; i++) {
        if (table->rows[i].group == group)
            unnamed &= ~table->rows[i].mask;
    }
    return unnamed;
}

/* Returns the flags that both values have, and one of each two numbers. */
static uint64_t intersect_values(const struct capability_table *table, uint32_t group,
                                 uint64_t a, uint64_t b)
{
    uint64_t maximized = table->groups[group].maximized;
    uint64_t result    = a & b;

    for (size_t i = 0; i < table->row_count; i++) {
        uint64_t mask = table->rows[i].mask;
        if (table->rows[i].group != group)
            continue;
        bool is_b_larger = (b & mask) > (a & mask);
        bool takes_b     = is_b_larger == ((maximized & mask) != 0);
        result           = (result & ~mask) | ((takes_b ? b : a) & mask);
    }
    return result;
}

void capability_set_intersect(const struct capability_table *table,
                              struct capability_set *usable,
                              const struct capability_set *other)
{
    for (uint32_t i = 0; i < table->group_count; i++) {
        struct capability_bits *mine        = &usable->group[i];
        const struct capability_bits *yours = &other->group[i];
        mine->exists &= yours->exists;
        if (mine->source != yours->source)
            mine->source = table->groups[i].source;
        mine->must_be_1 = mine->exists ? mine->must_be_1 | yours->must_be_1 : 0;
        mine->unlike |= (mine->may_be_1 ^ yours->may_be_1) & table->groups[i].identities;
        if (!mine->exists)
            mine->may_be_1 = mine->unlike = 0;
        else if (table->groups[i].has_settings)
            mine->may_be_1 &= yours->may_be_1;
        else
            mine->may_be_1 = intersect_values(table, i, mine->may_be_1, yours->may_be_1);
    }
}
