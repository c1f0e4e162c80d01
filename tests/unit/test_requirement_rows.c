/* The rows of requirements.h: each on a machine that meets it, lacks it, hides it. */
#include "hypervisors.h"

/* Machines on which all rows together apply. */
enum variant { PLAIN, RICH, WITHOUT_EPT, CORE_2, AMD, HYGON, VARIANTS };

/* Clears or sets bits of an MSR of one CPU. */
static void change_msr(size_t cpu, uint32_t msr, uint64_t bits, bool is_set)
{
    const struct msr_reading found = record_msr(&records[cpu], msr);
    set_msr(&records[cpu], (enum vmx_msr)msr,
            is_set ? found.value | bits : found.value & ~bits);
}

static void load_rich(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct cpuid_snapshot *cpuid                = &records[i].cpuid;
        vmx_record_of(&records[i])->feature_control = reading_of(0);
        cpuid->leaf_d_1.eax                         = 0xF;
        cpuid->leaf_7.ecx |= BIT(5);
        cpuid->leaf_1.ecx |= (uint32_t)BIT(31);
        cpuid->leaf_80000008.eax = 0x3934;
        change_msr(i, MSR_IA32_VMX_PROCBASED_CTLS2, BIT(26 + 32), true);
    }
}

static void load_without_ept(void)
{
    for (size_t i = 0; i < 2; i++) {
        change_msr(i, MSR_IA32_VMX_PROCBASED_CTLS2, BIT(1 + 32), false);
        change_msr(i, MSR_IA32_VMX_PROCBASED_CTLS, BIT(21 + 32), false);
        change_msr(i, MSR_IA32_VMX_TRUE_PROCBASED_CTLS, BIT(21 + 32), false);
    }
}

static void load(enum variant variant)
{
    records_load(variant == CORE_2 ? &core2_x6800 : &core_i7_6700k);
    if (variant == RICH)
        load_rich();
    if (variant == WITHOUT_EPT)
        load_without_ept();
    if (variant >= AMD)
        records_load_amd();
    for (size_t i = 0; variant == HYGON && i < 2; i++)
        set_vendor(&records[i], "HygonGenuine");
}

/* Lists the answers of one source, by state. */
static void visit(const struct requirement_source *source)
{
    struct hypervisor_question question;

    memset(named, 0, sizeof(named));
    hypervisor_question_prepare(&facts, &question);
    (void)hypervisor_visit(source->hypervisor, source, &question, answer_append, NULL);
}

/* Returns the bits that Hymir's vCPUs require to be able to be 1 or 0. */
static uint64_t vcpu_bits(const struct virtualization *tried,
                          const struct condition *condition)
{
    struct required_capabilities bits = tried->required_capabilities(condition->where);

    return condition->reading == READ_VCPU_ONES ? bits.ones : bits.zeros;
}

/* Returns whether a row is in the list of a state, by its name or its bits' names. */
static bool is_listed(const struct requirement *row, enum requirement_state state)
{
    const struct condition *condition = &row->condition;
    enum reading reading              = condition->reading;
    uint64_t bits                     = condition->mask;
    TEXT_DECLARE(name, 256);

    if (row->name != NULL &&
        (reading != READ_VCPU_ZEROS || state != REQUIREMENT_MISSING)) {
        text_append(&name, "%s", row->name);
        return strstr(named[state], name.buffer) != NULL;
    }
    const struct virtualization *tried = records[0].virtualization;
    if (reading == READ_VCPU_ONES || reading == READ_VCPU_ZEROS)
        bits = vcpu_bits(tried, condition);
    for (; bits != 0; bits &= bits - 1) {
        uint32_t group = reading == READ_PAIR ? GROUP_VM_ENTRY : condition->where;
        bool is_zero   = condition->first == condition->last && condition->last == 0;
        name.length    = 0;
        text_append(&name, "%s", is_zero ? "0 for " : "");
        capability_append_name(tried->capability_table, group, bits & -bits, &name);
        if (strstr(named[state], name.buffer) == NULL)
            return false;
    }
    return true;
}

/* Returns 0 or the mask, whichever does not fulfil the condition. */
static uint64_t bad_field(const struct condition *condition)
{
    return 0 - condition->first > condition->last - condition->first ? 0
                                                                     : condition->mask;
}

