/* See vm_cpu.h. */
#include "guest/vm_cpu.h"

#include "guest/vm.h"
#include "lib/log.h"
#include "x86/control_registers.h"
#include "x86/descriptors.h"
#include "x86/pc_bios.h"

void vm_cpu_init(struct vm_cpu *cpu, struct vm *vm, const struct backend *backend)
{
    static uint16_t last_vpid;

    cpu->vcpu.vm      = vm;
    cpu->vcpu.end     = &vm->end;
    cpu->vcpu.backend = backend;
    cpu->vcpu.vpid    = ++last_vpid;
    backend->init(&cpu->vcpu, &vm->plan);
}

void vm_cpu_set_alarm(struct vm_cpu *cpu)
{
    const struct vm *vm = cpu->vcpu.vm;
    uint64_t deadline   = device_clock_alarm(&cpu->clock);

    if (cpu->handles_alarm)
        return;
    if (cpu->index == 0 && device_clock_alarm(&vm->clock) < deadline)
        deadline = device_clock_alarm(&vm->clock);
    cpu->vcpu.backend->set_alarm(&cpu->vcpu, deadline);
}

static bool is_due(const struct device_clock *clock)
{
    return clock->earliest != TICKS_NEVER && clock->earliest <= device_clock_now(clock);
}

void vm_cpu_handle_alarm(struct vcpu *vcpu)
{
    struct vm_cpu *cpu = vm_cpu_of(vcpu);
    struct vm *vm      = vcpu->vm;

    cpu->handles_alarm = true;
    if (cpu->index == 0 && is_due(&vm->clock)) {
        unsigned int ticket = vm_lock(vm);
        device_clock_run(&vm->clock);
        vm_unlock(vm, ticket);
        if (vm->is_to_flush)
            vm_flush_output(vm);
    }
    if (cpu->clock.earliest != TICKS_NEVER)
        device_clock_run(&cpu->clock);
    cpu->handles_alarm = false;
    vm_cpu_set_alarm(cpu);
}

static void set_own_alarm(void *context, uint64_t deadline)
{
    (void)deadline;
    vm_cpu_set_alarm(context);
}

static void reset_clock(struct vm_cpu *cpu)
{
    const struct vm_environment *environment = &cpu->vcpu.vm->environment;

    device_clock_init(&cpu->clock);
    cpu->clock.hz      = environment->clock_hz;
    cpu->clock.read    = environment->read_clock;
    cpu->clock.alarm   = set_own_alarm;
    cpu->clock.context = cpu;
}

void vm_cpu_reset(struct vm_cpu *cpu)
{
    struct vm *vm = cpu->vcpu.vm;

    msr_policy_reset(&cpu->msrs, cpu->vcpu.backend->msrs,
                     cpuid_policy_has_capabilities(&cpu->cpuid) ? &vm->arch_capabilities
                                                                : NULL);
    reset_clock(cpu);
    cpu->events        = 0;
    cpu->paused_ticks  = 0;
    cpu->last_state[0] = '\0';
    atomic_store(&cpu->is_asleep, cpu->index != 0);
    vcpu_reset(&cpu->vcpu, cpu->index == 0 ? &vm->start : &cpu->start);
}

void vm_cpu_kick(const struct vm_cpu *cpu)
{
    const struct vm *vm = cpu->vcpu.vm;

    if (cpu->vcpu.id != VCPU_WITHOUT_CPU &&
        vm->environment.interrupt_cpu(cpu->vcpu.id) != STATUS_OK)
        log_error("vm %s: cannot interrupt cpu %u", vm->name, cpu->vcpu.id);
}

