/* src/vmx/apic_virtualization.c: SDM 3C, "APIC Virtualization and Virtual Interrupts". */
#include "vcpu_events.h"

static bool fake_write(enum vmcs_field field, uint64_t value)
{
    fields[field] = value;
    return true;
}

static bool fake_write_rows(const struct vmcs_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fields[rows[i].field] = rows[i].value;
    return true;
}

#pragma GCC diagnostic ignored "-Wshadow" /* vcpu */
#define vmcs_write      fake_write
#define vmcs_write_rows fake_write_rows
#include "../../src/vmx/apic_virtualization.c"
#include "../../src/vmx/ept.c"

#define ACCESSES  BIT(0) /* the bits of the secondary controls */
#define X2APIC    BIT(4)
#define REGISTERS BIT(8)
#define DELIVERY  BIT(9)
#define XAPIC_ON  UINT64_C(0xFEE00900) /* IA32_APIC_BASE */
#define X2APIC_ON UINT64_C(0xFEE00D00)
#define OFF       UINT64_C(0xFEE00100)
#define MOVED     UINT64_C(0xD0000900)
#define RAM_SIZE  (UINT64_C(4) << 20)

static struct vmx_vcpu *own; /* page-aligned */
static struct vcpu_plan plan;
static struct page_pool shared;
static uint8_t *registers;
static struct memory_access last_access;
static unsigned int writes;
static uint32_t last_offset;

static enum exit_outcome note_memory(struct vcpu *of, const struct memory_access *access)
{
    (void)of;
    last_access = *access;
    return EXIT_SKIP;
}

static void note_write(struct vcpu *of, uint32_t offset)
{
    writes++;
    last_offset = offset;
    vcpu_request_interrupt(of, true);
}

static const struct exit_handlers apic_handlers = {.take_interrupt = accept_vector,
                                                   .tpr_changed    = look_at_tpr,
                                                   .memory         = note_memory,
                                                   .interrupted    = interrupted,
                                                   .apic_written   = note_write};

static void *new_pages(size_t count)
{
    void *pages = aligned_alloc(PAGE_SIZE, count * PAGE_SIZE);
    memset(pages, 0, count * PAGE_SIZE);
    return pages;
}

static int start(void **state)
{
    vcpu_start(state);
    own       = new_pages(sizeof(*own) / PAGE_SIZE + 1);
    registers = new_pages(1);
    shared    = (struct page_pool){.pages = new_pages(8), .count = 8};
    nested_paging_choose_pages(PAGE_SIZE_2_MIB, false);
    assert_int_equal(
        nested_paging_map(&ept_format, &shared, gpa(0), hpa(0x12200000), RAM_SIZE),
        STATUS_OK);
    plan = (struct vcpu_plan){.memory_root = hpa_of(shared.pages), .has_apicv = true};
    own->vcpu     = &vcpu;
    own->plan     = &plan;
    vcpu.arch     = own;
    vcpu.handlers = &apic_handlers;
    vcpu.apic = (struct vcpu_apic){.page = registers, .base = XAPIC_ON, .threshold = 5};
    memset(own->msr_bitmap, 0xFF, sizeof(own->msr_bitmap));
    own->controls.field[GROUP_PRIMARY]      = BIT(19) | BIT(20) | BIT(7);
    own->controls.field[GROUP_SECONDARY]    = BIT(1);
    own->controls.switched[GROUP_PRIMARY]   = BIT(21);
    own->controls.switched[GROUP_SECONDARY] = ACCESSES | X2APIC | REGISTERS | DELIVERY;
    writes                                  = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(own);
    free(registers);
    free(shared.pages);
    return 0;
}

static uint32_t controls_of(uint32_t available, uint64_t base, bool needs_eoi)
{
    const struct vcpu_apic state = {.base = base, .needs_eoi = needs_eoi};
    return apic_virtualization_controls(available, &state);
}

