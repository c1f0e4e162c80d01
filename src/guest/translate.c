/* See translate.h. */
#include "guest/translate.h"

#include "guest/vm.h"
#include "lib/bits.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"
#include "x86/paging.h"

#define PAGING_LEVELS_MAX 5U

struct walk {
    const struct guest_memory *memory;
    const struct translation_state *state;
    unsigned int levels;     /* 2: 32-bit paging, 3: PAE, 4, 5 */
    unsigned int index_bits; /* of a level */
    unsigned int entry_size; /* bytes */
    uint64_t linear;
    bool is_write, is_fetch;
    uint64_t rights; /* the AND of the entries used, with XD inverted */
    size_t used_count;
    struct {
        void *entry; /* in Hymir's memory */
        uint64_t value;
    } used[PAGING_LEVELS_MAX]; /* the entries, from the top */
};

/* Returns #PF, with the bits of its error code that the access decides. */
static enum translation_outcome fault(const struct walk *walk, uint64_t causes,
                                      struct translation *translation)
{
    translation->error_code =
        (uint32_t)(causes | (walk->is_write ? PAGE_FAULT_WRITE : 0) |
                   (walk->state->is_user ? PAGE_FAULT_USER : 0));
    return TRANSLATION_FAULTS;
}

/* Returns the lowest bit of the linear address that indexes a table of that level. */
static unsigned int level_shift(const struct walk *walk, unsigned int level)
{
    return 12 + walk->index_bits * (level - 1);
}

/* Returns whether PS makes an entry of that level map a page. */
static bool level_may_map_page(const struct walk *walk, unsigned int level)
{
    if (level == 3)
        return walk->levels > 3 && walk->state->has_1_gib_pages;
    return level == 2 && (walk->levels > 2 || (walk->state->cr4 & CR4_PSE) != 0);
}

/* "32-Bit Paging": bits 20:13 of a large page are bits 39:32 of its address. */
static uint64_t reserved_bits_of_large_page_32(unsigned int width)
{
    return BITS_MASK(21, (width < PSE_36_WIDTH ? width : PSE_36_WIDTH) - 19);
}

/* Returns the bits of a present entry that must be 0: the tables of "Paging". */
static uint64_t reserved_bits(const struct walk *walk, unsigned int level, bool maps_page)
{
    const struct translation_state *state = walk->state;
    unsigned int width                    = state->physical_width;
    unsigned int shift                    = level_shift(walk, level);
    bool is_large                         = maps_page && level > 1;

    if (walk->levels == 2)
        return is_large ? reserved_bits_of_large_page_32(width) : 0;
    return (BITS_MASK(52, width) & PAGE_ENTRY_ADDRESS) |
           (walk->levels == 3 ? BITS_MASK(62, 52) : 0) |
           ((state->efer & EFER_NXE) == 0 ? PAGE_ENTRY_EXECUTE_DISABLE : 0) |
           (is_large ? BITS_MASK(shift - 1, 13) : 0) |
           (!maps_page && !level_may_map_page(walk, level) ? PAGE_ENTRY_PAGE_SIZE : 0);
}

/* "Protection Keys": returns whether PKRU denies the access to a page in user mode. */
static bool key_denies(const struct walk *walk, uint64_t entry, bool may_write_all)
{
    const struct translation_state *state = walk->state;
    uint32_t rights                       = state->pkru >> 2 * PAGE_ENTRY_KEY(entry);

    if (walk->levels < 4 || (state->cr4 & CR4_PKE) == 0)
        return false;
    return (rights & PKRU_ACCESS_DISABLE) != 0 ||
           (walk->is_write && !may_write_all && (rights & PKRU_WRITE_DISABLE) != 0);
}

/* "Determination of Access Rights": returns whether the fetch is denied. */
static bool fetch_is_denied(const struct walk *walk)
{
    const struct translation_state *state = walk->state;
    bool is_user_page                     = (walk->rights & PAGE_ENTRY_USER) != 0;
    bool is_smep                          = (state->cr4 & CR4_SMEP) != 0;

    return (walk->rights & PAGE_ENTRY_EXECUTE_DISABLE) == 0 ||
           (state->is_user ? !is_user_page : is_user_page && is_smep);
}

/* "Determination of Access Rights": returns the causes of a #PF, or 0. */
static uint64_t denial_causes(const struct walk *walk, uint64_t entry)
{
    const struct translation_state *state = walk->state;
    bool is_user_page                     = (walk->rights & PAGE_ENTRY_USER) != 0;
    bool may_write_all                    = !state->is_user && (state->cr0 & CR0_WP) == 0;
    bool is_prevented = !state->is_user && is_user_page && (state->cr4 & CR4_SMAP) != 0 &&
                        (state->rflags & RFLAGS_AC) == 0;
    bool is_read_only = (walk->rights & PAGE_ENTRY_WRITABLE) == 0;

    if (is_user_page && key_denies(walk, entry, may_write_all))
        return PAGE_FAULT_PRESENT | PAGE_FAULT_KEY;
    if ((state->is_user && !is_user_page) || is_prevented ||
        (walk->is_write && is_read_only && !may_write_all))
        return PAGE_FAULT_PRESENT;
    return 0;
}

