/*
 * Reads the recordings of real processors in tests/recordings, one file each:
 *
 *   processor NAME                          what it is
 *   source URL                              where its registers were published
 *   cpuid LEAF SUBLEAF EAX EBX ECX EDX      of its first CPU; a leaf without a line is 0
 *   msr NUMBER VALUE                        an MSR without a line was not published
 *   linux URL [of NAME]                     a report of Linux on that processor, or on
 *                                           another of the same family and model
 *   has FLAG..., lacks FLAG...              what Linux's /proc/cpuinfo shows there
 *   address-bits NUMBER                     the width of physical addresses
 *   affected NAME..., unaffected NAME...    Linux's list of the processor's bugs
 *   bugs NAME...                            Linux's list in QEMU on a processor of
 *                                           the same model: tests/oracle/linux_bugs
 *   errata NAME DOCUMENT:NUMBER...          specification updates of its signature
 *
 * All numbers but the width are hexadecimal. A line that starts with # is a remark.
 */
#ifndef HYMIR_TESTS_RECORDINGS_H
#define HYMIR_TESTS_RECORDINGS_H

#include "readings.h"

#include "check/verdict.h"
#include "virt/virtualization.h"

#include <glob.h>

#define RECORDING_WORDS 1024

static struct recording {
    const char *path;
    char name[96];
    struct {
        uint32_t leaf, subleaf;
        struct cpuid_result values;
    } cpuid[128];
    struct {
        uint32_t number;
        uint64_t value;
    } msr[64];
    size_t cpuid_count, msr_count;
    unsigned int sources, address_bits;
    char has[RECORDING_WORDS], lacks[RECORDING_WORDS]; /* " FLAG FLAG " */
    char affected[RECORDING_WORDS], unaffected[RECORDING_WORDS], errata[RECORDING_WORDS];
    char bugs[RECORDING_WORDS];
    struct cpuid_snapshot snapshot;
} recording; /* the current one */

static inline bool recording_lists(const char *words, const char *word)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), " %s ", word);
    return strstr(words, wanted) != NULL;
}

/* Returns whether Linux's report shows the flag. Fails if it says neither. */
static inline bool recording_has(const char *flag)
{
    bool has = recording_lists(recording.has, flag);
    if (!has && !recording_lists(recording.lacks, flag))
        fail_msg("%s says nothing of %s", recording.path, flag);
    return has;
}

/* Returns whether Linux's report says whether the processor has the flag. */
static inline bool recording_mentions(const char *flag)
{
    return recording_lists(recording.has, flag) || recording_lists(recording.lacks, flag);
}

/* A cpuid_reader. */
static inline struct cpuid_result recording_cpuid(uint32_t leaf, uint32_t subleaf)
{
    for (size_t i = 0; i < recording.cpuid_count; i++) {
        if (recording.cpuid[i].leaf == leaf && recording.cpuid[i].subleaf == subleaf)
            return recording.cpuid[i].values;
    }
    return (struct cpuid_result){0};
}

/* Returns the value of an MSR, or NONE. */
static inline uint64_t recording_msr(uint32_t number)
{
    for (size_t i = 0; i < recording.msr_count; i++) {
        if (recording.msr[i].number == number)
            return recording.msr[i].value;
    }
    return NONE;
}

static inline void recording_add_words(char *words, const char *line)
{
    size_t length = strlen(words);
    snprintf(words + length, RECORDING_WORDS - length, "%s%s ", length == 0 ? " " : "",
             line);
    assert_true(strlen(words) < RECORDING_WORDS - 1);
}

static inline bool recording_read_cpuid(const char *line)
{
    size_t i                    = recording.cpuid_count++;
    struct cpuid_result *values = &recording.cpuid[i].values;

    assert_true(i < ARRAY_SIZE(recording.cpuid));
    return sscanf(line, "%x %x %x %x %x %x", &recording.cpuid[i].leaf,
                  &recording.cpuid[i].subleaf, &values->eax, &values->ebx, &values->ecx,
                  &values->edx) == 6;
}

static inline bool recording_read_msr(const char *line)
{
    size_t i = recording.msr_count++;

    assert_true(i < ARRAY_SIZE(recording.msr));
    return sscanf(line, "%x %lx", &recording.msr[i].number, &recording.msr[i].value) == 2;
}

/* Returns false if the line has an unknown key or is malformed. */
static inline bool recording_read_line(const char *key, const char *rest)
{
    static const struct {
        const char *key;
        char *words;
    } lists[] = {{"has", recording.has},           {"lacks", recording.lacks},
                 {"affected", recording.affected}, {"unaffected", recording.unaffected},
                 {"errata", recording.errata},     {"bugs", recording.bugs}};

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        if (strcmp(key, lists[i].key) == 0) {
            recording_add_words(lists[i].words, rest);
            return true;
        }
    }
    if (key[0] == '#')
        return true;
    if (strcmp(key, "cpuid") == 0)
        return recording_read_cpuid(rest);
    if (strcmp(key, "msr") == 0)
        return recording_read_msr(rest);
    if (strcmp(key, "address-bits") == 0)
        return sscanf(rest, "%u", &recording.address_bits) == 1;
    if (strcmp(key, "processor") == 0)
        return snprintf(recording.name, sizeof(recording.name), "%s", rest) > 0;
    recording.sources += strcmp(key, "source") == 0;
    return (strcmp(key, "source") == 0 || strcmp(key, "linux") == 0) &&
           strncmp(rest, "https://", 8) == 0;
}

/* Makes a recording the current one. */
static inline void recording_load(const char *path)
{
    char line[1024], key[16];
    int length;
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    memset(&recording, 0, sizeof(recording));
    recording.path = path;
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%15s %n", key, &length) != 1 ||
            !recording_read_line(key, line + length))
            fail_msg("%s: %s", path, line);
    }
    fclose(file);
    cpuid_snapshot_fill(&recording.snapshot, recording_cpuid);
}

/* Calls check with each recording as the current one; returns their number. */
static inline size_t recordings_visit(void (*check)(void))
{
    static glob_t found; /* kept: a failed check does not return */

    if (found.gl_pathc == 0)
        assert_int_equal(glob(RECORDINGS "/*.txt", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        recording_load(found.gl_pathv[i]);
        check();
    }
    return found.gl_pathc;
}

#endif
