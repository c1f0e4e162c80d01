/*
 * The points at which a test image may interfere with Hymir.
 *
 * The shipped image defines none of these functions: each is a weak symbol that is NULL
 * there, and is called only if it is not. tests/faults defines them. None is on the path
 * of a VM exit.
 */
#ifndef HYMIR_LIB_TEST_HOOKS_H
#define HYMIR_LIB_TEST_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_HOOK __attribute__((weak))

struct vcpu;
struct machine_check_rules;
struct entry_attempt;
struct vmcb;

/*
 * Parses a word of the command line. Returns true if it is an option of the test image,
 * valid or not; the hook logs its own warning.
 */
TEST_HOOK bool test_hook_parse_option(const char *word);

/* Called for each range that must not be allocated, before memory is. */
TEST_HOOK void test_hook_keep_range(uint64_t start, uint64_t end);

/* May set what the processor does not need: aligned returns, shadow stacks. */
TEST_HOOK void test_hook_choose_returns(bool *are_aligned, bool *has_shadow_stacks);

/* Adds APIC IDs to the count of the list, which has room for limit. Returns the count. */
TEST_HOOK size_t test_hook_list_cpus(uint32_t *apic_ids, size_t count, size_t limit);

/*
 * Called on each CPU that has entered virtualization, before its trial runs a guest.
 */
TEST_HOOK void test_hook_enter_virtualization(void);

/* Called on the CPU that finishes the boot, when all trials have ended. */
TEST_HOOK void test_hook_finish_trials(void);

/* Called on a vCPU's CPU when its VMCS region is ready for VMPTRLD. */
TEST_HOOK void test_hook_prepare_vmcs(struct vcpu *vcpu);

/* Called on a vCPU's CPU before its first VM entry, with its VMCS current. */
TEST_HOOK void test_hook_enter_guest(struct vcpu *vcpu);

/* Called before the first VM entry of a trial's guest on VT-x, with its VMCS current. */
TEST_HOOK void test_hook_enter_trial_guest(const struct entry_attempt *attempt);

/* Called before VMRUN of a trial's guest on AMD-V. */
TEST_HOOK void test_hook_enter_trial_vmcb(struct vmcb *vmcb);

/* Returns whether the keyboard must not receive Hymir's commands. */
TEST_HOOK bool test_hook_mute_keyboard(void);

/* Returns whether a wake-up interrupt for the CPU with this index must be lost. */
TEST_HOOK bool test_hook_lose_wake(uint32_t cpu);

/* Called on a CPU whose work has returned, before it notes the end. */
TEST_HOOK void test_hook_end_work(void);

/* Called on the last CPU before the machine halts, resets or powers off. */
TEST_HOOK void test_hook_end(void);

/* Changes what the processor can do about machine checks. Called by their handler too. */
TEST_HOOK void test_hook_set_machine_check_rules(struct machine_check_rules *rules);

/* Returns the address to call in place of the firmware service at an address. */
TEST_HOOK uint64_t test_hook_call_firmware(uint64_t service);

#endif
