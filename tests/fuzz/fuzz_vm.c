/*
 * What a guest can do to Hymir: the handlers of VM exits (src/guest) and the devices
 * (src/dev), on a backend that keeps registers in an array. The input is a sequence of
 * steps, each a byte and its operands: an exit by CPUID, an MSR, a port, a string
 * instruction, memory without RAM, a hypercall or CR8; a change of registers or memory;
 * input, or time that passes. Bytes beyond the end read as 0.
 */
#include "fuzz.h"

#include "guest/hypercall.h"
#include "guest/vm.h"
#include "lib/log.h"
#include "lib/ticks.h"
#include "svm/guest_policy.h"
#include "vmx/guest_policy.h"
#include "x86/apic.h"
#include "x86/exceptions.h"

#define CPUS        2U
#define PIECE_SIZE  UINT64_C(0x20000)
#define MEMORY_SIZE (2 * PIECE_SIZE)
#define STEPS_MAX   256

static struct vm vm;
static struct vm_cpu cpus[CPUS];
static struct vcpu *const vcpu = &cpus[0].vcpu;
static uint64_t registers[VCPU_REGISTER_COUNT];
static struct vcpu_segment segments[SEGMENT_COUNT];
static bool is_interrupt_requested;
static uint64_t alarm_time, now;
static struct exit_row rows[CPUS][4];

/* ---- The input
 * --------------------------------------------------------------------------- */

static const uint8_t *input;
static size_t input_left;

static uint64_t take(unsigned int bytes)
{
    uint64_t value = 0;

    for (unsigned int i = 0; i < bytes && input_left > 0; i++, input_left--)
        value |= (uint64_t)*input++ << 8 * i;
    return value;
}

/* Returns one of the values, or any. */
static uint64_t take_of(const uint32_t values[], size_t count, unsigned int bytes)
{
    size_t choice = take(1);

    return choice < 2 * count ? values[choice % count] : take(bytes);
}

static uint32_t take_msr(void)
{
    static const uint32_t blocks[] = {
        0,     0x10,  0x40,  0x100, 0x170,      0x1D0,      0x270,      0x400,     0x6E0,
        0x800, 0x810, 0x820, 0x830, 0xC0000080, 0xC0000100, 0xC0010010, 0xC0010110};

    return (uint32_t)take_of(blocks, ARRAY_SIZE(blocks), 4) + (uint32_t)(take(1) & 15);
}

static uint16_t take_port(void)
{
    static const uint32_t blocks[] = {0x20,  0x40,  0x60,  0x70,   0xA0,  0xE0,  0x3F8,
                                      0x4D0, 0x600, 0x608, 0xB000, 0xCF8, 0x8900};

    return (uint16_t)(take_of(blocks, ARRAY_SIZE(blocks), 2) + (take(1) & 7));
}

/* A guest-physical address, mostly one without RAM. */
static uint64_t take_address(void)
{
    static const uint32_t blocks[] = {0xFEE00000,  0xFEE00300,      0xFEC00000,
                                      MEMORY_SIZE, MEMORY_SIZE - 8, PIECE_SIZE - 8,
                                      0xC0000000};

    return take_of(blocks, ARRAY_SIZE(blocks), 8) + take(1);
}

/* ---- The backend and the environment
 * ----------------------------------------------------- */

static void backend_init(struct vcpu *of, const struct vcpu_plan *plan)
{
    (void)plan;
    of->row       = rows[of - vcpu == 0 ? 0 : 1];
    of->row_count = ARRAY_SIZE(rows[0]);
}

static uint64_t read_register(struct vcpu *of, enum vcpu_register which)
{
    (void)of;
    REQUIRE(which < VCPU_REGISTER_COUNT);
    return registers[which];
}

static void write_register(struct vcpu *of, enum vcpu_register which, uint64_t value)
{
    (void)of;
    REQUIRE(which == VCPU_RSP || which == VCPU_RFLAGS || which == VCPU_CR2 ||
            which == VCPU_SPEC_CTRL || which == VCPU_VIRT_SPEC_CTRL ||
            which == VCPU_TSC || which == VCPU_TSC_OFFSET || which == VCPU_DEBUGCTL);
    registers[which] = value;
}

static void read_segment(struct vcpu *of, enum segment_number number,
                         struct vcpu_segment *segment)
{
    (void)of;
    REQUIRE(number < SEGMENT_COUNT);
    *segment = segments[number];
}

