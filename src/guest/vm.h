/*
 * A virtual machine: its memory, its devices, and its vCPUs, each of which runs on a CPU
 * of its own.
 *
 * Vendor-neutral: virt/backend.h has the operations of the processor. Created on the boot
 * CPU. From vm_reset on, only the CPUs of its vCPUs access it, except through vm_type,
 * vm_kick, the requests to stop, pause or press its button, and the queue of its output.
 * The lock guards the devices that the vCPUs share: those of ports, the I/O APIC, and
 * their clock, whose alarms the first vCPU's CPU handles. It is held for one access to a
 * port or register, for the elements of a string instruction that one exit handles, or
 * for the timers that are due: microseconds, and never for a wait. What each vCPU has of
 * its own is in guest/vm_cpu.h.
 */
#ifndef HYMIR_GUEST_VM_H
#define HYMIR_GUEST_VM_H

#include "dev/acpi_pm.h"
#include "dev/address_map.h"
#include "dev/io_apic.h"
#include "dev/isa_lines.h"
#include "dev/keyboard_controller.h"
#include "dev/pic.h"
#include "dev/pit.h"
#include "dev/port_map.h"
#include "dev/power_ports.h"
#include "dev/rtc.h"
#include "dev/timer.h"
#include "dev/uart.h"
#include "guest/load/image.h"
#include "guest/load/module.h"
#include "guest/memory.h"
#include "guest/vm_cpu.h"
#include "lib/spinlock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VM_INPUT_SIZE  1024 /* bytes, a power of two */
#define VM_OUTPUT_SIZE 2048

#define VM_IO_APIC_ID 0

struct vm;

/* The VM's connections to Hymir. */
struct vm_environment {
    uint64_t clock_hz;
    bool is_clock_exact; /* clock_hz is as exact as a crystal: guests may rely on it */
    uint64_t (*read_clock)(void); /* ticks of clock_hz, the alarms' clock */

    /* Halts this CPU until an interrupt is handled, at most for 20 ms. */
    void (*wait_for_interrupt)(void);
    void (*flush)(void *vm); /* shows output, as much as needs no wait */

    /*
     * Interrupts the CPU of a vCPU, by its id: if the vCPU runs, it exits and calls the
     * handler interrupted. From any CPU, also for itself, which then exits at once.
     * STATUS_TIMEOUT, STATUS_UNSUPPORTED.
     */
    enum status (*interrupt_cpu)(uint32_t id);

    /* Returns whether this CPU has that id. */
    bool (*is_this_cpu)(uint32_t id);
};

struct vm {
    char name[VM_NAME_SIZE];
    const char *kind; /* of its image: "PVH", "Multiboot" */
    struct guest_memory memory;
    struct page_pool tables; /* nested page tables, which map the memory */
    struct image_parts image;
    struct vcpu_start start; /* of the first vCPU */
    struct vcpu_plan plan;
    struct vm_environment environment;
    struct guest_topology topology;
    uint64_t arch_capabilities; /* IA32_ARCH_CAPABILITIES of the boot CPU, or 0 */
    bool has_pv;                /* KVM's signature in its CPUID */
    bool restarts;              /* when the guest resets its machine */
    bool is_refusal_logged;     /* of an access to a device: guest/device_memory.h */
    size_t cpu_count;
    struct vm_cpu *cpu[GUEST_CPUS_MAX];
    struct guest_end end;

    /* The runs: guest/vm_cpu.c. */
    atomic_uint runs;        /* each lets the other vCPUs run once */
    atomic_uint others;      /* vCPUs besides the first that have not left this run */
    atomic_uint sleeps;      /* how often vCPUs have fallen asleep: vm_cpu_can_wake */
    atomic_bool is_released; /* there is no further run: the other CPUs are free */
    atomic_bool is_paused;   /* the first vCPU is; the others wait for it */
    _Atomic uint64_t paused_ticks; /* of the clock, in all pauses of this run */

    struct spinlock lock;
    struct device_clock clock;
    struct apic_bus bus;
    struct io_apic io_apic;
    struct pic pic;
    struct isa_lines isa;
    struct pit pit;
    struct rtc rtc;
    struct keyboard_controller keyboard_controller;
    struct uart uart;
    struct device_timer flush_timer;
    bool is_to_flush; /* the output: the flush timer has expired */
    uint8_t input_bytes[VM_INPUT_SIZE], output_bytes[VM_OUTPUT_SIZE];
    struct byte_queue input;  /* typed: one CPU writes it, the first vCPU's takes it */
    struct byte_queue output; /* sent: written with the lock; one CPU takes it */
    atomic_uint input_lost;   /* typed bytes without room */
    void *console;            /* its owner's: src/runner/guest_console.c */
    atomic_bool has_memory_error; /* of the machine, so that it must not run again */
    atomic_bool is_to_stop, is_to_restart, is_to_pause;
    _Atomic uint64_t stop_time;       /* by read_clock, of the request to stop */
    atomic_bool has_new_button_press; /* of the power button */
    atomic_bool has_new_alarm; /* of the clock, set on another than the first's CPU */
    struct power_ports power_ports;
    struct acpi_pm acpi_pm;
    struct port_map ports;
    struct address_map addresses;
    uint64_t ignored_accesses; /* to unemulated ports, memory and MSRs; about */
};

