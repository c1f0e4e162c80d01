/*
 * The thunks of thunks.asm, by which Hymir's code branches indirectly and returns.
 *
 * Each is replaced where docs/SECURITY.md says that it is not needed. Call the functions
 * once, on the boot CPU, while Hymir's code can be written.
 */
#ifndef HYMIR_CPU_THUNKS_H
#define HYMIR_CPU_THUNKS_H

/*
 * In bytes: the place of a thunk, which is a cache line; where in it the retpoline
 * starts, so that its RET is in the upper half; and the jump that can replace the
 * retpoline.
 */
#define INDIRECT_THUNK_SIZE 64
#define RETPOLINE_START     16
#define INDIRECT_JUMP_SIZE  4

/* Makes each retpoline a jump. */
void thunks_replace_retpolines(void);

/* Makes each jump to the return thunk a RET. */
void thunks_replace_returns(void);

#endif
