/*
 * A virtual machine: its memory, its devices, what its CPUID and MSRs say, its vCPU.
 *
 * Vendor-neutral: the processor's part is behind virt/backend.h. Made on the boot CPU;
 * from vm_run on, the vCPU's CPU alone touches it, but
 * for vm_type and vm_ask_to_....
 */
#ifndef HYMIR_GUEST_VM_H
#define HYMIR_GUEST_VM_H

#include "dev/keyboard_controller.h"
#include "dev/pic.h"
#include "dev/pit.h"
#include "dev/port_map.h"
#include "dev/power_ports.h"
#include "dev/rtc.h"
#include "dev/timer.h"
#include "dev/uart.h"
#include "guest/cpuid_policy.h"
#include "guest/load/image.h"
#include "guest/load/module.h"
#include "guest/memory.h"
#include "guest/msr_policy.h"
#include "virt/backend.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VM_INPUT_SIZE 1024 /* bytes, a power of two */

/* What is typed for a VM: one CPU writes, the vCPU's reads. */
struct vm_input {
    uint8_t bytes[VM_INPUT_SIZE];
    atomic_uint written, taken; /* bytes ever; modulo VM_INPUT_SIZE, where */
    atomic_uint lost;           /* for want of room */
};

struct vm;

/* What a VM needs of the machine it runs on. */
struct vm_environment {
    uint64_t clock_hz;
    uint64_t (*read_clock)(void);     /* ticks of clock_hz, the alarms' clock */
    void (*wait_for_interrupt)(void); /* halts this CPU until an interrupt is handled */
    uart_output *output;              /* prints a byte; context is the VM */
    void (*flush)(void *vm);          /* flushes the guest's output to the console */
};

struct vm {
    char name[VM_NAME_SIZE];
    const char *kind; /* of its image: "PVH", "Multiboot" */
    struct guest_memory memory;
    struct image_parts image;
    struct vcpu_start start;
    struct vcpu_plan plan;
    struct cpuid_answers cpuid;
    struct guest_msrs msrs;
    struct device_clock clock;
    struct pic pic;
    struct pit pit;
    struct rtc rtc;
    struct keyboard_controller keyboard_controller;
    struct uart uart;
    struct vm_environment environment;
    struct device_timer flush_timer;
    void *console; /* its owner's: src/runner/guest_console.c */
    struct vm_input input;
    atomic_bool is_to_stop, is_to_restart, is_to_pause;
    struct power_ports power_ports;
    struct port_map ports;
    uint64_t ignored_accesses; /* to ports and MSRs that nobody models */
    struct vcpu vcpu;
};

/*
 * Loads the VM's image into its memory, which is all zero, and notes where it starts.
 * False, with the reason appended to *problem.
 */
bool vm_load(struct vm *vm, struct text *problem);

/*
 * Makes the rest of a VM, whose name, memory and start are there: EPT, devices, policies,
 * the vCPU. time is that of the day, in seconds since 1970. STATUS_NO_MEMORY.
 */
enum status MUST_CHECK vm_init(struct vm *vm, const struct backend *backend,
                               const struct vm_environment *environment, uint64_t time);

/*
 * Makes a VM that has ended as it was at first, with its memory and what it is connected
 * to. On any CPU. False, with the reason appended to *problem.
 */
bool vm_reset(struct vm *vm, uint64_t time, struct text *problem);

/* Runs the VM on the CPU that executes this, until it ends. */
void vm_run(struct vm *vm);

/*
 * Type a byte for the VM, ask it to stop (to be started again, if is_to_restart), to
 * stand still or to go on, from another CPU or in an interrupt: the VM sees to it when
 * its CPU is interrupted next. One CPU at a time types. A VM that stands still does not
 * notice: its clocks do too.
 */
void vm_type(struct vm *vm, uint8_t byte);
void vm_ask_to_stop(struct vm *vm, bool is_to_restart);
void vm_ask_to_pause(struct vm *vm, bool is_to_pause);

/* Logs the VM's exits by reason. From any CPU: a running VM's may be a little old. */
void vm_log_stats(const struct vm *vm);

/*
 * Logs the VM's last exits, at most EXIT_RECORDS, the newest last; is_answering if that
 * one is still being answered, and so has no RIP yet.
 */
void vm_log_exits(const struct vm *vm, bool is_answering);

/*
 * One access of size bytes (1, 2 or 4) to the VM's ports: by the device there, or nobody.
 * What is read has a meaning in its low size bytes alone.
 * guest/exits.c.
 */
uint32_t vm_port_read(struct vcpu *vcpu, uint16_t port, unsigned int size);
enum exit_outcome vm_port_write(struct vcpu *vcpu, uint16_t port, unsigned int size,
                                uint32_t value);

/* The handlers of exits: guest/exits.c. */
extern const struct exit_handlers vm_exit_handlers;

#endif
