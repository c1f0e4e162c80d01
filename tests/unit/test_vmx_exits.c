/* src/vmx/exit.c: the handlers of exits that the processor's state matters to. */
#include "machine_checks.h"
#include "vmcs_array.h"

#include "vmx/instructions.h"

static hpa_t cleared_vmcs, loaded_vmcs;
static enum vmx_result result_of_load;

static enum vmx_result fake_vmclear(hpa_t region)
{
    cleared_vmcs = region;
    return VMX_SUCCEED;
}

static enum vmx_result fake_vmptrld(hpa_t region)
{
    assert_int_equal(cleared_vmcs.value, region.value);
    loaded_vmcs = region;
    return result_of_load;
}

#define vmclear fake_vmclear
#define vmptrld fake_vmptrld
#include "../../src/vmx/exit.c"
#include "vcpu_events.h"

/* Exits that the tests do not take. */
#define UNUSED_EXIT(name)                   \
    enum exit_outcome name(struct vcpu *of) \
    {                                       \
        fail_msg("%p", (void *)of);         \
        return EXIT_STOP;                   \
    }
UNUSED_EXIT(control_register_handle_exit)
UNUSED_EXIT(tpr_handle_exit)
UNUSED_EXIT(apic_access_handle_exit)
UNUSED_EXIT(apic_write_handle_exit)

void entry_failure_explain(const struct entry_attempt *attempt,
                           const struct vmx_entry_failure *failure,
                           struct entry_summary *summary)
{
    fail_msg("%p, %p, %p", (const void *)attempt, (const void *)failure, (void *)summary);
}

static int exits_start(void **state)
{
    cleared_vmcs = loaded_vmcs = hpa(0);
    result_of_load             = VMX_SUCCEED;
    vcpu_start(state);
    exit_rows_init(&vmx);
    return 0;
}

/* The first VM entry fails, so that its VMCS is not launched; the event is kept. */
static void test_machine_check_in_entry(void **state)
{
    (void)state;
    const struct exit_row *row = vmx.row_of_reason[41];
    uint64_t vmcs              = (uintptr_t)vmx.vmcs;

    fields[VMCS_ENTRY_INTERRUPTION_INFORMATION] = 0x80000031;
    assert_int_equal(row->handler(&vcpu), EXIT_ALL_REGISTERS); /* VMLAUNCH needs them */
    assert_int_equal(cleared_vmcs.value, 0);
    vcpu.run.has_all_registers = true;
    vcpu.run.is_launched       = true; /* as entry.asm sets it */
    assert_int_equal(row->handler(&vcpu), EXIT_RESUME);
    assert_int_equal(cleared_vmcs.value, vmcs);
    assert_int_equal(loaded_vmcs.value, vmcs);
    assert_false(vcpu.run.is_launched);
    assert_int_equal(looks, 1);
    assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFORMATION], 0x80000031);
    assert_string_equal(vcpu.end->text, "");
    result_of_load = VMX_FAIL_INVALID;
    assert_int_equal(row->handler(&vcpu), EXIT_STOP);
    assert_string_equal(vcpu.end->text,
                        "machine check in VM entry; VMCLEAR or VMPTRLD failed after it");
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, exits_start)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_machine_check_in_entry)};
    return cmocka_run_group_tests_name("vmx exits", tests, NULL, NULL);
}
