/*
 * The units that translate the addresses of devices, as Hymir finds them: VT-d's, whose
 * registers x86/vt_d.h names, and AMD-Vi's, which x86/amd_vi.h names. Hymir only reads
 * them and programs no unit.
 */
#ifndef HYMIR_X86_IOMMU_H
#define HYMIR_X86_IOMMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest number of units that Hymir reads; machines of 64 sockets have 640. */
#define IOMMU_MAX_UNITS 1024

/* A unit; the registers of the other kind are 0. */
struct iommu_unit {
    uint64_t address;                                  /* physical, of its registers */
    uint64_t capability, extended_capability, version; /* VT-d */
    bool answers; /* false: the unit does not respond, and the registers are 0 */
    uint64_t control, extended_features; /* AMD-Vi */
    uint64_t status;                     /* VT-d */
};

/* The units that an ACPI table lists. */
struct iommu_table {
    bool exists;    /* ACPI has the table, and it is valid */
    bool is_broken; /* an entry is malformed; those after it were not read */
    size_t count;
    size_t dropped;          /* beyond IOMMU_MAX_UNITS, or out of memory */
    struct iommu_unit *unit; /* count of them; NULL without any */
};

/* The units of a machine, by their tables. */
struct iommus {
    struct iommu_table vt_d, amd_vi; /* DMAR, IVRS */
};

#endif
