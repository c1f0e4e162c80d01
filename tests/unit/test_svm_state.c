/* src/svm/vcpu_state.c and the segments of src/svm/vmcb.h: the state at the start. */
#include "svm_vcpu.h"

static const struct vcpu_plan plan = {.memory_root = {0x123000}};

static const struct vcpu_start start = {
    .rip  = 0x100000,
    .cr0  = 0x11,
    .cr3  = 0x9000,
    .cr4  = 0x20,
    .efer = 0x500,
    .code = {0x10, 0xFFFFFFFF, 0xC09B, 0x1000},
    .data = {0x18, 0xFFFFF, 0xC093, 0},
    .gdt  = {0x7000, 0x1F},
    .rax  = 1,
    .rbx  = 2,
    .rsi  = 3,
};

static int state_start(void **state)
{
    svm_vcpu_start(state);
    vcpu.start          = &start;
    vcpu.tsc_start      = 1000;
    svm.plan            = &plan;
    cpu_cr4             = CR4_MCE | CR4_PAE;
    svm_features        = 0;
    extended_features_2 = 0;
    memset(vmcb, 0xA5, sizeof(*vmcb)); /* of an earlier run */
    svm_state_write(&svm);
    return 0;
}

static void test_registers(void **state)
{
    (void)state;
    assert_int_equal(vmcb->rip, 0x100000);
    assert_int_equal(vmcb->cr0, 0x11);
    assert_int_equal(vmcb->cr3, 0x9000);
    assert_int_equal(vmcb->cr4, 0x60); /* with the host's MCE */
    assert_int_equal(vmcb->efer, 0x1500);
    assert_int_equal(vmcb->rflags, 2);
    assert_int_equal(vmcb->dr6, 0xFFFF0FF0);
    assert_int_equal(vmcb->dr7, 0x400);
    assert_int_equal(vmcb->pat, UINT64_C(0x0007040600070406));
    assert_int_equal(vmcb->rsp | vmcb->cr2 | vmcb->cpl | vmcb->star | vmcb->debugctl, 0);
    assert_int_equal(vcpu.run.registers.r[REGISTER_RAX], 1);
    assert_int_equal(vcpu.run.registers.r[REGISTER_RBX], 2);
    assert_int_equal(vcpu.run.registers.r[REGISTER_RSI], 3);
    assert_int_equal(vcpu.run.registers.r[REGISTER_RDI], 0);
    cpu_cr4 = CR4_PAE;
    svm_state_write(&svm);
    assert_int_equal(vmcb->cr4, 0x20);
}

static void assert_segment(const struct vmcb_segment *segment, uint16_t selector,
                           uint16_t attributes, uint32_t limit, uint64_t base)
{
    assert_int_equal(segment->selector, selector);
    assert_int_equal(segment->attributes, attributes);
    assert_int_equal(segment->limit, limit);
    assert_int_equal(segment->base, base);
}

static void test_segments(void **state)
{
    (void)state;
    for (size_t i = SEGMENT_ES; i <= SEGMENT_GS; i++) {
        if (i != SEGMENT_CS)
            assert_segment(&vmcb->segment[i], 0x18, 0xC93, 0xFFFFF, 0);
    }
    assert_segment(&vmcb->segment[SEGMENT_CS], 0x10, 0xC9B, 0xFFFFFFFF, 0x1000);
    assert_segment(&vmcb->tr, 0, 0x8B, 0x67, 0);
    assert_segment(&vmcb->ldtr, 0, 0x82, 0xFFFF, 0);
    assert_segment(&vmcb->gdtr, 0, 0, 0x1F, 0x7000);
    assert_segment(&vmcb->idtr, 0, 0, 0xFFFF, 0);
}

/* Bits 55:52 and 47:40 of a descriptor are adjacent; a null segment has none. */
static void test_attributes(void **state)
{
    (void)state;
    static const struct {
        uint32_t access_rights;
        uint16_t attributes;
    } rows[] = {
        {0xA09B, 0xA9B}, {0xC093, 0xC93}, {0x93, 0x93}, {0x8B, 0x8B}, {0xF0FF, 0xFFF}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(vmcb_attributes(rows[i].access_rights), rows[i].attributes);
        assert_int_equal(vmcb_access_rights(rows[i].attributes), rows[i].access_rights);
    }
    assert_int_equal(vmcb_attributes(0x10000), 0);
    assert_int_equal(vmcb_attributes(0x1C093), 0);
}

