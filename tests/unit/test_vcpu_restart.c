/*
 * src/vmx/vcpu_state.c: INIT, compared with SDM 3A, "IA-32 and Intel 64 Processor States
 * Following Power-up, Reset, or INIT".
 */
#include "machine_checks.h"
#include "vmcs_array.h"

#include "cpu/guest_state.h"
#include "cpu/percpu.h"
#include "cpu/speculation.h"
#include "vmx/ept.h"

#define FILLING UINT64_C(0x5A5A5A5A)

static unsigned int state_restarts;
static const struct vmx_capabilities *invalidated;

void guest_state_restart(void)
{
    state_restarts++;
}

size_t speculation_passed_msrs(uint32_t msrs[SPECULATION_MSRS])
{
    msrs[0] = 0x48;
    return 1;
}

void ept_invalidate_translations(const struct vmx_capabilities *capabilities)
{
    invalidated = capabilities;
}

static bool fake_write_rows(const struct vmcs_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fields[rows[i].field] = rows[i].value;
    return true;
}

static bool fake_write(enum vmcs_field field, uint64_t value)
{
    fields[field] = value;
    return true;
}

static uint64_t fake_read_cr4(void)
{
    return CR4_PAE | CR4_MCE | CR4_VMXE;
}

/* What only the start of a run needs. */
uint64_t ept_pointer(const struct vmx_capabilities *capabilities, hpa_t tables)
{
    fail_msg("%p, 0x%lx", (const void *)capabilities, tables.value);
    return 0;
}

bool apic_virtualization_write(struct vmx_vcpu *vmx)
{
    fail_msg("%p", (void *)vmx);
    return false;
}

void apic_set_timer(uint64_t tsc_ticks)
{
    fail_msg("timer 0x%lx", tsc_ticks);
}

bool apic_is_enabled(void)
{
    return true;
}

uint64_t cpu_idt_base(void)
{
    return 0;
}

uint64_t clock_frequency(void)
{
    return 0;
}

enum run_next vcpu_on_exit(struct vcpu_run *run)
{
    fail_msg("exit of %p", (void *)run);
    return RUN_STOP;
}

#define vmcs_write_rows fake_write_rows
#define vmcs_write      fake_write
#define read_cr4        fake_read_cr4
#include "../../src/vmx/vcpu_events.c"
#include "../../src/vmx/vcpu_state.c"
#include "../../src/vmx/vmcs_areas.c"

static struct vcpu vcpu;
static struct vmx_vcpu vmx;

/* The start that a startup IPI sets. */
static const struct vcpu_start startup = {
    .cr0  = 0x60000010,
    .code = {0x9A00, 0xFFFF, 0x9B, 0x9A000},
    .data = {0, 0xFFFF, 0x93, 0},
    .gdt  = {0, 0xFFFF},
    .rdx  = 0x306C3,
};

/* Restarts a vCPU in 64-bit mode that has changed all of its state. */
static int restart(void **state)
{
    (void)state;
    vmx = (struct vmx_vcpu){.vcpu = &vcpu};
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        fields[i] = FILLING;
    memset(vcpu.run.registers.r, 0x5A, sizeof(vcpu.run.registers.r));
    vmx.controls.field[GROUP_VM_ENTRY] = VM_ENTRY_IA32E_MODE_GUEST | 0x11FF;
    vmx.controls.field[GROUP_PRIMARY]  = PRIMARY_NMI_WINDOW_EXITING | 4;
    vcpu.arch                          = &vmx;
    vcpu.start                         = &startup;
    state_restarts                     = 0;
    invalidated                        = NULL;
    vcpu_restart(&vcpu);
    return 0;
}

