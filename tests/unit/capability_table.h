/* What holds for any vendor's table of capabilities. */
#ifndef HYMIR_TESTS_CAPABILITY_TABLE_H
#define HYMIR_TESTS_CAPABILITY_TABLE_H

#include "unit.h"

#include "virt/capability.h"

/*
 * Each bit has one name, and each name one bit of its group; the bits of a field are
 * contiguous. The groups are in order.
 */
static inline void assert_table(const struct capability_table *table)
{
    uint64_t seen[CAPABILITY_GROUPS_MAX] = {0};

    for (size_t i = 0; i < table->row_count; i++) {
        const struct capability_row *row = &table->rows[i];
        assert_int_equal(seen[row->group] & row->mask, 0);
        assert_int_not_equal(row->mask, 0);
        uint64_t piece = row->mask >> __builtin_ctzll(row->mask);
        assert_int_equal(piece & (piece + 1), 0);
        if (i > 0 && table->rows[i - 1].group == row->group)
            assert_true(table->rows[i - 1].mask < row->mask);
        else if (i > 0)
            assert_int_equal(table->rows[i - 1].group + 1, row->group);
        seen[row->group] |= row->mask;
        for (size_t j = 0; j < i; j++)
            assert_false(table->rows[j].group == row->group &&
                         strcmp(table->rows[j].name, row->name) == 0);
        assert_string_equal(capability_name(table, row->group, row->mask), row->name);
    }
}

#endif
