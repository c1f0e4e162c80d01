/* See json_report.h. */
#include "report/json_report.h"

#include "check/comparison.h"
#include "check/tsc_synchrony.h"
#include "check/verdict.h"
#include "lib/calendar.h"
#include "report/isolation_page.h"
#include "report/json_hypervisors.h"
#include "report/pages.h"
#include "report/surroundings.h"

#define SUMMARY_SIZE 320

/* Writes a number, or null if it is not known. */
static void write_known(struct json *json, const char *key, bool is_known,
                        uint64_t number)
{
    if (is_known)
        json_number(json, key, number);
    else
        json_null(json, key);
}

static void write_machine(struct json *json, const struct report_facts *facts)
{
    json_string(json, "name", "%s", facts->machine);
    json_string(json, "firmware", "%s", facts->firmware);
    json_number(json, "ram_bytes", facts->ram_bytes);
    write_known(json, "tsc_hz", facts->tsc_hz != 0, facts->tsc_hz);
    write_known(json, "tsc_uncertainty_ppm", facts->tsc_ppm != FACTS_NO_PPM,
                facts->tsc_ppm);
    json_string(json, "tsc_source", "%s", facts->tsc_source);
    struct tsc_synchrony_summary synchrony =
        tsc_synchrony_summarize(facts->records, facts->count);
    json_number(json, "tscs_compared", synchrony.compared);
    json_number(json, "tscs_in_step", synchrony.in_step);
    json_number(json, "tscs_in_step_ticks", synchrony.error);
}

/* Writes what is unusual about a CPU's TSC. */
static void write_tsc(struct json *json, const struct cpu_record *record)
{
    static const char *const words[] = {
        [TSC_NOT_IN_STEP] = "not in step",
        [TSC_DRIFTS]      = "drifts",
    };
    enum tsc_synchrony synchrony = tsc_offset_synchrony(&record->tsc_offset);

    if (synchrony == TSC_NOT_IN_STEP || synchrony == TSC_DRIFTS)
        json_string(json, "tsc", "%s", words[synchrony]);
    if (synchrony == TSC_NOT_IN_STEP) {
        json_string(json, "tsc_offset", "%ld", tsc_offset_ticks(&record->tsc_offset));
        json_number(json, "tsc_offset_error", tsc_offset_error(&record->tsc_offset));
    }
    if (record->tsc_adjust.value != 0)
        json_string(json, "tsc_adjust", "0x%lx", record->tsc_adjust.value);
}

/* Returns whether a CPU offers the virtualization that was tried. */
static bool is_offered(const struct report_facts *facts)
{
    size_t i = 0;
    while (i < facts->count &&
           !facts->records[i].virtualization->is_offered(&facts->records[i].cpuid))
        i++;
    return i < facts->count;
}

static void write_verdict(struct json *json, const struct report_facts *facts)
{
    json_string(json, "word", "%s", verdict_name(facts->verdict));
    if (is_offered(facts))
        json_string(json, "virtualization", "%s", facts->records[0].virtualization->name);
    else
        json_null(json, "virtualization");
    json_string(json, "text", "%s", facts->verdict_text);
}

/* Writes the names of the rules that a failed VM entry of the trial violated. */
static void write_violations(struct json *json, const struct cpu_record *record)
{
    const struct entry_summary *violations = &record->entry_violations;

    if (violations->count == 0)
        return;
    json_open_array(json, "violated_rules");
    for (size_t i = 0; i < violations->count && i < ENTRY_SUMMARY_MAX; i++)
        json_string(json, NULL, "%s", violations->first[i].rule->name);
    json_close_array(json);
}

/* Writes each CPU, and the first CPU with the same registers. */
static void write_cpus(struct json *json, const struct report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct cpu_record *record = &facts->records[i];
        TEXT_DECLARE(summary, SUMMARY_SIZE);
        verdict_describe_cpu(record, &summary);
        json_open_object(json, NULL);
        json_number(json, "cpu", i);
        json_number(json, "apic", record->apic_id);
        json_string(json, "verdict", "%s", verdict_name(record->judgement.word));
        json_string(json, "text", "%s", summary.buffer);
        if (record->answer == CPU_ANSWERED) {
            json_string(json, "core_type", "%s", cpuid_core_type_name(&record->cpuid));
            json_number(json, "like_cpu", comparison_first_alike(facts->records, i));
            write_tsc(json, record);
            write_violations(json, record);
        }
        json_close_object(json);
    }
}

