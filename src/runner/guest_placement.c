/* See guest_placement.h. */
#include "runner/guest_placement.h"

#include "check/verdict.h"
#include "lib/log.h"
#include "platform/machine.h"
#include "platform/smp.h"
#include "runner/guest_maker.h"
#include "virt/threads.h"

/* The CPUs in the order in which they are given if nothing else matters. */
static struct placement_cpu *cpus;
static struct placement placement;

static bool is_hybrid; /* they differ in the type of core */
static bool is_waived; /* smt=share: guests may share cores that they should not share */

/* Returns the table of the machine's nodes, empty if there is none. */
static struct acpi_view find_nodes(void)
{
    const struct acpi *acpi = machine_get()->acpi;
    struct acpi_view srat;

    return acpi != NULL && acpi_find(acpi, "SRAT", &srat) == STATUS_OK
               ? srat
               : (struct acpi_view){0};
}

/* Returns whether a CPU can run guests. */
static bool is_usable(const struct cpu_record *record)
{
    TEXT_DECLARE(missing, LOG_LINE_SIZE);

    return verdict_is_ready(record) &&
           record->virtualization->find_missing(record, &missing) == STATUS_OK;
}

/* Decides whether two guests may share a CPU's core. */
static void judge_sharing(struct placement_cpu *cpu, const struct cpu_record *record,
                          const struct isolation_options *options)
{
    const struct isolation isolation = isolation_of(record, options);

    cpu->is_exclusive = isolation_has(&isolation, ISOLATION_DONE, MEASURE_CORE_PER_GUEST);
    if (isolation_has(&isolation, ISOLATION_WAIVED, MEASURE_CORE_PER_GUEST))
        is_waived = true;
}

struct placement *guest_placement_find(const struct report_facts *facts)
{
    const unsigned int thread_bits = threads_id_bits(cpuid);
    const uint32_t boot_core       = boot_cpu.apic_id >> thread_bits;
    const struct acpi_view nodes   = find_nodes();
    void *pages;

    if (machine_allocate(smp_count() * sizeof(*cpus), &pages) != STATUS_OK) {
        log_error("guests: %s", MACHINE_NO_MEMORY);
        return &placement;
    }
    cpus = placement.cpu = pages;
    for (size_t i = 1; i <= smp_count(); i++) { /* the boot CPU is the last */
        size_t index                    = i % smp_count();
        const struct cpu_record *record = &facts->records[index];
        struct placement_cpu *cpu       = &cpus[placement.count];
        if (!is_usable(record))
            continue;
        *cpu         = (struct placement_cpu){.index = index, .apic_id = record->apic_id};
        cpu->core    = cpu->apic_id >> thread_bits;
        cpu->node    = acpi_node_of_cpu(&nodes, cpu->apic_id);
        cpu->is_last = cpu->core == boot_core;
        cpu->is_efficient = cpuid_core_type(&record->cpuid) == CPUID_CORE_TYPE_EFFICIENT;
        judge_sharing(cpu, record, &facts->isolation);
        is_hybrid = is_hybrid || cpu->is_efficient != cpus[0].is_efficient;
        placement.count++;
    }
    return &placement;
}

/* Returns the node of the middle of the largest piece of a guest's memory. */
static uint32_t node_of_memory(const struct acpi_view *nodes,
                               const struct guest_memory *memory)
{
    const struct guest_memory_piece *largest = &memory->piece[0];

    for (size_t i = 1; i < memory->piece_count; i++) {
        if (memory->piece[i].size > largest->size)
            largest = &memory->piece[i];
    }
    return acpi_node_of_memory(nodes, largest->host.value + largest->size / 2);
}

/* Returns by how many ticks a CPU's TSC is ahead of the boot CPU's. */
static int64_t tsc_ticks_ahead(const struct cpu *cpu)
{
    return tsc_offset_synchrony(&cpu->tsc_offset) == TSC_NOT_IN_STEP
               ? tsc_offset_ticks(&cpu->tsc_offset)
               : 0;
}

/* Gives each vCPU of a guest one of the guest's CPUs. */
static void set_cpus(struct vm *vm, size_t number)
{
    uint32_t apic_ids[GUEST_CPUS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < placement.count && count < vm->cpu_count; i++) {
        if (cpus[i].guest != number)
            continue;
        const struct cpu *cpu     = smp_cpu(cpus[i].index);
        vm->cpu[count]->vcpu.id   = cpu->index;
        vm->cpu[count]->tsc_ahead = tsc_ticks_ahead(cpu);
        apic_ids[count++]         = cpu->apic_id;
    }
    for (size_t i = count; i > 0; i--)
        vm->cpu[i - 1]->tsc_ahead -= vm->cpu[0]->tsc_ahead;
    vm_set_topology(vm, apic_ids);
}

