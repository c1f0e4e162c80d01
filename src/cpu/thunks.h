/*
 * The thunks of thunks.asm, by which Hymir's code branches indirectly and returns.
 *
 * Each is replaced where docs/SECURITY.md says that it is not needed. Call the functions
 * once, on the boot CPU, while Hymir's code can be written.
 */
#ifndef HYMIR_CPU_THUNKS_H
#define HYMIR_CPU_THUNKS_H

/* Sizes in thunks.asm, in bytes: of a thunk, a cache line, and of the jump for it. */
#define INDIRECT_THUNK_SIZE 64
#define INDIRECT_JUMP_SIZE  4

/* Makes each retpoline a jump. */
void thunks_replace_retpolines(void);

/* Makes each jump to the return thunk a RET. */
void thunks_replace_returns(void);

#endif
