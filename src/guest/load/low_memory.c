/* See low_memory.h. */
#include "guest/load/low_memory.h"

#include "dev/bios_entries.h"
#include "x86/uart_16550.h"

#define JUMP_FAR      0xEAU
#define SECONDS_A_DAY 86400U

/* The keyboard buffer, from the start of the BIOS data area. */
#define KEYBOARD_START offsetof(struct bios_data_area, keyboard_buffer)
#define KEYBOARD_END   offsetof(struct bios_data_area, diskette)

#define CRT_PORT_COLOR   0x3D4U
#define VIDEO_PAGE_BYTES 0x1000U
#define CURSOR_UNDERLINE 0x0607U /* its first and last scan line */

struct __attribute__((packed)) real_mode_pointer {
    uint16_t offset, segment;
};

/* OUT to the port of the BIOS's entry points. */
struct entry {
    uint8_t opcode, port;
};
_Static_assert(sizeof(struct entry) == BIOS_ENTRY_SIZE, "OUT imm8, AL");

static const struct entry entry = {BIOS_ENTRY_OPCODE, BIOS_ENTRY_PORT};

/* All of it is in a guest's RAM, which has at least GUEST_MEMORY_MIN bytes. */
static void write(const struct guest_memory *memory, uint64_t address, const void *source,
                  uint64_t size)
{
    (void)guest_memory_write(memory, gpa(address), source, size);
}

/*
 * None of the vectors is also a gate of protected mode, where a guest without an IDT of
 * its own is to get a triple fault: bit 4 and the type in byte 5 are 1 or 2.
 */
static void write_vectors(const struct guest_memory *memory)
{
    for (unsigned int i = 0; i < REAL_MODE_VECTORS; i++) {
        uint16_t offset = (uint16_t)(BIOS_ENTRY_INTERRUPT + i * BIOS_ENTRY_SIZE);
        const struct real_mode_pointer vector = {offset, PC_BIOS_SEGMENT};

        write(memory, i * sizeof(vector), &vector, sizeof(vector));
        write(memory, PC_BIOS_ADDRESS(offset), &entry, sizeof(entry));
    }
}

static void write_reset_vector(const struct guest_memory *memory)
{
    static const struct __attribute__((packed)) {
        uint8_t opcode;
        struct real_mode_pointer target;
    } jump                     = {JUMP_FAR, {PC_BIOS_POST, PC_BIOS_SEGMENT}};
    static const uint8_t model = PC_BIOS_MODEL_AT;

    write(memory, PC_BIOS_ADDRESS(PC_BIOS_POST), &entry, sizeof(entry));
    write(memory, PC_BIOS_ADDRESS(PC_BIOS_RESET), &jump, sizeof(jump));
    write(memory, PC_BIOS_ADDRESS(PC_BIOS_MODEL), &model, sizeof(model));
}

/* The video words describe a text mode, although there is no adapter to show it. */
static void write_data(const struct guest_memory *memory, uint64_t time)
{
    static const uint8_t extended_size = PC_EBDA_KIB;
    const struct bios_data_area data   = {
          .serial_port     = {UART_COM1},
          .ebda_segment    = PC_EBDA_START >> 4,
          .equipment       = EQUIPMENT_FPU | EQUIPMENT_SERIAL_PORTS(1U),
          .base_memory     = PC_EBDA_START >> 10,
          .keyboard_head   = KEYBOARD_START,
          .keyboard_tail   = KEYBOARD_START,
          .keyboard_start  = KEYBOARD_START,
          .keyboard_end    = KEYBOARD_END,
          .video_mode      = BIOS_VIDEO_MODE_TEXT,
          .video_columns   = 80,
          .video_page_size = VIDEO_PAGE_BYTES,
          .cursor_shape    = CURSOR_UNDERLINE,
          .video_port      = CRT_PORT_COLOR,
          .ticks = (uint32_t)(time % SECONDS_A_DAY * BIOS_TICKS_A_DAY / SECONDS_A_DAY),
          .video_last_row   = 24,
          .character_height = 16,
    };

    write(memory, PC_BIOS_DATA_START, &data, sizeof(data));
    write(memory, PC_EBDA_START, &extended_size, sizeof(extended_size));
}

void low_memory_write(const struct guest_memory *memory, uint64_t time)
{
    write_vectors(memory);
    write_reset_vector(memory);
    write_data(memory, time);
}