static void write_processor(struct json *json, const struct cpu_record *record)
{
    struct cpuid_signature signature = cpuid_signature(&record->cpuid);
    char text[CPUID_BRAND_SIZE];

    cpuid_vendor(&record->cpuid, text);
    json_string(json, "vendor", "%s", text);
    cpuid_brand(&record->cpuid, text);
    json_string(json, "brand", "%s", text);
    json_number(json, "family", signature.family);
    json_number(json, "model", signature.model);
    json_number(json, "stepping", signature.stepping);
    if (cpuid_has_hypervisor(&record->cpuid)) {
        cpuid_hypervisor(&record->cpuid, text);
        json_string(json, "hypervisor", "%s", text);
    } else {
        json_null(json, "hypervisor");
    }
}

/* Writes the registers of the first CPU of each set of identical CPUs. */
static void write_registers(struct json *json, const struct report_facts *facts)
{
    const struct virtualization *virtualization = facts->records[0].virtualization;

    for (size_t i = 0; i < facts->count; i++) {
        const struct cpu_record *record = &facts->records[i];
        if (record->answer != CPU_ANSWERED ||
            comparison_first_alike(facts->records, i) != i)
            continue;
        json_open_object(json, NULL);
        json_number(json, "cpu", i);
        write_processor(json, record);
        json_open_object(json, "values");
        for (size_t row = 0; row < comparison_count(virtualization); row++) {
            TEXT_DECLARE(value, COMPARISON_VALUE_SIZE);
            if (comparison_append_value(row, record, &value))
                json_string(json, comparison_name(virtualization, row), "%s",
                            value.buffer);
        }
        json_close_object(json);
        json_close_object(json);
    }
}

static void write_value(const char *value, const char *cpus, void *context)
{
    json_open_object(context, NULL);
    json_string(context, "value", "%s", value);
    json_string(context, "cpus", "%s", cpus);
    json_close_object(context);
}

static void write_differences(struct json *json, const struct report_facts *facts)
{
    const struct virtualization *virtualization = facts->records[0].virtualization;

    for (size_t row = 0; row < comparison_count(virtualization); row++) {
        if (!comparison_differs(row, facts->records, facts->count))
            continue;
        json_open_object(json, NULL);
        json_string(json, "register", "%s", comparison_name(virtualization, row));
        json_open_array(json, "values");
        comparison_visit_values(row, facts->records, facts->count, write_value, json);
        json_close_array(json);
        json_close_object(json);
    }
}

static void write_group(struct json *json, const struct capability_table *table,
                        uint32_t group, const struct capability_bits *bits)
{
    json_open_object(json, table->groups[group].name);
    json_string(json, "source", "%s", bits->source);
    json_open_object(json, "bits");
    for (size_t i = 0; i < table->row_count; i++) {
        const struct capability_row *row = &table->rows[i];
        if (row->group != group)
            continue;
        enum capability_state state = capability_state_of(table, row, bits);
        if (state == CAPABILITY_NUMBER)
            json_number(json, row->name, capability_number(row, bits));
        else
            json_string(json, row->name, "%s", capability_state_name(state));
    }
    json_close_object(json);
    json_open_array(json, "unnamed_bits");
    for (uint64_t rest = capability_unnamed_bits(table, group, bits); rest != 0;
         rest &= rest - 1)
        json_number(json, NULL, (uint64_t)__builtin_ctzll(rest));
    json_close_array(json);
    json_close_object(json);
}

/* Writes the capabilities that all CPUs with virtualization share. */
static void write_capabilities(struct json *json, const struct report_facts *facts)
{
    const struct capability_table *table =
        facts->records[0].virtualization->capability_table;
    struct capability_set usable;

    if (comparison_usable(facts->records, facts->count, &usable)) {
        for (uint32_t group = 0; group < table->group_count; group++) {
            if (usable.group[group].exists)
                write_group(json, table, group, &usable.group[group]);
        }
    }
}

static void write_vt_d_units(struct json *json, const struct report_facts *facts)
{
    const struct iommu_table *table = &facts->iommus->vt_d;

    for (size_t i = 0; i < table->count; i++) {
        const struct iommu_unit *unit = &table->unit[i];
        json_open_object(json, NULL);
        json_string(json, "address", "0x%lx", unit->address);
        json_bool(json, "answers", unit->answers);
        json_string(json, "version", "0x%lx", unit->version);
        json_string(json, "capability", "0x%lx", unit->capability);
        json_string(json, "extended_capability", "0x%lx", unit->extended_capability);
        json_close_object(json);
    }
}

static void write_amd_vi_units(struct json *json, const struct report_facts *facts)
{
    const struct iommu_table *table = &facts->iommus->amd_vi;

    for (size_t i = 0; i < table->count; i++) {
        const struct iommu_unit *unit = &table->unit[i];
        json_open_object(json, NULL);
        json_string(json, "address", "0x%lx", unit->address);
        json_bool(json, "answers", unit->answers);
        json_string(json, "control", "0x%lx", unit->control);
        json_string(json, "extended_features", "0x%lx", unit->extended_features);
        json_close_object(json);
    }
}

