/*
 * Finds dumps of VMCSs and VMCBs in text that people post: Linux KVM's dump_vmcs and
 * dump_vmcb since 4.x, Xen's vmcs_dump_vcpu and svm_vmcb_dump, alone or by
 * "xl debug-keys v".
 *
 * Fields are found by their names, anywhere in a line, so that time stamps, prefixes of
 * journals, quoting and other lines between them do not matter; a line may be wrapped at
 * any blank. Pure; the text is untrusted.
 */
#ifndef HYMIR_TOOLS_EXPLAIN_DUMP_H
#define HYMIR_TOOLS_EXPLAIN_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dump_kind {
    DUMP_NO_KIND,
    DUMP_VMCS,
    DUMP_VMCB,
    DUMP_KINDS,
};

enum dump_item_kind {
    DUMP_BEGINS,     /* number: enum dump_kind */
    DUMP_VALUE,      /* number: VALUE_*, or SVM_VALUE_* if of a VMCB */
    DUMP_EXIT_CODE,  /* of a VMCB */
    DUMP_MSR_ENTRY,  /* of the VM-entry MSR-load area, in order; number: of the MSR */
    DUMP_FAILED_MSR, /* the entry of the area that failed; mask: bits 63:32 of number */
    DUMP_DOMAIN,     /* Xen's number of the domain of the dumps that follow */
    DUMP_VCPU,       /* Xen's number of the vCPU of the dump that follows */
    DUMP_FAILURE,    /* outside a dump: an exit reason, or a VM-instruction error */
    DUMP_CAPABILITY, /* number: of a VMX capability MSR */
};

/* What was found at a line. Of a value, mask has the bits that content gives. */
struct dump_item {
    enum dump_item_kind kind;
    uint32_t number;
    uint64_t content, mask;
    size_t line; /* from 1 */
};

/*
 * Decodes the quoted-printable of a mail in place, of which =3D before a number is the
 * sign: what dumps need of it. Returns the new length.
 */
size_t dump_decode(char *text, size_t length);

typedef void dump_receiver(void *context, const struct dump_item *item);

/* Reads a text of length bytes, which may contain any, and reports what it finds. */
void dump_read(const char *text, size_t length, dump_receiver *receive, void *context);

#endif
