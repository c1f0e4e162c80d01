/* src/svm/vcpu.c: the life of a vCPU, and its registers; other functions are replaced. */
#include "guest_state.h"
#include "unit.h"

#include "cpu/cpuid.h"
#include "lib/ticks.h"
#include "mm/memory.h"
#include "platform/apic.h"
#include "svm/entry_report.h"
#include "svm/exit.h"
#include "svm/operation.h"
#include "svm/vcpu.h"
#include "svm/vcpu_events.h"
#include "x86/msr.h"

static bool accepts_efer, accepts_area;
static struct cpuid_result features, xsave_features; /* leaves 1, and 0DH.1 */
static const char *outer_signature;

/* What a run does, in order. */
#define STEP(function, parameter) \
    void function(parameter)      \
    {                             \
        log_plain(#function);     \
    }
STEP(svm_exit_rows_init, struct svm_vcpu *svm __attribute__((unused)))
void svm_segment_read(struct vcpu *vcpu, enum segment_number number,
                      struct vcpu_segment *segment)
{
    fail_msg("segment %u of %p to %p", number, (void *)vcpu, (void *)segment);
}

STEP(svm_state_write, struct svm_vcpu *svm __attribute__((unused)))

uint8_t guest_state_reset(void)
{
    log_plain("guest_state_reset");
    return 5;
}

/* The VMCB is noted when all is done that precedes VMRUN. */
void svm_entry_note(struct entry_snapshot *snapshot, const struct vmcb *vmcb)
{
    (void)snapshot;
    (void)vmcb;
    log_plain("note");
}

struct msr_write svm_operation_permit(void)
{
    log_plain("permit");
    return (struct msr_write){.is_tried = true, .written = 2};
}

struct msr_write svm_operation_enter(void)
{
    log_plain("enter");
    return (struct msr_write){.is_tried = true,
                              .written  = 0x1D00,
                              .reading  = {accepts_efer ? 0x1D00 : 0xD00, MSR_READ, 0}};
}

struct msr_write svm_operation_leave(const struct msr_write *permit)
{
    assert_int_equal(permit->written, 2);
    log_plain("leave");
    return (struct msr_write){0};
}

void svm_operation_forbid(const struct msr_write *permit)
{
    assert_int_equal(permit->written, 2);
    log_plain("forbid");
}

static struct msr_write fake_write_try(uint32_t msr, uint64_t value)
{
    log_plain("write 0x%x", msr);
    return (struct msr_write){.is_tried = true,
                              .written  = value,
                              .reading  = {accepts_area ? value : 0, MSR_READ, 0}};
}

void svm_run(struct vcpu_run *run, struct vmcb *guest, struct vmcb *host)
{
    struct svm_vcpu *svm = svm_of((struct vcpu *)run);

    assert_ptr_equal(guest, &svm->vmcb);
    assert_ptr_equal(host, &svm->host_vmcb);
    assert_int_equal((uintptr_t)guest % 4096 + (uintptr_t)host % 4096 +
                         (uintptr_t)svm->host_save_area % 4096 +
                         (uintptr_t)svm->msr_permissions % 4096 +
                         (uintptr_t)svm->io_permissions % 4096,
                     0);
    assert_int_equal(run->entry, 5);
    log_plain("run");
}

void apic_set_timer(uint64_t tsc_ticks)
{
    log_plain(tsc_ticks == TICKS_NEVER ? "no timer" : "timer");
}

void svm_exception_inject(struct vcpu *vcpu, uint8_t vector, uint32_t error_code)
{
    (void)vcpu;
    fail_msg("exception %u (%u)", vector, error_code);
}

void svm_debug_causes_add(struct vcpu *vcpu, uint64_t causes)
{
    (void)vcpu;
    fail_msg("debug causes 0x%lx", causes);
}

STEP(svm_restart, struct vcpu *vcpu __attribute__((unused)))
STEP(svm_request_nmi, struct vcpu *vcpu __attribute__((unused)))

void svm_request_interrupt(struct vcpu *vcpu, bool is_requested)
{
    (void)vcpu;
    fail_msg("interrupt requested: %d", is_requested);
}

void svm_set_alarm(struct vcpu *vcpu, uint64_t time)
{
    (void)vcpu;
    log_plain(time == TICKS_NEVER ? "no alarm" : "alarm");
}

static uint64_t fake_rdtsc(void)
{
    return 5000;
}

static uint64_t fake_read_cr4(void)
{
    return CR4_PAE;
}

static void fake_write_cr4(uint64_t value)
{
    log_plain("CR4 = 0x%lx", value);
}

static uint32_t fake_wrmsr_safe(uint32_t msr, uint64_t value)
{
    log_plain("write 0x%x = 0x%lx", msr, value);
    return FAULT_NONE;
}

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == 0xD)
        return (struct cpuid_result){subleaf == 1 ? xsave_features.eax : 7, 576, 832,
                                     subleaf};
    return leaf == 1 ? features
                     : (struct cpuid_result){leaf, subleaf, UINT32_MAX, UINT32_MAX};
}

