/* See vmcb.h. */
#include "svm/vmcb.h"

#include "lib/log.h"
#include "x86/paging.h"

#define NESTED_ENTRY (PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE | PAGE_ENTRY_USER)
const struct nested_format svm_nested_format = {
    .table = {PAGE_ENTRY_PRESENT, NESTED_ENTRY}, .leaf = NESTED_ENTRY};

static void log_segment(const char *name, const struct vmcb_segment *segment)
{
    log_plain("hymir: vmcb: %-4s selector 0x%04x, attributes 0x%03x, limit 0x%08x, "
              "base 0x%lx",
              name, segment->selector, segment->attributes, segment->limit,
              segment->base);
}

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    {"intercepts of CR and DR", offsetof(struct vmcb, intercept_cr_reads)},
    {"intercepts 1 and of exceptions", offsetof(struct vmcb, intercept_exceptions)},
    {"intercepts 2 and 3", offsetof(struct vmcb, intercept_2)},
    {"IOPM_BASE_PA", offsetof(struct vmcb, iopm_base)},
    {"MSRPM_BASE_PA", offsetof(struct vmcb, msrpm_base)},
    {"ASID and TLB_CONTROL", offsetof(struct vmcb, asid)},
    {"virtual interrupt", offsetof(struct vmcb, virtual_interrupt)},
    {"interrupt shadow", offsetof(struct vmcb, interrupt_shadow)},
    {"NP_ENABLE", offsetof(struct vmcb, nested_paging)},
    {"EVENTINJ", offsetof(struct vmcb, event_injection)},
    {"N_CR3", offsetof(struct vmcb, nested_cr3)},
    {"EFER", offsetof(struct vmcb, efer)},
    {"CR0", offsetof(struct vmcb, cr0)},
    {"CR3", offsetof(struct vmcb, cr3)},
    {"CR4", offsetof(struct vmcb, cr4)},
    {"DR6", offsetof(struct vmcb, dr6)},
    {"DR7", offsetof(struct vmcb, dr7)},
    {"RFLAGS", offsetof(struct vmcb, rflags)},
    {"RIP", offsetof(struct vmcb, rip)},
    {"RSP", offsetof(struct vmcb, rsp)},
    {"G_PAT", offsetof(struct vmcb, pat)},
};

void vmcb_log(const struct vmcb *vmcb)
{
    static const char *const names[] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    _Static_assert(ARRAY_SIZE(names) == VMCB_SEGMENTS, "one name for each");

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        log_plain("hymir: vmcb: %-30s 0x%lx", fields[i].name,
                  *(const uint64_t *)((const char *)vmcb + fields[i].offset));
    for (size_t i = 0; i < VMCB_SEGMENTS; i++)
        log_segment(names[i], &vmcb->segment[i]);
    log_segment("TR", &vmcb->tr);
    log_segment("LDTR", &vmcb->ldtr);
}