static void test_controls(void **state)
{
    (void)state;
    const uint32_t all = ACCESSES | X2APIC | REGISTERS | DELIVERY;
    for (int needs_eoi = 0; needs_eoi < 2; needs_eoi++) {
        uint32_t delivery = needs_eoi != 0 ? 0 : DELIVERY;
        assert_int_equal(controls_of(all, XAPIC_ON, needs_eoi), ACCESSES | REGISTERS);
        assert_int_equal(controls_of(all, X2APIC_ON, needs_eoi),
                         X2APIC | REGISTERS | delivery);
        assert_int_equal(controls_of(all, OFF, needs_eoi), 0);
        assert_int_equal(controls_of(all, MOVED, needs_eoi), 0);
        assert_int_equal(controls_of(all, MOVED | 0x400, needs_eoi),
                         X2APIC | REGISTERS | delivery);
    }
    /* The others need one of these two: there is nothing else that they virtualize. */
    assert_int_equal(controls_of(REGISTERS | DELIVERY | X2APIC, XAPIC_ON, false), 0);
    assert_int_equal(controls_of(REGISTERS | DELIVERY | ACCESSES, X2APIC_ON, false), 0);
    assert_int_equal(controls_of(ACCESSES, XAPIC_ON, false), ACCESSES);
    assert_int_equal(controls_of(X2APIC, X2APIC_ON, false), X2APIC);
    assert_int_equal(controls_of(0, XAPIC_ON, false), 0);
}

static bool exits(const uint8_t *bitmap, uint32_t msr, bool is_write)
{
    return (bitmap[(is_write ? 2048 : 0) + msr / 8] >> msr % 8 & 1) != 0;
}

/* SDM 3C, "Virtualizing MSR-Based APIC Accesses": with the first control only TPR. */
static void test_msrs(void **state)
{
    (void)state;
    uint8_t *bitmap                  = own->msr_bitmap;
    static const uint32_t controls[] = {X2APIC | REGISTERS | DELIVERY, X2APIC | REGISTERS,
                                        X2APIC, ACCESSES | REGISTERS, 0};
    for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
        apic_virtualization_pass_msrs(bitmap, controls[i]);
        for (uint32_t msr = 0; msr < 0x2000; msr++) {
            bool is_stored = msr == 0x802 || msr == 0x803 || msr == 0x80D ||
                             msr == 0x80F || (msr >= 0x810 && msr <= 0x828) ||
                             (msr >= 0x832 && msr <= 0x838) || msr == 0x83E;
            bool is_task = msr == 0x808 && i < 3;
            assert_int_equal(exits(bitmap, msr, false),
                             !is_task && !(is_stored && i < 2));
            assert_int_equal(exits(bitmap, msr, true),
                             !is_task && !(msr == 0x80B && i == 0));
        }
    }
}

static uint64_t translate(uint64_t root, uint64_t address)
{
    struct page_table table = {.format = &ept_format.table,
                               .root   = hpa(root & ~UINT64_C(0xFFF))};
    struct page_mapping mapping;
    return page_table_lookup(&table, address, &mapping) == STATUS_OK
               ? mapping.physical.value
               : 0;
}

static void test_modes(void **state)
{
    (void)state;
    apic_virtualization_start(own);
    assert_true(apic_virtualization_write(own));
    assert_int_equal(own->controls.field[GROUP_PRIMARY],
                     BIT(21) | BIT(7)); /* no CR8 exits */
    assert_int_equal(fields[VMCS_VIRTUAL_APIC_ADDRESS], (uintptr_t)registers);
    assert_int_equal(fields[VMCS_TPR_THRESHOLD], 5);
    assert_int_equal(fields[VMCS_SECONDARY_CONTROLS], BIT(1) | ACCESSES | REGISTERS);
    /* The guest finds its memory and the page, and nothing else. */
    uint64_t page = fields[VMCS_APIC_ACCESS_ADDRESS];
    assert_int_equal(page, (uintptr_t)own->apic.access_page);
    uint64_t with = fields[VMCS_EPT_POINTER];
    assert_int_equal(translate(with, 0xFEE00000), page);
    assert_int_equal(translate(with, 0xFEE01000), 0);
    assert_int_equal(translate(with, 0xFEDFF000), 0);
    assert_int_equal(translate(with, 0), 0x12200000);
    assert_int_equal(translate(with, RAM_SIZE - 1), 0x12200000 + RAM_SIZE - 1);
    assert_int_equal(translate(with, RAM_SIZE), 0);
    assert_int_equal(with & 0xFFF, ept_pointer(&own->capabilities, hpa(0)));
    static const uint64_t others[] = {X2APIC_ON, OFF, MOVED};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        vcpu.apic.base      = others[i];
        vcpu.apic.threshold = (uint8_t)i;
        vcpu_update_apic(&vcpu);
        assert_int_equal(fields[VMCS_TPR_THRESHOLD], i);
        assert_int_equal(fields[VMCS_SECONDARY_CONTROLS],
                         BIT(1) | (i == 0 ? X2APIC | REGISTERS | DELIVERY : 0));
        assert_int_equal(exits(own->msr_bitmap, 0x803, false), i != 0);
        uint64_t without = fields[VMCS_EPT_POINTER];
        assert_int_equal(without & ~UINT64_C(0xFFF), (uintptr_t)shared.pages);
        assert_int_equal(translate(without, 0xFEE00000), 0);
    }
    vcpu.apic.base = XAPIC_ON;
    vcpu_update_apic(&vcpu);
    assert_int_equal(fields[VMCS_EPT_POINTER], with);
    assert_int_equal(fields[VMCS_SECONDARY_CONTROLS], BIT(1) | ACCESSES | REGISTERS);
    /* A change of the threshold alone changes nothing else. */
    fields[VMCS_EPT_POINTER] = 0;
    vcpu.apic.threshold      = 15;
    vcpu_update_apic(&vcpu);
    assert_int_equal(fields[VMCS_TPR_THRESHOLD], 15);
    assert_int_equal(fields[VMCS_EPT_POINTER], 0);
}

