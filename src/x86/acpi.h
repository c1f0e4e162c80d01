/*
 * The layouts of ACPI's tables.
 *
 * ACPI 6.5, "ACPI Software Programming Model".
 */
#ifndef HYMIR_X86_ACPI_H
#define HYMIR_X86_ACPI_H

#include "lib/bits.h"

#define ACPI_SIGNATURE_SIZE 4

/* "System Description Table Header": of every table except the RSDP and the FACS. */
struct __attribute__((packed)) acpi_table {
    char signature[ACPI_SIGNATURE_SIZE];
    uint32_t length; /* of the table with this header, in bytes */
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
};
_Static_assert(sizeof(struct acpi_table) == 36,
               "ACPI 6.5, System Description Table Header");

/* "Root System Description Pointer (RSDP) Structure". */
struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum; /* over the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt_address;
    uint32_t length;
    uint64_t xsdt_address;
    uint8_t extended_checksum; /* over length bytes */
    uint8_t reserved[3];
};
_Static_assert(sizeof(struct rsdp) == 36, "ACPI 6.5, RSDP");
#define RSDP_SIGNATURE "RSD PTR "
#define RSDP_SIZE_1    20 /* of ACPI 1.0 */
#define RSDP_ALIGNMENT 16

/* "Generic Address Structure (GAS)". */
struct __attribute__((packed)) generic_address {
    uint8_t space; /* GAS_... */
    uint8_t bit_width, bit_offset, access_size;
    uint64_t address;
};
_Static_assert(sizeof(struct generic_address) == 12, "ACPI 6.5, GAS");
#define GAS_SYSTEM_MEMORY 0
#define GAS_SYSTEM_IO     1
#define GAS_PCI           2                            /* configuration space of bus 0 */
#define GAS_PCI_BITS      UINT64_C(0x0000001F000700FF) /* of device, function, offset */
#define GAS_BYTE_ACCESS   1
#define GAS_WORD_ACCESS   2
#define GAS_DWORD_ACCESS  3

/* "Fixed ACPI Description Table (FADT)"; older tables end early. */
struct __attribute__((packed)) fadt {
    struct acpi_table header;
    uint32_t firmware_control, dsdt;
    uint8_t reserved_44, preferred_profile;
    uint16_t sci_interrupt;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios_request, pstate_control;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control;
    uint32_t pm2_control, pm_timer, gpe0, gpe1;
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    uint8_t gpe0_length, gpe1_length, gpe1_base, cst_control;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_architecture;
    uint8_t reserved_111;
    uint32_t flags;
    struct generic_address reset_register;
    uint8_t reset_value;
    uint16_t arm_boot_architecture;
    uint8_t minor_version;
    uint64_t x_firmware_control, x_dsdt;
    struct generic_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
    struct generic_address x_pm2_control, x_pm_timer, x_gpe0, x_gpe1;
    struct generic_address sleep_control, sleep_status;
    uint64_t hypervisor_vendor;
};
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, sleep_control) == 244, "ACPI 6.5, FADT");
_Static_assert(sizeof(struct fadt) == 276, "ACPI 6.5, FADT");
#define FADT_WBINVD          BIT(0)
#define FADT_PROC_C1         BIT(2)
#define FADT_SLP_BUTTON      BIT(5) /* not in the fixed registers */
#define FADT_FIX_RTC         BIT(6) /* not in the fixed registers */
#define FADT_TMR_VAL_EXT     BIT(8)
#define FADT_RESET_REG_SUP   BIT(10)
#define FADT_HEADLESS        BIT(12)
#define FADT_HW_REDUCED_ACPI BIT(20)
#define FADT_NO_C2           101U /* latencies, in us */
#define FADT_NO_C3           1001U

/* "IA-PC Boot Architecture Flags". */
#define FADT_LEGACY_DEVICES  BIT(0)
#define FADT_8042            BIT(1)
#define FADT_VGA_NOT_PRESENT BIT(2)

/* "Firmware ACPI Control Structure (FACS)". */
struct __attribute__((packed)) facs {
    char signature[ACPI_SIGNATURE_SIZE];
    uint32_t length, hardware_signature, waking_vector, global_lock, flags;
    uint64_t x_waking_vector;
    uint8_t version, reserved[31];
};
_Static_assert(sizeof(struct facs) == 64, "ACPI 6.5, FACS");
#define FACS_ALIGNMENT 64

/* "Multiple APIC Description Table (MADT)": before the entries. */
struct __attribute__((packed)) madt {
    struct acpi_table header;
    uint32_t local_apic_address, flags;
};
_Static_assert(sizeof(struct madt) == 44, "ACPI 6.5, MADT");
#define MADT_PCAT_COMPAT BIT(0)

