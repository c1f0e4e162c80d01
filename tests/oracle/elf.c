/* Compares src/lib/elf.h with <elf.h>, at compile time. */
#include "lib/elf.h"

#include <elf.h>
#include <stddef.h>

#define SAME_MEMBER(ours, our_member, theirs, their_member)      \
    _Static_assert(offsetof(struct ours, our_member) ==          \
                           offsetof(theirs, their_member) &&     \
                       sizeof(((struct ours *)0)->our_member) == \
                           sizeof(((theirs *)0)->their_member),  \
                   #their_member);

_Static_assert(sizeof(struct elf64_section) == sizeof(Elf64_Shdr), "Elf64_Shdr");
SAME_MEMBER(elf64_section, name, Elf64_Shdr, sh_name)
SAME_MEMBER(elf64_section, type, Elf64_Shdr, sh_type)
SAME_MEMBER(elf64_section, flags, Elf64_Shdr, sh_flags)
SAME_MEMBER(elf64_section, address, Elf64_Shdr, sh_addr)
SAME_MEMBER(elf64_section, offset, Elf64_Shdr, sh_offset)
SAME_MEMBER(elf64_section, size, Elf64_Shdr, sh_size)
SAME_MEMBER(elf64_section, link, Elf64_Shdr, sh_link)
SAME_MEMBER(elf64_section, info, Elf64_Shdr, sh_info)
SAME_MEMBER(elf64_section, alignment, Elf64_Shdr, sh_addralign)
SAME_MEMBER(elf64_section, entry_size, Elf64_Shdr, sh_entsize)

_Static_assert(sizeof(struct elf64_symbol) == sizeof(Elf64_Sym), "Elf64_Sym");
SAME_MEMBER(elf64_symbol, name, Elf64_Sym, st_name)
SAME_MEMBER(elf64_symbol, info, Elf64_Sym, st_info)
SAME_MEMBER(elf64_symbol, other, Elf64_Sym, st_other)
SAME_MEMBER(elf64_symbol, section, Elf64_Sym, st_shndx)
SAME_MEMBER(elf64_symbol, value, Elf64_Sym, st_value)
SAME_MEMBER(elf64_symbol, size, Elf64_Sym, st_size)

_Static_assert(ELF_SECTION_SYMBOL_TABLE == SHT_SYMTAB, "SHT_SYMTAB");
_Static_assert(ELF_SECTION_STRING_TABLE == SHT_STRTAB, "SHT_STRTAB");
_Static_assert(ELF_SECTION_RESERVED == SHN_LORESERVE, "SHN_LORESERVE");
_Static_assert(ELF_SYMBOL_TYPE_NONE == STT_NOTYPE, "STT_NOTYPE");
_Static_assert(ELF_SYMBOL_TYPE_FUNCTION == STT_FUNC, "STT_FUNC");
