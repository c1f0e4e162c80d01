/* See translate.h. */
#include "guest/translate.h"

#include "guest/vm.h"
#include "lib/bits.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"
#include "x86/paging.h"

struct walk {
    struct vcpu *vcpu;
    unsigned int levels;     /* 2: 32-bit paging, 3: PAE, 4: 4-level */
    unsigned int index_bits; /* of a level; the top level of PAE has only two */
    unsigned int entry_size; /* bytes */
    uint64_t linear;
    bool has_large_pages; /* at level 2, and at level 3 of 4 */
    bool is_write, is_user, protects_writes;
};

/* Injects the page fault: SDM 3A, "Page-Fault Exceptions". Returns false. */
static bool page_fault_inject(const struct walk *walk, bool is_present)
{
    uint64_t code = (is_present ? PAGE_FAULT_PRESENT : 0) |
                    (walk->is_write ? PAGE_FAULT_WRITE : 0) |
                    (walk->is_user ? PAGE_FAULT_USER : 0);
    walk->vcpu->backend->write_register(walk->vcpu, VCPU_CR2, walk->linear);
    (void)vcpu_inject_exception(walk->vcpu, VECTOR_PF, (uint32_t)code);
    return false;
}

static bool is_leaf(const struct walk *walk, unsigned int level, uint64_t entry)
{
    bool may_be_large = level == 2 || (level == 3 && walk->levels == 4);
    return level == 1 ||
           (may_be_large && walk->has_large_pages && (entry & PAGE_ENTRY_PAGE_SIZE) != 0);
}

static bool is_allowed(const struct walk *walk, uint64_t access)
{
    if (walk->is_user && (access & PAGE_ENTRY_USER) == 0)
        return false;
    return !walk->is_write || (access & PAGE_ENTRY_WRITABLE) != 0 ||
           (!walk->is_user && !walk->protects_writes);
}

static bool walk_tables(const struct walk *walk, uint64_t table, gpa_t *physical)
{
    const struct guest_memory *memory = &walk->vcpu->vm->memory;
    uint64_t access                   = PAGE_ENTRY_USER | PAGE_ENTRY_WRITABLE;

    for (unsigned int level = walk->levels; level >= 1; level--) {
        unsigned int shift = 12 + walk->index_bits * (level - 1);
        uint64_t index     = walk->linear >> shift & (BIT(walk->index_bits) - 1);
        gpa_t at           = gpa(table + index * walk->entry_size);
        uint64_t entry     = 0;
        if (!guest_memory_read(memory, at, &entry, walk->entry_size) ||
            (entry & PAGE_ENTRY_PRESENT) == 0)
            return page_fault_inject(walk, false);
        table = entry & PAGE_ENTRY_ADDRESS;
        if (walk->levels == 3 && level == 3) /* no access bits: SDM 3A, "PAE Paging" */
            continue;
        access &= entry;
        bool leaf = is_leaf(walk, level, entry);
        if (leaf && !is_allowed(walk, access))
            return page_fault_inject(walk, true);
        uint64_t marked =
            entry | PAGE_ENTRY_ACCESSED | (leaf && walk->is_write ? PAGE_ENTRY_DIRTY : 0);
        if (marked != entry)
            (void)guest_memory_write(memory, at, &marked, walk->entry_size);
        if (leaf) {
            uint64_t offset = BIT(shift) - 1;
            *physical       = gpa((table & ~offset) | (walk->linear & offset));
            return true;
        }
    }
    return page_fault_inject(walk, false);
}

bool linear_address_translate(struct vcpu *vcpu, uint64_t linear, bool is_write,
                              gpa_t *physical)
{
    const struct backend *backend = vcpu->backend;
    uint64_t cr0                  = backend->read_register(vcpu, VCPU_CR0);
    uint64_t efer                 = backend->read_register(vcpu, VCPU_EFER);

    if ((efer & EFER_LMA) == 0)
        linear = (uint32_t)linear;
    if ((cr0 & CR0_PG) == 0) {
        *physical = gpa(linear);
        return true;
    }
    uint64_t cr4     = backend->read_register(vcpu, VCPU_CR4);
    bool is_pae      = (efer & EFER_LMA) != 0 || (cr4 & CR4_PAE) != 0;
    struct walk walk = {
        .vcpu            = vcpu,
        .levels          = (efer & EFER_LMA) != 0 ? 4
                           : is_pae               ? 3
                                                  : 2,
        .index_bits      = is_pae ? 9 : 10,
        .entry_size      = is_pae ? sizeof(uint64_t) : sizeof(uint32_t),
        .linear          = linear,
        .has_large_pages = is_pae || (cr4 & CR4_PSE) != 0,
        .is_write        = is_write,
        .is_user         = backend->read_register(vcpu, VCPU_CPL) == 3,
        .protects_writes = (cr0 & CR0_WP) != 0,
    };
    uint64_t cr3 = backend->read_register(vcpu, VCPU_CR3);
    return walk_tables(&walk, cr3 & (walk.levels == 3 ? CR3_ADDRESS_PAE : CR3_ADDRESS),
                       physical);
}