/* Begins an entry of a MADT or SRAT. */
struct acpi_entry_header {
    uint8_t type;
    uint8_t length; /* with this header */
};
struct __attribute__((packed)) madt_local_apic {
    struct acpi_entry_header header;
    uint8_t processor_uid, apic_id;
    uint32_t flags;
};
struct __attribute__((packed)) madt_local_x2apic {
    struct acpi_entry_header header;
    uint16_t reserved;
    uint32_t x2apic_id, flags, processor_uid;
};
struct __attribute__((packed)) madt_io_apic {
    struct acpi_entry_header header;
    uint8_t id, reserved;
    uint32_t address, global_base;
};
struct __attribute__((packed)) madt_override {
    struct acpi_entry_header header;
    uint8_t bus, source;
    uint32_t global;
    uint16_t flags;
};
struct __attribute__((packed)) madt_local_nmi {
    struct acpi_entry_header header;
    uint8_t processor_uid;
    uint16_t flags;
    uint8_t lint;
};
struct __attribute__((packed)) madt_local_x2apic_nmi {
    struct acpi_entry_header header;
    uint16_t flags;
    uint32_t processor_uid;
    uint8_t lint, reserved[3];
};
_Static_assert(sizeof(struct madt_local_apic) == 8, "ACPI 6.5, MADT type 0");
_Static_assert(sizeof(struct madt_io_apic) == 12, "ACPI 6.5, MADT type 1");
_Static_assert(sizeof(struct madt_override) == 10, "ACPI 6.5, MADT type 2");
_Static_assert(sizeof(struct madt_local_nmi) == 6, "ACPI 6.5, MADT type 4");
_Static_assert(sizeof(struct madt_local_x2apic) == 16, "ACPI 6.5, MADT type 9");
_Static_assert(sizeof(struct madt_local_x2apic_nmi) == 12, "ACPI 6.5, MADT type 10");

enum {
    MADT_LOCAL_APIC       = 0,
    MADT_IO_APIC          = 1,
    MADT_OVERRIDE         = 2,
    MADT_LOCAL_NMI        = 4,
    MADT_LOCAL_X2APIC     = 9,
    MADT_LOCAL_X2APIC_NMI = 10,
};
#define MADT_CPU_ENABLED   BIT(0)
#define MADT_NO_APIC_ID    0xFFU /* in type 0: not a CPU */
#define MADT_ALL_CPUS      UINT8_MAX
#define MADT_ALL_X2APICS   UINT32_MAX
#define MADT_BUS_ISA       0
#define MADT_POLARITY      0x03U
#define MADT_POLARITY_HIGH 0x01U
#define MADT_POLARITY_LOW  0x03U
#define MADT_TRIGGER       0x0CU
#define MADT_TRIGGER_LEVEL 0x0CU

/* "System Resource Affinity Table (SRAT)": before the entries. */
struct __attribute__((packed)) srat {
    struct acpi_table header;
    uint32_t one;
    uint64_t reserved;
};
struct __attribute__((packed)) srat_local_apic {
    struct acpi_entry_header header;
    uint8_t domain, apic_id; /* the domain's low 8 bits */
    uint32_t flags;
    uint8_t sapic_eid, domain_high[3];
    uint32_t clock_domain;
};
struct __attribute__((packed)) srat_memory {
    struct acpi_entry_header header;
    uint32_t domain;
    uint16_t reserved;
    uint64_t address, size;
    uint32_t reserved_2, flags;
    uint64_t reserved_3;
};
struct __attribute__((packed)) srat_local_x2apic {
    struct acpi_entry_header header;
    uint16_t reserved;
    uint32_t domain, x2apic_id, flags, clock_domain, reserved_2;
};
_Static_assert(sizeof(struct srat) == 48, "ACPI 6.5, SRAT");
_Static_assert(sizeof(struct srat_local_apic) == 16, "ACPI 6.5, SRAT type 0");
_Static_assert(sizeof(struct srat_memory) == 40, "ACPI 6.5, SRAT type 1");
_Static_assert(sizeof(struct srat_local_x2apic) == 24, "ACPI 6.5, SRAT type 2");

enum {
    SRAT_LOCAL_APIC   = 0,
    SRAT_MEMORY       = 1,
    SRAT_LOCAL_X2APIC = 2,
};
#define SRAT_ENABLED      BIT(0)
#define SRAT_WIDE_DOMAINS 2 /* the revision since which domains have 32 bits */

/* PCI Firmware Specification 3.3, "MCFG Table Description"; entries follow. */
struct __attribute__((packed)) mcfg {
    struct acpi_table header;
    uint64_t reserved;
};
struct __attribute__((packed)) mcfg_entry {
    uint64_t base_address; /* of bus 0, even if the first bus is another one */
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved;
};
_Static_assert(sizeof(struct mcfg) == 44, "PCI Firmware Specification, MCFG");
_Static_assert(sizeof(struct mcfg_entry) == 16, "PCI Firmware Specification, MCFG");

#endif
