/*
 * The vectors of exceptions.
 *
 * SDM 3A, "Protected-Mode Exceptions and Interrupts".
 */
#ifndef HYMIR_X86_EXCEPTIONS_H
#define HYMIR_X86_EXCEPTIONS_H

enum exception_vector {
    VECTOR_DE  = 0,
    VECTOR_DB  = 1,
    VECTOR_NMI = 2,
    VECTOR_BP  = 3,
    VECTOR_OF  = 4,
    VECTOR_BR  = 5,
    VECTOR_UD  = 6,
    VECTOR_NM  = 7,
    VECTOR_DF  = 8,
    VECTOR_TS  = 10,
    VECTOR_NP  = 11,
    VECTOR_SS  = 12,
    VECTOR_GP  = 13,
    VECTOR_PF  = 14,
    VECTOR_MF  = 16,
    VECTOR_AC  = 17,
    VECTOR_MC  = 18,
    VECTOR_XM  = 19,
    VECTOR_VE  = 20,
    VECTOR_CP  = 21,

    EXCEPTION_VECTORS = 32, /* the first vector that is not reserved for exceptions */
    VECTOR_COUNT      = 256,
};

#endif
