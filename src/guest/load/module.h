/*
 * The words behind a module in GRUB's configuration, which make it a part of a VM:
 *
 *     module2 FILE kernel name=a memory=64M [cpus=1] [-- the guest's command line]
 *     module2 FILE initrd name=a
 *
 * Pure. What is wrong is said in one line.
 */
#ifndef HYMIR_GUEST_LOAD_MODULE_H
#define HYMIR_GUEST_LOAD_MODULE_H

#include "guest/vm.h"
#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

enum module_role {
    MODULE_KERNEL,
    MODULE_INITRD,
};

struct module_words {
    char name[VM_NAME_SIZE];
    enum module_role role;
    uint32_t cpus;            /* of a kernel */
    uint64_t memory_size;     /* of a kernel, in bytes: a multiple of 2 MiB */
    const char *command_line; /* of a kernel: "" if there is none */
};

/*
 * Takes the words apart. *words' texts lead into them. False, with the reason appended to
 * *problem, if they make no sense.
 */
bool module_parse(const char *text, struct module_words *words, struct text *problem);

/*
 * Copies a command line as its writer meant it: GRUB puts a backslash in front of each
 * backslash, ' and ". plain has room for text.
 */
void module_unescape(const char *text, char *plain);

#endif
