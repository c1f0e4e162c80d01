/* See next_rip.h. */
#include "svm/next_rip.h"

#include "svm/vcpu.h"
#include "x86/paging.h"

#define PLAIN_LENGTH_MAX 4U
#define PAGE_BITS        12U
#define LEVEL_BITS       9U

/*
 * The instructions whose exits need the next RIP, by exit code: their names, and the
 * bytes by which they are usually found without decoding them.
 */
static const struct exiting_instruction {
    uint16_t code;
    uint8_t name; /* enum instruction_name */
    uint8_t length, bytes[PLAIN_LENGTH_MAX];
} instructions[] = {
    {SVM_EXIT_CPUID, INSTRUCTION_CPUID, 2, {0x0F, 0xA2}},
    {SVM_EXIT_MSR, INSTRUCTION_WRMSR, 2, {0x0F, 0x30}},
    {SVM_EXIT_MSR, INSTRUCTION_RDMSR, 2, {0x0F, 0x32}},
    {SVM_EXIT_HLT, INSTRUCTION_HLT, 1, {0xF4}},
    {SVM_EXIT_VMMCALL, INSTRUCTION_VMMCALL, 3, {0x0F, 0x01, 0xD9}},
    {SVM_EXIT_CR_READ + 4, INSTRUCTION_MOV, 3, {0x0F, 0x20, 0xE0}},
    {SVM_EXIT_CR_WRITE + 4, INSTRUCTION_MOV, 3, {0x0F, 0x22, 0xE0}},
    {SVM_EXIT_CR_READ + 8, INSTRUCTION_MOV, 4, {0x44, 0x0F, 0x20, 0xC0}},
    {SVM_EXIT_CR_WRITE + 8, INSTRUCTION_MOV, 4, {0x44, 0x0F, 0x22, 0xC0}},
    {SVM_EXIT_INVD, INSTRUCTION_INVD, 2, {0x0F, 0x08}},
    {SVM_EXIT_WBINVD, INSTRUCTION_INVD, 2, {0x0F, 0x08}}, /* in QEMU's TCG */
    {SVM_EXIT_WBINVD, INSTRUCTION_WBINVD, 2, {0x0F, 0x09}},
    {SVM_EXIT_WBINVD, INSTRUCTION_WBNOINVD, 3, {0xF3, 0x0F, 0x09}},
    {SVM_EXIT_XSETBV, INSTRUCTION_XSETBV, 3, {0x0F, 0x01, 0xD1}},
};

bool guest_decode(struct vcpu *vcpu, struct instruction *instruction)
{
    uint8_t bytes[INSTRUCTION_LENGTH_MAX];
    size_t count = vcpu->handlers->fetch(vcpu, bytes);

    return instruction_decode(bytes, count, guest_code_size(&svm_of(vcpu)->vmcb),
                              instruction) == STATUS_OK;
}

/*
 * Translates an address of code by the guest's 4-level tables, without the checks that
 * the processor has made for the fetch. Returns false if an entry is not there.
 */
static bool walk_tables(struct vcpu *vcpu, uint64_t linear, gpa_t *physical)
{
    uint64_t entry     = svm_of(vcpu)->vmcb.cr3;
    unsigned int shift = LINEAR_WIDTH;

    do {
        shift -= LEVEL_BITS;
        uint64_t offset = BITS_GET(linear >> shift, LEVEL_BITS - 1, 0) * sizeof(entry);
        const uint64_t *pointer = vcpu->handlers->ram(
            vcpu, gpa((entry & PAGE_ENTRY_ADDRESS) + offset), sizeof(entry));
        if (pointer == NULL || (*pointer & PAGE_ENTRY_PRESENT) == 0)
            return false;
        entry = *pointer;
    } while (shift > PAGE_BITS && (entry & PAGE_ENTRY_PAGE_SIZE) == 0);
    uint64_t in_page = BIT(shift) - 1;
    *physical        = gpa((entry & PAGE_ENTRY_ADDRESS & ~in_page) | (linear & in_page));
    return true;
}

/*
 * Returns a pointer to PLAIN_LENGTH_MAX bytes of code at RIP in the frequent cases: in
 * one page, without paging or with 4 levels of tables. NULL in all others.
 */
static const uint8_t *find_code(struct vcpu *vcpu)
{
    const struct vmcb *vmcb = &svm_of(vcpu)->vmcb;
    bool has_paging         = (vmcb->cr0 & CR0_PG) != 0;
    uint64_t base           = has_paging ? 0 : vmcb->segment[SEGMENT_CS].base;
    uint64_t linear         = base + vmcb->rip; /* 64-bit code ignores the base */
    gpa_t physical          = gpa(linear);

    if (linear % PAGE_SIZE > PAGE_SIZE - PLAIN_LENGTH_MAX)
        return NULL;
    if (has_paging && (guest_code_size(vmcb) != CODE_64 || (vmcb->cr4 & CR4_LA57) != 0 ||
                       !walk_tables(vcpu, linear, &physical)))
        return NULL;
    return vcpu->handlers->ram(vcpu, physical, PLAIN_LENGTH_MAX);
}

static bool is_plain(const struct exiting_instruction *plain, const uint8_t *code)
{
    for (size_t i = 0; i < plain->length; i++) {
        if (code[i] != plain->bytes[i])
            return false;
    }
    return true;
}

static void set_next_rip(struct vmcb *vmcb, uint8_t length)
{
    uint64_t next = vmcb->rip + length;

    vmcb->next_rip = guest_code_size(vmcb) == CODE_64 ? next : (uint32_t)next;
}

static __attribute__((noinline)) bool find_by_decoding(struct vcpu *vcpu)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;
    struct instruction instruction;

    if (!guest_decode(vcpu, &instruction))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
        if (instructions[i].code == vmcb->exit_code &&
            instructions[i].name == instruction.name) {
            set_next_rip(vmcb, instruction.length);
            return true;
        }
    }
    return false;
}

bool next_rip_find(struct vcpu *vcpu)
{
    struct vmcb *vmcb     = &svm_of(vcpu)->vmcb;
    const uint8_t *code   = NULL;
    bool ends_instruction = false;

    for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
        if (instructions[i].code != vmcb->exit_code)
            continue;
        if (code == NULL && (code = find_code(vcpu)) == NULL)
            return find_by_decoding(vcpu);
        if (is_plain(&instructions[i], code)) {
            set_next_rip(vmcb, instructions[i].length);
            return true;
        }
        ends_instruction = true;
    }
    return !ends_instruction || find_by_decoding(vcpu);
}
