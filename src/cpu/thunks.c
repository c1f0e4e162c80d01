/*
 * See thunks.h. The functions that write code are themselves such code: each write leaves
 * what is executed next valid. SDM 3A, "Handling Self- and Cross-Modifying Code". Calls
 * no other function, because each of them needs these thunks.
 */
#include "cpu/thunks.h"

#include "cpu/instructions.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* hymir.ld */
extern uint8_t image_text_start[], image_text_end[];

/* thunks.asm: for each register a retpoline, and the jump that can replace it. */
extern uint8_t indirect_thunks[][INDIRECT_THUNK_SIZE];
extern const uint8_t indirect_jumps[][INDIRECT_JUMP_SIZE];
extern const uint8_t indirect_jumps_end[];
extern const uint8_t __x86_return_thunk[]; // NOLINT(bugprone-reserved-identifier): GCC's

/* SDM 2: JMP rel32, RET and INT3. */
#define OPCODE_JMP  0xE9
#define JMP_SIZE    5
#define OPCODE_RET  0xC3
#define OPCODE_INT3 0xCC

/* CPUID serializes: what was written is executed next. */
static void end_modification(void)
{
    atomic_signal_fence(memory_order_seq_cst); /* for the compiler */
    (void)cpuid(0, 0);
}

void thunks_replace_retpolines(void)
{
    size_t size = (uintptr_t)indirect_jumps_end - (uintptr_t)indirect_jumps;

    for (size_t i = 0; i < size / INDIRECT_JUMP_SIZE; i++)
        __builtin_memcpy(indirect_thunks[i] + RETPOLINE_START, indirect_jumps[i],
                         INDIRECT_JUMP_SIZE);
    end_modification();
}

/* Returns whether a jump to the return thunk is at an address. */
static bool is_return(const uint8_t *at)
{
    int32_t distance;

    if (*at != OPCODE_JMP)
        return false;
    __builtin_memcpy(&distance, at + 1, sizeof(distance));
    return (uintptr_t)at + JMP_SIZE + (uint64_t)distance == (uintptr_t)__x86_return_thunk;
}

/*
 * Searches for the bytes of such jumps, without decoding the instructions before them:
 * tests/style/branches shows that no other instruction contains them.
 */
void thunks_replace_returns(void)
{
    for (uint8_t *at = image_text_start;
         (uintptr_t)at + JMP_SIZE <= (uintptr_t)image_text_end; at++) {
        if (!is_return(at))
            continue;
        at[0] = OPCODE_RET;
        for (size_t i = 1; i < JMP_SIZE; i++)
            at[i] = OPCODE_INT3;
    }
    end_modification();
}