static void inject_exception(struct vcpu *of, uint8_t vector, uint32_t error_code)
{
    (void)of;
    (void)error_code;
    REQUIRE(vector < EXCEPTION_VECTORS && vector != VECTOR_NMI);
}

static void add_debug_causes(struct vcpu *of, uint64_t causes)
{
    (void)of;
    (void)causes;
}

static void request_interrupt(struct vcpu *of, bool is_requested)
{
    if (of == vcpu)
        is_interrupt_requested = is_requested;
}

static void ignore(struct vcpu *of)
{
    (void)of;
}

static void set_alarm(struct vcpu *of, uint64_t time)
{
    if (of == vcpu)
        alarm_time = time;
}

static const char *exit_name(uint32_t row)
{
    REQUIRE(row < ARRAY_SIZE(rows[0]));
    return "exit";
}

/* A processor with all features, and for each leaf other values. */
static struct cpuid_result read_cpuid(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == CPUID_LEAF_BASIC || leaf == CPUID_LEAF_EXTENDED)
        return (struct cpuid_result){.eax = leaf | 0x1F};
    if (leaf == CPUID_LEAF_FEATURES || leaf == CPUID_LEAF_STRUCTURED_FEATURES)
        return (struct cpuid_result){0x306C3, 0x100800, UINT32_MAX, UINT32_MAX};
    return (struct cpuid_result){leaf * 0x01000193, subleaf * 0x01000193, ~leaf,
                                 leaf ^ subleaf << 16};
}

static uint64_t read_capabilities(void)
{
    return UINT64_MAX;
}

static const struct backend backends[] = {
    {.init              = backend_init,
     .restart           = ignore,
     .read_register     = read_register,
     .write_register    = write_register,
     .read_segment      = read_segment,
     .inject_exception  = inject_exception,
     .add_debug_causes  = add_debug_causes,
     .request_interrupt = request_interrupt,
     .request_nmi       = ignore,
     .set_alarm         = set_alarm,
     .update_apic       = ignore,
     .exit_name         = exit_name,
     .read_cpuid        = read_cpuid,
     .read_capabilities = read_capabilities,
     .cpuid             = &vmx_guest_cpuid,
     .msrs              = &vmx_guest_msrs},
    {.init              = backend_init,
     .restart           = ignore,
     .read_register     = read_register,
     .write_register    = write_register,
     .read_segment      = read_segment,
     .inject_exception  = inject_exception,
     .add_debug_causes  = add_debug_causes,
     .request_interrupt = request_interrupt,
     .request_nmi       = ignore,
     .set_alarm         = set_alarm,
     .exit_name         = exit_name,
     .read_cpuid        = read_cpuid,
     .read_capabilities = read_capabilities,
     .cpuid             = &svm_guest_cpuid,
     .msrs              = &svm_guest_msrs},
};

static uint64_t read_clock(void)
{
    return now++;
}

static void wait_for_interrupt(void)
{
    now += 1000000;
}

static void flush(void *of)
{
    uint8_t byte;

    REQUIRE(of == &vm);
    while (byte_queue_take(&vm.output, &byte))
        continue;
}

static enum status interrupt_cpu(uint32_t id)
{
    REQUIRE(id < CPUS);
    return STATUS_OK;
}

static bool is_this_cpu(uint32_t id)
{
    return id == 0;
}

/* ---- The steps
 * --------------------------------------------------------------------------- */

static enum exit_outcome exit_cpuid(void)
{
    vcpu->run.registers.r[REGISTER_RAX] = take(4);
    vcpu->run.registers.r[REGISTER_RCX] = take(1);
    return vcpu->handlers->cpuid(vcpu);
}

static enum exit_outcome exit_read_msr(void)
{
    vcpu->run.registers.r[REGISTER_RCX] = take_msr();
    return vcpu->handlers->read_msr(vcpu);
}

static enum exit_outcome exit_write_msr(void)
{
    vcpu->run.registers.r[REGISTER_RCX] = take_msr();
    vcpu_set_edx_eax(vcpu, take(8));
    return vcpu->handlers->write_msr(vcpu);
}

static enum exit_outcome exit_in(void)
{
    uint16_t port = take_port();

    return vcpu_read_port(vcpu, port, 1U << take(1) % 3);
}

static enum exit_outcome exit_out(void)
{
    uint16_t port     = take_port();
    unsigned int size = 1U << take(1) % 3;

