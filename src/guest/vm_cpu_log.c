/* See vm_cpu.h: what a vCPU was doing when the VM ended. */
#include "guest/vm.h"
#include "lib/log.h"

static void append_name(const struct vm_cpu *cpu, struct text *text)
{
    const struct vm *vm = cpu->vcpu.vm;

    text_append(text, "vm %s", vm->name);
    if (vm->cpu_count > 1)
        text_append(text, ": vCPU %zu", cpu->index);
}

void vm_cpu_log_exits(const struct vm_cpu *cpu, bool is_handling)
{
    const struct vcpu *vcpu          = &cpu->vcpu;
    const struct exit_record *record = vcpu->newest;
    TEXT_DECLARE(name, 40);

    append_name(cpu, &name);
    for (unsigned int age = TRACE_RECORDS; age-- > 0;) {
        TEXT_DECLARE(description, LOG_LINE_SIZE);
        record = record->next;
        if (record->reason == TRACE_RECORD_UNUSED)
            continue;
        if (age > 0 || !is_handling)
            text_append(&description, " at 0x%lx", record->rip);
        text_append(&description, ", tsc 0x%08x: ", record->start);
        vcpu->backend->describe_exit(record, &description);
        log_plain("hymir: %s: exit -%u%s", name.buffer, age, description.buffer);
    }
}

void vm_cpu_log_last_state(const struct vm_cpu *cpu)
{
    TEXT_DECLARE(name, 40);

    append_name(cpu, &name);
    log_plain("hymir: %s: %s", name.buffer,
              cpu->last_state[0] == '\0' ? "waits for a startup IPI" : cpu->last_state);
}

void vm_cpu_record_last_state(struct vm_cpu *cpu)
{
    struct vcpu *vcpu             = &cpu->vcpu;
    const struct backend *backend = vcpu->backend;
    const uint64_t *r             = vcpu->run.registers.r;
    struct text text = {.buffer = cpu->last_state, .size = sizeof(cpu->last_state)};

    text_append(&text, "RIP 0x%lx, CS base 0x%lx, RFLAGS 0x%lx, CR0 0x%lx, CR3 0x%lx, ",
                backend->read_register(vcpu, VCPU_RIP),
                backend->read_register(vcpu, VCPU_CS_BASE),
                backend->read_register(vcpu, VCPU_RFLAGS),
                backend->read_register(vcpu, VCPU_CR0),
                backend->read_register(vcpu, VCPU_CR3));
    text_append(&text, "CR4 0x%lx, RAX 0x%lx, RBX 0x%lx, RCX 0x%lx, RDX 0x%lx",
                backend->read_register(vcpu, VCPU_CR4), r[REGISTER_RAX], r[REGISTER_RBX],
                r[REGISTER_RCX], r[REGISTER_RDX]);
}
