/* src/svm/capabilities.c, on the CPUID of real and emulated processors. */
#include "capability_table.h"
#include "snapshots_amd.h"

#include "svm/capabilities.h"

#define TABLE (&svm_capability_table)

/* Of all groups together, too, each name is one bit. */
static void test_table(void **state)
{
    (void)state;
    assert_int_equal(TABLE->group_count, SVM_GROUP_COUNT);
    assert_int_equal(TABLE->rows[0].group, 0);
    assert_int_equal(TABLE->rows[TABLE->row_count - 1].group, SVM_GROUP_COUNT - 1);
    assert_table(TABLE);
    for (size_t i = 0; i < TABLE->row_count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(TABLE->rows[j].name, TABLE->rows[i].name);
    }
    assert_null(capability_name(TABLE, GROUP_FEATURES, BIT(9)));
    for (uint32_t i = 0; i < TABLE->group_count; i++) {
        assert_non_null(TABLE->groups[i].singular);
        assert_false(TABLE->groups[i].has_settings);
    }
}

static struct capability_set set_of(const struct recorded_amd *recorded)
{
    struct cpu_record record  = record_before(recorded);
    struct capability_set set = {0};

    assert_true(amd_v.read_capabilities(&record, &set));
    return set;
}

/* The registers are the leaves' values, whole. */
static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_amd); i++) {
        struct capability_set set = set_of(all_amd[i]);
        const struct {
            const char *source;
            uint32_t value;
        } expected[SVM_GROUP_COUNT] = {
            {"CPUID.8000000AH:EAX", all_amd[i]->features.eax},
            {"CPUID.8000000AH:EBX", all_amd[i]->features.ebx},
            {"CPUID.8000000AH:EDX", all_amd[i]->features.edx},
            {"CPUID.8000001FH:EAX", all_amd[i]->encryption.eax},
            {"CPUID.8000001FH:EBX", all_amd[i]->encryption.ebx},
            {"CPUID.8000001FH:ECX", all_amd[i]->encryption.ecx},
            {"CPUID.8000001FH:EDX", all_amd[i]->encryption.edx},
        };
        for (size_t group = 0; group < SVM_GROUP_COUNT; group++) {
            assert_int_equal(set.group[group].may_be_1, expected[group].value);
            assert_int_equal(set.group[group].must_be_1, 0);
            assert_string_equal(set.group[group].source, expected[group].source);
            assert_int_equal(set.group[group].exists,
                             group < GROUP_ENCRYPTION || all_amd[i]->encryption.eax != 0);
        }
    }
    struct cpu_record record = record_before(&epyc_7763);
    remove_svm(&record);
    struct capability_set set;
    assert_false(amd_v.read_capabilities(&record, &set));
    assert_null(amd_v.required_capabilities);
}

/* All bits that processors up to Zen 5 set have names, but one that AMD does not name. */
static void test_unnamed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_amd); i++) {
        struct capability_set set = set_of(all_amd[i]);
        for (uint32_t group = 0; group < SVM_GROUP_COUNT; group++) {
            uint64_t bits = capability_unnamed_bits(TABLE, group, &set.group[group]);
            bits &= group == GROUP_FEATURES ? ~BIT(11) : UINT64_MAX;
            if (bits != 0)
                fail_msg("%s: %s, unnamed bits 0x%lx", all_amd[i]->name,
                         set.group[group].source, bits);
        }
    }
}

/* Returns the row that is called that. */
static const struct capability_row *row_of(const char *name)
{
    for (size_t i = 0; i < TABLE->row_count; i++) {
        if (strcmp(TABLE->rows[i].name, name) == 0)
            return &TABLE->rows[i];
    }
    fail_msg("no row is called %s", name);
    return NULL;
}

static enum capability_state state_in(const struct capability_set *set, const char *name)
{
    const struct capability_row *row = row_of(name);

    return capability_state_of(TABLE, row, &set->group[row->group]);
}

static uint64_t number_in(const struct capability_set *set, const char *name)
{
    const struct capability_row *row = row_of(name);

    assert_int_equal(state_in(set, name), CAPABILITY_NUMBER);
    return capability_number(row, &set->group[row->group]);
}