/* Advances its clocks past the VM's pauses, in which it has not executed the guest. */
static void leave_out_pauses(struct vm_cpu *cpu)
{
    struct vcpu *vcpu = &cpu->vcpu;
    uint64_t ticks    = atomic_load(&vcpu->vm->paused_ticks) - cpu->paused_ticks;

    if (ticks == 0)
        return;
    cpu->paused_ticks += ticks;
    cpu->clock.start += ticks;
    vcpu->tsc_start += ticks;
    if (!cpu->is_running)
        return;
    vcpu->backend->write_register(vcpu, VCPU_TSC_OFFSET,
                                  vcpu->backend->read_register(vcpu, VCPU_TSC_OFFSET) -
                                      ticks);
    vm_cpu_set_alarm(cpu);
}

static bool is_pausing(const struct vm *vm)
{
    return (atomic_load(&vm->is_to_pause) || atomic_load(&vm->is_paused)) &&
           !atomic_load(&vm->is_to_stop) && !vm_has_ended(vm);
}

/* Makes the others pause or sleep, so that it begins for all at once, within a second. */
static void stop_others(const struct vm *vm)
{
    uint64_t start = vm->clock.read();

    for (size_t i = 1; i < vm->cpu_count; i++) {
        const struct vm_cpu *cpu = vm->cpu[i];
        vm_cpu_kick(cpu);
        while (!atomic_load(&cpu->is_in_pause) && !atomic_load(&cpu->is_asleep) &&
               is_pausing(vm) && vm->clock.read() - start < vm->clock.hz)
            __builtin_ia32_pause();
    }
}

/* On the first vCPU, which measures the pause; the others leave it afterwards. */
static void pause_all(struct vm *vm)
{
    atomic_store(&vm->is_paused, true);
    stop_others(vm);
    uint64_t since = vm->clock.read();
    while (atomic_load(&vm->is_to_pause) && is_pausing(vm))
        vm->environment.wait_for_interrupt();
    uint64_t ticks = vm->clock.read() - since;
    vm->clock.start += ticks;
    atomic_fetch_add(&vm->paused_ticks, ticks);
    atomic_store(&vm->is_paused, false);
}

/* Waits until the request to pause ends, or the VM does. */
static __attribute__((noinline)) void wait_while_paused(struct vm_cpu *cpu)
{
    struct vm *vm = cpu->vcpu.vm;

    while (is_pausing(vm)) {
        atomic_store(&cpu->is_in_pause, true);
        if (cpu->index == 0)
            pause_all(vm);
        else
            vm->environment.wait_for_interrupt();
        atomic_store(&cpu->is_in_pause, false);
    }
    leave_out_pauses(cpu);
}

/*
 * Sets the state of real-address mode after INIT, at an address: SDM 3A, "Processor State
 * After Reset". INIT keeps CR0.CD and CR0.NW.
 */
static void set_start(struct vm_cpu *cpu, uint16_t selector, uint16_t offset)
{
    const uint64_t kept = CR0_CD | CR0_NW;
    struct vcpu *vcpu   = &cpu->vcpu;
    uint64_t cr0 =
        cpu->is_running ? vcpu->backend->read_register(vcpu, VCPU_CR0) : CR0_AFTER_RESET;

    cpu->start = (struct vcpu_start){
        .rip  = offset,
        .cr0  = (CR0_AFTER_RESET & ~kept) | (cr0 & kept),
        .code = {selector, SEGMENT_LIMIT_8086, ACCESS_RIGHTS_OF(CODE_DESCRIPTOR_8086),
                 (uint64_t)selector << 4},
        .data = {0, SEGMENT_LIMIT_8086, ACCESS_RIGHTS_OF(DATA_DESCRIPTOR), 0},
        .gdt  = {0, DESCRIPTOR_TABLE_LIMIT_AFTER_RESET},
        .rdx  = cpu->cpuid.basic[CPUID_LEAF_FEATURES].eax,
    };
    vcpu->start = &cpu->start;
}

/* Returns whether it was awake. Counts before it is seen asleep: vm_cpu_can_wake. */
static bool set_asleep(struct vm_cpu *cpu)
{
    if (atomic_load(&cpu->is_asleep))
        return false;
    atomic_fetch_add(&cpu->vcpu.vm->sleeps, 1);
    atomic_store(&cpu->is_asleep, true);
    return true;
}

