/*
 * The part of a guest's state that stays in this CPU's registers because neither a VMCS
 * nor a VMCB holds it, and Hymir does not use it.
 */
#ifndef HYMIR_CPU_GUEST_STATE_H
#define HYMIR_CPU_GUEST_STATE_H

#include <stdint.h>

/*
 * Resets that state, so that nothing leaks into a guest: SDM 3A, "Processor State After
 * Reset". XCR0 and the states of XSAVE only if CR4.OSXSAVE is set. Writes what this CPU's
 * struct guest_controls says, and returns its entry.
 */
uint8_t guest_state_reset(void);

/* Sets CR2 and the debug registers, DR7 excepted, to their values after INIT. */
void guest_state_restart(void);

/* Returns PKRU. Requires the feature. */
uint64_t guest_state_read_pkru(void);

/* Returns DR0 to DR3. */
uint64_t guest_state_read_debug_address(unsigned int number);

/* Returns XCR0; its value after reset if CR4.OSXSAVE is clear. */
uint64_t guest_state_read_xcr0(void);

#endif
