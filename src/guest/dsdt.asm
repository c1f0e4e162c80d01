; dsdt.asm: the DSDT of guests: dsdt.asl, compiled by iasl. See acpi_tables.c.

        section .rodata

        global  acpi_dsdt
acpi_dsdt:
        incbin  "dsdt.aml"

        section .note.GNU-stack noalloc noexec nowrite progbits