/* A page that is split for code is split for a vCPU with the APIC-access page too. */
static void test_split(void **state)
{
    (void)state;
    struct page_table table = {.format = &ept_format.table};
    struct page_mapping mapping;

    memset(shared.pages, 0, shared.count * PAGE_SIZE);
    shared.used = 0;
    nested_paging_choose_pages(PAGE_SIZE_1_GIB, true);
    assert_int_equal(nested_paging_map(&ept_format, &shared, gpa(0), hpa(PAGE_SIZE_1_GIB),
                                       PAGE_SIZE_1_GIB),
                     STATUS_OK);
    apic_virtualization_start(own);
    assert_true(apic_virtualization_write(own));
    table.root = hpa(fields[VMCS_EPT_POINTER] & ~UINT64_C(0xFFF));
    assert_ptr_equal(hpa_pointer(table.root), own->apic.tables);
    assert_int_equal(page_table_lookup(&table, 0x201234, &mapping), STATUS_OK);
    assert_int_equal(mapping.attributes & EPT_TABLE, EPT_READ | EPT_WRITE);
    assert_int_equal(nested_paging_allow_execution(&ept_format, &shared, gpa(0x201234)),
                     STATUS_OK);
    assert_int_equal(page_table_lookup(&table, 0x201234, &mapping), STATUS_OK);
    assert_int_equal(mapping.attributes, EPT_LEAF);
    assert_int_equal(mapping.page_size, PAGE_SIZE);
}

/* SDM 3C, "Guest Interrupt Status", "EOI-Exit Bitmap". */
static void test_eoi(void **state)
{
    (void)state;
    vcpu.apic.base = X2APIC_ON;
    for (uint32_t i = 0; i < 4; i++)
        fields[VMCS_EOI_EXIT_BITMAP_0 + 2 * i] = UINT64_MAX;
    apic_virtualization_start(own);
    assert_true(apic_virtualization_write(own));
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(fields[VMCS_EOI_EXIT_BITMAP_0 + 2 * i], 0);
    vcpu.apic.in_service = 0x41;
    vcpu_update_apic(&vcpu);
    assert_int_equal(fields[VMCS_GUEST_INTERRUPT_STATUS], 0x4100);
    assert_false(exits(own->msr_bitmap, 0x80B, true));
    fields[VMCS_GUEST_INTERRUPT_STATUS] = 0; /* the processor has ended it */
    vcpu_update_apic(&vcpu);                 /* the same vector again */
    assert_int_equal(fields[VMCS_GUEST_INTERRUPT_STATUS], 0x4100);
    vcpu.apic.needs_eoi = true;
    vcpu_update_apic(&vcpu);
    assert_int_equal(fields[VMCS_SECONDARY_CONTROLS], BIT(1) | X2APIC | REGISTERS);
    assert_true(exits(own->msr_bitmap, 0x80B, true));
    /* Within an exit for events, only the last state counts. */
    own->defers_events = true;
    for (int i = 0; i < 2; i++) {
        vcpu.apic.needs_eoi = i != 0;
        vcpu_update_apic(&vcpu);
        assert_int_equal(fields[VMCS_SECONDARY_CONTROLS], BIT(1) | X2APIC | REGISTERS);
    }
    own->alarm                           = TICKS_NEVER;
    vcpu.apic.needs_eoi                  = false;
    static const struct backend updating = {.update_apic = vcpu_update_apic};
    vcpu.backend                         = &updating;
    assert_int_equal(interrupt_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_SECONDARY_CONTROLS],
                     BIT(1) | X2APIC | REGISTERS | DELIVERY);
    /* A processor without the control has no such fields. */
    own->controls.switched[GROUP_SECONDARY] = X2APIC | REGISTERS;
    fields[VMCS_GUEST_INTERRUPT_STATUS] = fields[VMCS_EOI_EXIT_BITMAP_3] = 7;
    apic_virtualization_start(own);
    assert_true(apic_virtualization_write(own));
    assert_int_equal(fields[VMCS_GUEST_INTERRUPT_STATUS], 7);
    assert_int_equal(fields[VMCS_EOI_EXIT_BITMAP_3], 7);
}

