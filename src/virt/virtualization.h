/*
 * The interface to a processor's hardware virtualization: rows of checks, registers,
 * capabilities and timings, and the backend that runs vCPUs. src/vmx implements Intel's,
 * vt_x; src/svm implements AMD's, amd_v.
 */
#ifndef HYMIR_VIRT_VIRTUALIZATION_H
#define HYMIR_VIRT_VIRTUALIZATION_H

#include "lib/format.h"
#include "virt/backend.h"
#include "virt/capability.h"
#include "virt/record.h"

/* The trial of a CPU, on that CPU. */
struct trial {
    struct cpu_record record; /* filled in */
    void *pages;              /* trial_pages zeroed pages below 4 GiB, contiguous */
};

static inline void *trial_page(const struct trial *trial, size_t index)
{
    return (uint8_t *)trial->pages + index * PAGE_SIZE;
}

/*
 * Maps the trial's pages where they are. Returns the tables, the first of which is the
 * root: TRIAL_TABLE_PAGES of the trial's pages from an index on.
 */
struct page_pool trial_map_pages(const struct trial *trial, size_t index,
                                 const struct nested_format *format);
#define TRIAL_TABLE_PAGES 6 /* a PML4, a PDPT; two of each lower level, at a boundary */

/* The format of its guest's own tables, whose pages are the supervisor's. */
extern const struct nested_format trial_paging_format;

/* Adds an exit. Returns false if there are too many. */
bool trial_exits_add(struct trial_exits *exits, uint64_t number);

/* Appends how many there were and, with its name, the numbers of the first two. */
void trial_exits_append(const struct trial_exits *exits, const char *name,
                        struct text *text);

/* A step of the trial. */
struct check_row {
    const char *name;   /* up to 20 characters */
    const char *source; /* the section of the manual */

    /*
     * Judges the step; pure. Appends the observed values to *detail: about 50 characters
     * if it passes, otherwise a sentence. A detail that starts with "0x" starts with the
     * value of the register that name is.
     */
    bool (*passes)(const struct cpu_record *record, struct text *detail);

    /*
     * Performs the step on this CPU after all earlier steps passed. NULL: the step only
     * judges registers.
     */
    void (*perform)(struct trial *trial);

    /* Returns the verdict if it does not pass. NULL: VERDICT_FAILED. */
    enum verdict_word (*word)(const struct cpu_record *record);

    /* Appends the registers that explain a failure. NULL: the detail has them. */
    void (*append_state)(const struct cpu_record *record, struct text *text);

    /* Returns the advice for VERDICT_FAILED. NULL, also as a result: the usual advice. */
    const char *(*advice)(const struct cpu_record *record);

    /*
     * Returns whether it fails because a register that CPUID implies cannot be read: an
     * outer hypervisor does not nest. NULL: no.
     */
    bool (*is_withheld)(const struct cpu_record *record);
};

/* A register in the record, for comparison and report. */
struct register_row {
    const char *name;
    uint32_t msr;  /* 0: a 32-bit register of CPUID, or another number */
    size_t offset; /* in struct cpu_record: of a uint32_t, or of a struct msr_reading */
};

/*
 * A number of the report's short form: a register, or an outcome of the trial, in struct
 * cpu_record. It is XORed with its usual value, which leaves few bytes that are not zero.
 */
struct short_form_row {
    enum { SHORT_FORM_MSR, SHORT_FORM_32_BITS, SHORT_FORM_64_BITS } kind;
    size_t offset;  /* of a struct msr_reading or an unsigned number */
    uint64_t usual; /* value */
};
#define SHORT_FORM(...) /* several rows on a line */ \
    {                                                \
        __VA_ARGS__                                  \
    }
#define SHORT_FORM_MAX_ROWS 32

/* An operation to measure, after all checks but the last have passed. */
struct timing_row {
    const char *name;

    /* Returns false if the processor lacks the instruction. NULL: all have it. */
    bool (*exists)(const struct cpu_record *record);

    /* Executes an instruction once, or twice; returns false if it fails. Or: */
    bool (*execute)(struct trial *trial);
    bool is_pair; /* twice */

    /*
     * Runs a guest that exits in each round of the stopwatch; returns false on failure.
     */
    bool (*run)(struct trial *trial, struct stopwatch *stopwatch);
};

struct virtualization {
    const char *name;    /* "VT-x", "AMD-V" */
    const char *success; /* the result if all checks pass, for "... on 2 of 2 CPUs" */
    const char *setting; /* how to enable it in the firmware setup: "enable ..." */

    /* Returns whether CPUID offers it. */
    bool (*is_offered)(const struct cpuid_snapshot *cpuid);

    /*
     * Returns whether processors of this brand usually have it: if CPUID offers nothing,
     * the report names what is missing. NULL: no.
     */
    bool (*is_usual)(const struct cpuid_snapshot *cpuid);

    /*
     * The trial. The checks are performed in order until one fails. The last one leaves
     * virtualization and is always performed if enter_check passed.
     */
    size_t trial_pages;
    void (*read_registers)(struct cpu_record *record); /* the vendor's, and microcode */
    const struct check_row *checks;
    size_t check_count;
    size_t enter_check; /* enters virtualization */
    size_t guest_check; /* runs a guest */
    const struct timing_row *timings;
    size_t timing_count;

    const struct register_row *registers; /* the first compared_count are compared */
    size_t register_count, compared_count;
    const struct short_form_row *short_form; /* up to SHORT_FORM_MAX_ROWS */
    size_t short_form_count;
    const struct capability_table *capability_table;

    /* Reads the capabilities from a record; returns false if it has none. */
    bool (*read_capabilities)(const struct cpu_record *record,
                              struct capability_set *capabilities);

    /* Returns the bits of a group that guests require. NULL: none is reported. */
    struct required_capabilities (*required_capabilities)(uint32_t group);

    /* The register by which firmware permits it. */
    struct register_row firmware_setting;

    /* Appends to the machine's verdict what the trials changed. NULL: nothing. */
    void (*append_changes)(const struct cpu_record *records, size_t count,
                           struct text *text);

    /*
     * Appends the names of capabilities that guests require and the processor lacks.
     * STATUS_UNSUPPORTED if there are any.
     */
    enum status (*find_missing)(const struct cpu_record *record, struct text *missing);

    /* Returns whether vCPUs need the local APIC's timer for their alarms. NULL: yes. */
    bool (*needs_apic_timer)(const struct cpu_record *record);

    /* Returns the size of the largest pages that may map guest memory, in bytes. */
    uint64_t (*largest_page)(const struct cpu_record *record);

    const struct backend *backend;
};

/*
 * Returns the first of the vendors' extensions that CPUID offers. If it offers none,
 * returns the one that is usual for the processor's brand, or the first; its checks then
 * say what is missing.
 */
const struct virtualization *
virtualization_find(const struct virtualization *const *vendors, size_t count,
                    const struct cpuid_snapshot *cpuid);

/*
 * Returns the name of the virtualization that a CPU offers, or "virtualization" if CPUID
 * offers none.
 */
const char *virtualization_name(const struct cpu_record *record);

/*
 * Returns the verdict on a CPU whose CPUID does not offer the virtualization that was
 * tried.
 */
enum verdict_word virtualization_word_if_not_offered(const struct cpu_record *record);

/* Returns the value of a row in a record. */
struct msr_reading record_register(const struct cpu_record *record,
                                   const struct register_row *row);

/*
 * Returns the reading of a model-specific register in a record; state MSR_NOT_READ if the
 * record's vendor has no row for it.
 */
struct msr_reading record_msr(const struct cpu_record *record, uint32_t msr);

#endif
