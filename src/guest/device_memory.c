/* See device_memory.h. */
#include "guest/device_memory.h"

#include "guest/fetch.h"
#include "guest/linear_access.h"
#include "guest/string_io.h"
#include "guest/vm.h"
#include "lib/log.h"
#include "lib/string.h"
#include "virt/arithmetic.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

/* An instruction with the state of the vCPU, which changes once nothing can fail. */
struct execution {
    struct vcpu *vcpu;
    uint8_t bytes[INSTRUCTION_LENGTH_MAX];
    size_t byte_count;
    const struct instruction *instruction;
    arithmetic_operation *operation;
    bool is_64_bit;
    uint64_t *r; /* the vCPU's, and RSP */
    uint64_t rip, rflags, old_rsp, old_rflags;
    const struct memory_access *exit; /* the access that caused it */
    struct linear_access access[2];   /* of the operands that are in memory */
    struct access_target target[2];
};

static bool is_string(const struct instruction *instruction)
{
    return instruction->name == INSTRUCTION_CMPS ||
           instruction->name == INSTRUCTION_LODS ||
           instruction->name == INSTRUCTION_MOVS ||
           instruction->name == INSTRUCTION_SCAS || instruction->name == INSTRUCTION_STOS;
}

/* Returns whether an operand is a bit string, of which a register selects a bit. */
static bool is_bit_string(const struct instruction *instruction)
{
    return (instruction->name == INSTRUCTION_BT || instruction->name == INSTRUCTION_BTC ||
            instruction->name == INSTRUCTION_BTR ||
            instruction->name == INSTRUCTION_BTS) &&
           instruction->operand[1].kind == OPERAND_REGISTER;
}

/* A segment register can be stored, but not loaded. */
static bool has_operands(const struct instruction *instruction)
{
    const struct instruction_operand *operand = instruction->operand;

    return operand[0].kind != OPERAND_SEGMENT_REGISTER &&
           (operand[0].kind == OPERAND_MEMORY || operand[1].kind == OPERAND_MEMORY);
}

/*
 * Returns the decoded instruction, or NULL if it is unknown. Drivers access a device with
 * few instructions, so that the last ones are kept, by their bytes.
 */
static const struct instruction *find_decoded(const struct execution *execution,
                                              enum code_size code_size)
{
    struct vm_cpu *cpu = vm_cpu_of(execution->vcpu);
    size_t count       = execution->byte_count;
    struct decoded_instruction *kept =
        &cpu->decoded[(execution->bytes[2] + execution->bytes[7]) % DECODED_INSTRUCTIONS];

    if (count != 0 && kept->count == count && kept->code_size == code_size &&
        __builtin_memcmp(kept->bytes, execution->bytes, sizeof(kept->bytes)) == 0)
        return &kept->instruction;
    kept->count = 0;
    if (instruction_decode(execution->bytes, count, code_size, &kept->instruction) !=
        STATUS_OK)
        return NULL;
    kept->count     = count;
    kept->code_size = code_size;
    memcpy(kept->bytes, execution->bytes, sizeof(kept->bytes));
    return &kept->instruction;
}

/* Returns whether the instruction can be executed. */
static bool decode(struct execution *execution)
{
    /* cppcheck-suppress ctuuninitvar ; the caller has set this member */
    struct vcpu *vcpu = execution->vcpu;
    enum code_size code_size =
        (enum code_size)vcpu->backend->read_register(vcpu, VCPU_CODE_SIZE);

    execution->is_64_bit   = code_size == CODE_64;
    execution->byte_count  = instruction_fetch(vcpu, execution->bytes);
    execution->instruction = find_decoded(execution, code_size);
    if (execution->instruction == NULL)
        return false;
    execution->operation = arithmetic_find(execution->instruction->name);
    return execution->operation != NULL && has_operands(execution->instruction);
}

/* Raises #UD, and logs the first instruction of a VM for which it does. */
static enum exit_outcome refuse(const struct execution *execution)
{
    struct vcpu *vcpu = execution->vcpu;
    TEXT_DECLARE(bytes, 3 * INSTRUCTION_LENGTH_MAX + 1);

    for (size_t i = 0; i < execution->byte_count; i++)
        text_append(&bytes, " %02x", execution->bytes[i]);
    if (!vcpu->vm->is_refusal_logged)
        log_warning("vm %s: instruction at RIP 0x%lx accesses guest-physical 0x%lx, "
                    "which is not RAM, and is not emulated: #UD; code:%s",
                    vcpu->vm->name, vcpu->backend->read_register(vcpu, VCPU_RIP),
                    execution->exit->address.value, bytes.buffer);
    vcpu->vm->is_refusal_logged = true;
    return vcpu_inject_exception(vcpu, VECTOR_UD, 0);
}

