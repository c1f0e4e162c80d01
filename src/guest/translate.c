/* See translate.h. */
#include "guest/translate.h"

#include "guest/vm.h"
#include "lib/bits.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"
#include "x86/paging.h"

/* A paging mode: the number of levels, and how they divide an address. */
struct paging {
    unsigned int levels;
    unsigned int index_bits; /* of a level; the top level of PAE has only two */
    unsigned int entry_size; /* bytes */
    bool has_large_pages;    /* at level 2, and at level 3 of 4 */
};

struct walk {
    struct vcpu *vcpu;
    struct paging paging;
    uint64_t linear;
    bool is_write, is_user, protects_writes;
};

static struct paging paging_of(uint64_t cr4, uint64_t efer)
{
    if ((efer & EFER_LMA) != 0)
        return (struct paging){4, 9, 8, true};
    if ((cr4 & CR4_PAE) != 0)
        return (struct paging){3, 9, 8, true};
    return (struct paging){2, 10, 4, (cr4 & CR4_PSE) != 0};
}

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

static unsigned int shift_of(const struct walk *walk, unsigned int level)
{
    return 12 + walk->paging.index_bits * (level - 1);
}

static bool is_leaf(const struct walk *walk, unsigned int level, uint64_t entry)
{
    bool may_be_large = level == 2 || (level == 3 && walk->paging.levels == 4);
    return level == 1 || (may_be_large && walk->paging.has_large_pages &&
                          (entry & PAGE_ENTRY_PAGE_SIZE) != 0);
}

/* The PDPTEs of PAE paging have no access bits: SDM 3A, "PAE Paging". */
static bool has_access_bits(const struct walk *walk, unsigned int level)
{
    return !(walk->paging.levels == 3 && level == 3);
}

static bool is_allowed(const struct walk *walk, uint64_t access)
{
    if (walk->is_user && (access & PAGE_ENTRY_USER) == 0)
        return false;
    return !walk->is_write || (access & PAGE_ENTRY_WRITABLE) != 0 ||
           (!walk->is_user && !walk->protects_writes);
}

/* Sets the accessed or dirty flag of an entry. */
static void entry_set_flags(const struct walk *walk, gpa_t at, uint64_t entry,
                            uint64_t flags)
{
    uint64_t marked = entry | flags;
    if (marked != entry)
        (void)guest_memory_write(&walk->vcpu->vm->memory, at, &marked,
                                 walk->paging.entry_size);
}

static bool walk_tables(const struct walk *walk, uint64_t table, gpa_t *physical)
{
    uint64_t access = PAGE_ENTRY_USER | PAGE_ENTRY_WRITABLE;

    for (unsigned int level = walk->paging.levels; level >= 1; level--) {
        unsigned int shift = shift_of(walk, level);
        uint64_t index     = walk->linear >> shift & (BIT(walk->paging.index_bits) - 1);
        gpa_t at           = gpa(table + index * walk->paging.entry_size);
        uint64_t entry     = 0;
        if (!guest_memory_read(&walk->vcpu->vm->memory, at, &entry,
                               walk->paging.entry_size) ||
            (entry & PAGE_ENTRY_PRESENT) == 0)
            return page_fault_inject(walk, false);
        access &= has_access_bits(walk, level) ? entry : UINT64_MAX;
        bool leaf = is_leaf(walk, level, entry);
        if (leaf && !is_allowed(walk, access))
            return page_fault_inject(walk, true);
        if (has_access_bits(walk, level))
            entry_set_flags(walk, at, entry,
                            PAGE_ENTRY_ACCESSED |
                                (leaf && walk->is_write ? PAGE_ENTRY_DIRTY : 0));
        uint64_t address = entry & PAGE_ENTRY_ADDRESS;
        if (leaf) {
            uint64_t offset = BIT(shift) - 1;
            *physical       = gpa((address & ~offset) | (walk->linear & offset));
            return true;
        }
        table = address;
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
    struct walk walk = {
        .vcpu            = vcpu,
        .paging          = paging_of(backend->read_register(vcpu, VCPU_CR4), efer),
        .linear          = linear,
        .is_write        = is_write,
        .is_user         = backend->read_register(vcpu, VCPU_CPL) == 3,
        .protects_writes = (cr0 & CR0_WP) != 0,
    };
    uint64_t cr3  = backend->read_register(vcpu, VCPU_CR3);
    uint64_t mask = walk.paging.levels == 3 ? CR3_ADDRESS_PAE : CR3_ADDRESS;
    return walk_tables(&walk, cr3 & mask, physical);
}
