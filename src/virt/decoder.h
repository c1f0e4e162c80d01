/*
 * Decodes instructions: those that can exit, and those that access memory-mapped devices.
 *
 * Pure; any bytes are safe. SDM 2, "Instruction Format"; APM 3, "Instruction Encoding".
 * VEX, EVEX, XOP, x87 and most of SSE are refused.
 */
#ifndef HYMIR_VIRT_DECODER_H
#define HYMIR_VIRT_DECODER_H

#include "lib/status.h"
#include "virt/operand.h"
#include "virt/segment.h"
#include "x86/instruction_format.h"

#include <stddef.h>
#include <stdint.h>

/* The instructions, by the manual's names; string and I/O ones without their size. */
#define INSTRUCTIONS(ROW)                                                               \
    ROW(ADC), ROW(ADD), ROW(AND), ROW(BT), ROW(BTC), ROW(BTR), ROW(BTS), ROW(CLGI),     \
        ROW(CLTS), ROW(CMP), ROW(CMPS), ROW(CMPXCHG), ROW(CPUID), ROW(DEC), ROW(HLT),   \
        ROW(IN), ROW(INC), ROW(INS), ROW(INT), ROW(INT1), ROW(INT3), ROW(INTO),         \
        ROW(INVD), ROW(INVLPG), ROW(INVLPGA), ROW(INVPCID), ROW(IRET), ROW(LGDT),       \
        ROW(LIDT), ROW(LLDT), ROW(LMSW), ROW(LODS), ROW(LTR), ROW(MONITOR),             \
        ROW(MONITORX), ROW(MOV), ROW(MOVNTI), ROW(MOVS), ROW(MOVSX), ROW(MOVSXD),       \
        ROW(MOVZX), ROW(MWAIT), ROW(MWAITX), ROW(NEG), ROW(NOP), ROW(NOT), ROW(OR),     \
        ROW(OUT), ROW(OUTS), ROW(PAUSE), ROW(POPF), ROW(PUSHF), ROW(RDMSR), ROW(RDPMC), \
        ROW(RDPRU), ROW(RDTSC), ROW(RDTSCP), ROW(RSM), ROW(SBB), ROW(SCAS), ROW(SGDT),  \
        ROW(SIDT), ROW(SKINIT), ROW(SLDT), ROW(SMSW), ROW(STGI), ROW(STOS), ROW(STR),   \
        ROW(SUB), ROW(TEST), ROW(VMCALL), ROW(VMLOAD), ROW(VMMCALL), ROW(VMRUN),        \
        ROW(VMSAVE), ROW(WBINVD), ROW(WBNOINVD), ROW(WRMSR), ROW(XADD), ROW(XCHG),      \
        ROW(XGETBV), ROW(XOR), ROW(XSETBV)

#define INSTRUCTION_NAME(name) INSTRUCTION_##name
enum instruction_name { INSTRUCTION_NONE, INSTRUCTIONS(INSTRUCTION_NAME) };
#undef INSTRUCTION_NAME

enum instruction_repeat {
    REPEAT_NONE,
    REPEAT_REPNE, /* F2: as REP for all string instructions but CMPS and SCAS */
    REPEAT_REP,   /* F3: REP or REPE */
};

struct instruction {
    enum instruction_name name;
    uint8_t length;                 /* bytes */
    uint8_t operand_size;           /* bytes: 2, 4 or 8, also if an operand has 1 */
    uint8_t address_size;           /* bytes: 2, 4 or 8 */
    bool has_lock;                  /* prefix LOCK */
    enum instruction_repeat repeat; /* the last of the prefixes F2 and F3 */
    struct instruction_operand operand[2]; /* the destination first */
};

/*
 * Decodes the first of count bytes of code. STATUS_MALFORMED if they end before the
 * instruction does; if there are INSTRUCTION_LENGTH_MAX, it is too long.
 * STATUS_UNSUPPORTED if it is unknown or raises #UD in every mode of that code size.
 */
enum status MUST_CHECK instruction_decode(const uint8_t *bytes, size_t count,
                                          enum code_size code_size,
                                          struct instruction *instruction);

#endif
