/*
 * Included in front of src/lib/string.c when it is built for the unit tests: its
 * functions get names of their own beside the C library's, which they are held against
 * and which everything else uses.
 */
#define memcpy  hymir_memcpy
#define memmove hymir_memmove
#define memset  hymir_memset
#define memcmp  hymir_memcmp
#define strlen  hymir_strlen
#define strcmp  hymir_strcmp