/* Sleeps until another vCPU wakes it: those that sleep already look whether one can. */
static void fall_asleep(struct vm_cpu *cpu)
{
    const struct vm *vm = cpu->vcpu.vm;

    if (!set_asleep(cpu))
        return;
    for (size_t i = 0; i < vm->cpu_count; i++) {
        if (atomic_load(&vm->cpu[i]->is_asleep))
            vm_cpu_kick(vm->cpu[i]);
    }
}

/*
 * Waits for a startup IPI, which sets the start. Returns false if the VM ends. SDM 3A,
 * "MP Initialization Protocol Algorithm for MP Systems".
 */
static bool wait_for_startup(struct vm_cpu *cpu)
{
    struct vm *vm = cpu->vcpu.vm;

    while (!vcpu_has_ended(&cpu->vcpu) && !atomic_load(&vm->is_to_stop)) {
        if (atomic_load(&cpu->apic.is_notified)) {
            atomic_store(&cpu->is_asleep, false);
            local_apic_receive(&cpu->apic);
        }
        if ((local_apic_take_events(&cpu->apic, &cpu->startup_vector) &
             LOCAL_APIC_STARTUP) != 0) {
            set_start(cpu, (uint16_t)(cpu->startup_vector << 8), 0);
            wait_while_paused(cpu);
            vm_cpu_kick(cpu); /* for what has arrived meanwhile */
            return true;
        }
        fall_asleep(cpu);
        vm->environment.wait_for_interrupt();
        cpu->vcpu.newest->start = (uint32_t)vm->clock.read(); /* the wait costs nothing */
    }
    return false;
}

/* Handles INIT: the first vCPU goes to the reset vector, the others wait. */
static void restart(struct vm_cpu *cpu, bool has_startup)
{
    local_apic_init_signal(&cpu->apic);
    if (cpu->index == 0)
        set_start(cpu, PC_BIOS_SEGMENT, PC_BIOS_RESET);
    else if (has_startup)
        set_start(cpu, (uint16_t)(cpu->startup_vector << 8), 0);
    else if (!wait_for_startup(cpu))
        return;
    cpu->vcpu.backend->restart(&cpu->vcpu);
}

/*
 * Takes what the VM's other CPUs and devices have sent to the local APIC. INIT changes
 * all registers: it is handled when the backend has stored them.
 */
static enum exit_outcome take_messages(struct vm_cpu *cpu)
{
    struct vcpu *vcpu = &cpu->vcpu;

    local_apic_receive(&cpu->apic);
    if ((cpu->apic.events | cpu->events) == 0)
        return EXIT_RESUME;
    unsigned int events = local_apic_take_events(&cpu->apic, &cpu->startup_vector);
    /* A later INIT drops what came before. */
    cpu->events  = (events & LOCAL_APIC_INIT) != 0 ? events : cpu->events | events;
    bool is_init = (cpu->events & LOCAL_APIC_INIT) != 0;
    if (is_init && !vcpu->run.has_all_registers) {
        vm_cpu_kick(cpu); /* HLT waits again before it calls this */
        return vcpu_request_all_registers(vcpu);
    }
    if (is_init)
        restart(cpu, (cpu->events & LOCAL_APIC_STARTUP) != 0);
    else if ((cpu->events & LOCAL_APIC_NMI) != 0)
        vcpu->backend->request_nmi(vcpu);
    cpu->events = 0;
    return EXIT_RESUME;
}

/* Moves typed bytes to the UART until it is full. */
static __attribute__((noinline)) void receive_input(struct vm *vm)
{
    unsigned int ticket = vm_lock(vm);
    uint8_t byte;

    while (uart_room(&vm->uart) > 0 && byte_queue_take(&vm->input, &byte))
        uart_receive(&vm->uart, byte);
    vm_unlock(vm, ticket);
}

