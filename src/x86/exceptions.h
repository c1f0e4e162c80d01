/*
 * The vectors of exceptions, and their names.
 *
 * SDM 3A, "Exception and Interrupt Vectors".
 */
#ifndef HYMIR_X86_EXCEPTIONS_H
#define HYMIR_X86_EXCEPTIONS_H

/* A row for each exception: ROW(mnemonic, vector, name). */
#define EXCEPTIONS(ROW)                              \
    ROW(DE, 0, "#DE divide error")                   \
    ROW(DB, 1, "#DB debug exception")                \
    ROW(NMI, 2, "NMI")                               \
    ROW(BP, 3, "#BP breakpoint")                     \
    ROW(OF, 4, "#OF overflow")                       \
    ROW(BR, 5, "#BR bound range exceeded")           \
    ROW(UD, 6, "#UD invalid opcode")                 \
    ROW(NM, 7, "#NM device not available")           \
    ROW(DF, 8, "#DF double fault")                   \
    ROW(CSO, 9, "coprocessor segment overrun")       \
    ROW(TS, 10, "#TS invalid TSS")                   \
    ROW(NP, 11, "#NP segment not present")           \
    ROW(SS, 12, "#SS stack-segment fault")           \
    ROW(GP, 13, "#GP general protection")            \
    ROW(PF, 14, "#PF page fault")                    \
    ROW(MF, 16, "#MF floating-point error")          \
    ROW(AC, 17, "#AC alignment check")               \
    ROW(MC, 18, "#MC machine check")                 \
    ROW(XM, 19, "#XM SIMD floating-point exception") \
    ROW(VE, 20, "#VE virtualization exception")      \
    ROW(CP, 21, "#CP control protection exception")  \
    ROW(SX, 30, "#SX security exception")

#define EXCEPTION_VECTOR(mnemonic, vector, name) VECTOR_##mnemonic = (vector),
enum exception_vector { EXCEPTIONS(EXCEPTION_VECTOR) };
#undef EXCEPTION_VECTOR

/* The error code of #SX for an INIT: APM 2, "#SX-Security Exception (Vector 30)". */
#define SX_BY_INIT 1U

/* Error codes: SDM 3A, "Error Code". */
#define ERROR_CODE_EXTERNAL    1U
#define ERROR_CODE_IDT         2U /* the index is a vector */
#define ERROR_CODE_INDEX_SHIFT 3U

#define EXCEPTION_VECTORS 32 /* the first vector that is not reserved for exceptions */
#define VECTOR_COUNT      256

/* The least vector that an APIC accepts: SDM 3A, "Valid Interrupt Vectors". */
#define LEAST_INTERRUPT_VECTOR 16

#endif
