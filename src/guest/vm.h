/*
 * A virtual machine: its memory, devices, CPUID and MSR policies, and its vCPU.
 *
 * Vendor-neutral: virt/backend.h has the operations of the processor. Created on the boot
 * CPU. From vm_reset on, only the vCPU's CPU accesses it, except through vm_type,
 * vm_kick, vm_request_stop, vm_request_pause and the queue of its output.
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

#define VM_INPUT_SIZE  1024 /* bytes, a power of two */
#define VM_OUTPUT_SIZE 2048

struct vm;

/* The VM's connections to Hymir. */
struct vm_environment {
    uint64_t clock_hz;
    bool is_clock_exact; /* clock_hz is as exact as a crystal: guests may rely on it */
    uint64_t (*read_clock)(void);     /* ticks of clock_hz, the alarms' clock */
    void (*wait_for_interrupt)(void); /* halts this CPU until an interrupt is handled */
    void (*flush)(void *vm);          /* shows output, as much as needs no wait */

    /*
     * Interrupts the CPU of a vCPU, by its id: if the vCPU runs, it exits and calls the
     * handler interrupted. From any CPU. STATUS_TIMEOUT, STATUS_UNSUPPORTED.
     */
    enum status (*interrupt_cpu)(uint32_t id);
};

struct vm {
    char name[VM_NAME_SIZE];
    const char *kind; /* of its image: "PVH", "Multiboot" */
    struct guest_memory memory;
    struct page_pool tables; /* nested page tables, which map the memory */
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
    uint8_t input_bytes[VM_INPUT_SIZE], output_bytes[VM_OUTPUT_SIZE];
    struct byte_queue input;  /* typed: one CPU writes it, the vCPU's CPU takes it */
    struct byte_queue output; /* sent: the vCPU's CPU writes it, one CPU takes it */
    atomic_uint input_lost;   /* typed bytes without room */
    void *console;            /* its owner's: src/runner/guest_console.c */
    atomic_bool is_to_stop, is_to_restart, is_to_pause;
    struct power_ports power_ports;
    struct port_map ports;
    uint64_t ignored_accesses; /* to unemulated ports and MSRs */
    struct vcpu vcpu;
};

/*
 * Prepares a VM's policies and vCPU, for which vm->vcpu.arch has been allocated. On the
 * boot CPU.
 */
void vm_init(struct vm *vm, const struct backend *backend,
             const struct vm_environment *environment);

/* Maps the VM's memory with the nested page tables. STATUS_NO_MEMORY. */
enum status MUST_CHECK vm_map_memory(struct vm *vm);

/*
 * Resets a VM, new or ended, before its next run: its vCPU and devices, requests to it
 * and its input, but not its memory. STATUS_NO_MEMORY if the port map is full.
 */
enum status MUST_CHECK vm_reset(struct vm *vm);

/*
 * Loads firmware's data and the VM's image into its zeroed memory and sets its start
 * state and its clock: time is the time of day now, in seconds since 1970. Returns false,
 * with the reason appended to *problem, on failure.
 */
bool vm_load(struct vm *vm, uint64_t time, struct text *problem);

/* Runs the VM on this CPU until it ends. */
void vm_run(struct vm *vm);

/*
 * Adds a byte to the input of the serial port, without interrupting the VM's CPU: vm_kick
 * does. From one CPU at a time.
 */
void vm_type(struct vm *vm, uint8_t byte);

/* Makes the VM's CPU look for input and requests. From any CPU, also in an interrupt. */
void vm_kick(const struct vm *vm);

/*
 * Request a stop (and a restart), or a pause or its end. From any CPU, also in an
 * interrupt: they interrupt the VM's CPU, which handles the request. The VM's clocks
 * pause with it.
 */
void vm_request_stop(struct vm *vm, bool is_to_restart);
void vm_request_pause(struct vm *vm, bool is_to_pause);

/* Logs the VM's exits by reason, from any CPU; those of a running VM may be outdated. */
void vm_log_stats(const struct vm *vm);

/*
 * Logs the VM's last exits, at most TRACE_RECORDS, the newest last. is_handling: the
 * newest is still being handled, and so has no RIP yet.
 */
void vm_log_exits(const struct vm *vm, bool is_handling);

/*
 * Access a port of the VM with 1, 2 or 4 bytes; of a value read, only those are valid.
 * Unclaimed ports read all ones and ignore writes. guest/ports.c.
 */
uint32_t vm_port_read(struct vcpu *vcpu, uint16_t port, unsigned int size);
enum exit_outcome vm_port_write(struct vcpu *vcpu, uint16_t port, unsigned int size,
                                uint32_t value);

/*
 * Resets the VM's devices and adds their ports. STATUS_NO_MEMORY if the port map is full.
 * guest/devices.c.
 */
enum status MUST_CHECK vm_add_devices(struct vm *vm);

/*
 * Sends text as the UART does; returns false, without an effect, if there is no room for
 * all of it. guest/devices.c.
 */
bool vm_print(struct vm *vm, const uint8_t *text, size_t size);

/* The handlers of exits: guest/exits.c. */
extern const struct exit_handlers vm_exit_handlers;

#endif
