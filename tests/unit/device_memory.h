/*
 * Instructions of a guest that access a device, which notes its accesses: for
 * src/guest/device_memory.c and linear_access.c.
 */
#ifndef HYMIR_TESTS_DEVICE_MEMORY_H
#define HYMIR_TESTS_DEVICE_MEMORY_H

#include "paging.h"

#include "guest/device_memory.h"
#include "guest/linear_access.h"
#include "guest/string_io.h"
#include "x86/instruction_format.h"

#define DEVICE UINT64_C(0xFEE00000)
#define CODE   0x10000

#define READS(address, size)    \
    {                           \
        false, size, address, 0 \
    }
#define WRITES(address, size, value) \
    {                                \
        true, size, address, value   \
    }

/* The accesses to the device, which reads as the low bytes of device_value. */
static struct device_access {
    bool is_write;
    unsigned int size;
    uint64_t address, value;
} accesses[16];
static size_t access_count;
static enum memory_access_kind exit_kind;
static uint64_t exit_address; /* guest-physical, of the access that caused the exit */
static uint64_t device_value;

/* The linker takes these instead of the VM's. */
uint64_t __wrap_vm_memory_read(struct vcpu *vcpu, uint64_t address, unsigned int size);
void __wrap_vm_memory_write(struct vcpu *vcpu, uint64_t address, unsigned int size,
                            uint64_t value);

static void note_access(struct device_access access)
{
    assert_int_equal(access.address % access.size, 0);
    if (access_count < ARRAY_SIZE(accesses))
        accesses[access_count] = access;
    access_count++;
}

uint64_t __wrap_vm_memory_read(struct vcpu *vcpu, uint64_t address, unsigned int size)
{
    assert_ptr_equal(vcpu, test_vcpu);
    note_access((struct device_access)READS(address, size));
    return device_value;
}

void __wrap_vm_memory_write(struct vcpu *vcpu, uint64_t address, unsigned int size,
                            uint64_t value)
{
    assert_ptr_equal(vcpu, test_vcpu);
    note_access((struct device_access)WRITES(address, size, value));
}

static inline int access_start(void **state)
{
    start_guest(state);
    access_count                     = 0;
    device_value                     = 0x8877665544332211;
    test_registers[VCPU_CR0]         = 0x11;
    test_registers[VCPU_EFER]        = 0x500; /* paging is off: linear is physical */
    test_registers[VCPU_RFLAGS]      = 2;
    test_registers[VCPU_RIP]         = CODE;
    test_registers[VCPU_RSP]         = DEVICE;
    exit_kind                        = MEMORY_READ;
    exit_address                     = DEVICE + 0xFFF; /* elsewhere in the page */
    test_vcpu->run.has_all_registers = true;
    for (unsigned int i = 0; i < REGISTER_COUNT; i++)
        test_vcpu->run.registers.r[i] = DEVICE;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, access_start, end_guest)

static inline enum exit_outcome execute_bytes(const char *bytes, size_t size)
{
    const struct memory_access access = {
        .address = gpa(exit_address), .kind = exit_kind, .is_by_instruction = true};

    put_guest(CODE, bytes, size);
    access_count    = 0;
    injected_vector = -1;
    return vm_exit_handlers.memory(test_vcpu, &access);
}

/* Executes the instruction of a string literal. */
#define EXECUTE(bytes) execute_bytes(bytes, sizeof(bytes) - 1)

/* Executes one that succeeds, and checks its accesses to the device. */
#define SUCCEEDS(bytes, ...)                                                        \
    do {                                                                            \
        const struct device_access expected[] = {__VA_ARGS__};                      \
        assert_int_equal(EXECUTE(bytes), EXIT_SKIP);                                \
        assert_int_equal(test_vcpu->newest->instruction_length, sizeof(bytes) - 1); \
        assert_accesses(expected, ARRAY_SIZE(expected));                            \
    } while (false)

static inline void assert_accesses(const struct device_access *expected, size_t count)
{
    assert_int_equal(access_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(accesses[i].is_write, expected[i].is_write);
        assert_int_equal(accesses[i].size, expected[i].size);
        assert_int_equal(accesses[i].address, expected[i].address);
        assert_int_equal(accesses[i].value, expected[i].value);
    }
}

/* Executes one that faults: nothing else happens. */
#define FAULTS(bytes, vector, code)                                              \
    do {                                                                         \
        struct guest_registers before = test_vcpu->run.registers;                \
        assert_int_equal(EXECUTE(bytes), EXIT_RESUME);                           \
        assert_int_equal(injected_vector, vector);                               \
        assert_int_equal(injected_code, code);                                   \
        assert_int_equal(access_count, 0);                                       \
        assert_memory_equal(&before, &test_vcpu->run.registers, sizeof(before)); \
    } while (false)

#endif
