/* The input of the report, which is a pure function of it. */
#ifndef HYMIR_REPORT_FACTS_H
#define HYMIR_REPORT_FACTS_H

#include "check/isolation.h"
#include "virt/virtualization.h"
#include "x86/iommu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACTS_NO_PPM UINT32_MAX

struct report_facts {
    const char *version;    /* Hymir's */
    const char *machine;    /* manufacturer and product, or "unknown" */
    const char *firmware;   /* "BIOS" or "UEFI", with its version if known */
    uint64_t time;          /* seconds since 1970 in the clock's time zone; 0: unknown */
    uint64_t ram_bytes;     /* 0: unknown */
    uint64_t used_bytes;    /* by Hymir */
    uint64_t tsc_hz;        /* 0: unknown */
    uint32_t tsc_ppm;       /* its uncertainty; 0: exact; FACTS_NO_PPM: unknown */
    const char *tsc_source; /* how it was determined */
    bool has_acpi;
    const struct iommus *iommus;
    const struct cpu_record *records; /* judged */
    size_t count;                     /* of CPUs, at least one, the boot CPU's first */
    const char *unseen; /* why there may be other CPUs, or NULL if these are all */
    struct isolation_options isolation;
    enum verdict_word verdict;
    const char *verdict_text; /* from verdict_decide */
    const char *error; /* logged since, shown below the verdict; NULL or "": none */
};

#endif
