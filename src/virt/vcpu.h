/*
 * A virtual CPU in words that no vendor owns: what a guest's policies (guest/) and a
 * processor's virtualization (vmx/) tell each other.
 *
 * The backend decodes a VM exit and calls the handler for it; the handler reads and
 * writes registers and, through the backend's operations (virt/backend.h), the rest.
 */
#ifndef HYMIR_VIRT_VCPU_H
#define HYMIR_VIRT_VCPU_H

#include "lib/bits.h"
#include "lib/status.h"
#include "mm/address.h"
#include "x86/control_registers.h"

#include <stdbool.h>
#include <stdint.h>

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
    REGISTER_COUNT = 16,
};

struct guest_registers {
    uint64_t r[REGISTER_COUNT];
};

/* What a handler makes of its exit. */
enum exit_outcome {
    EXIT_NEXT,   /* the instruction is done: go on behind it */
    EXIT_RESUME, /* go on where the guest is, with what was injected */
    EXIT_REPEAT, /* the same, and one iteration of a repeated instruction is done */
    EXIT_STOP,   /* the guest has ended; vcpu_end said why */

    /*
     * Call the handler again with all registers, and load all of them afterwards: it
     * found run.has_all_registers false, and needs RBP or one of R12 to R15.
     */
    EXIT_ALL_REGISTERS,
};

/* A port access by INS or OUTS, of one element. */
struct string_access {
    uint16_t port;
    uint8_t size; /* bytes: 1, 2 or 4 */
    bool is_in;
    bool is_repeated;        /* REP: the count is in RCX */
    uint8_t address_size;    /* 2, 4 or 8 bytes */
    uint64_t linear_address; /* where the element lies */
};

/* An access to guest-physical memory that has no RAM behind it. */
struct memory_access {
    gpa_t address;
    bool is_write, is_fetch;
};

/* The state components that a guest may enable in XCR0. */
#define GUEST_XCR0_ALLOWED \
    (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM)

struct vcpu;

/* What answers an exit. */
typedef enum exit_outcome vcpu_answer(struct vcpu *vcpu);

/*
 * The handlers of a VM. Each is called on the vCPU's CPU, out of the backend's loop, with
 * interrupts off.
 */
struct exit_handlers {
    vcpu_answer *cpuid;
    vcpu_answer *read_msr;
    vcpu_answer *write_msr;
    /* IN and OUT of size bytes: 1, 2 or 4, the low ones of what port_read returns. */
    uint32_t (*port_read)(struct vcpu *vcpu, uint16_t port, unsigned int size);
    enum exit_outcome (*port_write)(struct vcpu *vcpu, uint16_t port, unsigned int size,
                                    uint32_t value);
    enum exit_outcome (*string_io)(struct vcpu *vcpu, const struct string_access *access);
    vcpu_answer *hypercall;

    /* Takes the interrupt that was asked for (request_interrupt): its vector. */
    uint8_t (*take_interrupt)(struct vcpu *vcpu);

    /* The time of set_alarm has come. */
    void (*alarm)(struct vcpu *vcpu);

    /* The CPU was interrupted: somebody may want something of the VM. */
    vcpu_answer *interrupted;

    /* False if nothing that the VM has could end a HLT with interrupts on. */
    bool (*can_wake)(struct vcpu *vcpu);
    enum exit_outcome (*memory)(struct vcpu *vcpu, const struct memory_access *access);

    /* Hymir's pointer to size bytes of the guest's RAM, or NULL if it is not all RAM. */
    void *(*ram)(struct vcpu *vcpu, gpa_t address, uint64_t size);
};

/*
 * What a vCPU has for each reason that an exit can have, by the backend's number of it:
 * who answers, and what it has cost.
 */
#define EXIT_ROWS 128
struct exit_row {
    vcpu_answer *answer;
    uint64_t exits;
    uint64_t ticks;   /* of the TSC, spent in Hymir; less than 2^32 an exit */
    uint64_t longest; /* of the TSC */
};

/*
 * What is kept of an exit for those who ask how a guest came to its end. Written on each
 * exit, so that a record costs a handful of instructions: virt/vcpu.c has the rest.
 */
#define EXIT_RECORDS 32
struct exit_record {
    struct exit_record *next; /* of the ring: the oldest, if this is the newest */
    uint64_t reason;          /* the backend's number; EXIT_RECORD_NONE: not used yet */
    uint64_t rip;             /* the guest's at the exit; written when it is answered */
    uint32_t start;           /* the low half of the TSC at the exit */

    /*
     * What the access was, of the reasons that have more to say: noted by who answers the
     * exit, put into words by the backend's describe_exit.
     */
    uint64_t detail;
    uint64_t address;
};
#define EXIT_RECORD_NONE UINT64_MAX

/*
 * What the way into a guest and back, which is assembly, has to know. RBP and R12 to R15
 * are what C keeps over a call: at an exit they stay in the CPU until somebody asks.
 */
struct vcpu_run {
    struct guest_registers registers; /* R[REGISTER_RSP] is not used */
    enum run_next (*on_exit)(struct vcpu_run *run);
    bool is_launched;       /* the guest has been entered before */
    bool has_all_registers; /* RBP and R12 to R15 are in registers */
};

/* What on_exit wants next. */
enum run_next {
    RUN_STOP,
    RUN_AGAIN,         /* enter the guest again */
    RUN_ALL_REGISTERS, /* call on_exit again, with all registers */
};

#define VCPU_END_SIZE 192

/* As a vCPU's id: there was no CPU left for it. */
#define VCPU_WITHOUT_CPU UINT32_MAX

struct vcpu {
    struct vcpu_run run;        /* first: on_exit gets its address */
    struct exit_record *newest; /* of records */
    struct exit_row row[EXIT_ROWS];
    struct exit_record record[EXIT_RECORDS];
    const struct exit_handlers *handlers;
    const struct backend *backend;
    void *arch; /* the backend's own */
    struct vm *vm;
    uint32_t id;             /* the index of the CPU that it is pinned to, or: */
    uint16_t vpid;           /* unique on the machine, never 0 */
    char end[VCPU_END_SIZE]; /* why it stopped; "" while it runs */
    bool end_is_abnormal;    /* and not at the guest's own wish */
};

/*
 * Notes why the guest ends, with the text for its last line. The first reason counts.
 * Returns EXIT_STOP.
 */
enum exit_outcome vcpu_end(struct vcpu *vcpu, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for an end that the guest did not ask for. */
enum exit_outcome vcpu_end_abnormally(struct vcpu *vcpu, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes back that the vCPU ended, and all that is noted of its exits. */
void vcpu_start_anew(struct vcpu *vcpu);

/*
 * For an answer that needs all registers: takes back the record of this exit, which is
 * answered again. Returns EXIT_ALL_REGISTERS.
 */
enum exit_outcome vcpu_ask_for_all_registers(struct vcpu *vcpu);

#endif