/* Reads an entry at once: another vCPU may change it. */
static uint64_t read_entry(const struct walk *walk, const void *entry)
{
    return walk->entry_size == sizeof(uint64_t)
               ? __atomic_load_n((const uint64_t *)entry, __ATOMIC_RELAXED)
               : __atomic_load_n((const uint32_t *)entry, __ATOMIC_RELAXED);
}

/*
 * Changes an entry that still has the old value, and returns whether it had. Sets *old to
 * the value that it had.
 */
static bool change_entry(const struct walk *walk, void *entry, uint64_t *old,
                         uint64_t value)
{
    uint32_t old_32 = (uint32_t)*old;

    if (walk->entry_size == sizeof(uint64_t))
        return __atomic_compare_exchange_n((uint64_t *)entry, old, value, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    bool is_changed =
        __atomic_compare_exchange_n((uint32_t *)entry, &old_32, (uint32_t)value, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    *old = old_32;
    return is_changed;
}

/* Sets flags of an entry that is used twice, or was marked by another vCPU, as well. */
static bool mark_entry(const struct walk *walk, void *entry, uint64_t used,
                       uint64_t flags)
{
    const uint64_t marks = PAGE_ENTRY_ACCESSED | PAGE_ENTRY_DIRTY;
    uint64_t old         = used;

    if ((used & flags) == flags || change_entry(walk, entry, &old, used | flags))
        return true;
    return ((old ^ used) & ~marks) == 0 && change_entry(walk, entry, &old, old | flags);
}

/*
 * "Accessed and Dirty Flags": sets them in the entries used; the last maps the page.
 * Returns false if another vCPU has changed an entry, which may map the page no more.
 */
static bool mark_entries(const struct walk *walk)
{
    for (size_t i = 0; i < walk->used_count; i++) {
        bool is_dirty  = walk->is_write && i == walk->used_count - 1;
        uint64_t flags = PAGE_ENTRY_ACCESSED | (is_dirty ? PAGE_ENTRY_DIRTY : 0);
        if (!mark_entry(walk, walk->used[i].entry, walk->used[i].value, flags))
            return false;
    }
    return true;
}

static enum translation_outcome map_page(const struct walk *walk, unsigned int level,
                                         uint64_t entry, struct translation *translation)
{
    uint64_t offset = BIT(level_shift(walk, level)) - 1;
    uint64_t page   = entry & PAGE_ENTRY_ADDRESS & ~offset;
    uint64_t causes = walk->is_fetch ? (fetch_is_denied(walk) ? PAGE_FAULT_PRESENT : 0)
                                     : denial_causes(walk, entry);

    if (causes != 0)
        return fault(walk, causes, translation);
    if (walk->levels == 2 && level == 2)
        page |= PSE_36_ADDRESS(entry) << 32;
    if (!walk->is_fetch && !mark_entries(walk))
        return TRANSLATION_CHANGED;
    translation->physical = gpa(page | (walk->linear & offset));
    return TRANSLATION_FOUND;
}

static enum translation_outcome walk_tables(struct walk *walk, unsigned int level,
                                            uint64_t table,
                                            struct translation *translation)
{
    for (;; level--) {
        uint64_t index =
            walk->linear >> level_shift(walk, level) & (BIT(walk->index_bits) - 1);
        gpa_t address = gpa(table + index * walk->entry_size);
        void *pointer = guest_memory_pointer(walk->memory, address, walk->entry_size);
        if (pointer == NULL) {
            translation->physical = address;
            return TRANSLATION_NOT_RAM;
        }
        uint64_t entry = read_entry(walk, pointer);
        bool maps_page = level == 1 || ((entry & PAGE_ENTRY_PAGE_SIZE) != 0 &&
                                        level_may_map_page(walk, level));
        if ((entry & PAGE_ENTRY_PRESENT) == 0)
            return fault(walk, 0, translation);
        if ((entry & reserved_bits(walk, level, maps_page)) != 0)
            return fault(walk, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED, translation);
        walk->rights &= entry ^ PAGE_ENTRY_EXECUTE_DISABLE;
        walk->used[walk->used_count].entry   = pointer;
        walk->used[walk->used_count++].value = entry;
        if (maps_page)
            return map_page(walk, level, entry, translation);
        table = entry & PAGE_ENTRY_ADDRESS;
    }
}

/* Starts with a PDPTE register, which has no access rights: "PDPTE Registers". */
static enum translation_outcome walk_pae(struct walk *walk,
                                         struct translation *translation)
{
    uint64_t pdpte = walk->state->pdpte[BITS_GET(walk->linear, 31, 30)];

    if ((pdpte & PAGE_ENTRY_PRESENT) == 0)
        return fault(walk, 0, translation);
    return walk_tables(walk, 2, pdpte & PAGE_ENTRY_ADDRESS, translation);
}

enum translation_outcome linear_address_walk(const struct guest_memory *memory,
                                             const struct translation_state *state,
                                             uint64_t linear,
                                             enum memory_access_kind kind,
                                             struct translation *translation)
{
    bool is_long     = (state->efer & EFER_LMA) != 0;
    bool is_pae      = is_long || (state->cr4 & CR4_PAE) != 0;
    struct walk walk = {
        .memory     = memory,
        .state      = state,
        .levels     = !is_pae                        ? 2
                      : !is_long                     ? 3
                      : (state->cr4 & CR4_LA57) == 0 ? 4
                                                     : 5,
        .index_bits = is_pae ? 9 : 10,
        .entry_size = is_pae ? sizeof(uint64_t) : sizeof(uint32_t),
        .linear     = is_long ? linear : (uint32_t)linear,
        .is_write   = kind == MEMORY_WRITE,
        .is_fetch   = kind == MEMORY_FETCH,
        .rights     = UINT64_MAX,
    };

    if ((state->cr0 & CR0_PG) == 0) {
        translation->physical = gpa(walk.linear);
        return TRANSLATION_FOUND;
    }
    if (walk.levels == 3)
        return walk_pae(&walk, translation);
    return walk_tables(&walk, walk.levels,
                       state->cr3 & (is_long ? CR3_ADDRESS : CR3_ADDRESS_32_BIT),
                       translation);
}

/* "Enumeration of Paging Features by CPUID": the default also replaces invalid widths. */
unsigned int physical_address_width(const struct cpuid_answers *cpuid)
{
    uint32_t sizes = cpuid->extended[CPUID_LEAF_ADDRESS_SIZES - CPUID_LEAF_EXTENDED].eax;
    unsigned int reported = CPUID_80000008_EAX_PHYSICAL(sizes);

    return reported >= PHYSICAL_WIDTH_MIN && reported <= PHYSICAL_WIDTH_MAX
               ? reported
               : PHYSICAL_WIDTH_DEFAULT;
}

static void read_state(struct vcpu *vcpu, struct translation_state *state)
{
    const struct backend *backend     = vcpu->backend;
    const struct cpuid_answers *cpuid = &vm_cpu_of(vcpu)->cpuid;
    uint32_t features =
        cpuid->extended[CPUID_LEAF_EXTENDED_FEATURES - CPUID_LEAF_EXTENDED].edx;

    *state = (struct translation_state){
        .cr0             = backend->read_register(vcpu, VCPU_CR0),
        .cr3             = backend->read_register(vcpu, VCPU_CR3),
        .cr4             = backend->read_register(vcpu, VCPU_CR4),
        .efer            = backend->read_register(vcpu, VCPU_EFER),
        .rflags          = backend->read_register(vcpu, VCPU_RFLAGS),
        .is_user         = backend->read_register(vcpu, VCPU_CPL) == 3,
        .has_1_gib_pages = (features & CPUID_80000001_EDX_PAGES_1_GIB) != 0,
        .physical_width  = physical_address_width(cpuid),
    };
    bool is_pae = (state->efer & EFER_LMA) == 0 && (state->cr4 & CR4_PAE) != 0;
    for (unsigned int i = 0; is_pae && i < PDPTE_COUNT; i++)
        state->pdpte[i] = backend->read_register(vcpu, VCPU_PDPTE_0 + i);
    if ((state->cr4 & CR4_PKE) != 0)
        state->pkru = (uint32_t)backend->read_register(vcpu, VCPU_PKRU);
}

enum exit_outcome linear_address_translate(struct vcpu *vcpu, uint64_t linear,
                                           bool is_write, gpa_t *physical)
{
    enum memory_access_kind kind = is_write ? MEMORY_WRITE : MEMORY_READ;
    struct translation_state state;
    struct translation translation;

    read_state(vcpu, &state);
    switch (linear_address_walk(&vcpu->vm->memory, &state, linear, kind, &translation)) {
    case TRANSLATION_FOUND:
        *physical = translation.physical;
        return EXIT_NEXT;
    case TRANSLATION_NOT_RAM:
        return vcpu->handlers->memory(
            vcpu, &(struct memory_access){.address = translation.physical});
    case TRANSLATION_CHANGED:
        return EXIT_RESUME; /* executes the instruction again */
    case TRANSLATION_FAULTS:
        break;
    }
    vcpu->backend->write_register(vcpu, VCPU_CR2, linear);
    return vcpu_inject_exception(vcpu, VECTOR_PF, translation.error_code);
}

bool code_address_translate(struct vcpu *vcpu, uint64_t linear, gpa_t *physical)
{
    struct translation_state state;
    struct translation translation;

    read_state(vcpu, &state);
    if (linear_address_walk(&vcpu->vm->memory, &state, linear, MEMORY_FETCH,
                            &translation) != TRANSLATION_FOUND)
        return false;
    *physical = translation.physical;
    return true;
}

unsigned int linear_address_width(struct vcpu *vcpu)
{
    bool has_57_bits = (vcpu->backend->read_register(vcpu, VCPU_CR4) & CR4_LA57) != 0;
    return has_57_bits ? LINEAR_WIDTH_5_LEVEL : LINEAR_WIDTH;
}
