/* See debug_port.h. */
#include "console/debug_port.h"

#include "cpu/instructions.h"

#define DEBUG_PORT 0xE9

static bool is_present;

bool debug_port_init(void)
{
    is_present = io_in8(DEBUG_PORT) == DEBUG_PORT;
    return is_present;
}

void debug_port_write(const char *text, size_t length)
{
    for (size_t i = 0; is_present && i < length; i++)
        io_out8(DEBUG_PORT, (uint8_t)text[i]);
}
