/* A module's command line: src/guest/load/module.c. */
#include "fuzz.h"

#include "guest/load/module.h"
#include "guest/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct module_options words;
    TEXT_DECLARE(problem, 256);
    char *text = malloc(size + 1);

    memcpy(text, data, size);
    text[size] = '\0';
    if (module_parse(text, &words, &problem)) {
        REQUIRE(words.name[0] != '\0' && strlen(words.name) < VM_NAME_SIZE);
        REQUIRE(words.role != MODULE_KERNEL || (words.memory_size >= GUEST_MEMORY_MIN &&
                                                words.memory_size <= GUEST_MEMORY_MAX));
        REQUIRE(words.string >= text && words.string <= text + strlen(text));
        size_t most  = module_string_size(&words);
        char *string = malloc(most);
        REQUIRE(module_write_string(&words, string) == strlen(string) + 1);
        REQUIRE(strncmp(string, words.argv0, strlen(words.argv0)) == 0);
        free(string);
    } else {
        REQUIRE(problem.length > 0);
    }
    free(text);
    return 0;
}