static __attribute__((noinline)) void press_power_button(struct vm *vm)
{
    unsigned int ticket = vm_lock(vm);

    acpi_pm_press_power_button(&vm->acpi_pm);
    vm_unlock(vm, ticket);
}

static bool take(atomic_bool *request)
{
    return atomic_load(request) && atomic_exchange(request, false);
}

enum exit_outcome vm_cpu_handle_requests(struct vcpu *vcpu)
{
    struct vm_cpu *cpu = vm_cpu_of(vcpu);
    struct vm *vm      = vcpu->vm;

    atomic_store(&cpu->is_asleep, false);
    if (is_pausing(vm) || atomic_load(&vm->paused_ticks) != cpu->paused_ticks)
        wait_while_paused(cpu);
    if (take(&cpu->has_old_pages))
        vcpu->backend->invalidate_memory(vcpu);
    enum exit_outcome outcome = take_messages(cpu);
    if (atomic_load(&vm->is_to_stop))
        return vcpu_end(vcpu, "%s at the console",
                        atomic_load(&vm->is_to_restart) ? "reset" : "stopped");
    if (vcpu_has_ended(vcpu)) {
        if (vm->end.kind == GUEST_END_ABNORMAL)
            vm_cpu_record_last_state(cpu);
        return EXIT_STOP;
    }
    if (cpu->index != 0)
        return outcome;
    if (take(&vm->has_new_alarm))
        vm_cpu_set_alarm(cpu);
    if (take(&vm->has_new_button_press))
        press_power_button(vm);
    if (byte_queue_length(&vm->input) > 0)
        receive_input(vm);
    return outcome;
}

/* Returns whether one of the VM's devices, or its own timer, could interrupt it. */
static bool can_be_interrupted(struct vm_cpu *cpu)
{
    const struct vm *vm = cpu->vcpu.vm;

    return local_apic_can_interrupt(&cpu->apic) || io_apic_can_interrupt(&vm->io_apic) ||
           (cpu->index == 0 && pic_can_interrupt(&vm->pic) &&
            local_apic_is_pin_open(&cpu->apic, LOCAL_APIC_LINT0));
}

/*
 * One that sleeps and is notified wakes before it takes the notice, so that is looked at
 * first. One that has fallen asleep meanwhile may have notified another: it looks itself.
 */
bool vm_cpu_can_wake(struct vcpu *vcpu, bool accepts_interrupts)
{
    struct vm_cpu *cpu  = vm_cpu_of(vcpu);
    const struct vm *vm = vcpu->vm;

    if (cpu->events != 0 || (accepts_interrupts && can_be_interrupted(cpu)))
        return true;
    (void)set_asleep(cpu);
    unsigned int sleeps = atomic_load(&vm->sleeps);
    for (size_t i = 0; i < vm->cpu_count; i++) {
        if (atomic_load(&vm->cpu[i]->apic.is_notified) ||
            !atomic_load(&vm->cpu[i]->is_asleep))
            return true;
    }
    return atomic_load(&vm->sleeps) != sleeps;
}

void vm_cpu_run(struct vm_cpu *cpu)
{
    cpu->is_running = true;
    cpu->vcpu.backend->run(&cpu->vcpu);
    cpu->is_running = false;
    atomic_store(&cpu->is_asleep, true);
}

void vm_cpu_run_others(struct vm_cpu *cpu)
{
    struct vm *vm = cpu->vcpu.vm;

    while (!atomic_load(&vm->is_released)) {
        if (atomic_load(&vm->runs) == cpu->runs) {
            vm->environment.wait_for_interrupt();
            continue;
        }
        cpu->runs++;
        if (wait_for_startup(cpu))
            vm_cpu_run(cpu);
        atomic_fetch_sub(&vm->others, 1);
        vm_cpu_kick(vm->cpu[0]);
    }
}
