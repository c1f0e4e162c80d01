/*
 * The fields of exit qualifications and of the instruction information.
 */
#ifndef HYMIR_VMX_QUALIFICATION_H
#define HYMIR_VMX_QUALIFICATION_H

#include "lib/bits.h"

/* SDM 3C, "Exit Qualification for I/O Instructions". */
#define IO_SIZE(qualification) ((unsigned int)BITS_GET(qualification, 2, 0) + 1)
#define IO_PORT(qualification) ((uint16_t)BITS_GET(qualification, 31, 16))
#define IO_IN                  BIT(3)
#define IO_STRING              BIT(4)
#define IO_REPEATED            BIT(5)

/* SDM 3C, "VM-Exit Instruction-Information Field", for INS and OUTS. */
#define STRING_ADDRESS_SIZE(information) ((unsigned int)BITS_GET(information, 9, 7))
#define STRING_SEGMENT(information)      ((unsigned int)BITS_GET(information, 17, 15))

/* SDM 3C, "Exit Qualification for Control-Register Accesses". */
#define ACCESS_REGISTER(qualification) ((unsigned int)BITS_GET(qualification, 3, 0))
#define ACCESS_TYPE(qualification)     ((unsigned int)BITS_GET(qualification, 5, 4))
#define ACCESS_GENERAL(qualification)  ((unsigned int)BITS_GET(qualification, 11, 8))
#define ACCESS_LMSW(qualification)     BITS_GET(qualification, 31, 16)

/* CR0 and ACCESS_TO_CR, from any general register. */
#define ACCESS_IS_MOV_TO_CR0(qualification) (BITS_GET(qualification, 5, 0) == 0)

enum access_type {
    ACCESS_TO_CR,
    ACCESS_FROM_CR,
    ACCESS_CLTS,
    ACCESS_LMSW_TYPE,
};

/* SDM 3C, "Exit Qualification for EPT Violations". */
#define EPT_VIOLATION_WRITE                      BIT(1)
#define EPT_VIOLATION_FETCH                      BIT(2)
#define EPT_VIOLATION_READABLE                   BIT(3)
#define EPT_VIOLATION_PERMISSIONS(qualification) BITS_GET(qualification, 5, 3)
#define EPT_VIOLATION_OF_LINEAR                  BIT(7) /* the access has a linear address */
#define EPT_VIOLATION_TRANSLATED                 BIT(8) /* the access is to its translation */

/* SDM 3C, "Exit Qualification for APIC-Access VM Exits"; for APIC writes, the offset. */
#define APIC_ACCESS_OFFSET(qualification) ((uint32_t)BITS_GET(qualification, 11, 0))
#define APIC_ACCESS_TYPE(qualification)   ((unsigned int)BITS_GET(qualification, 15, 12))

enum apic_access_type {
    APIC_ACCESS_READ,
    APIC_ACCESS_WRITE,
    APIC_ACCESS_FETCH,
};

/* SDM 3C, "Exit Qualification for Task Switches". */
#define TASK_SWITCH_SELECTOR(qualification) ((unsigned int)BITS_GET(qualification, 15, 0))
#define TASK_SWITCH_SOURCE(qualification)   ((unsigned int)BITS_GET(qualification, 31, 30))

/* Of an instruction timeout. */
#define TIMEOUT_CONTEXT_INVALID BIT(0)  /* the VMCS does not have the guest's state */
#define TIMEOUT_UNBLOCKED_NMI   BIT(12) /* by an IRET that did not complete */

#endif
