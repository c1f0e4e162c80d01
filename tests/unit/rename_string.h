/*
 * Included before src/lib/string.c in the unit tests. Renames its functions, so that they
 * can be compared with the C library's, which everything else uses.
 */
#define memcpy  hymir_memcpy
#define memmove hymir_memmove
#define memset  hymir_memset
#define memcmp  hymir_memcmp
#define strlen  hymir_strlen
#define strcmp  hymir_strcmp
