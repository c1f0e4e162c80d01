/* See vm.h. */
#include "guest/vm.h"

#include "guest/acpi_tables.h"
#include "guest/load/low_memory.h"
#include "guest/smbios_tables.h"
#include "lib/log.h"
#include "lib/ticks.h"
#include "virt/threads.h"

#define KICK_INTERVAL_MS 10
#define LEAVE_TIMEOUT_MS 5000

void vm_init(struct vm *vm, const struct backend *backend,
             const struct vm_environment *environment)
{
    vm->environment = *environment;
    vm->input  = (struct byte_queue){.bytes = vm->input_bytes, .size = VM_INPUT_SIZE};
    vm->output = (struct byte_queue){.bytes = vm->output_bytes, .size = VM_OUTPUT_SIZE};
    for (size_t i = 0; i < vm->cpu_count; i++) {
        vm->cpu[i]->index         = i;
        vm->cpu[i]->vcpu.handlers = &vm_exit_handlers;
        vm_cpu_init(vm->cpu[i], vm, backend);
    }
}

void vm_set_topology(struct vm *vm, const uint32_t host_ids[])
{
    const struct backend *backend  = vm->cpu[0]->vcpu.backend;
    const struct cpuid_setup cpuid = {
        .vendor   = backend->cpuid,
        .read     = backend->read_cpuid,
        .tsc_hz   = vm->environment.is_clock_exact ? vm->environment.clock_hz : 0,
        .topology = &vm->topology,
        .has_pv   = vm->has_pv,
    };

    topology_init(&vm->topology, host_ids, vm->cpu_count,
                  threads_id_bits(backend->read_cpuid));
    vm->arch_capabilities = backend->read_capabilities();
    for (size_t i = 0; i < vm->cpu_count; i++)
        cpuid_policy_init(&vm->cpu[i]->cpuid, &cpuid, i);
}

enum status vm_map_memory(struct vm *vm)
{
    const struct nested_format *format = vm->cpu[0]->vcpu.backend->nested_format;
    enum status status                 = STATUS_OK;

    for (size_t i = 0; i < vm->memory.piece_count && status == STATUS_OK; i++) {
        const struct guest_memory_piece *piece = &vm->memory.piece[i];
        status = nested_paging_map(format, &vm->tables, gpa(piece->start), piece->host,
                                   piece->size);
    }
    vm->plan.memory_root = hpa_of(vm->tables.pages);
    return status;
}

enum status vm_reset(struct vm *vm)
{
    vm->ignored_accesses  = 0;
    vm->is_refusal_logged = false;
    vm->end               = (struct guest_end){0};
    atomic_store(&vm->is_to_stop, false);
    atomic_store(&vm->is_to_restart, false);
    atomic_store(&vm->is_to_pause, false);
    atomic_store(&vm->is_paused, false);
    atomic_store(&vm->has_new_alarm, false);
    atomic_store(&vm->has_new_button_press, false);
    atomic_store(&vm->paused_ticks, 0);
    byte_queue_clear(&vm->input);
    atomic_store(&vm->input_lost, 0);
    for (size_t i = 0; i < vm->cpu_count; i++)
        vm_cpu_reset(vm->cpu[i]);
    return vm_add_devices(vm);
}

bool vm_load(struct vm *vm, uint64_t time, struct text *problem)
{
    rtc_set_time(&vm->rtc, time);
    low_memory_write(&vm->memory, time);
    acpi_tables_write(&vm->memory, vm->topology.apic_id, vm->cpu_count, VM_IO_APIC_ID);
    smbios_tables_write(&vm->memory, vm->name);
    return image_load(&vm->image, &vm->memory, &vm->start, &vm->kind, problem);
}

/* Starts the clocks of the VM and its vCPUs, whose TSCs are 0 now. */
static void start_clocks(struct vm *vm)
{
    vm->clock.start = vm->clock.read();
    for (size_t i = 0; i < vm->cpu_count; i++) {
        struct vm_cpu *cpu  = vm->cpu[i];
        cpu->clock.start    = vm->clock.start + (uint64_t)cpu->tsc_ahead;
        cpu->vcpu.tsc_start = cpu->clock.start;
    }
}

static void kick_others(const struct vm *vm)
{
    for (size_t i = 1; i < vm->cpu_count; i++)
        vm_cpu_kick(vm->cpu[i]);
}

/* Waits until the other vCPUs have left the run, which has ended. */
static enum status wait_for_others(struct vm *vm)
{
    uint64_t ms       = vm->clock.hz / 1000;
    uint64_t now      = vm->clock.read();
    uint64_t deadline = now + LEAVE_TIMEOUT_MS * ms, next = now;