/* Changes the MSRs of a group; controls may have a TRUE one, too. */
static void spoil_group_of_vmx(uint32_t group, const struct condition *condition)
{
    static const struct {
        uint32_t msr, true_msr;
        bool has_halves;
    } groups[GROUP_COUNT] = {
        [GROUP_BASIC] = {0x480, 0, false},       [GROUP_PIN_BASED] = {0x481, 0x48D, true},
        [GROUP_PRIMARY] = {0x482, 0x48E, true},  [GROUP_VM_EXIT] = {0x483, 0x48F, true},
        [GROUP_VM_ENTRY] = {0x484, 0x490, true}, [GROUP_MISC] = {0x485, 0, false},
        [GROUP_SECONDARY] = {0x48B, 0, true},    [GROUP_EPT_VPID] = {0x48C, 0, false},
    };
    bool is_zeros = condition->reading == READ_VCPU_ZEROS;
    bool is_vcpu  = condition->reading == READ_VCPU_ONES || is_zeros;
    bool is_low =
        condition->reading == READ_MUST_BE_1 || is_zeros || !groups[group].has_halves;
    uint64_t mask = is_vcpu ? vcpu_bits(&vt_x, condition) : condition->mask;
    bool is_set =
        condition->reading == READ_PAIR
            ? ((record_msr(&records[0], MSR_IA32_VMX_ENTRY_CTLS).value >> 32 & mask) == 0)
            : condition->reading != READ_VCPU_ONES && bad_field(condition) != 0;

    assert_true(groups[group].msr != 0);
    for (size_t i = condition->reading == READ_PAIR ? 0 : 1; i < 2; i++) {
        change_msr(i, groups[group].msr, is_low ? mask : mask << 32, is_set);
        if (groups[group].true_msr != 0)
            change_msr(i, groups[group].true_msr, is_low ? mask : mask << 32, is_set);
    }
}

/* Takes the bits of a group, or those that vCPUs require, from a CPU. */
static void spoil_group(uint32_t group, const struct condition *condition)
{
    if (records[0].virtualization == &vt_x)
        spoil_group_of_vmx(group, condition);
    else
        svm_values(&records[1])[group] = 0;
}

static void spoil_cpu(const struct condition *condition)
{
    char *cpuid        = (char *)&records[1].cpuid;
    uint32_t *reg      = (uint32_t *)(void *)(cpuid + condition->where);
    uint64_t low       = condition->mask & -condition->mask;
    bool is_comparison = condition->agreement != AGREEMENT_NONE;

    if (condition->reading == READ_WORD) {
        for (size_t i = condition->agreement == AGREEMENT_ANY ? 0 : 1; i < 2; i++)
            records[i].judgement.word = VERDICT_LOCKED_OFF;
    } else if (condition->reading == READ_GUESTS) {
        for (size_t i = 0; i < 2; i++)
            svm_values(&records[i])[SVM_NESTED_PAGING] = 0;
    } else if (condition->reading == READ_IN_USE) {
        bool has_halves = condition->where == 0x48B ||
                          (condition->where >= 0x481 && condition->where <= 0x484);
        const struct msr_reading found = record_msr(&records[1], condition->where);
        uint64_t fixed = has_halves ? found.value & UINT32_MAX : 0; /* must be 1 */
        uint64_t bit   = condition->mask & ~fixed;
        bit            = (bit & -bit) << (has_halves ? 32 : 0);
        change_msr(1, condition->where, bit, (found.value & bit) == 0);
    } else if (condition->reading == READ_MSR) {
        for (size_t i = 0; i < 2; i++)
            *(condition->where == MSR_IA32_MISC_ENABLE
                  ? &vmx_record_of(&records[i])->misc_enable
                  : &vmx_record_of(&records[i])->feature_control) = reading_of(1 & i);
    } else {
        *reg = is_comparison
                   ? *reg ^ (uint32_t)low
                   : (*reg & ~(uint32_t)condition->mask) | (uint32_t)bad_field(condition);
    }
}

