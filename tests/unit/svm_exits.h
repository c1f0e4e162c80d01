/*
 * Exits of src/svm/exit.c, with a VM that records what it is asked to do.
 */
#ifndef HYMIR_TESTS_SVM_EXITS_H
#define HYMIR_TESTS_SVM_EXITS_H

#include "svm_vcpu.h"

static uint16_t port;
static unsigned int port_size;
static uint32_t port_value;
static struct string_access string;
static struct memory_access memory;
static enum exit_outcome vm_outcome;

/* The VM's ports. */
uint32_t vm_port_read(struct vcpu *of, unsigned int number, unsigned int size)
{
    (void)of;
    port      = (uint16_t)number;
    port_size = size;
    return port_value;
}

enum exit_outcome vm_port_write(struct vcpu *of, unsigned int number, unsigned int size,
                                uint32_t value)
{
    (void)of;
    port       = (uint16_t)number;
    port_size  = size;
    port_value = value;
    return vm_outcome;
}

static enum exit_outcome note_string(struct vcpu *of, const struct string_access *access)
{
    (void)of;
    string = *access;
    return EXIT_REPEAT;
}

static enum exit_outcome note_memory(struct vcpu *of, const struct memory_access *access)
{
    (void)of;
    memory = *access;
    return EXIT_RESUME;
}

static enum exit_outcome answer(struct vcpu *of)
{
    (void)of;
    log_plain("answered");
    return EXIT_NEXT;
}

static inline int exits_start(void **state)
{
    handlers.cpuid = handlers.hypercall = answer;
    handlers.read_msr = handlers.write_msr = answer;
    handlers.string_io                     = note_string;
    handlers.memory                        = note_memory;
    memset(&string, 0, sizeof(string));
    port_value = 0x89ABCDEF;
    vm_outcome = EXIT_NEXT;
    svm_vcpu_start(state);
    svm_exit_rows_init(&svm);
    return 0;
}

/* Lets an exit happen; returns the event that the guest gets. */
static inline uint64_t take_exit(uint64_t exit_code)
{
    vmcb->event_injection = 0;
    vmcb->exit_code       = exit_code;
    (void)svm_on_exit(&vcpu.run);
    return vmcb->event_injection;
}

static inline void assert_next(void)
{
    assert_int_equal(vmcb->rip, 0x1002);
    assert_int_equal(vmcb->event_injection, 0);
    assert_string_equal(vcpu.end->text, "");
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, exits_start)

#endif
