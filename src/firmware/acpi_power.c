/* See acpi.h. */
#include "firmware/acpi.h"

#include "firmware/fadt.h"
#include "lib/string.h"

struct platform_register generic_register(struct generic_address address)
{
    bool is_16_bit = address.address <= UINT16_MAX;

    if (address.space == GAS_SYSTEM_IO && address.address != 0 && is_16_bit)
        return (struct platform_register){REGISTER_IO, address.address};
    if (address.space == GAS_SYSTEM_MEMORY && !is_16_bit)
        return (struct platform_register){REGISTER_MEMORY, address.address};
    return (struct platform_register){.space = REGISTER_NONE};
}

struct platform_register either_register(struct generic_address wide, uint32_t port)
{
    struct generic_address narrow  = {.space = GAS_SYSTEM_IO, .address = port};
    struct platform_register found = generic_register(wide);
    return found.space != REGISTER_NONE ? found : generic_register(narrow);
}

/*
 * The AML opcodes needed to parse Name (\_S5, Package (n) { a, b, ... }) with constants a
 * and b. ACPI 6.5, "ACPI Machine Language (AML) Specification", "AML Grammar Definition".
 */
enum aml {
    AML_ZERO    = 0x00,
    AML_ONE     = 0x01,
    AML_NAME    = 0x08,
    AML_BYTE    = 0x0A,
    AML_WORD    = 0x0B,
    AML_DWORD   = 0x0C,
    AML_PACKAGE = 0x12,
};

/* A position in a byte string, at most its end. */
struct cursor {
    const uint8_t *at, *end;
};

static bool read_byte(struct cursor *cursor, uint8_t *byte)
{
    if (cursor->at == cursor->end)
        return false;
    *byte = *cursor->at++;
    return true;
}

/* Reads a constant and returns its lowest byte. */
static bool read_constant(struct cursor *cursor, uint8_t *value)
{
    static const uint8_t sizes[] = {[AML_BYTE] = 1, [AML_WORD] = 2, [AML_DWORD] = 4};
    uint8_t opcode;
    if (!read_byte(cursor, &opcode))
        return false;
    if (opcode == AML_ZERO || opcode == AML_ONE) {
        *value = opcode;
        return true;
    }
    ptrdiff_t size = opcode < ARRAY_SIZE(sizes) ? sizes[opcode] : 0;
    if (size == 0 || cursor->end - cursor->at < size)
        return false;
    *value = *cursor->at;
    cursor->at += size;
    return true;
}

/* Reads a package's opcode, PkgLength and element count. */
static bool read_package(struct cursor *cursor, uint8_t *count)
{
    uint8_t opcode, lead;
    if (!read_byte(cursor, &opcode) || opcode != AML_PACKAGE || !read_byte(cursor, &lead))
        return false;
    for (unsigned int i = 0; i < lead >> 6; i++) { /* the other bytes of PkgLength */
        uint8_t byte;
        if (!read_byte(cursor, &byte))
            return false;
    }
    return read_byte(cursor, count);
}

/* Reads the sleep types from a package; some machines have a single one for both. */
static bool read_s5_types(struct cursor *cursor, uint8_t *type_a, uint8_t *type_b)
{
    uint8_t count;
    if (!read_package(cursor, &count) || count == 0 || !read_constant(cursor, type_a))
        return false;
    *type_b = *type_a;
    return count == 1 || read_constant(cursor, type_b);
}

static bool find_s5_in(const struct acpi_view *view, struct platform_power *power)
{
    const uint8_t *bytes = view->bytes;

    for (size_t i = sizeof(struct acpi_table) + 1; i + 4 <= view->length; i++) {
        struct cursor cursor = {.at = bytes + i + 4, .end = bytes + view->length};
        uint8_t type_a, type_b;
        bool is_name = bytes[i - 1] == AML_NAME ||
                       (bytes[i - 1] == '\\' && bytes[i - 2] == AML_NAME);
        if (memcmp(bytes + i, "_S5_", 4) != 0 || !is_name ||
            !read_s5_types(&cursor, &type_a, &type_b))
            continue;
        power->has_s5    = true;
        power->s5_type_a = type_a & 7;
        power->s5_type_b = type_b & 7;
        return true;
    }
    return false;
}

/* Searches the DSDT, then the SSDTs, where some machines define \_S5. */
static void find_s5(const struct acpi *acpi, struct platform_power *power)
{
    static const char *const signatures[] = {"DSDT", "SSDT"};
    struct acpi_view view;

    for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
        size_t next = 0;
        while (acpi_find_next(acpi, signatures[i], &next, &view) == STATUS_OK) {
            if (find_s5_in(&view, power))
                return;
        }
    }
}

static void read_pm1(const struct fadt *fadt, struct platform_power *power)
{
    power->pm1a_status  = either_register(fadt->x_pm1a_event, fadt->pm1a_event);
    power->pm1b_status  = either_register(fadt->x_pm1b_event, fadt->pm1b_event);
    power->pm1a_control = either_register(fadt->x_pm1a_control, fadt->pm1a_control);
    power->pm1b_control = either_register(fadt->x_pm1b_control, fadt->pm1b_control);
    if (fadt->smi_command <= UINT16_MAX && fadt->acpi_enable != 0) {
        power->smi_command_port  = (uint16_t)fadt->smi_command;
        power->acpi_enable_value = fadt->acpi_enable;
    }
}

/* Returns the reset register, which may also be in PCI's configuration space. */
static struct platform_register reset_register(struct generic_address address)
{
    if (address.space == GAS_PCI && (address.address & ~GAS_PCI_BITS) == 0)
        return (struct platform_register){REGISTER_PCI, address.address};
    return generic_register(address);
}

void acpi_find_power(const struct acpi *acpi, struct platform_power *power)
{
    struct acpi_view view;

    memset(power, 0, sizeof(*power));
    if (acpi_find(acpi, "FACP", &view) != STATUS_OK)
        return;
    struct fadt fadt = fadt_copy(&view);
    if ((fadt.flags & FADT_RESET_REG_SUP) != 0) {
        power->reset       = reset_register(fadt.reset_register);
        power->reset_value = fadt.reset_value;
    }
    if ((fadt.flags & FADT_HW_REDUCED_ACPI) != 0)
        power->sleep_control = generic_register(fadt.sleep_control);
    else
        read_pm1(&fadt, power);
    find_s5(acpi, power);
}
