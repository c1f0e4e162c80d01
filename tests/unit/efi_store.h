/*
 * Firmware's store of variables, simulated: what it does wrong is set by the test. Only
 * Hymir's own variables are in it.
 */
#ifndef HYMIR_TESTS_EFI_STORE_H
#define HYMIR_TESTS_EFI_STORE_H

#include "unit.h"

#include "firmware/efi_report.h"

#define STORE_GET   0x7E001000
#define STORE_SET   0x7E002000
#define STORE_QUERY 0x7E003000

#define STORE_VARIABLES 40

/* The largest that the firmware writes. */
#define STORE_VALUE 4096

static struct store {
    struct store_variable {
        char name[32];
        uint64_t size; /* 0: none */
        uint8_t data[STORE_VALUE];
    } variable[STORE_VARIABLES];
    struct efi_storage storage;
    uint64_t query_status;
    size_t writes;        /* calls of SetVariable, that delete too */
    size_t failing_write; /* the number, from 1, of the first that fails; 0: none */
    size_t cut_write;     /* the same: this and later writes and deletions are lost */
    uint64_t status;      /* of those that fail */
    bool forgets;         /* accepts a value and does not write it */
    bool flips;           /* writes a wrong bit */
    uint64_t size_lie;    /* the size that GetVariable returns, or 0 */
} store;

static inline void store_name(const uint16_t *name, char text[32])
{
    size_t i = 0;

    for (; name[i] != 0; i++) {
        assert_true(i < 15 && name[i] < 0x80);
        text[i] = (char)name[i];
    }
    text[i] = '\0';
}

/* Finds a variable, or a free place if name is NULL. */
static inline struct store_variable *store_find(const char *name)
{
    for (size_t i = 0; i < STORE_VARIABLES; i++) {
        struct store_variable *variable = &store.variable[i];
        if (name == NULL ? variable->size == 0
                         : variable->size != 0 && strcmp(variable->name, name) == 0)
            return variable;
    }
    return NULL;
}

static inline size_t store_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < STORE_VARIABLES; i++)
        count += store.variable[i].size != 0;
    return count;
}

static inline uint64_t store_get(const char *name, const uint64_t *arguments)
{
    struct store_variable *variable = store_find(name);
    uint64_t *size                  = (uint64_t *)arguments[3];

    assert_int_equal(*size, EFI_DATA_SIZE);
    if (variable == NULL)
        return EFI_NOT_FOUND;
    assert_true(variable->size <= EFI_DATA_SIZE);
    memcpy((void *)arguments[4], variable->data, variable->size);
    *size = store.size_lie != 0 ? store.size_lie : variable->size;
    return EFI_SUCCESS;
}

static inline uint64_t store_set(const char *name, const uint64_t *arguments)
{
    struct store_variable *variable = store_find(name);
    uint64_t size                   = arguments[3];

    store.writes++;
    assert_int_equal(arguments[2], 7);
    assert_true(size <= STORE_VALUE);
    if (store.failing_write != 0 && store.writes >= store.failing_write)
        return store.status;
    if (store.cut_write != 0 && store.writes >= store.cut_write)
        return EFI_SUCCESS;
    if (size == 0) {
        if (variable == NULL)
            return EFI_NOT_FOUND;
        variable->size = 0;
        return EFI_SUCCESS;
    }
    if (store.forgets)
        return EFI_SUCCESS;
    if (variable == NULL)
        variable = store_find(NULL);
    assert_non_null(variable);
    strcpy(variable->name, name);
    variable->size = size;
    memcpy(variable->data, (const void *)arguments[4], size);
    variable->data[size / 2] ^= store.flips ? 0x10 : 0;
    return EFI_SUCCESS;
}

/* An efi_call. */
static inline uint64_t store_call(uint64_t service,
                                  const uint64_t arguments[EFI_ARGUMENTS])
{
    static const uint8_t guid[] = EFI_REPORT_GUID;
    char name[32];

    if (service == STORE_QUERY) {
        assert_int_equal(arguments[0], 7);
        *(uint64_t *)arguments[1] = store.storage.total;
        *(uint64_t *)arguments[2] = store.storage.free;
        *(uint64_t *)arguments[3] = store.storage.largest;
        return store.query_status;
    }
    store_name((const uint16_t *)arguments[0], name);
    assert_memory_equal((const void *)arguments[1], guid, sizeof(guid));
    if (service == STORE_GET)
        return store_get(name, arguments);
    assert_int_equal(service, STORE_SET);
    return store_set(name, arguments);
}

#endif
