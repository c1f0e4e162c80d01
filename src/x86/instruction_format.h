/*
 * The prefixes and fields of instructions.
 *
 * SDM 2, "Instruction Format".
 */
#ifndef HYMIR_X86_INSTRUCTION_FORMAT_H
#define HYMIR_X86_INSTRUCTION_FORMAT_H

#include "lib/bits.h"

#define INSTRUCTION_LENGTH_MAX 15U /* bytes; a longer one raises #GP(0) */

/* The prefixes: SDM 2, "Instruction Prefixes", "REX Prefixes". */
#define PREFIX_ES           0x26U
#define PREFIX_CS           0x2EU
#define PREFIX_SS           0x36U
#define PREFIX_DS           0x3EU
#define PREFIX_FS           0x64U
#define PREFIX_GS           0x65U
#define PREFIX_OPERAND_SIZE 0x66U
#define PREFIX_ADDRESS_SIZE 0x67U
#define PREFIX_LOCK         0xF0U
#define PREFIX_REPNE        0xF2U
#define PREFIX_REP          0xF3U
#define PREFIX_REX          0x40U /* to 0x4F */
#define REX_B               BIT(0)
#define REX_X               BIT(1)
#define REX_R               BIT(2)
#define REX_W               BIT(3)

#define MODRM_MOD(byte)    BITS_GET(byte, 7, 6)
#define MODRM_REG(byte)    BITS_GET(byte, 5, 3)
#define MODRM_RM(byte)     BITS_GET(byte, 2, 0)
#define MODRM_REG_RM(byte) BITS_GET(byte, 5, 0)
#define SIB_SCALE(byte)    BITS_GET(byte, 7, 6)
#define SIB_INDEX(byte)    BITS_GET(byte, 5, 3)
#define SIB_BASE(byte)     BITS_GET(byte, 2, 0)

#define MOD_REGISTER 3U
#define RM_SIB       4U /* a SIB byte follows */
#define SIB_NO_INDEX 4U
#define NO_BASE      5U /* with ModRM.mod 0: a displacement of 4 bytes instead */
#define NO_BASE_16   6U /* in 16-bit addressing: of 2 bytes */

#define OPCODE_REGISTER(byte) BITS_GET(byte, 2, 0)

#define OPCODE_ESCAPE      0x0FU /* begins the two-byte opcodes */
#define OPCODE_ESCAPE_0F38 0x38U /* after it: begins three-byte opcodes */
#define OPCODE_NOP         0x90U
#define OPCODE_XCHG        0x91U /* to 0x97 */
#define OPCODE_INVPCID     0x82U /* three-byte */

#endif