    while (atomic_load(&vm->others) > 0) {
        now = vm->clock.read();
        if (now >= deadline)
            return STATUS_TIMEOUT;
        if (now >= next) {
            kick_others(vm);
            next = now + KICK_INTERVAL_MS * ms;
        }
        __builtin_ia32_pause();
    }
    return STATUS_OK;
}

/* Logs how long its CPUs have taken to leave the guest after a request to stop it. */
static void log_stop(const struct vm *vm)
{
    uint64_t ticks = vm->clock.read() - atomic_load(&vm->stop_time);

    if (atomic_load(&vm->is_to_stop))
        log_debug("vm %s: left its CPUs %lu us after the request", vm->name,
                  ticks_convert(ticks, vm->clock.hz, 1000000));
}

enum status vm_run(struct vm *vm)
{
    struct vm_cpu *first = vm->cpu[0];

    start_clocks(vm);
    atomic_store(&vm->others, (unsigned int)vm->cpu_count - 1);
    atomic_fetch_add(&vm->runs, 1);
    kick_others(vm);
    if (atomic_load(&vm->is_to_stop))
        vcpu_end(&first->vcpu, "stopped at the console");
    else
        vm_cpu_run(first);
    enum status status = wait_for_others(vm);
    log_stop(vm);
    return status;
}

void vm_kick(const struct vm *vm)
{
    for (size_t i = 0; i < vm->cpu_count; i++)
        vm_cpu_kick(vm->cpu[i]);
}

void vm_release(struct vm *vm)
{
    atomic_store(&vm->is_released, true);
    kick_others(vm);
}

void vm_type(struct vm *vm, uint8_t byte)
{
    if (byte_queue_room(&vm->input) == 0)
        atomic_fetch_add(&vm->input_lost, 1);
    else
        byte_queue_put(&vm->input, byte);
}

void vm_request_stop(struct vm *vm, bool is_to_restart)
{
    atomic_store(&vm->is_to_restart, is_to_restart);
    atomic_store(&vm->stop_time, vm->environment.read_clock());
    atomic_store(&vm->is_to_stop, true);
    vm_kick(vm);
}

void vm_request_pause(struct vm *vm, bool is_to_pause)
{
    atomic_store(&vm->is_to_pause, is_to_pause);
    vm_kick(vm);
}

void vm_press_power_button(struct vm *vm)
{
    atomic_store(&vm->has_new_button_press, true);
    vm_kick(vm);
}

/* Returns the costs of a kind of exit on all vCPUs. */
static struct exit_row sum_rows(const struct vm *vm, uint32_t index)
{
    struct exit_row sum = {0};

    for (size_t i = 0; i < vm->cpu_count; i++) {
        /* Volatile: a reset on the VM's CPU may clear the count meanwhile. */
        const volatile struct exit_row *row = &vm->cpu[i]->vcpu.row[index];
        uint64_t longest                    = row->longest;
        sum.exits += row->exits;
        sum.ticks += row->ticks;
        sum.longest = longest > sum.longest ? longest : sum.longest;
    }
    return sum;
}

uint64_t vm_count_exits(const struct vm *vm)
{
    uint64_t exits = 0;

    for (uint32_t i = 0; i < vm->cpu[0]->vcpu.row_count; i++)
        exits += sum_rows(vm, i).exits;
    return exits;
}

void vm_log_stats(const struct vm *vm)
{
    const struct vcpu *vcpu = &vm->cpu[0]->vcpu;

    for (uint32_t i = 0; i < vcpu->row_count; i++) {
        struct exit_row row = sum_rows(vm, i);
        if (row.exits > 0)
            log_plain("hymir: vm %s: %-24s %10lu exits, %8lu ticks each, longest %lu",
                      vm->name, vcpu->backend->exit_name(i), row.exits,
                      row.ticks / row.exits, row.longest);
    }
    log_plain("hymir: vm %s: %lu accesses to unemulated ports, memory and MSRs", vm->name,
              vm->ignored_accesses);
    uint64_t lost = atomic_load(&vm->input_lost) + vm->uart.lost;
    if (lost > 0)
        log_plain("hymir: vm %s: %lu typed bytes lost before the guest read them",
                  vm->name, lost);
}

void vm_log_abnormal_end(const struct vm *vm)
{
    for (size_t i = 0; i < vm->cpu_count; i++) {
        if (vm->end.vcpu == &vm->cpu[i]->vcpu)
            vm_cpu_log_exits(vm->cpu[i], false);
        else
            vm_cpu_log_last_state(vm->cpu[i]);
    }
}