/*
 * Acquires the lock; returns the ticket for vm_unlock. On a vCPU's CPU: the only one
 * needs no lock.
 */
static inline unsigned int vm_lock(struct vm *vm)
{
    return vm->cpu_count == 1 ? 0 : spinlock_acquire_in_turn(&vm->lock);
}

static inline void vm_unlock(struct vm *vm, unsigned int ticket)
{
    if (vm->cpu_count != 1)
        spinlock_release(&vm->lock, ticket);
}

/* Returns whether a vCPU's CPU is this one, which is that of one of the VM's vCPUs. */
static inline bool vm_is_on(const struct vm *vm, const struct vm_cpu *cpu)
{
    return vm->cpu_count == 1 || vm->environment.is_this_cpu(cpu->vcpu.id);
}

/* Returns whether there is no run, or it has ended. For any CPU. */
static inline bool vm_has_ended(const struct vm *vm)
{
    return vcpu_has_ended(&vm->cpu[0]->vcpu);
}

/*
 * Prepares a VM with its cpu_count vCPUs, for each of which vm->cpu and its vcpu.arch
 * have been allocated. On the boot CPU.
 */
void vm_init(struct vm *vm, const struct backend *backend,
             const struct vm_environment *environment);

/*
 * Sets what the guest's CPUID reports, for vCPUs on CPUs like this one with these APIC
 * IDs. Before its first run.
 */
void vm_set_topology(struct vm *vm, const uint32_t host_ids[]);

/* Maps the VM's memory with the nested page tables. STATUS_NO_MEMORY. */
enum status MUST_CHECK vm_map_memory(struct vm *vm);

/*
 * Resets a VM, new or ended, before its next run: its vCPUs and devices, requests to it
 * and its input, but not its memory. STATUS_NO_MEMORY if a device does not fit in the
 * maps of ports and addresses.
 */
enum status MUST_CHECK vm_reset(struct vm *vm);

/*
 * Loads firmware's data and the VM's image into its zeroed memory and sets its start
 * state and its clock: time is the time of day now, in seconds since 1970. Returns false,
 * with the reason appended to *problem, on failure.
 */
bool vm_load(struct vm *vm, uint64_t time, struct text *problem);

/*
 * Runs the VM, its first vCPU on this CPU, until it ends and all others have left it.
 * STATUS_TIMEOUT if one does not leave within 5 seconds: the VM must not run again.
 */
enum status MUST_CHECK vm_run(struct vm *vm);

/* Frees the CPUs of the other vCPUs, after the last run: vm_cpu_run_others returns. */
void vm_release(struct vm *vm);

/*
 * Adds a byte to the input of the serial port, without interrupting the VM's CPU: vm_kick
 * does. From one CPU at a time.
 */
void vm_type(struct vm *vm, uint8_t byte);

/*
 * Makes the CPUs of all vCPUs look for input and requests. From any CPU, also in an
 * interrupt.
 */
void vm_kick(const struct vm *vm);

/*
 * Request a stop (and a restart), or a pause or its end. From any CPU, also in an
 * interrupt: they interrupt the VM's CPUs, which handle the request. The VM's clocks
 * pause with it.
 */
void vm_request_stop(struct vm *vm, bool is_to_restart);
void vm_request_pause(struct vm *vm, bool is_to_pause);

/* Presses the VM's power button. From any CPU, also in an interrupt. */
void vm_press_power_button(struct vm *vm);

/* Logs the VM's exits by reason, from any CPU; those of a running VM may be outdated. */
void vm_log_stats(const struct vm *vm);

/* Returns the number of exits of all vCPUs in this run; otherwise as vm_log_stats. */
uint64_t vm_count_exits(const struct vm *vm);

/* Logs what led to an abnormal end: the last exits of the vCPU, and the others' state. */
void vm_log_abnormal_end(const struct vm *vm);

/*
 * Access memory-mapped devices with 1, 2, 4 or 8 bytes at a multiple of their number.
 * Unclaimed addresses read all ones and ignore writes. guest/memory_devices.c.
 */
uint64_t vm_memory_read(struct vcpu *vcpu, uint64_t address, unsigned int size);
void vm_memory_write(struct vcpu *vcpu, uint64_t address, unsigned int size,
                     uint64_t value);

/*
 * Resets the VM's devices and adds their ports and addresses. STATUS_NO_MEMORY if they do
 * not fit. guest/devices.c.
 */
enum status MUST_CHECK vm_add_devices(struct vm *vm);

/* Resets the UART, with its interrupt line, and the flush timer. guest/output.c. */
void vm_add_uart(struct vm *vm, struct interrupt_line *line);

/*
 * Shows the guest's output, without the lock, because a screen can take long. While there
 * is more, the flush timer expires again in 10 ms. On the first vCPU's CPU.
 * guest/output.c.
 */
void vm_flush_output(struct vm *vm);

/*
 * Sends text as the UART does; returns false, without an effect, if there is no room for
 * all of it. guest/output.c.
 */
bool vm_print(struct vm *vm, const uint8_t *text, size_t size);

/* The handlers of exits: guest/exits.c. */
extern const struct exit_handlers vm_exit_handlers;

#endif