/* Returns whether an operand uses a register that may have stayed in the CPU. */
static bool needs_all_registers(const struct instruction *instruction)
{
    for (size_t i = 0; i < ARRAY_SIZE(instruction->operand); i++) {
        const struct instruction_operand *operand = &instruction->operand[i];
        bool is_memory                            = operand->kind == OPERAND_MEMORY;
        if (register_stays_in_cpu(is_memory ? operand->base : operand->number) ||
            (is_memory && register_stays_in_cpu(operand->index)))
            return true;
    }
    return false;
}

static void read_registers(struct execution *execution)
{
    struct vcpu *vcpu             = execution->vcpu;
    const struct backend *backend = vcpu->backend;

    execution->r               = vcpu->run.registers.r;
    execution->old_rsp         = backend->read_register(vcpu, VCPU_RSP);
    execution->r[REGISTER_RSP] = execution->old_rsp;
    execution->rip             = backend->read_register(vcpu, VCPU_RIP);
    execution->old_rflags      = backend->read_register(vcpu, VCPU_RFLAGS);
    execution->rflags          = execution->old_rflags;
}

static void write_registers(const struct execution *execution)
{
    struct vcpu *vcpu             = execution->vcpu;
    const struct backend *backend = vcpu->backend;

    if (execution->r[REGISTER_RSP] != execution->old_rsp)
        backend->write_register(vcpu, VCPU_RSP, execution->r[REGISTER_RSP]);
    if (execution->rflags != execution->old_rflags)
        backend->write_register(vcpu, VCPU_RFLAGS, execution->rflags);
}

/* Returns the distance in bytes to the part of a bit string that has the bit. */
static uint64_t bit_string_distance(const struct execution *execution)
{
    const struct instruction_operand *source = &execution->instruction->operand[1];
    unsigned int unused                      = 64 - 8U * source->size;

    if (!is_bit_string(execution->instruction))
        return 0;
    int64_t bit =
        (int64_t)(operand_read_register(source, execution->r) << unused) >> unused;
    int64_t start = bit & -(int64_t)(8 * source->size);
    return (uint64_t)(start / 8);
}

/* SDM 1, "Specifying an Offset"; 64-bit code ignores the bases of all but FS and GS. */
static void locate(struct execution *execution, size_t i)
{
    const struct instruction *instruction     = execution->instruction;
    const struct instruction_operand *operand = &instruction->operand[i];
    uint64_t offset = operand_offset(operand, instruction->address_size, execution->r,
                                     execution->rip + instruction->length) +
                      bit_string_distance(execution);
    struct linear_access *access = &execution->access[i];

    access->size      = operand->size;
    access->is_write  = operand->is_written;
    access->is_64_bit = execution->is_64_bit;
    access->is_stack  = operand->segment == SEGMENT_SS;
    execution->vcpu->backend->read_segment(execution->vcpu, operand->segment,
                                           &access->segment);
    if (execution->is_64_bit && operand->segment < SEGMENT_FS)
        access->segment.base = 0;
    access->linear =
        access->segment.base + (offset & BYTES_MASK(instruction->address_size));
    if (!execution->is_64_bit)
        access->linear = (uint32_t)access->linear;
}

/*
 * Finds the only operand in memory where the processor has found it, which has checked
 * and translated its address. Returns false if #AC may come first, if the exit may be
 * because of another part of the operand, or if it came before the check of a write.
 */
static bool find_at_exit(struct execution *execution, size_t i)
{
    const struct instruction_operand *operand = execution->instruction->operand;
    uint64_t address                          = execution->exit->address.value;
    struct access_target *target              = &execution->target[i];

    if (operand[1 - i].kind == OPERAND_MEMORY || is_string(execution->instruction) ||
        (address ^ execution->access[i].linear) % PAGE_SIZE != 0 ||
        address % operand[i].size != 0 ||
        (operand[i].is_written && execution->exit->kind != MEMORY_WRITE))
        return false;
    target->part[0].address = gpa(address);
    target->part[0].size    = operand[i].size;
    target->part[0].ram     = NULL;
    target->part[1].size    = 0;
    return true;
}

/* Finds the operands in memory, first one that is read. */
static enum exit_outcome find_operands(struct execution *execution)
{
    const struct instruction_operand *operand = execution->instruction->operand;
    enum exit_outcome outcome                 = EXIT_NEXT;

    for (size_t i = 0; i < 2 && outcome == EXIT_NEXT; i++) {
        size_t number = operand[0].is_read ? i : 1 - i;
        if (operand[number].kind != OPERAND_MEMORY)
            continue;
        locate(execution, number);
        if (!find_at_exit(execution, number))
            outcome = linear_access_find(execution->vcpu, &execution->access[number],
                                         &execution->target[number]);
    }
    return outcome;
}