static void write_surroundings(struct json *json, const struct report_facts *facts)
{
    for (size_t i = 0; i < SURROUNDINGS; i++) {
        const struct surrounding *row = &surroundings[i];
        TEXT_DECLARE(state, SURROUNDING_STATE_SIZE);
        TEXT_DECLARE(text, SUMMARY_SIZE);
        row->describe(&(struct surrounding_query){row, facts, &state, &text});
        json_open_object(json, row->key);
        json_string(json, "state", "%s", state.buffer);
        json_string(json, "text", "%s", text.buffer);
        json_close_object(json);
    }
}

/* Writes a timing, unless the CPU did not measure it. */
static void write_timing(struct json *json, const struct cpu_record *record, size_t row)
{
    const struct statistics *statistics = &record->timings.row[row];

    if (statistics->count == 0)
        return;
    json_open_object(json, record->virtualization->timings[row].name);
    json_number(json, "rounds", statistics->count);
    json_number(json, "low", statistics->low);
    json_number(json, "median", statistics->median);
    json_number(json, "high", statistics->high);
    json_close_object(json);
}

/* Writes timings in ticks of the TSC, of the CPUs that were timed. */
static void write_timings(struct json *json, const struct report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct cpu_record *record = &facts->records[i];
        if (!timings_exist(&record->timings))
            continue;
        json_open_object(json, NULL);
        json_number(json, "cpu", i);
        json_string(json, "core_type", "%s", cpuid_core_type_name(&record->cpuid));
        json_open_object(json, "tsc_ticks");
        for (size_t row = 0; row < record->virtualization->timing_count; row++)
            write_timing(json, record, row);
        json_close_object(json);
        json_close_object(json);
    }
}

static void write_row(const struct sheet_row *row, void *json)
{
    json_string(json, NULL, "%s", row->text);
}

/* Writes the rows of the report's pages, except those of the QR code. */
static void write_pages(struct json *json, const struct report_facts *facts)
{
    for (enum report_section i = REPORT_VERDICT; i < REPORT_CODE; i++) {
        json_open_array(json, report_section_name(i));
        report_visit_rows(i, facts, write_row, json);
        json_close_array(json);
    }
}

static const struct {
    const char *key;
    bool is_array;
    void (*write)(struct json *json, const struct report_facts *facts);
} sections[] = {
    {"machine", false, write_machine},
    {"verdict", false, write_verdict},
    {"cpus", true, write_cpus},
    {"registers", true, write_registers},
    {"differences", true, write_differences},
    {"capabilities", false, write_capabilities},
    {"hypervisors", true, json_hypervisors_write},
    {"isolation", false, isolation_page_write},
    {"surroundings", false, write_surroundings},
    {"vt_d_units", true, write_vt_d_units},
    {"amd_vi_units", true, write_amd_vi_units},
    {"timings", true, write_timings},
    {"pages", false, write_pages}, /* last: see json_report_write */
};

/* Writes when the report was made, by the machine's clock. */
static void write_time(struct json *json, const struct report_facts *facts)
{
    struct calendar_time time = calendar_of(facts->time);

    if (facts->time == 0)
        json_null(json, "time");
    else
        json_string(json, "time", "%04u-%02u-%02u %02u:%02u:%02u", time.year, time.month,
                    time.day, time.hour, time.minute, time.second);
}

static void write_report(const struct report_facts *facts, size_t section_count,
                         json_output *output)
{
    struct json json;

    json_start(&json, output);
    json_open_object(&json, NULL);
    json_number(&json, "schema", JSON_REPORT_SCHEMA);
    json_string(&json, "hymir", "%s", facts->version);
    write_time(&json, facts);
    for (size_t i = 0; i < section_count; i++) {
        (sections[i].is_array ? json_open_array : json_open_object)(&json,
                                                                    sections[i].key);
        sections[i].write(&json, facts);
        (sections[i].is_array ? json_close_array : json_close_object)(&json);
    }
    json_close_object(&json);
    json_end(&json);
}

void json_report_write(const struct report_facts *facts, json_output *output)
{
    write_report(facts, ARRAY_SIZE(sections) - 1, output);
}

void json_report_write_with_pages(const struct report_facts *facts, json_output *output)
{
    write_report(facts, ARRAY_SIZE(sections), output);
}

void json_report_write_line(const struct report_facts *facts, json_output *output)
{
    static const char start[] = "hymir-report: ";

    output(start, sizeof(start) - 1);
    json_report_write(facts, output);
    output("\n", 1);
}