/* The intercepts, by the numbers of APM 2, "VMCB Layout". */
static void test_intercepts(void **state)
{
    (void)state;
    assert_int_equal(vmcb->intercept_cr_reads, 0x110);
    assert_int_equal(vmcb->intercept_cr_writes, 0x110);
    assert_int_equal(vmcb->intercept_dr_reads | vmcb->intercept_dr_writes, 0);
    assert_int_equal(vmcb->intercept_exceptions, BIT(1) | BIT(17) | BIT(18));
    /* INTR NMI INIT; RDPMC CPUID RSM INVD HLT INVLPGA IO MSR SHUTDOWN. */
    assert_int_equal(vmcb->intercept_1, 0xB | BIT(15) | BIT(18) | BIT(19) | BIT(22) |
                                            BIT(24) | BIT(26) | BIT(27) | BIT(28) |
                                            BIT(31));
    /* VMRUN to SKINIT; WBINVD MONITOR MWAIT; XSETBV RDPRU. */
    assert_int_equal(vmcb->intercept_2, 0x7F | 0xE00 | 0x6000);
    assert_int_equal(vmcb->intercept_3, 0);
    extended_features_2 = BIT(3); /* INVLPGB and TLBSYNC, also illegal */
    svm_state_write(&svm);
    assert_int_equal(vmcb->intercept_3, 0x13);
    extended_features_2 = BIT(8); /* MCOMMIT */
    svm_state_write(&svm);
    assert_int_equal(vmcb->intercept_3, 8);
    extended_features_2 = 0;
    svm_features        = BIT(29); /* bus lock threshold */
    svm_state_write(&svm);
    assert_int_equal(vmcb->intercept_3, 0x20);
    assert_int_equal(((const uint16_t *)vmcb)[0x120 / 2], 1);
}

static void test_controls(void **state)
{
    (void)state;
    assert_int_equal(vmcb->iopm_base, (uintptr_t)svm.io_permissions);
    assert_int_equal(vmcb->msrpm_base, (uintptr_t)svm.msr_permissions);
    assert_int_equal(vmcb->tsc_offset,
                     UINT64_MAX - 999); /* the guest's TSC starts at 0 */
    assert_int_equal(vmcb->asid, 1);
    assert_int_equal(vmcb->tlb_control, 1);
    assert_int_equal(vmcb->virtual_interrupt, 0x011F0000);
    assert_int_equal(vmcb->nested_paging, 1);
    assert_int_equal(vmcb->nested_cr3, 0x123000);
    assert_int_equal(vmcb->clean | vmcb->event_injection | vmcb->interrupt_shadow, 0);
    for (size_t i = 0; i < sizeof(svm.io_permissions); i++)
        assert_int_equal(svm.io_permissions[i], 0xFF);
    assert_int_equal(svm.msr_permissions[0], 0xFF);
    assert_int_equal(svm.msr_permissions[0x800 + 0x100 / 4], 0); /* FS_BASE, ... */
}

