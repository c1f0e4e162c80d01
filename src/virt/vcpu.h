/*
 * A virtual CPU, vendor-neutral: the interface between a guest's policies (guest/) and a
 * processor's virtualization (vmx/).
 *
 * The backend decodes a VM exit and calls its handler. The handler accesses the general
 * registers directly and all other state through the backend (virt/backend.h).
 */
#ifndef HYMIR_VIRT_VCPU_H
#define HYMIR_VIRT_VCPU_H

#include "lib/bits.h"
#include "lib/status.h"
#include "mm/address.h"
#include "virt/segment.h"

#include <stdatomic.h>

/* General registers by their number in instructions: SDM 2, "REX Prefixes". */
enum register_number {
    REGISTER_RAX,
    REGISTER_RCX,
    REGISTER_RDX,
    REGISTER_RBX,
    REGISTER_RSP, /* not in struct guest_registers: the backend has it */
    REGISTER_RBP,
    REGISTER_RSI,
    REGISTER_RDI,
    REGISTER_R8,
    REGISTER_R12   = 12,
    REGISTER_COUNT = 16,
};

/* Returns whether run.registers has a register only if run.has_all_registers. */
static inline bool register_stays_in_cpu(unsigned int number)
{
    const uint32_t staying = 1U << REGISTER_RBP | 0xFU << REGISTER_R12;

    return (staying >> number & 1) != 0;
}

struct guest_registers {
    uint64_t r[REGISTER_COUNT];
};

/* The result of handling an exit. */
enum exit_outcome {
    EXIT_NEXT,   /* instruction emulated: advance RIP past it */
    EXIT_SKIP,   /* the same, by newest->instruction_length bytes */
    EXIT_RESUME, /* resume at RIP, with any injected event */
    EXIT_REPEAT, /* EXIT_RESUME after iterations of a repeated instruction */
    EXIT_STOP,   /* the guest has ended, and vcpu_end recorded why */

    /*
     * Call the handler again with RBP and R12 to R15 in struct guest_registers, and load
     * them afterwards: run.has_all_registers was false.
     */
    EXIT_ALL_REGISTERS,
};

/* INS or OUTS, from the next element. The segment has not been checked. */
struct string_access {
    uint16_t port;
    uint8_t size;         /* bytes: 1, 2 or 4 */
    uint8_t address_size; /* bytes: 2, 4 or 8 */
    bool is_in;
    bool is_repeated; /* REP: the count is in RCX */
    bool is_64_bit;   /* executed by 64-bit code */
    bool is_stack;    /* the segment is SS: a violation raises #SS */
    uint64_t linear_address;
    struct vcpu_segment segment; /* without the selector */
};

enum memory_access_kind {
    MEMORY_READ,
    MEMORY_WRITE,
    MEMORY_FETCH,
};

/* An access to a guest-physical address without RAM. */
struct memory_access {
    gpa_t address;
    enum memory_access_kind kind;

    /*
     * The instruction at RIP reads or writes data, instead of the processor, which walks
     * page tables, delivers an event or fetches code.
     */
    bool is_by_instruction;
};

struct vcpu;

typedef enum exit_outcome exit_handler(struct vcpu *vcpu);

/*
 * The handlers of a VM. The backend calls each on the vCPU's CPU, with interrupts off.
 */
struct exit_handlers {
    exit_handler *cpuid;
    exit_handler *read_msr;
    exit_handler *write_msr;
    enum exit_outcome (*string_io)(struct vcpu *vcpu, const struct string_access *access);
    exit_handler *hypercall;

    /* Acknowledges the interrupt of request_interrupt; returns its vector. */
    uint8_t (*take_interrupt)(struct vcpu *vcpu);

    /* Called at the time of set_alarm. */
    void (*alarm)(struct vcpu *vcpu);

    /* Called after a host interrupt or an alarm: handles pause, stop and input. */
    exit_handler *interrupted;

    /* Returns whether anything could end a HLT, which accepts interrupts or does not. */
    bool (*can_wake)(struct vcpu *vcpu, bool accepts_interrupts);

    /* MOV from and to CR8, which has bits that may not be set. */
    uint64_t (*read_cr8)(struct vcpu *vcpu);
    enum exit_outcome (*write_cr8)(struct vcpu *vcpu, uint64_t value);

    enum exit_outcome (*memory)(struct vcpu *vcpu, const struct memory_access *access);