static unsigned int snapshots_read;

static void fake_snapshot_read(struct cpuid_snapshot *snapshot)
{
    snapshots_read++;
    memset(snapshot, 0, sizeof(*snapshot));
    snapshot->leaf_1.ecx = (uint32_t)CPUID_1_ECX_HYPERVISOR;
    snapshot->leaf_d_1   = xsave_features;
    memcpy(&snapshot->leaf_hypervisor.ebx, outer_signature, 12);
}

#define rdtsc                fake_rdtsc
#define read_cr4             fake_read_cr4
#define write_cr4            fake_write_cr4
#define msr_write_try        fake_write_try
#define wrmsr_safe           fake_wrmsr_safe
#define cpuid(leaf, subleaf) fake_cpuid(leaf, subleaf)
#define cpuid_snapshot_read  fake_snapshot_read
#define svm_backend          tested_backend
const struct backend tested_backend;
#include "../../src/svm/vcpu.c"

static struct vcpu test_vcpu;
static _Alignas(4096) struct svm_vcpu test_svm;
static struct guest_end test_end;
static const struct vcpu_plan test_plan;
static const uint64_t pdptes[4] = {0x1001, 0x2001, 0, 0x4001};
static uint64_t ram_address;

static void *find_pdptes(struct vcpu *vcpu, gpa_t address, uint64_t size)
{
    (void)vcpu;
    assert_int_equal(size, sizeof(pdptes));
    return address.value == ram_address ? (void *)(uintptr_t)pdptes : NULL;
}

static const struct exit_handlers test_handlers = {.ram = find_pdptes};

static int backend_start(void **state)
{
    accepts_efer = accepts_area = true;
    outer_signature             = "KVMKVMKVM\0\0\0";
    features       = (struct cpuid_result){.ecx = UINT32_MAX, .edx = UINT32_MAX};
    xsave_features = (struct cpuid_result){0};
    ram_address    = 0xFFFFFFE0;
    test_end       = (struct guest_end){0};
    test_vcpu      = (struct vcpu){
             .handlers = &test_handlers, .id = 3, .arch = &test_svm, .end = &test_end};
    start_log(state);
    memset(&test_svm, 0, sizeof(test_svm));
    assert_int_equal(tested_backend.state_size, sizeof(test_svm));
    tested_backend.init(&test_vcpu, &test_plan);
    assert_ptr_equal(svm_of(&test_vcpu)->vcpu, &test_vcpu);
    assert_ptr_equal(svm_of(&test_vcpu)->plan, &test_plan);
    assert_string_equal(captured_log, "svm_exit_rows_init\n");
    return start_log(state);
}

/* The order matters: EFER.SVME and the host save area before VMRUN, and back. */
static void test_run(void **state)
{
    (void)state;
    tested_backend.run(&test_vcpu);
    assert_string_equal(captured_log,
                        "permit\nenter\nCR4 = 0x40020\nwrite 0xc0010117\n"
                        "svm_state_write\nno alarm\nguest_state_reset\nnote\nrun\n"
                        "write 0xc0010117 = 0x0\nno timer\nleave\n");
    assert_string_equal(test_vcpu.end->text, "");
}