/* Explains that too few CPUs are left for a guest. */
static void refuse(struct vm *vm, size_t index)
{
    struct vcpu *vcpu = &vm->cpu[0]->vcpu;
    size_t room       = placement_room(&placement, index);
    size_t free       = 0;

    for (size_t i = 0; i < placement.count; i++)
        free += cpus[i].guest == 0;
    if (free == 0)
        vcpu_end(vcpu, "no CPU left: all usable CPUs run guests (%zu)", placement.count);
    else if (free >= vm->cpu_count)
        vcpu_end(
            vcpu,
            "cpus=%zu: %zu of %zu usable CPUs are left on cores without another guest, "
            "whose data it could read; reduce it, or use the option smt=share",
            vm->cpu_count, room, placement.count);
    else
        vcpu_end(vcpu, "cpus=%zu: %zu of %zu usable CPUs left; reduce it", vm->cpu_count,
                 free, placement.count);
    log_error("vm %s: %s", vm->name, vm->end.text);
}

/* CPUs of a guest that are alike. */
struct group {
    size_t guest; /* number */
    uint32_t node;
    bool is_efficient;
};

static bool is_in_group(const struct placement_cpu *cpu, const struct group *group)
{
    return cpu->guest == group->guest && cpu->node == group->node &&
           cpu->is_efficient == group->is_efficient;
}

/* Returns whether the CPU at i is the first of its group on its core. */
static bool is_first_on_core(size_t i, const struct group *group)
{
    for (size_t j = 0; j < i; j++) {
        if (is_in_group(&cpus[j], group) && cpus[j].core == cpus[i].core)
            return false;
    }
    return true;
}

/* Appends the CPUs of a group, such as "1-3,0", and returns the number of their cores. */
static size_t append_group(const struct group *group, struct text *text)
{
    size_t cores = 0, first = SIZE_MAX;

    for (size_t i = 0; i < placement.count; i++) {
        bool goes_on = i + 1 < placement.count && is_in_group(&cpus[i + 1], group) &&
                       cpus[i + 1].index == cpus[i].index + 1;
        if (!is_in_group(&cpus[i], group))
            continue;
        cores += is_first_on_core(i, group);
        first = first < i ? first : i;
        if (goes_on)
            continue;
        text_append(text, "%s%zu", text->length > 0 ? "," : "", cpus[first].index);
        if (first < i)
            text_append(text, "-%zu", cpus[i].index);
        first = SIZE_MAX;
    }
    return cores;
}

/* Logs which CPUs of a group a guest has. */
static void log_group(const struct vm *vm, const struct group *group,
                      const struct acpi_view *nodes)
{
    TEXT_DECLARE(list, LOG_LINE_SIZE / 2);
    TEXT_DECLARE(where, LOG_LINE_SIZE / 2);
    size_t cores = append_group(group, &list);

    if (is_hybrid)
        text_append(&where, " %s", group->is_efficient ? "efficient" : "performance");
    text_append(&where, " core%s", cores == 1 ? "" : "s");
    if (nodes->length > 0)
        text_append(&where, " of node %u, memory on node %u", group->node,
                    node_of_memory(nodes, &vm->memory));
    log_info("vm %s: cpu%s %s: %zu%s", vm->name, vm->cpu_count == 1 ? "" : "s",
             list.buffer, cores, where.buffer);
}

/* Logs which CPUs a guest has, and whether another guest shares their cores. */
static void log_cpus(const struct vm *vm, size_t number, const struct acpi_view *nodes)
{
    for (size_t i = 0; i < placement.count; i++) {
        const struct group group = {number, cpus[i].node, cpus[i].is_efficient};
        size_t first             = 0;
        while (!is_in_group(&cpus[first], &group) && first < i)
            first++;
        if (cpus[i].guest == number && first == i)
            log_group(vm, &group, nodes);
    }
    for (size_t i = 0; i < placement.count; i++) {
        if (cpus[i].guest == number && is_waived &&
            placement_is_shared(&placement, &cpus[i]))
            log_warning("vm %s: cpu %zu shares its core with another guest, and each can "
                        "read the other's data: smt=share",
                        vm->name, cpus[i].index);
    }
}

void guest_placement_place(struct vm *const guests[], size_t count)
{
    static struct placement_guest wanted[GUEST_MAKER_MAX];
    const struct acpi_view nodes = find_nodes();

    for (size_t i = 0; i < count; i++)
        wanted[i] =
            (struct placement_guest){.cpus = guests[i]->cpu_count,
                                     .node = node_of_memory(&nodes, &guests[i]->memory)};
    placement_place(&placement, wanted, count);
    for (size_t i = 0; i < count; i++) {
        if (!wanted[i].is_placed) {
            refuse(guests[i], i);
            continue;
        }
        set_cpus(guests[i], i + 1);
        log_cpus(guests[i], i + 1, &nodes);
    }
}