    return vm_port_write(vcpu, port, size, (uint32_t)take(size));
}

static enum exit_outcome exit_string_io(void)
{
    uint64_t kind               = take(2);
    struct string_access access = {
        .port           = take_port(),
        .size           = (uint8_t)(1U << kind % 3),
        .address_size   = (uint8_t)(2U << (kind >> 2) % 3),
        .is_in          = (kind & BIT(5)) != 0,
        .is_repeated    = (kind & BIT(6)) != 0,
        .is_64_bit      = registers[VCPU_CODE_SIZE] == CODE_64,
        .is_stack       = (kind & BIT(7)) != 0,
        .linear_address = take(4),
        .segment        = segments[SEGMENT_ES],
    };

    vcpu->run.registers.r[REGISTER_RCX] = take(2);
    return vcpu->handlers->string_io(vcpu, &access);
}

/* With the code of an instruction at RIP, and its registers near the address. */
static enum exit_outcome exit_memory(void)
{
    struct memory_access access = {.address = gpa(take_address())};
    uint64_t kind               = take(1);
    uint8_t code[INSTRUCTION_LENGTH_MAX];

    access.kind              = (enum memory_access_kind)(kind % (MEMORY_FETCH + 1));
    access.is_by_instruction = access.kind != MEMORY_FETCH && (kind & BIT(7)) == 0;
    registers[VCPU_RIP]      = take(2);
    for (size_t i = 0; i < sizeof(code); i++)
        code[i] = (uint8_t)take(1);
    (void)guest_memory_write(&vm.memory, gpa(registers[VCPU_RIP]), code, sizeof(code));
    for (size_t i = 0; i < REGISTER_COUNT; i++) {
        if (i != REGISTER_RCX)
            vcpu->run.registers.r[i] = access.address.value;
    }
    return vcpu->handlers->memory(vcpu, &access);
}

static enum exit_outcome exit_hypercall(void)
{
    vcpu->run.registers.r[REGISTER_RAX] = take(1) % 8;
    vcpu->run.registers.r[REGISTER_RBX] = take(4);
    vcpu->run.registers.r[REGISTER_RCX] = take(2);
    return vcpu->handlers->hypercall(vcpu);
}

static enum exit_outcome exit_cr8(void)
{
    (void)vcpu->handlers->read_cr8(vcpu);
    return vcpu->handlers->write_cr8(vcpu, take(1));
}

static enum exit_outcome exit_interrupt(void)
{
    return vcpu->handlers->interrupted(vcpu);
}

static enum exit_outcome exit_window(void)
{
    if (is_interrupt_requested)
        (void)vcpu->handlers->take_interrupt(vcpu);
    return EXIT_RESUME;
}

static enum exit_outcome exit_halt(void)
{
    (void)vcpu->handlers->can_wake(vcpu, (take(1) & 1) != 0);
    return EXIT_NEXT;
}

/* The processor virtualizes TPR and writes of the local APIC. */
static enum exit_outcome exit_apic_write(void)
{
    uint32_t offset = (uint32_t)(take(1) % APIC_REGISTERS) * APIC_REGISTER_DISTANCE;

    vcpu->handlers->tpr_changed(vcpu);
    *(uint32_t *)((uint8_t *)cpus[0].apic.registers + offset) = (uint32_t)take(4);
    vcpu->handlers->apic_written(vcpu, offset);
    return EXIT_NEXT;
}

static enum exit_outcome pass_time(void)
{
    now += take(4);
    if (alarm_time != TICKS_NEVER && now >= alarm_time) {
        alarm_time = TICKS_NEVER;
        vcpu->handlers->alarm(vcpu);
    }
    return EXIT_RESUME;
}

static enum exit_outcome change_register(void)
{
    enum vcpu_register which = (enum vcpu_register)(take(1) % VCPU_REGISTER_COUNT);
    uint64_t value           = take(8);

    if (which == VCPU_CODE_SIZE)
        value = value % 3 == 0 ? CODE_16 : value % 3 == 1 ? CODE_32 : CODE_64;
    registers[which] = which == VCPU_CPL ? value % 4 : value;
    return EXIT_RESUME;
}

static enum exit_outcome change_segment(void)
{
    struct vcpu_segment *segment = &segments[take(1) % SEGMENT_COUNT];

    segment->base          = take(4);
    segment->limit         = (uint32_t)take(4);
    segment->access_rights = (uint32_t)take(2);
    return EXIT_RESUME;
}