static void test_known_facts(void **state)
{
    (void)state;
    struct capability_set k10  = set_of(&opteron_2378);
    struct capability_set fx   = set_of(&fx_8150);
    struct capability_set zen  = set_of(&ryzen_1700x);
    struct capability_set zen5 = set_of(&epyc_9655);

    assert_int_equal(number_in(&k10, "number of ASIDs"), 64);
    assert_int_equal(number_in(&fx, "number of ASIDs"), 65536);
    assert_int_equal(number_in(&zen, "SVM revision number"), 1);
    assert_int_equal(state_in(&k10, "NRIP save"), CAPABILITY_YES);
    assert_int_equal(state_in(&k10, "VMCB clean bits"), CAPABILITY_NO);
    assert_int_equal(state_in(&k10, "flush by ASID"), CAPABILITY_NO);
    assert_int_equal(state_in(&k10, "decode assists"), CAPABILITY_NO);
    assert_int_equal(state_in(&fx, "decode assists"), CAPABILITY_YES);
    assert_int_equal(state_in(&fx, "AVIC"), CAPABILITY_NO);
    assert_int_equal(state_in(&zen, "AVIC"), CAPABILITY_YES);
    assert_int_equal(state_in(&zen, "virtualized GIF"), CAPABILITY_YES);
    assert_int_equal(state_in(&zen, "SEV"), CAPABILITY_YES);
    assert_int_equal(state_in(&zen, "SEV-ES"), CAPABILITY_NO);
    assert_int_equal(state_in(&zen5, "SEV-SNP"), CAPABILITY_YES);
    assert_int_equal(state_in(&zen5, "idle HLT intercept"), CAPABILITY_YES);
    assert_int_equal(state_in(&zen5, "enhanced shutdown intercept"), CAPABILITY_YES);
    assert_int_equal(state_in(&zen5, "guest intercept control"), CAPABILITY_YES);
    assert_int_equal(number_in(&zen, "C-bit position"), 47);
    assert_int_equal(number_in(&zen, "physical address bit reduction"), 5);
    assert_int_equal(number_in(&zen, "number of VMPLs"), 0);
    assert_int_equal(number_in(&zen5, "C-bit position"), 51);
    assert_int_equal(number_in(&zen5, "number of VMPLs"), 4);
    assert_int_equal(number_in(&zen5, "number of encrypted guests"), 1006);
    assert_int_equal(number_in(&zen5, "minimum ASID without SEV-ES"), 1);
}

/* Unlike processors: the features of both, and the smaller numbers. */
static void test_intersection(void **state)
{
    (void)state;
    static const struct recorded_amd *const pairs[][2] = {{&epyc_7763, &opteron_2378},
                                                          {&opteron_2378, &epyc_7763}};
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        struct capability_set usable = set_of(pairs[i][0]);
        struct capability_set other  = set_of(pairs[i][1]);
        capability_set_intersect(TABLE, &usable, &other);
        assert_int_equal(number_in(&usable, "number of ASIDs"), 64);
        assert_int_equal(number_in(&usable, "SVM revision number"), 1);
        assert_int_equal(usable.group[GROUP_FEATURES].may_be_1, 0xF);
        assert_int_equal(usable.group[GROUP_ENCRYPTION].may_be_1, 0);
    }
    struct capability_set zen = set_of(&ryzen_1700x), zen4 = set_of(&epyc_9654);
    zen.group[GROUP_ENCRYPTED_ASIDS].may_be_1 = 100;
    capability_set_intersect(TABLE, &zen, &zen4);
    assert_int_equal(state_in(&zen, "C-bit position"), CAPABILITY_DIFFERS);
    assert_int_equal(number_in(&zen, "number of encrypted guests"), 15);
    assert_int_equal(number_in(&zen, "physical address bit reduction"), 6);
    assert_int_equal(number_in(&zen, "minimum ASID without SEV-ES"), 100);
    struct capability_set usable = set_of(&epyc_9654), other = set_of(&fx_8150);
    capability_set_intersect(TABLE, &usable, &other);
    assert_int_equal(number_in(&usable, "number of ASIDs"), 32768);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),        cmocka_unit_test(test_read),
        cmocka_unit_test(test_unnamed),      cmocka_unit_test(test_known_facts),
        cmocka_unit_test(test_intersection),
    };
    return cmocka_run_group_tests_name("svm_capabilities", tests, NULL, NULL);
}