static void assert_segment(uint32_t index, uint16_t selector, uint32_t access_rights,
                           uint32_t limit, uint64_t base)
{
    assert_int_equal(fields[VMCS_GUEST_ES_SELECTOR + 2 * index], selector);
    assert_int_equal(fields[VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * index], access_rights);
    assert_int_equal(fields[VMCS_GUEST_ES_LIMIT + 2 * index], limit);
    assert_int_equal(fields[VMCS_GUEST_ES_BASE + 2 * index], base);
}

static void test_registers(void **state)
{
    (void)state;
    assert_int_equal(fields[VMCS_GUEST_RIP], 0);
    assert_int_equal(fields[VMCS_GUEST_RFLAGS], 2);
    assert_int_equal(fields[VMCS_CR0_READ_SHADOW], 0x60000010);
    assert_int_equal(fields[VMCS_GUEST_CR0], 0x30); /* NE, with caches */
    assert_int_equal(fields[VMCS_GUEST_CR3], 0);
    assert_int_equal(fields[VMCS_CR4_READ_SHADOW], 0);
    assert_int_equal(fields[VMCS_GUEST_CR4], 0x2040); /* VMXE, and the host's MCE */
    assert_int_equal(fields[VMCS_GUEST_IA32_EFER], 0);
    assert_int_equal(fields[VMCS_GUEST_RSP], 0);
    assert_int_equal(fields[VMCS_GUEST_DR7], 0x400);
    assert_int_equal(fields[VMCS_GUEST_IA32_DEBUGCTL], 0);
    assert_int_equal(state_restarts, 1);                   /* CR2, DR6 and DR0 to DR3 */
    assert_int_equal(fields[VMCS_ENTRY_CONTROLS], 0x11FF); /* not IA-32e mode */
    for (size_t i = 0; i < REGISTER_COUNT; i++)
        assert_int_equal(vcpu.run.registers.r[i], i == REGISTER_RDX ? 0x306C3 : 0);
}

static void test_segments(void **state)
{
    (void)state;
    for (uint32_t i = SEGMENT_ES; i <= SEGMENT_GS; i++) {
        if (i != SEGMENT_CS)
            assert_segment(i, 0, 0x93, 0xFFFF, 0);
    }
    assert_segment(SEGMENT_CS, 0x9A00, 0x9B, 0xFFFF, 0x9A000);
    assert_int_equal(fields[VMCS_GUEST_GDTR_BASE] | fields[VMCS_GUEST_IDTR_BASE], 0);
    assert_int_equal(fields[VMCS_GUEST_GDTR_LIMIT], 0xFFFF);
    assert_int_equal(fields[VMCS_GUEST_IDTR_LIMIT], 0xFFFF);
    assert_int_equal(fields[VMCS_GUEST_TR_BASE], 0);
}

/* The TSC and MSRs are unchanged; the TLB is invalid. */
static void test_kept(void **state)
{
    (void)state;
    assert_int_equal(fields[VMCS_TSC_OFFSET], FILLING);
    assert_int_equal(fields[VMCS_GUEST_IA32_PAT], FILLING);
    assert_int_equal(fields[VMCS_GUEST_IA32_SYSENTER_CS], FILLING);
    assert_int_equal(fields[VMCS_GUEST_IA32_SYSENTER_ESP], FILLING);
    assert_int_equal(fields[VMCS_GUEST_IA32_SYSENTER_EIP], FILLING);
    assert_ptr_equal(invalidated, &vmx.capabilities);
}

/* Events that wait for delivery are lost, and nothing is blocked; HLT has ended. */
static void test_events(void **state)
{
    (void)state;
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS], 4); /* no NMI window */
    assert_int_equal(fields[VMCS_GUEST_INTERRUPTIBILITY_STATE], 0);
    assert_int_equal(fields[VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS], 0);
    assert_int_equal(fields[VMCS_GUEST_ACTIVITY_STATE], ACTIVITY_ACTIVE);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, restart)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registers),
        TEST(test_segments),
        TEST(test_kept),
        TEST(test_events),
    };
    return cmocka_run_group_tests_name("vcpu restart", tests, NULL, NULL);
}