/* Also tables that a translation then reads. */
static enum exit_outcome change_memory(void)
{
    uint64_t address = take(2) * sizeof(uint64_t);
    uint64_t value   = take(8);

    (void)guest_memory_write(&vm.memory, gpa(address), &value, sizeof(value));
    return EXIT_RESUME;
}

static enum exit_outcome type_byte(void)
{
    vm_type(&vm, (uint8_t)take(1));
    return vcpu->handlers->interrupted(vcpu);
}

static enum exit_outcome press_button(void)
{
    vm_press_power_button(&vm);
    return vcpu->handlers->interrupted(vcpu);
}

static enum exit_outcome (*const steps[])(void) = {
    exit_cpuid,     exit_read_msr, exit_write_msr,  exit_in,      exit_out,
    exit_string_io, exit_memory,   exit_hypercall,  exit_cr8,     exit_interrupt,
    exit_window,    exit_halt,     exit_apic_write, pass_time,    change_register,
    change_segment, change_memory, type_byte,       press_button,
};

/* Performs a step, a second time if its handler needs all registers. */
static enum exit_outcome perform(void)
{
    const uint8_t *start = input;
    size_t left          = input_left;
    enum exit_outcome outcome;

    vcpu->run.has_all_registers = false;
    outcome                     = steps[take(1) % ARRAY_SIZE(steps)]();
    if (outcome != EXIT_ALL_REGISTERS)
        return outcome;
    input                       = start;
    input_left                  = left;
    vcpu->run.has_all_registers = true;
    outcome                     = steps[take(1) % ARRAY_SIZE(steps)]();
    REQUIRE(outcome != EXIT_ALL_REGISTERS);
    return outcome;
}

/* ---- The guest
 * --------------------------------------------------------------------------- */

static void add_memory(void)
{
    static void *pieces[MEMORY_SIZE / PIECE_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        if (pieces[i] == NULL)
            pieces[i] = aligned_alloc(PAGE_SIZE, PIECE_SIZE);
        memset(pieces[i], 0, PIECE_SIZE);
        REQUIRE(guest_memory_add(&vm.memory, hpa_of(pieces[i]), PIECE_SIZE) == STATUS_OK);
    }
}

static void start(const struct backend *backend)
{
    static const struct vm_environment environment = {
        .clock_hz           = 1000000000,
        .read_clock         = read_clock,
        .wait_for_interrupt = wait_for_interrupt,
        .flush              = flush,
        .interrupt_cpu      = interrupt_cpu,
        .is_this_cpu        = is_this_cpu,
    };
    const uint32_t host_ids[CPUS] = {0, 1};

    memset(&vm, 0, sizeof(vm));
    memset(cpus, 0, sizeof(cpus));
    memset(registers, 0, sizeof(registers));
    memset(rows, 0, sizeof(rows));
    is_interrupt_requested = false;
    alarm_time             = TICKS_NEVER;
    now                    = 0;
    vm.cpu_count           = CPUS;
    for (uint32_t i = 0; i < CPUS; i++) {
        vm.cpu[i]       = &cpus[i];
        cpus[i].vcpu.id = i;
    }
    for (size_t i = 0; i < SEGMENT_COUNT; i++)
        segments[i] = (struct vcpu_segment){0, UINT32_MAX, 0xC093, 0};
    registers[VCPU_CODE_SIZE] = CODE_64;
    add_memory();
    vm_init(&vm, backend, &environment);
    vm_set_topology(&vm, host_ids);
    REQUIRE(vm_reset(&vm) == STATUS_OK);
}

static void discard(const char *text, size_t length)
{
    (void)text;
    (void)length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum exit_outcome outcome = EXIT_RESUME;

    log_set_output(discard);
    input      = data;
    input_left = size;
    start(&backends[take(1) % ARRAY_SIZE(backends)]);
    for (int i = 0; i < STEPS_MAX && input_left > 0 && outcome != EXIT_STOP; i++) {
        outcome = perform();
        REQUIRE(outcome <= EXIT_STOP);
        REQUIRE(vcpu->newest->instruction_length <= INSTRUCTION_LENGTH_MAX);
        REQUIRE((outcome == EXIT_STOP) == vcpu_has_ended(vcpu));
    }
    REQUIRE(!vcpu_has_ended(vcpu) || vcpu->end->text[0] != '\0');
    return 0;
}
