/*
 * Compares Hymir's layouts of ACPI's tables and its bits with Linux's, which are
 * ACPICA's, at compile time: package linux-headers-amd64 (acpi/actypes.h, acpi/actbl.h).
 */
#include "x86/acpi.h"
#include "x86/power_control.h"

#define ACPI_MACHINE_WIDTH        64
#define ACPI_USE_SYSTEM_INTTYPES  1
#define COMPILER_DEPENDENT_INT64  int64_t
#define COMPILER_DEPENDENT_UINT64 uint64_t
#define ACPI_SYSTEM_XFACE
#define ACPI_FLEX_ARRAY(type, name) type name[]
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
#include <acpi/actypes.h>

#include <acpi/actbl.h>

#define SAME_SIZE(ours, linuxs) \
    _Static_assert(sizeof(struct ours) == sizeof(struct linuxs), #ours)
#define SAME_PLACE(ours, member, linuxs, their_member)                 \
    _Static_assert(offsetof(struct ours, member) ==                    \
                           offsetof(struct linuxs, their_member) &&    \
                       sizeof(((struct ours *)0)->member) ==           \
                           sizeof(((struct linuxs *)0)->their_member), \
                   #ours "." #member)

SAME_SIZE(acpi_table, acpi_table_header);
SAME_PLACE(acpi_table, checksum, acpi_table_header, checksum);
SAME_PLACE(acpi_table, oem_id, acpi_table_header, oem_id);
SAME_PLACE(acpi_table, oem_table_id, acpi_table_header, oem_table_id);
SAME_PLACE(acpi_table, creator_id, acpi_table_header, asl_compiler_id);

SAME_SIZE(rsdp, acpi_table_rsdp);
SAME_PLACE(rsdp, revision, acpi_table_rsdp, revision);
SAME_PLACE(rsdp, rsdt_address, acpi_table_rsdp, rsdt_physical_address);
SAME_PLACE(rsdp, length, acpi_table_rsdp, length);
SAME_PLACE(rsdp, xsdt_address, acpi_table_rsdp, xsdt_physical_address);
SAME_PLACE(rsdp, extended_checksum, acpi_table_rsdp, extended_checksum);

SAME_SIZE(generic_address, acpi_generic_address);
SAME_PLACE(generic_address, bit_width, acpi_generic_address, bit_width);
SAME_PLACE(generic_address, access_size, acpi_generic_address, access_width);
SAME_PLACE(generic_address, address, acpi_generic_address, address);

#define SAME_FADT(member, their_member) \
    SAME_PLACE(fadt, member, acpi_table_fadt, their_member)
SAME_SIZE(fadt, acpi_table_fadt);
SAME_FADT(firmware_control, facs);
SAME_FADT(dsdt, dsdt);
SAME_FADT(preferred_profile, preferred_profile);
SAME_FADT(sci_interrupt, sci_interrupt);
SAME_FADT(smi_command, smi_command);
SAME_FADT(acpi_enable, acpi_enable);
SAME_FADT(pm1a_event, pm1a_event_block);
SAME_FADT(pm1a_control, pm1a_control_block);
SAME_FADT(pm_timer, pm_timer_block);
SAME_FADT(gpe0, gpe0_block);
SAME_FADT(pm1_event_length, pm1_event_length);
SAME_FADT(pm1_control_length, pm1_control_length);
SAME_FADT(pm_timer_length, pm_timer_length);
SAME_FADT(gpe0_length, gpe0_block_length);
SAME_FADT(cst_control, cst_control);
SAME_FADT(c2_latency, c2_latency);
SAME_FADT(c3_latency, c3_latency);
SAME_FADT(duty_offset, duty_offset);
SAME_FADT(century, century);
SAME_FADT(boot_architecture, boot_flags);
SAME_FADT(flags, flags);
SAME_FADT(reset_register, reset_register);
SAME_FADT(reset_value, reset_value);
SAME_FADT(minor_version, minor_revision);
SAME_FADT(x_firmware_control, Xfacs);
SAME_FADT(x_dsdt, Xdsdt);
SAME_FADT(x_pm1a_event, xpm1a_event_block);
SAME_FADT(x_pm1b_event, xpm1b_event_block);
SAME_FADT(x_pm1a_control, xpm1a_control_block);
SAME_FADT(x_pm1b_control, xpm1b_control_block);
SAME_FADT(x_pm_timer, xpm_timer_block);
SAME_FADT(x_gpe0, xgpe0_block);
SAME_FADT(sleep_control, sleep_control);
SAME_FADT(hypervisor_vendor, hypervisor_id);

SAME_SIZE(facs, acpi_table_facs);
SAME_PLACE(facs, global_lock, acpi_table_facs, global_lock);
SAME_PLACE(facs, x_waking_vector, acpi_table_facs, xfirmware_waking_vector);
SAME_PLACE(facs, version, acpi_table_facs, version);

SAME_SIZE(madt, acpi_table_madt);
SAME_PLACE(madt, local_apic_address, acpi_table_madt, address);
SAME_SIZE(acpi_entry_header, acpi_subtable_header);
SAME_SIZE(madt_local_apic, acpi_madt_local_apic);
SAME_PLACE(madt_local_apic, apic_id, acpi_madt_local_apic, id);
SAME_PLACE(madt_local_apic, flags, acpi_madt_local_apic, lapic_flags);
SAME_SIZE(madt_local_x2apic, acpi_madt_local_x2apic);
SAME_PLACE(madt_local_x2apic, x2apic_id, acpi_madt_local_x2apic, local_apic_id);
SAME_PLACE(madt_local_x2apic, flags, acpi_madt_local_x2apic, lapic_flags);
SAME_PLACE(madt_local_x2apic, processor_uid, acpi_madt_local_x2apic, uid);
SAME_SIZE(madt_io_apic, acpi_madt_io_apic);
SAME_PLACE(madt_io_apic, address, acpi_madt_io_apic, address);
SAME_PLACE(madt_io_apic, global_base, acpi_madt_io_apic, global_irq_base);
SAME_SIZE(madt_override, acpi_madt_interrupt_override);
SAME_PLACE(madt_override, source, acpi_madt_interrupt_override, source_irq);
SAME_PLACE(madt_override, global, acpi_madt_interrupt_override, global_irq);
SAME_PLACE(madt_override, flags, acpi_madt_interrupt_override, inti_flags);
SAME_SIZE(madt_local_nmi, acpi_madt_local_apic_nmi);
SAME_PLACE(madt_local_nmi, flags, acpi_madt_local_apic_nmi, inti_flags);
SAME_PLACE(madt_local_nmi, lint, acpi_madt_local_apic_nmi, lint);
SAME_SIZE(madt_local_x2apic_nmi, acpi_madt_local_x2apic_nmi);
SAME_PLACE(madt_local_x2apic_nmi, processor_uid, acpi_madt_local_x2apic_nmi, uid);
SAME_PLACE(madt_local_x2apic_nmi, lint, acpi_madt_local_x2apic_nmi, lint);

SAME_SIZE(srat, acpi_table_srat);
SAME_SIZE(srat_local_apic, acpi_srat_cpu_affinity);
SAME_PLACE(srat_local_apic, domain, acpi_srat_cpu_affinity, proximity_domain_lo);
SAME_PLACE(srat_local_apic, apic_id, acpi_srat_cpu_affinity, apic_id);
SAME_PLACE(srat_local_apic, flags, acpi_srat_cpu_affinity, flags);
SAME_PLACE(srat_local_apic, domain_high, acpi_srat_cpu_affinity, proximity_domain_hi);
SAME_SIZE(srat_memory, acpi_srat_mem_affinity);
SAME_PLACE(srat_memory, domain, acpi_srat_mem_affinity, proximity_domain);
SAME_PLACE(srat_memory, address, acpi_srat_mem_affinity, base_address);
SAME_PLACE(srat_memory, size, acpi_srat_mem_affinity, length);
SAME_PLACE(srat_memory, flags, acpi_srat_mem_affinity, flags);
SAME_SIZE(srat_local_x2apic, acpi_srat_x2apic_cpu_affinity);
SAME_PLACE(srat_local_x2apic, domain, acpi_srat_x2apic_cpu_affinity, proximity_domain);
SAME_PLACE(srat_local_x2apic, x2apic_id, acpi_srat_x2apic_cpu_affinity, apic_id);
SAME_PLACE(srat_local_x2apic, flags, acpi_srat_x2apic_cpu_affinity, flags);

SAME_SIZE(mcfg, acpi_table_mcfg);
SAME_SIZE(mcfg_entry, acpi_mcfg_allocation);
SAME_PLACE(mcfg_entry, base_address, acpi_mcfg_allocation, address);
SAME_PLACE(mcfg_entry, segment, acpi_mcfg_allocation, pci_segment);
SAME_PLACE(mcfg_entry, first_bus, acpi_mcfg_allocation, start_bus_number);
SAME_PLACE(mcfg_entry, last_bus, acpi_mcfg_allocation, end_bus_number);

#define SAME(ours, linuxs) _Static_assert((int64_t)(ours) == (int64_t)(linuxs), #ours)
SAME(MADT_LOCAL_APIC, ACPI_MADT_TYPE_LOCAL_APIC);
SAME(MADT_IO_APIC, ACPI_MADT_TYPE_IO_APIC);
SAME(MADT_OVERRIDE, ACPI_MADT_TYPE_INTERRUPT_OVERRIDE);
SAME(MADT_LOCAL_NMI, ACPI_MADT_TYPE_LOCAL_APIC_NMI);
SAME(MADT_LOCAL_X2APIC, ACPI_MADT_TYPE_LOCAL_X2APIC);
SAME(MADT_LOCAL_X2APIC_NMI, ACPI_MADT_TYPE_LOCAL_X2APIC_NMI);
SAME(MADT_PCAT_COMPAT, ACPI_MADT_PCAT_COMPAT);
SAME(MADT_CPU_ENABLED, ACPI_MADT_ENABLED);
SAME(MADT_POLARITY, ACPI_MADT_POLARITY_MASK);
SAME(MADT_POLARITY_HIGH, ACPI_MADT_POLARITY_ACTIVE_HIGH);
SAME(MADT_POLARITY_LOW, ACPI_MADT_POLARITY_ACTIVE_LOW);
SAME(MADT_TRIGGER, ACPI_MADT_TRIGGER_MASK);
SAME(MADT_TRIGGER_LEVEL, ACPI_MADT_TRIGGER_LEVEL);
SAME(SRAT_LOCAL_APIC, ACPI_SRAT_TYPE_CPU_AFFINITY);
SAME(SRAT_MEMORY, ACPI_SRAT_TYPE_MEMORY_AFFINITY);
SAME(SRAT_LOCAL_X2APIC, ACPI_SRAT_TYPE_X2APIC_CPU_AFFINITY);
SAME(SRAT_ENABLED, ACPI_SRAT_CPU_ENABLED);
SAME(SRAT_ENABLED, ACPI_SRAT_MEM_ENABLED);
SAME(FADT_WBINVD, ACPI_FADT_WBINVD);
SAME(FADT_PROC_C1, ACPI_FADT_C1_SUPPORTED);
SAME(FADT_SLP_BUTTON, ACPI_FADT_SLEEP_BUTTON);
SAME(FADT_FIX_RTC, ACPI_FADT_FIXED_RTC);
SAME(FADT_TMR_VAL_EXT, ACPI_FADT_32BIT_TIMER);
SAME(FADT_RESET_REG_SUP, ACPI_FADT_RESET_REGISTER);
SAME(FADT_HEADLESS, ACPI_FADT_HEADLESS);
SAME(FADT_HW_REDUCED_ACPI, ACPI_FADT_HW_REDUCED);
SAME(FADT_LEGACY_DEVICES, ACPI_FADT_LEGACY_DEVICES);
SAME(FADT_8042, ACPI_FADT_8042);
SAME(FADT_VGA_NOT_PRESENT, ACPI_FADT_NO_VGA);
SAME(GAS_SYSTEM_MEMORY, ACPI_ADR_SPACE_SYSTEM_MEMORY);
SAME(GAS_SYSTEM_IO, ACPI_ADR_SPACE_SYSTEM_IO);
SAME(GAS_PCI, ACPI_ADR_SPACE_PCI_CONFIG);
SAME(PM_TIMER_HZ, ACPI_PM_TIMER_FREQUENCY);
_Static_assert(sizeof(RSDP_SIGNATURE) == sizeof(ACPI_SIG_RSDP), "signature");
