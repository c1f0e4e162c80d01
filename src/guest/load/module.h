/*
 * The command line of a module, which makes it a part of a VM. In GRUB:
 *
 *     module2 FILE kernel name=a memory=64M [cpus=1-2] [pv=off] [apicv=off] [reset=end]
 *         [argv0=WORD] [-- the guest's command line]
 *     module2 FILE initrd name=a [argv0=WORD] [-- the module's string]
 *     module2 FILE module name=a [argv0=WORD] [-- the module's string]
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
#include <stddef.h>
#include <stdint.h>

#define VM_NAME_SIZE 16 /* with the terminating NUL */
#define ARGV0_SIZE   32

enum module_role {
    MODULE_KERNEL,
    MODULE_INITRD,
    MODULE_OTHER, /* "module" */
};

struct module_options {
    char name[VM_NAME_SIZE];
    enum module_role role;
    uint32_t cpus_min, cpus_max; /* of a kernel: 1 to GUEST_CPUS_MAX */
    bool restarts;               /* of a kernel: when the guest resets its machine */
    bool has_pv;                 /* of a kernel: KVM's signature in CPUID */
    bool has_apicv;              /* of a kernel: VT-x may virtualize its APIC */
    uint64_t memory_size;        /* of a kernel, in bytes: a multiple of 2 MiB */
    char argv0[ARGV0_SIZE];      /* the first word of the string; "" for none */
    const char *string;          /* what follows --: "" if there is none */
};

/*
 * Parses the command line; options->string points into text. False, with the reason
 * appended to *problem, if it is invalid.
 */
bool module_parse(const char *text, struct module_options *options, struct text *problem);

/* Returns the most bytes that module_write_string writes. */
size_t module_string_size(const struct module_options *options);

/*
 * Writes the guest's command line, or the module's string: the word of argv0=, and what
 * follows --, without GRUB's backslashes. Returns the bytes written, with the NUL.
 */
size_t module_write_string(const struct module_options *options, char *string);

/*
 * Removes the backslash that GRUB inserts before each backslash, ' and ". plain has the
 * size of text.
 */
void module_unescape(const char *text, char *plain);

#endif