/* A run that cannot start ends the vCPU. */
static void test_no_svm(void **state)
{
    (void)state;
    accepts_efer = false;
    tested_backend.run(&test_vcpu);
    assert_string_equal(captured_log, "permit\nenter\nCR4 = 0x40020\nforbid\n");
    assert_string_equal(test_vcpu.end->text, "cpu 3: EFER does not accept 0x1d00");
    assert_int_equal(test_end.kind, GUEST_END_ABNORMAL);
}

static void test_no_host_save_area(void **state)
{
    (void)state;
    accepts_area = false;
    tested_backend.run(&test_vcpu);
    assert_string_equal(captured_log, "permit\nenter\nCR4 = 0x40020\nwrite 0xc0010117\n"
                                      "no timer\nleave\n");
    assert_memory_equal(test_vcpu.end->text, "cpu 3: VM_HSAVE_PA does not accept 0x", 37);
}

static uint64_t read_of(enum vcpu_register which)
{
    return tested_backend.read_register(&test_vcpu, which);
}

static void test_read(void **state)
{
    (void)state;
    struct svm_vcpu *svm = svm_of(&test_vcpu);
    struct vmcb *vmcb    = &svm->vmcb;

    vmcb->rip                                           = 1;
    vmcb->rsp                                           = 9;
    vmcb->rflags                                        = 2;
    vmcb->cr0                                           = 3;
    vmcb->cr2                                           = 4;
    vmcb->cr3                                           = 5;
    vmcb->cr4                                           = CR4_PAE | CR4_MCE;
    vmcb->efer                                          = 0x1501;
    vmcb->tsc_offset                                    = 0 - UINT64_C(4000);
    vmcb->debugctl                                      = 6;
    svm->debugctl                                       = 7;
    vmcb->segment[SEGMENT_CS].attributes                = 0xA9B;
    vmcb->segment[SEGMENT_CS].base                      = 0x7000;
    vmcb->cpl                                           = 3;
    vmcb->dr7                                           = 0x401;
    static const uint64_t expected[VCPU_REGISTER_COUNT] = {
        [VCPU_RIP]        = 1,
        [VCPU_RFLAGS]     = 2,
        [VCPU_CR0]        = 3,
        [VCPU_CR2]        = 4,
        [VCPU_CR3]        = 5,
        [VCPU_CR4]        = 0x20,
        [VCPU_EFER]       = 0x501,
        [VCPU_TSC]        = 1000,
        [VCPU_DEBUGCTL]   = 7,
        [VCPU_XCR0]       = 7,
        [VCPU_CPL]        = 3,
        [VCPU_CODE_SIZE]  = 8,
        [VCPU_CS_BASE]    = 0x7000,
        [VCPU_PKRU]       = 8,
        [VCPU_DR7]        = 0x401,
        [VCPU_DR_0]       = 0x100,
        [VCPU_DR_0 + 1]   = 0x101,
        [VCPU_DR_0 + 2]   = 0x102,
        [VCPU_DR_3]       = 0x103,
        [VCPU_RSP]        = 9,
        [VCPU_TSC_OFFSET] = 0 - UINT64_C(4000),
    };
    for (enum vcpu_register which = VCPU_RIP; which < VCPU_REGISTER_COUNT; which++)
        assert_int_equal(read_of(which), expected[which]);
    svm->has_lbr_virtualization = true;
    assert_int_equal(read_of(VCPU_DEBUGCTL), 6);
    assert_int_equal(read_of(VCPU_REGISTER_COUNT), 0);
}

/* The PDPTEs are in guest memory, at any multiple of 32 bytes below 4 GiB, if there. */
static void test_pdptes(void **state)
{
    (void)state;
    struct vmcb *vmcb = &svm_of(&test_vcpu)->vmcb;

    vmcb->cr3 = 0xFFFFFFFF; /* bits 4:0 are not of the address */
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(read_of(VCPU_PDPTE_0 + i), pdptes[i]);
    vmcb->cr3 = 0x1000;
    assert_int_equal(read_of(VCPU_PDPTE_0), 0);
}