/* What a processor may lack. */
static void test_features(void **state)
{
    (void)state;
    assert_int_equal(svm.clean, 0);
    assert_int_equal(svm.flush, 1); /* of all ASIDs */
    assert_int_equal(vmcb->lbr_virtualization, 0);
    assert_false(svm.has_next_rip || svm.has_decode_assists ||
                 svm.has_lbr_virtualization);
    assert_ptr_equal(vcpu.run.on_exit, svm_on_exit_without_next_rip);
    static const struct {
        uint32_t features;
        uint64_t clean, flush;
        bool has_next_rip, has_decode_assists, has_lbr_virtualization;
    } rows[] = {
        {BIT(1), 0, 1, false, false, true},       {BIT(3), 0, 1, true, false, false},
        {BIT(5), 0x1FFF, 1, false, false, false}, {BIT(6), 0, 3, false, false, false},
        {BIT(7), 0, 1, false, true, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        svm_features = rows[i].features;
        svm_state_write(&svm);
        assert_int_equal(svm.clean, rows[i].clean);
        assert_int_equal(svm.flush, rows[i].flush);
        assert_int_equal(svm.has_decode_assists, rows[i].has_decode_assists);
        assert_int_equal(vmcb->lbr_virtualization, rows[i].has_lbr_virtualization);
        assert_ptr_equal(vcpu.run.on_exit, rows[i].has_next_rip
                                               ? svm_on_exit
                                               : svm_on_exit_without_next_rip);
    }
}

/* Nothing of an earlier run is left. */
static void test_again(void **state)
{
    (void)state;
    svm.waiting    = WAITING_NMI | WAITING_INTERRUPT;
    svm.blocks_nmi = svm.steps_past_iret = true;
    svm.debugctl                         = 3;
    svm.defers_timer                     = true;
    svm.alarm                            = 5;
    vcpu.run.registers.r[REGISTER_RDI]   = 7;
    svm_state_write(&svm);
    assert_int_equal(svm.waiting, 0);
    assert_false(svm.blocks_nmi || svm.steps_past_iret || svm.defers_timer);
    assert_int_equal(svm.debugctl, 0);
    assert_int_equal(svm.alarm, TICKS_NEVER);
    assert_int_equal(vcpu.run.registers.r[REGISTER_RDI], 0);
    /* The guest may set what its CPUID offers. */
    assert_true((svm.cr4_allowed & CR4_SMEP) != 0);
    assert_int_equal(svm.cr4_allowed & (CR4_SMAP | CR4_PCIDE | CR4_OSXSAVE | CR4_MCE), 0);
    assert_int_equal(svm.efer_allowed, 0xD01);
}

/*
 * SDM 3A, "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT"; APM
 * 2, "Initial Processor State". With the start that a startup IPI sets.
 */
static const struct vcpu_start startup = {
    .cr0  = 0x60000010,
    .code = {0x9A00, 0xFFFF, 0x9B, 0x9A000},
    .data = {0, 0xFFFF, 0x93, 0},
    .gdt  = {0, 0xFFFF},
    .rdx  = 0x306C3,
};

/* Restarts a vCPU that has changed all of its state. */
static void restart(void)
{
    svm_state_write(&svm);
    memset(vcpu.run.registers.r, 0x5A, sizeof(vcpu.run.registers.r));
    memset(vmcb->segment, 0x5A, sizeof(*vmcb) - offsetof(struct vmcb, segment));
    svm.debugctl   = 3;
    vmcb->clean    = CLEAN_ALL;
    vcpu.start     = &startup;
    state_restarts = 0;
    svm_restart(&vcpu);
}

static void test_init(void **state)
{
    (void)state;
    restart();
    assert_int_equal(vmcb->rip, 0);
    assert_int_equal(vmcb->rflags, 2);
    assert_int_equal(vmcb->cr0, 0x60000010);
    assert_int_equal(vmcb->cr2 | vmcb->cr3 | vmcb->rsp | vmcb->cpl, 0);
    assert_int_equal(vmcb->cr4, 0x40);    /* the host's MCE */
    assert_int_equal(vmcb->efer, 0x1000); /* SVME */
    assert_int_equal(vmcb->dr6, 0xFFFF0FF0);
    assert_int_equal(vmcb->dr7, 0x400);
    assert_int_equal(state_restarts, 1); /* DR0 to DR3, which no VMCB has */
    for (size_t i = SEGMENT_ES; i <= SEGMENT_GS; i++) {
        if (i != SEGMENT_CS)
            assert_segment(&vmcb->segment[i], 0, 0x93, 0xFFFF, 0);
    }
    assert_segment(&vmcb->segment[SEGMENT_CS], 0x9A00, 0x9B, 0xFFFF, 0x9A000);
    assert_int_equal(vmcb->gdtr.base | vmcb->idtr.base, 0);
    assert_int_equal(vmcb->gdtr.limit, 0xFFFF);
    assert_int_equal(vmcb->idtr.limit, 0xFFFF);
    assert_segment(&vmcb->ldtr, 0, 0x82, 0xFFFF, 0);
    assert_int_equal(vmcb->tr.base, 0);
    assert_int_equal(vmcb->debugctl | svm.debugctl, 0);
    for (size_t i = 0; i < REGISTER_COUNT; i++)
        assert_int_equal(vcpu.run.registers.r[i], i == REGISTER_RDX ? 0x306C3 : 0);
}

/* The TSC and MSRs are unchanged; the TLB is invalid, which no clean bit implies. */
static void test_kept_at_init(void **state)
{
    (void)state;
    const uint64_t filling = UINT64_C(0x5A5A5A5A5A5A5A5A);

    restart();
    assert_int_equal(vmcb->tsc_offset, UINT64_MAX - 999);
    const uint64_t msrs[] = {vmcb->pat,         vmcb->star,         vmcb->lstar,
                             vmcb->cstar,       vmcb->fmask,        vmcb->kernel_gs_base,
                             vmcb->sysenter_cs, vmcb->sysenter_esp, vmcb->sysenter_eip};
    for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
        assert_int_equal(msrs[i], filling);
    assert_int_equal(vmcb->tlb_control, 1);
    assert_int_equal(vmcb->clean, 0);
    svm_features = BIT(6); /* flush by ASID */
    restart();
    assert_int_equal(vmcb->tlb_control, 3);
}

/* Events that wait for delivery are lost, and NMIs are not blocked. */
static void test_events_at_init(void **state)
{
    (void)state;
    vmcb->event_injection  = 0x80000031;
    vmcb->interrupt_shadow = 1;
    svm_request_nmi(&vcpu);
    svm_events_deliver(&svm);
    assert_true((vmcb->intercept_1 & BIT(20)) != 0); /* IRET */
    svm.blocks_nmi = svm.steps_past_iret = true;
    vmcb->intercept_exceptions |= BIT(13) | BIT(14);
    vcpu.start = &startup;
    svm_restart(&vcpu);
    assert_int_equal(vmcb->event_injection | vmcb->interrupt_shadow, 0);
    assert_int_equal(svm.waiting, 0);
    assert_false(svm.blocks_nmi || svm.steps_past_iret);
    assert_int_equal(vmcb->intercept_exceptions, BIT(1) | BIT(17) | BIT(18));
    assert_int_equal(vmcb->intercept_1 & (BIT(4) | BIT(20)), 0);
    assert_int_equal(vmcb->virtual_interrupt & BIT(8), 0);
    /* An interrupt that the local APIC requests afterwards opens a window again. */
    svm_request_interrupt(&vcpu, true);
    svm_events_deliver(&svm);
    assert_true(has_window());
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, state_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registers),      TEST(test_segments), TEST(test_attributes),
        TEST(test_intercepts),     TEST(test_controls), TEST(test_features),
        TEST(test_again),          TEST(test_init),     TEST(test_kept_at_init),
        TEST(test_events_at_init),
    };
    return cmocka_run_group_tests_name("svm_state", tests, NULL, NULL);
}