/* A processor without it, and apicv=off. */
static void test_without(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        plan.has_apicv                        = i == 0;
        own->controls.switched[GROUP_PRIMARY] = i == 0 ? 0 : BIT(21);
        apic_virtualization_start(own);
        assert_true(apic_virtualization_write(own));
        vcpu.apic.base = X2APIC_ON;
        vcpu_update_apic(&vcpu);
        assert_int_equal(own->controls.field[GROUP_PRIMARY], BIT(19) | BIT(20) | BIT(7));
        assert_int_equal(own->controls.field[GROUP_SECONDARY], BIT(1));
        assert_int_equal(fields[VMCS_VIRTUAL_APIC_ADDRESS], 0);
        assert_int_equal(fields[VMCS_EPT_POINTER], 0);
        assert_true(exits(own->msr_bitmap, 0x808, false));
    }
    /* A processor that always exits at CR8 still does. */
    plan.has_apicv = true;
    own->capabilities.msr[MSR_IA32_VMX_PROCBASED_CTLS - VMX_MSR_FIRST] =
        (struct msr_reading){.state = MSR_READ, .value = UINT64_MAX << 32 | BIT(19)};
    apic_virtualization_start(own);
    assert_int_equal(own->controls.field[GROUP_PRIMARY], BIT(21) | BIT(19) | BIT(7));
}

/* SDM 3C, "Exit Qualification for APIC-Access VM Exits from Linear Accesses and
 * Guest-Physical Accesses". */
static void test_accesses(void **state)
{
    (void)state;
    static const struct {
        uint64_t type;
        enum memory_access_kind kind;
        bool is_by_instruction;
    } rows[] = {
        {0, MEMORY_READ, true},   {1, MEMORY_WRITE, true},
        {2, MEMORY_FETCH, false}, {3, MEMORY_READ, false}, /* the delivery of an event */
        {10, MEMORY_READ, false},                          /* the same, guest-physical */
        {15, MEMORY_READ, false}};                         /* a walk of page tables */
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        fields[VMCS_EXIT_QUALIFICATION] = rows[i].type << 12 | 0x390;
        assert_int_equal(apic_access_handle_exit(&vcpu), EXIT_SKIP);
        assert_int_equal(last_access.address.value, 0xFEE00390);
        assert_int_equal(last_access.kind, rows[i].kind);
        assert_int_equal(last_access.is_by_instruction, rows[i].is_by_instruction);
        assert_int_equal(vcpu.newest->detail, rows[i].type << 12 | 0x390);
    }
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
    fields[VMCS_IDT_VECTORING_INFORMATION] = 0x80000041; /* is delivered again */
    assert_int_equal(apic_access_handle_exit(&vcpu), EXIT_SKIP);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000041);
}

/* They are exits after the instruction, which is not skipped. */
static void test_writes(void **state)
{
    (void)state;
    own->apic.has_tpr_shadow        = true;
    fields[VMCS_EXIT_QUALIFICATION] = 0x300;
    assert_int_equal(apic_write_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(writes, 1);
    assert_int_equal(last_offset, 0x300);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0); /* IF is clear */
    assert_int_equal(fields[VMCS_PRIMARY_CONTROLS] & BIT(2), BIT(2));
    fields[VMCS_GUEST_RFLAGS] = RFLAGS_IF;
    assert_int_equal(apic_write_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
    fields[VMCS_ENTRY_INTERRUPTION_INFORMATION] = 0;
    tpr_looks                                   = 0;
    assert_int_equal(tpr_handle_exit(&vcpu), EXIT_RESUME);
    assert_in_range(tpr_looks, 1, 2);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
    tpr_blocks                                  = true;
    fields[VMCS_ENTRY_INTERRUPTION_INFORMATION] = 0;
    assert_int_equal(tpr_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_controls), TEST(test_msrs),     TEST(test_modes),  TEST(test_eoi),
        TEST(test_without),  TEST(test_accesses), TEST(test_writes), TEST(test_split)};
    return cmocka_run_group_tests_name("APIC virtualization", tests, NULL, NULL);
}
