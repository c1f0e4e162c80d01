/* The command line: src/lib/options.c, string.c, tests/faults/selftest.c. */
#include "fuzz.h"

#include "../faults/selftest.h"
#include "lib/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct options options;
    char *line = malloc(size + 1);

    memcpy(line, data, size);
    line[size] = '\0';
    options_parse(line, &options);
    REQUIRE(options.panic != END_POWEROFF);
    REQUIRE(options.serial != SERIAL_PORT || options.serial_port.address >= 0x100);
    REQUIRE(selftest.kind <= SELFTEST_EXIT);
    free(line);
    return 0;
}