static void test_write(void **state)
{
    (void)state;
    struct svm_vcpu *svm = svm_of(&test_vcpu);
    const struct {
        enum vcpu_register which;
        const uint64_t *field;
        uint64_t value;
        unsigned int clean_bit;
    } rows[] = {{VCPU_CR2, &svm->vmcb.cr2, 0x1234, 9},
                {VCPU_TSC, &svm->vmcb.tsc_offset, 0x1234 - 5000, 0},
                {VCPU_TSC_OFFSET, &svm->vmcb.tsc_offset, 0x1234, 0},
                {VCPU_DEBUGCTL, &svm->vmcb.debugctl, 0x1234, 10},
                {VCPU_DEBUGCTL, &svm->debugctl, 0x1234, 10}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        svm->vmcb.clean = CLEAN_ALL;
        tested_backend.write_register(&test_vcpu, rows[i].which, 0x1234);
        assert_int_equal(*rows[i].field, rows[i].value);
        assert_int_equal(svm->vmcb.clean, CLEAN_ALL & ~BIT(rows[i].clean_bit));
    }
    svm->vmcb.clean = CLEAN_ALL;
    tested_backend.write_register(&test_vcpu, VCPU_RSP, 0x1234);
    tested_backend.write_register(&test_vcpu, VCPU_RFLAGS, 0x12);
    assert_int_equal(svm->vmcb.rsp, 0x1234);
    assert_int_equal(svm->vmcb.rflags, 0x12);
    tested_backend.write_register(&test_vcpu, VCPU_RIP, 0x1234);
    assert_int_equal(svm->vmcb.rip, 0);
    assert_int_equal(svm->vmcb.clean, CLEAN_ALL);
}

/* VIRT_SPEC_CTRL is reported where Hymir can emulate it. */
static void test_speculation(void **state)
{
    (void)state;
    tested_backend.write_register(&test_vcpu, VCPU_SPEC_CTRL, 3);
    tested_backend.write_register(&test_vcpu, VCPU_VIRT_SPEC_CTRL, 4);
    assert_int_equal(tested_backend.read_register(&test_vcpu, VCPU_SPEC_CTRL), 3);
    assert_int_equal(tested_backend.read_register(&test_vcpu, VCPU_VIRT_SPEC_CTRL), 4);
    assert_int_equal(tested_backend.read_cpuid(0x80000021, 0).eax, 0x80000061);
    has_ssbd = false;
    assert_int_equal(tested_backend.read_cpuid(0x80000008, UINT32_MAX).ebx, 0xFDFFFFFF);
    has_ssbd = true;
    assert_int_equal(tested_backend.read_cpuid(0x80000008, 0).ebx, 1 << 25);
}

/* XSAVE is hidden where QEMU's TCG reserves CR4.OSXSAVE. */
static void test_xsave(void **state)
{
    (void)state;
    assert_int_equal(tested_backend.read_cpuid(1, 0).ecx, UINT32_MAX);
    assert_int_equal(tested_backend.read_cpuid(0xD, 1).edx, 1);
    outer_signature = "TCGTCGTCGTCG";
    assert_int_equal(tested_backend.read_cpuid(1, 0).ecx, 0xFBFFFFFF);
    assert_int_equal(tested_backend.read_cpuid(7, 3).eax, 7);
    tested_backend.run(&test_vcpu);
    assert_null(strstr(captured_log, "CR4"));
    xsave_features.eax = 1; /* XSAVEOPT */
    snapshots_read     = 0;
    assert_int_equal(tested_backend.read_cpuid(1, 0).ecx, UINT32_MAX);
    assert_int_equal(tested_backend.read_cpuid(0xD, 0).eax, 7);
    assert_int_equal(snapshots_read, 0);
    features.ecx = 0; /* a processor without XSAVE */
    start_log(NULL);
    tested_backend.run(&test_vcpu);
    assert_null(strstr(captured_log, "CR4"));
}

#define TEST(name) cmocka_unit_test_setup(name, backend_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_run),   TEST(test_no_svm),      TEST(test_no_host_save_area),
        TEST(test_read),  TEST(test_pdptes),      TEST(test_write),
        TEST(test_xsave), TEST(test_speculation),
    };
    return cmocka_run_group_tests_name("svm_backend", tests, NULL, NULL);
}