/* Makes the machine lack what a row requires. */
static void spoil(const struct requirement *row)
{
    const struct condition *condition = &row->condition;
    char *unit                        = (char *)&vt_d_units[1];

    if (condition->reading == READ_PAIR)
        spoil_group(GROUP_VM_ENTRY, condition);
    else if (condition->reading >= READ_MAY_BE_1)
        spoil_group(condition->where, condition);
    else if (condition->reading == READ_AMD_VI_ANSWERS)
        amd_vi_units[1].answers = false;
    else if (condition->reading == READ_AMD_VI_UNIT)
        amd_vi_units[1].extended_features = 0;
    else if (condition->reading == READ_UNIT_ANSWERS)
        vt_d_units[1].answers = false;
    else if (condition->reading == READ_UNIT_WIDTH)
        vt_d_units[1].capability = 0;
    else if (condition->reading == READ_UNIT)
        *(uint64_t *)(void *)(unit + condition->where) = 0;
    else if (condition->reading >= READ_CPUID)
        spoil_cpu(condition);
    else if (condition->reading == READ_CPUS)
        facts.count = 1;
    else if (condition->reading == READ_RAM)
        facts.ram_bytes = 1;
}

/* Hides what a row reads; returns false if it is always known. */
static bool hide(const struct requirement *row)
{
    static const struct msr_reading faulted = {.state = MSR_FAULTED, .vector = VECTOR_GP};
    const struct condition *condition       = &row->condition;

    if (condition->reading == READ_RAM)
        return false;
    facts.unseen            = "reason";
    facts.count             = condition->reading == READ_CPUS ? 1 : 2;
    iommus.vt_d.is_broken   = condition->reading == READ_UNIT_ANSWERS;
    vt_d_units[0].answers   = iommus.vt_d.is_broken;
    iommus.amd_vi.is_broken = condition->reading == READ_AMD_VI_ANSWERS;
    amd_vi_units[0].answers = iommus.amd_vi.is_broken;
    for (size_t i = 0; i < 2; i++) {
        if (condition->reading >= READ_MAY_BE_1 || condition->reading == READ_IN_USE) {
            remove_vmx(&records[i]);
            records[i].cpuid.leaf_80000001.ecx &= ~(uint32_t)BIT(2);
        }
        vmx_record_of(&records[i])->misc_enable     = faulted;
        vmx_record_of(&records[i])->feature_control = faulted;
        if (condition->reading == READ_CPUID && condition->agreement == AGREEMENT_NONE)
            records[i].answer = CPU_NO_ANSWER;
        if (condition->agreement == AGREEMENT_ANY)
            records[i].answer = CPU_NO_ANSWER;
    }
    return true;
}

/* Checks a row on the first machine to which it applies. */
static void check_row(const struct requirement_source *source,
                      const struct requirement *row)
{
    bool is_open       = row->condition.reading == READ_NOTHING;
    enum variant which = PLAIN;

    for (; which < VARIANTS; which++) {
        load(which);
        visit(source);
        if (is_listed(row, is_open ? REQUIREMENT_UNKNOWN : REQUIREMENT_MET))
            break;
    }
    if (which == VARIANTS)
        fail_msg("%s: no machine for %s", source->name,
                 row->name != NULL ? row->name : "bits");
    if (is_open)
        return;
    spoil(row);
    visit(source);
    if (!is_listed(row, REQUIREMENT_MISSING))
        fail_msg("%s: spoilt, and %s is not in \"%s\"", source->name,
                 row->name != NULL ? row->name : "bits", named[REQUIREMENT_MISSING]);
    load(which);
    if (!hide(row))
        return;
    visit(source);
    if (!is_listed(row, REQUIREMENT_UNKNOWN) && row->premise == NULL)
        fail_msg("%s: hidden, and %s is not in \"%s\"", source->name,
                 row->name != NULL ? row->name : "bits", named[REQUIREMENT_UNKNOWN]);
    assert_false(is_listed(row, REQUIREMENT_MET));
}

/* Checks the rows of a source, and returns their number. */
static size_t check_source(const struct requirement_source *source)
{
    size_t rows = 0;

    for (size_t i = 0; i < source->count; i++) {
        const struct requirement *row = &source->requirements[i];
        if (row->name != NULL && strcmp(row->name, "VT-d") == 0)
            continue; /* only without a DMAR: test_hypervisors_machine.c */
        check_row(source, row);
        rows++;
    }
    return rows;
}

static void test_rows(void **state)
{
    size_t rows = 0;
    (void)state;
    for (size_t i = 0; i < REQUIREMENT_TABLES; i++) {
        for (size_t j = 0; j < requirement_tables[i]->count; j++)
            rows += check_source(&requirement_tables[i]->sources[j]);
    }
    assert_true(rows > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests_name("requirement_rows", tests, NULL, NULL);
}