    /* An execution in RAM that is mapped, but not executable yet. */
    enum exit_outcome (*execute_ram)(struct vcpu *vcpu, gpa_t address);

    /*
     * Reads the code at RIP, at most 15 bytes, less if the next one is not in RAM.
     * Returns their number.
     */
    size_t (*fetch)(struct vcpu *vcpu, uint8_t *bytes);

    /* Returns Hymir's pointer to guest memory, or NULL if it is not all RAM. */
    void *(*ram)(struct vcpu *vcpu, gpa_t address, uint64_t size);

    /*
     * Called where the processor virtualizes the local APIC: after it has written TPR,
     * before the backend acts on a request for an interrupt; and after the guest has
     * written another register, which is at this offset in vcpu->apic.page.
     */
    void (*tpr_changed)(struct vcpu *vcpu);
    void (*apic_written)(struct vcpu *vcpu, uint32_t offset);
};

/*
 * Access a port of the VM, 0 to 65535, with 1, 2 or 4 bytes; of a value read, only those
 * are valid. Unclaimed ports read all ones and ignore writes. They handle exits too, but
 * are called without a pointer, because an indirect call needs a retpoline.
 * guest/ports.c.
 */
uint32_t vm_port_read(struct vcpu *vcpu, unsigned int port, unsigned int size);
enum exit_outcome vm_port_write(struct vcpu *vcpu, unsigned int port, unsigned int size,
                                uint32_t value);

/* The local APIC of a vCPU, for processors that virtualize it. */
struct vcpu_apic {
    const void *page;  /* its registers: SDM 3C, "Virtualized APIC Registers" */
    uint64_t base;     /* IA32_APIC_BASE */
    uint8_t threshold; /* TPR[7:4] below it lets an interrupt pass; at most the present */
    uint8_t in_service; /* the highest vector in ISR, or 0 */
    bool needs_eoi;     /* an EOI has other effects than on ISR and PPR */
};

/* The handler and the cost of one kind of exit. */
struct exit_row {
    exit_handler *handler;
    uint64_t exits;
    uint64_t ticks;   /* of the TSC, spent in Hymir; less than 2^32 an exit */
    uint64_t longest; /* of the TSC */
};

/* Counts an exit of a kind that took ticks of the TSC. */
static inline void exit_row_count(struct exit_row *row, uint32_t ticks)
{
    row->exits++;
    row->ticks += ticks;
    if (ticks > row->longest)
        row->longest = ticks;
}

/* An exit in the exit trace. Written at each exit: every member costs time. */
#define TRACE_RECORDS 32
struct exit_record {
    struct exit_record *next;   /* a ring: the oldest follows the newest */
    uint64_t reason;            /* the processor's number, or TRACE_RECORD_UNUSED */
    uint64_t rip;               /* at the exit; written once the exit is handled */
    uint32_t start;             /* bits 31:0 of the TSC at the exit */
    uint8_t instruction_length; /* bytes; set by a handler that returns EXIT_SKIP */

    /* Set by the handlers of some exits, for the backend's describe_exit. */
    uint64_t detail;
    uint64_t address;
};
#define TRACE_RECORD_UNUSED BIT(63) /* UINT64_MAX is VMEXIT_INVALID of AMD-V */

/*
 * The part of a vCPU that the backend's entry code, which is assembly, uses. At an exit
 * RBP and R12 to R15, which C functions preserve, stay in the CPU unless a handler needs
 * them.
 */
struct vcpu_run {
    struct guest_registers registers; /* r[REGISTER_RSP] is unused */
    enum run_next (*on_exit)(struct vcpu_run *run);
    uint32_t alarm_check;   /* bits 31:0 of the TSC from which an alarm may be due */
    bool is_launched;       /* VT-x: the VMCS is, so that VMRESUME enters */
    bool has_all_registers; /* registers holds RBP and R12 to R15 */
    uint8_t entry;          /* the routine of entry.asm: a set of enum entry_measure */
    uint32_t spec_ctrl;     /* the guest's IA32_SPEC_CTRL, for ENTRY_IBRS */
};

/* The action after on_exit. */
enum run_next {
    RUN_STOP,
    RUN_AGAIN,         /* enters the guest again */
    RUN_ALL_REGISTERS, /* calls on_exit again, with all registers */
};

/*
 * How a guest ended, shared by its vCPUs: the first record counts. While the state is
 * GUEST_ENDED, the rest is constant.
 */