static uint64_t read_operand(const struct execution *execution, size_t i)
{
    const struct instruction_operand *operand = &execution->instruction->operand[i];
    struct vcpu_segment segment;

    switch ((enum operand_kind)operand->kind) {
    case OPERAND_MEMORY:
        return access_target_read(execution->vcpu, &execution->target[i]);
    case OPERAND_REGISTER:
        return operand_read_register(operand, execution->r);
    case OPERAND_SEGMENT_REGISTER:
        execution->vcpu->backend->read_segment(execution->vcpu, operand->number,
                                               &segment);
        return segment.selector;
    default:
        return operand->value;
    }
}

static void write_operand(struct execution *execution, size_t i, uint64_t value)
{
    const struct instruction_operand *operand = &execution->instruction->operand[i];

    if (operand->kind == OPERAND_MEMORY)
        access_target_write(execution->vcpu, &execution->target[i], value);
    else
        operand_write_register(operand, execution->r, value);
}

/* Reads the operands, computes and writes the results. */
static void compute(struct execution *execution)
{
    const struct instruction_operand *operand = execution->instruction->operand;
    struct arithmetic values                  = {
                         .size        = operand[0].size,
                         .source_size = operand[1].size,
                         .destination = operand[0].is_read ? read_operand(execution, 0) : 0,
                         .source      = operand[1].is_read ? read_operand(execution, 1) : 0,
                         .accumulator = execution->r[REGISTER_RAX] & BYTES_MASK(operand[0].size),
                         .rflags      = execution->rflags,
    };
    uint64_t accumulator = values.accumulator;

    execution->operation(&values);
    if (operand[0].is_written)
        write_operand(execution, 0, values.destination);
    if (operand[1].is_written)
        write_operand(execution, 1, values.source);
    if (values.accumulator != accumulator)
        operand_write_register(&(struct instruction_operand){.size = operand[0].size},
                               execution->r, values.accumulator);
    execution->rflags = values.rflags;
}

/* Executes the instruction once: of a string instruction, one element. */
static enum exit_outcome execute(struct execution *execution)
{
    const struct instruction *instruction = execution->instruction;
    enum exit_outcome outcome             = find_operands(execution);

    if (outcome != EXIT_NEXT)
        return outcome;
    compute(execution);
    for (size_t i = 0; i < 2; i++) {
        const struct instruction_operand *operand = &instruction->operand[i];
        if (operand->kind != OPERAND_MEMORY)
            continue;
        if (is_string(instruction))
            string_advance(&execution->r[operand->base], instruction->address_size,
                           string_step(execution->rflags, operand->size));
        linear_access_trap_breakpoints(execution->vcpu, &execution->access[i]);
    }
    return EXIT_NEXT;
}

/* Returns whether REPE or REPNE ends after an element. */
static bool ends_repetition(const struct execution *execution)
{
    const struct instruction *instruction = execution->instruction;
    bool is_zero                          = (execution->rflags & RFLAGS_ZF) != 0;
    bool compares =
        instruction->name == INSTRUCTION_CMPS || instruction->name == INSTRUCTION_SCAS;

    return compares && is_zero == (instruction->repeat == REPEAT_REPNE);
}

/* Executes a repeated string instruction, or as much of it as one exit may. */
static enum exit_outcome execute_repeatedly(struct execution *execution)
{
    uint8_t address_size = execution->instruction->address_size;
    uint64_t *count      = &execution->r[REGISTER_RCX];
    unsigned int most = linear_access_may_trap(execution->vcpu) ? 1 : STRING_ELEMENTS_MAX;

    for (unsigned int i = 0; i < most && (*count & BYTES_MASK(address_size)) != 0; i++) {
        enum exit_outcome outcome = execute(execution);
        if (outcome != EXIT_NEXT)
            return outcome;
        string_advance(count, address_size, UINT64_MAX);
        write_registers(execution); /* a later element may fault */
        if (ends_repetition(execution))
            return EXIT_SKIP;
    }
    return (*count & BYTES_MASK(address_size)) == 0 ? EXIT_SKIP : EXIT_REPEAT;
}

enum exit_outcome device_memory_handle(struct vcpu *vcpu,
                                       const struct memory_access *access)
{
    struct execution execution;

    __builtin_memset(execution.bytes, 0, sizeof(execution.bytes));
    execution.vcpu = vcpu;
    execution.exit = access;
    if (!decode(&execution))
        return refuse(&execution);
    if (needs_all_registers(execution.instruction) && !vcpu->run.has_all_registers)
        return vcpu_request_all_registers(vcpu);
    read_registers(&execution);
    vcpu->newest->instruction_length = execution.instruction->length;
    if (is_string(execution.instruction) && execution.instruction->repeat != REPEAT_NONE)
        return execute_repeatedly(&execution);
    enum exit_outcome outcome = execute(&execution);
    if (outcome != EXIT_NEXT)
        return outcome;
    write_registers(&execution);
    return EXIT_SKIP;
}
