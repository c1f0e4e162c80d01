/*
 * The command line of a module, which makes it a part of a VM. In GRUB:
 *
 *     module2 FILE kernel name=a memory=64M [cpus=1-2] [pv=off] [apicv=off] [reset=end]
 *         [-- the guest's command line]
 *     module2 FILE initrd name=a
 *
 * GRUB passes what follows FILE. Other boot loaders, such as kexec, pass FILE too: the
 * first word is a file's name if the second one is a role, which no other word can be.
 *
 * Pure. Errors are reported in one line.
 */
#ifndef HYMIR_GUEST_LOAD_MODULE_H
#define HYMIR_GUEST_LOAD_MODULE_H

#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#define VM_NAME_SIZE 16 /* with the terminating NUL */

enum module_role {
    MODULE_KERNEL,
    MODULE_INITRD,
};

struct module_options {
    char name[VM_NAME_SIZE];
    enum module_role role;
    uint32_t cpus_min, cpus_max; /* of a kernel: 1 to GUEST_CPUS_MAX */
    bool restarts;               /* of a kernel: when the guest resets its machine */
    bool has_pv;                 /* of a kernel: KVM's signature in CPUID */
    bool has_apicv;              /* of a kernel: VT-x may virtualize its APIC */
    uint64_t memory_size;        /* of a kernel, in bytes: a multiple of 2 MiB */
    const char *command_line;    /* of a kernel: "" if there is none */
};

/*
 * Parses the command line; options->command_line points into text. False, with the reason
 * appended to *problem, if it is invalid.
 */
bool module_parse(const char *text, struct module_options *options, struct text *problem);

/*
 * Removes the backslash that GRUB inserts before each backslash, ' and ". plain has the
 * size of text.
 */
void module_unescape(const char *text, char *plain);

#endif