#define GUEST_END_SIZE 192
enum guest_end_state { GUEST_RUNS, GUEST_IS_ENDING, GUEST_ENDED };
enum guest_end_kind {
    GUEST_END_REQUESTED,
    GUEST_END_ABNORMAL, /* the guest did not request it */
    GUEST_END_RESET,    /* the guest requested a reset */
};
struct guest_end {
    atomic_int state; /* enum guest_end_state */
    enum guest_end_kind kind;
    const struct vcpu *vcpu; /* that ended it */
    char text[GUEST_END_SIZE];
};

/* The id of a vCPU for which no CPU is available. */
#define VCPU_WITHOUT_CPU UINT32_MAX

struct vcpu {
    struct vcpu_run run;        /* first: on_exit gets its address */
    struct exit_record *newest; /* of record */
    void *arch;                 /* the backend's own state */
    struct exit_row *row;       /* row_count of them, in arch */
    size_t row_count;
    struct exit_record record[TRACE_RECORDS];
    const struct exit_handlers *handlers;
    const struct backend *backend;
    const struct vcpu_start *start; /* of its next run: virt/backend.h */
    struct vm *vm;
    struct vcpu_apic apic;
    struct guest_end *end;
    uint32_t id;   /* the index of its CPU, or VCPU_WITHOUT_CPU */
    uint16_t vpid; /* unique on the machine, never 0 */

    /* The TSC of its CPU at which the guest's is 0, when it starts to run. */
    uint64_t tsc_start;
};

/* Return and set the value in EDX:EAX: of an MSR, or of XSETBV. */
static inline uint64_t vcpu_edx_eax(const struct vcpu *vcpu)
{
    const uint64_t *r = vcpu->run.registers.r;

    return r[REGISTER_RDX] << 32 | (r[REGISTER_RAX] & UINT32_MAX);
}

static inline void vcpu_set_edx_eax(struct vcpu *vcpu, uint64_t value)
{
    vcpu->run.registers.r[REGISTER_RAX] = value & UINT32_MAX;
    vcpu->run.registers.r[REGISTER_RDX] = value >> 32;
}

/*
 * Records why the guest ends, as the text of its last line; later calls are ignored, also
 * those for its other vCPUs. Returns EXIT_STOP. For any CPU.
 */
enum exit_outcome vcpu_record_end(struct vcpu *vcpu, enum guest_end_kind kind,
                                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define vcpu_end(vcpu, ...) vcpu_record_end((vcpu), GUEST_END_REQUESTED, __VA_ARGS__)
#define vcpu_end_abnormally(vcpu, ...) \
    vcpu_record_end((vcpu), GUEST_END_ABNORMAL, __VA_ARGS__)
#define vcpu_end_by_reset(vcpu, ...) vcpu_record_end((vcpu), GUEST_END_RESET, __VA_ARGS__)

/* Returns whether the guest has ended, so that end->text has the reason. For any CPU. */
static inline bool vcpu_has_ended(const struct vcpu *vcpu)
{
    return atomic_load(&vcpu->end->state) == GUEST_ENDED;
}

/*
 * Prepares the vCPU, new or ended, for a run from *start, which must outlive the run:
 * clears its statistics and its exit trace.
 */
void vcpu_reset(struct vcpu *vcpu, const struct vcpu_start *start);

/*
 * Handles IN, of 1, 2 or 4 bytes: one of 1 or 2 preserves the rest of RAX, and one of 4
 * clears bits 63:32. Returns EXIT_NEXT. Inline for VM exits.
 */
static inline enum exit_outcome vcpu_read_port(struct vcpu *vcpu, uint16_t port,
                                               unsigned int size)
{
    uint64_t *rax  = &vcpu->run.registers.r[REGISTER_RAX];
    uint32_t value = vm_port_read(vcpu, port, size);

    if (size == sizeof(uint8_t))
        *(uint8_t *)rax = (uint8_t)value;
    else if (size == sizeof(uint16_t))
        *(uint16_t *)rax = (uint16_t)value;
    else
        *rax = value;
    return EXIT_NEXT;
}

/*
 * Removes this exit from the exit trace, because its handler is called again with all
 * registers. Returns EXIT_ALL_REGISTERS.
 */
enum exit_outcome vcpu_request_all_registers(struct vcpu *vcpu);

#endif
