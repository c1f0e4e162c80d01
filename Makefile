# Hymir's one Makefile. `make help` names the targets; README.md says what they are for.
#
# All that is generated goes to build/. Packages are installed by tools/setup from the list in
# tools/packages; SETUP=no leaves that out.

VERSION := 0.1.0

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# DEBUG=1 builds a Hymir that checks itself for undefined behaviour: it then ends in #UD, and a panic.
DEBUG :=

CC    := gcc
BUILD := build$(if $(filter-out 0,$(DEBUG)),/debug)
SETUP := yes

# A guest of the user's: two files, its command line, its memory, such as 512M. With it the medium is user.iso.
KERNEL  :=
INITRD  :=
CMDLINE :=
MEMORY  :=

# As they were typed: make expands no dollar sign in them.
$(foreach name,KERNEL INITRD CMDLINE MEMORY,$(eval override $(name) := $$(value $(name))))
export KERNEL INITRD CMDLINE MEMORY

ISO := $(BUILD)/$(if $(KERNEL)$(INITRD)$(CMDLINE)$(MEMORY),user,hymir).iso

# V=1 shows the commands instead of a line for each.
V :=
Q    := $(if $(V),,@)
note = $(if $(V),@true,@printf '%-8s %s\n' $(1) $(patsubst $(BUILD)/%,%,$@))

.PHONY: all help
all: iso

help:
	@sed -n 's/^## //p' Makefile

# ---- Set-up -----------------------------------------------------------------------------------------

# setup,GROUPS: a recipe line that sees to the packages of the groups.
ifeq ($(SETUP),no)
setup = @true
else
setup = @tools/setup $(1)
endif

.PHONY: setup-build setup-run setup-test
setup-build:
	$(call setup,build)
setup-run:
	$(call setup,build run)
setup-test:
	$(call setup,build run test check)

# ---- The hypervisor ---------------------------------------------------------------------------------

SOURCES_C   := $(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c))
SOURCES_ASM := $(sort $(wildcard boot/*.asm src/*/*.asm))
OBJECTS     := $(SOURCES_C:%.c=$(BUILD)/%.o) $(SOURCES_ASM:%.asm=$(BUILD)/%.asm.o)

WARNINGS := -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wundef -Wvla -Wcast-qual \
    -Wstrict-prototypes -Wmissing-prototypes -Wnull-dereference -Wimplicit-fallthrough=5 \
    -Wwrite-strings -Wframe-larger-than=1024 -Werror

# The compiler's own headers are the only ones from outside the tree.
GCC_INCLUDE = $(shell $(CC) -print-file-name=include)

CFLAGS = -std=gnu11 -O2 -g -ffreestanding -nostdinc -isystem $(GCC_INCLUDE) -Isrc -m64 \
    -mno-red-zone -mgeneral-regs-only -fno-pic -mcmodel=kernel -fno-strict-aliasing \
    -fno-delete-null-pointer-checks -fno-omit-frame-pointer -fno-optimize-sibling-calls \
    -fno-tree-loop-distribute-patterns -fno-stack-protector -fcf-protection=none \
    -fno-asynchronous-unwind-tables -ffile-prefix-map="$(CURDIR)"=. \
    -DHYMIR_VERSION='"$(VERSION)"' $(WARNINGS) \
    $(if $(filter-out 0,$(DEBUG)),-fsanitize=undefined -fsanitize-undefined-trap-on-error)

NASMFLAGS := -f elf64 -w+all -Werror -I$(BUILD)/
LDFLAGS   := -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none --fatal-warnings

## make iso                 build/hymir.iso, the boot medium, and build/hymir.elf, the hypervisor alone
.PHONY: iso elf
iso: $(ISO)
elf: $(BUILD)/hymir.elf

$(BUILD)/%.o: %.c Makefile | setup-build
	$(call note,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/%.asm.o: %.asm $(BUILD)/constants.inc $(BUILD)/font.psf Makefile | setup-build
	$(call note,NASM)
	@mkdir -p $(@D)
	$(Q)nasm $(NASMFLAGS) $< -o $@

# The numbers that assembly shares with C: see boot/constants.c.
$(BUILD)/constants.inc: boot/constants.c Makefile | setup-build
	$(call note,GEN)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -O0 -fno-sanitize=all -MMD -MP -MT $@ -MF $(BUILD)/constants.d -S $< \
	    -o $(BUILD)/constants.s
	$(Q)sed -n 's/^[[:space:]]*constant \([A-Z0-9_]*\) \$$\(.*\)$$/%define HYMIR_\1 \2/p' \
	    $(BUILD)/constants.s > $@

# PSF version 1, 512 glyphs with a Unicode table, 16 bytes a glyph: see src/console/font.asm.
$(BUILD)/font.psf: | setup-build
	$(call note,GEN)
	@mkdir -p $(@D)
	$(Q)zcat /usr/share/consolefonts/spleen-8x16.psfu.gz > $@
	@test "$$(od -An -tx1 -N4 $@ | tr -d ' ')" = 36040310

$(BUILD)/hymir.debug.elf: $(OBJECTS) boot/hymir.ld
	$(call note,LD)
	$(Q)ld $(LDFLAGS) -T boot/hymir.ld -o $@ $(OBJECTS)

# GRUB loads every section of the file, so the debug sections stay behind; the symbols are for
# backtraces.
$(BUILD)/hymir.elf: $(BUILD)/hymir.debug.elf
	$(call note,OBJCOPY)
	$(Q)objcopy --strip-debug $< $@
	$(Q)grub-file --is-x86-multiboot2 $@

-include $(OBJECTS:.o=.d) $(BUILD)/constants.d $(BUILD)/tools/initramfs/hymir.d

# ---- The boot medium -----------------------------------------------------------------------------------

# It is made of folders: Hymir with its menu (the tests put their own menu and guests beside that), the guests
# of the menu, and the user's own guest.
ISO_HYMIR  := $(BUILD)/iso
ISO_GUESTS := $(BUILD)/iso-guests
ISO_USER   := $(BUILD)/iso-user

# mkrescue,FOLDERS: a recipe line that makes the medium.
mkrescue = $(Q)grub-mkrescue --locales= --themes= --fonts= -o $@ $(1) -- -volid HYMIR 2> $@.log || \
    { cat $@.log; exit 1; }

$(ISO_HYMIR)/boot/hymir.elf: $(BUILD)/hymir.elf grub.cfg boot/loopback.cfg $(wildcard iso/*)
	$(Q)rm -rf $(ISO_HYMIR)
	$(Q)mkdir -p $(ISO_HYMIR)/boot/grub $(ISO_HYMIR)/licenses
	$(Q)cp iso/* $(ISO_HYMIR)/
	$(Q)cp grub.cfg boot/loopback.cfg $(ISO_HYMIR)/boot/grub/
	$(Q)cp LICENSE $(ISO_HYMIR)/licenses/hymir.txt
	$(Q)cp /usr/share/doc/fonts-spleen/copyright $(ISO_HYMIR)/licenses/spleen.txt
	$(Q)cp /usr/share/doc/grub-common/copyright $(ISO_HYMIR)/licenses/grub.txt
	$(Q)cp $(BUILD)/hymir.elf $@

# Debian's packages, unpacked here, so that no kernel is installed on this machine.
PACKAGES := build/packages

$(PACKAGES)/unpacked: tools/unpack tools/packages | setup-build
	$(call note,UNPACK)
	$(Q)tools/unpack guest $(PACKAGES)
	@touch $@

# The guest's own program: Hymir's formatting, and no C library.
$(BUILD)/hymir-command: $(patsubst %,$(BUILD)/%.o,tools/initramfs/hymir src/lib/format src/lib/string)
	$(call note,LD)
	$(Q)ld -s --build-id=none -z noexecstack -o $@ $^

$(ISO_GUESTS)/boot/linux/initrd.img: $(PACKAGES)/unpacked $(BUILD)/hymir-command tools/initramfs/init tools/initramfs/pack
	$(call note,PACK)
	$(Q)rm -rf $(ISO_GUESTS)
	$(Q)mkdir -p $(ISO_GUESTS)/boot/linux $(ISO_GUESTS)/boot/memtest86+ $(ISO_GUESTS)/licenses
	$(Q)cp $(PACKAGES)/boot/vmlinuz-* $(ISO_GUESTS)/boot/linux/vmlinuz
	$(Q)cp $(PACKAGES)/boot/memtest86+x64.bin $(ISO_GUESTS)/boot/memtest86+/memtest.bin
	$(Q)cp $(PACKAGES)/usr/share/doc/linux-image-*/copyright $(ISO_GUESTS)/licenses/linux.txt
	$(Q)cp $(PACKAGES)/usr/share/doc/busybox-static/copyright $(ISO_GUESTS)/licenses/busybox.txt
	$(Q)cp $(PACKAGES)/usr/share/doc/memtest86+/copyright $(ISO_GUESTS)/licenses/memtest86+.txt
	$(Q)tools/initramfs/pack $(PACKAGES)/bin/busybox $(BUILD)/hymir-command $@

$(BUILD)/hymir.iso: $(ISO_HYMIR)/boot/hymir.elf $(ISO_GUESTS)/boot/linux/initrd.img
	$(call note,ISO)
	$(call mkrescue,$(ISO_HYMIR) $(ISO_GUESTS))

# Made anew each time: its files are named by variables, and may have blanks in their names.
.PHONY: $(BUILD)/user.iso
$(BUILD)/user.iso: $(BUILD)/hymir.iso
	$(Q)tools/user-guest $(ISO_USER)
	$(call note,ISO)
	$(call mkrescue,$(ISO_HYMIR) $(ISO_GUESTS) $(ISO_USER))

# ---- Running it ----------------------------------------------------------------------------------------

# Of the emulated machine; empty is the emulator's default (tools/emulator.py), and of MACHINE_MEMORY, in MiB,
# what the guest needs (tools/run).
CPUS           := $(if $(filter seabios uefi,$(FIRMWARE)),1,2)
MACHINE_MEMORY :=
MODEL          :=
FIRMWARE       :=
MEDIUM         :=
DEVICE         :=
export CPUS MACHINE_MEMORY MODEL FIRMWARE MEDIUM DEVICE

## make run-iso             boots it where VT-x is: QEMU with KVM if this host nests it, else Bochs
## make run-iso KERNEL=FILE boots your own guest; INITRD= CMDLINE= MEMORY=256M; so do iso, usb and run-*
.PHONY: run-iso run-qemu run-bochs
run-iso: iso | setup-run
	@tools/run auto $(ISO)

## make run-bochs           boots it in Bochs; CPUS= MACHINE_MEMORY= MODEL= FIRMWARE=bochs|seabios|uefi
run-bochs: iso | setup-run
	@tools/run bochs $(ISO)

## make run-qemu            boots it in QEMU without VT-x; CPUS= MACHINE_MEMORY= MODEL= FIRMWARE=bios|uefi MEDIUM=cd|usb
run-qemu: iso | setup-run
	@tools/run qemu $(ISO)

## make usb DEVICE=/dev/sdX writes it to a USB stick, after showing what is on the stick and asking
.PHONY: usb
usb: iso
	@tools/usb $(ISO) "$$DEVICE"

## make netboot           build/netboot, a tree for TFTP: the check over the network, BIOS and UEFI; see docs/REPORT.md
NETBOOT := $(BUILD)/netboot
.PHONY: netboot
netboot: $(NETBOOT)/boot/hymir.elf

# GRUB's modules for both kinds of firmware, with the loader that each of them fetches first.
$(NETBOOT)/boot/hymir.elf: $(BUILD)/hymir.elf boot/netboot.cfg
	$(call note,NETBOOT)
	$(Q)rm -rf $(NETBOOT)
	$(Q)for platform in i386-pc x86_64-efi; do \
	    grub-mknetdir --net-directory=$(NETBOOT) --subdir=/boot/grub --directory=/usr/lib/grub/$$platform \
	        --locales= --themes= --fonts= > $(BUILD)/netboot.log 2>&1 || { cat $(BUILD)/netboot.log; exit 1; }; \
	done
	$(Q)cp boot/netboot.cfg $(NETBOOT)/boot/grub/grub.cfg
	$(Q)cp $(BUILD)/hymir.elf $@

## make screenshots         the pictures in docs, from runs in Bochs and QEMU
.PHONY: screenshots
screenshots: iso | setup-run
	@tools/screenshot $(BUILD)/hymir.iso $(BUILD)/font.psf docs

# ---- Guests for the tests and the bench ------------------------------------------------------------------

GUESTS := $(patsubst tests/guests/%.asm,$(BUILD)/guests/%.bin,$(sort $(wildcard tests/guests/*.asm)))

$(BUILD)/guests/%.bin: tests/guests/%.asm $(wildcard tests/guests/*.inc) Makefile | setup-build
	$(call note,NASM)
	@mkdir -p $(@D)
	$(Q)nasm -f bin -w+all -Werror -Itests/guests/ $< -o $@

# ---- Unit tests: the pure sources on this machine, under AddressSanitizer and UBSan ------------------

# What runs without the hardware: docs/ARCHITECTURE.md, "Snapshot, verdict, apply".
PURE_SOURCES := $(filter-out src/lib/string.c,$(sort $(wildcard src/lib/*.c src/terminal/*.c src/firmware/*.c src/dev/*.c src/report/*.c))) \
    $(filter-out src/guest/vm.c,$(sort $(wildcard src/guest/*.c src/guest/load/*.c))) \
    src/mm/memory_map.c src/mm/frames.c src/mm/page_table.c src/cpu/cpuid.c src/platform/scan_code.c src/console/screen.c $(wildcard src/virt/*.c) \
    $(patsubst %,src/vmx/%.c,attempt capabilities capability_groups capability_rows check comparison exit_description \
    feature_control fixed_bits outer_hypervisor timing vcpu_controls verdict vmcs)

UNIT          := $(BUILD)/unit
UNIT_TESTS    := $(patsubst tests/unit/%.c,$(UNIT)/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_OBJECTS  := $(PURE_SOURCES:%.c=$(UNIT)/%.o) $(UNIT)/src/lib/string.o
FIXTURES      := $(patsubst tests/fixtures/%.asl,$(UNIT)/fixtures/%.aml,$(wildcard tests/fixtures/*.asl))
UNIT_CFLAGS   := -std=gnu11 -O1 -g -Isrc -Itests/unit -fno-pie -fno-omit-frame-pointer \
    -fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wextra -Wshadow -Werror \
    -DFIXTURES='"$(UNIT)/fixtures"' -DFONT='"$(BUILD)/font.psf"' -DHYMIR_VERSION='"$(VERSION)"'

$(UNIT)/src/lib/string.o: src/lib/string.c tests/unit/rename_string.h Makefile | setup-test
	$(call note,UNITCC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) -fno-builtin -include tests/unit/rename_string.h -MMD -MP -c $< -o $@

$(UNIT)/%.o: %.c Makefile | setup-test
	$(call note,UNITCC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

$(UNIT)/test_%: $(UNIT)/tests/unit/test_%.o $(UNIT_OBJECTS)
	$(call note,UNITLD)
	$(Q)$(CC) $(UNIT_CFLAGS) -no-pie -o $@ $^ -lcmocka

# Its tables come from the test, not from mm/memory.c.
$(UNIT)/test_ept: $(UNIT)/src/vmx/ept.o

$(UNIT)/fixtures/%.aml: tests/fixtures/%.asl | setup-test
	$(call note,IASL)
	@mkdir -p $(@D)
	$(Q)iasl -p $(basename $@) $< > $(basename $@).log 2>&1 || { cat $(basename $@).log; exit 1; }

.PRECIOUS: $(UNIT)/%.o

-include $(UNIT_OBJECTS:.o=.d) $(UNIT_TESTS:$(UNIT)/%=$(UNIT)/tests/unit/%.d) \
    $(wildcard $(UNIT)/tests/fuzz/*.d $(UNIT)/src/vmx/*.d)

# For tools/decode: registers as the report that Hymir makes of them.
$(BUILD)/registers: tools/registers.c $(PURE_SOURCES) Makefile | setup-build
	$(call note,HOSTCC)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O1 -Wall -Wextra -Werror -Isrc -DHYMIR_VERSION='"$(VERSION)"' -include tests/unit/rename_string.h \
	    -fno-builtin -c src/lib/string.c -o $@.string.o
	$(Q)$(CC) -std=gnu11 -O1 -Wall -Wextra -Werror -Isrc -DHYMIR_VERSION='"$(VERSION)"' -no-pie -o $@ $< $(PURE_SOURCES) $@.string.o

FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
REPLAYS      := $(FUZZ_TARGETS:%=$(UNIT)/replay_%)

## make unit                the unit tests alone
.PHONY: unit
unit: $(UNIT_TESTS) $(REPLAYS) $(FIXTURES) $(BUILD)/font.psf
	@tests/run unit

# ---- Fuzzing: a target for each parser of foreign bytes -------------------------------------------------

FUZZ         := $(BUILD)/fuzz
FUZZ_SECONDS := 20
FUZZ_CFLAGS  := -std=gnu11 -O1 -g -Isrc -Itests/fuzz -fno-sanitize-recover=all -Wall -Wextra \
    -DHYMIR_VERSION='"$(VERSION)"'

$(FUZZ)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(PURE_SOURCES) src/lib/string.c Makefile | setup-test
	$(call note,FUZZCC)
	@mkdir -p $(@D)
	$(Q)clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -fno-builtin \
	    -include tests/unit/rename_string.h -c src/lib/string.c -o $@.string.o
	$(Q)clang $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined -no-pie -o $@ $< $(PURE_SOURCES) $@.string.o

# The same target without a fuzzer, for the kept inputs.
$(UNIT)/replay_%: $(UNIT)/tests/fuzz/fuzz_%.o $(UNIT)/tests/fuzz/replay.o $(UNIT_OBJECTS)
	$(call note,UNITLD)
	$(Q)$(CC) $(UNIT_CFLAGS) -no-pie -o $@ $^

$(UNIT)/tests/fuzz/%.o: UNIT_CFLAGS += -Itests/fuzz

## make fuzz                each parser fuzzed for FUZZ_SECONDS (20); what crashes is left in build/fuzz
.PHONY: fuzz
fuzz: $(FUZZ_TARGETS:%=$(FUZZ)/fuzz_%)
	@for target in $(FUZZ_TARGETS); do tests/fuzz/run $$target $(FUZZ_SECONDS); done

# ---- All tests -----------------------------------------------------------------------------------------

## make check               format, layers, headers, numbers, clang-tidy, cppcheck, shellcheck
.PHONY: check
check: elf | setup-test
	@tests/run check

## make boot-test           the boot scenarios in Bochs and QEMU
.PHONY: boot-test
boot-test: iso netboot debug-elf $(GUESTS) $(BUILD)/registers | setup-run setup-test
	@tests/run boot

## make fuzz-guest          GUEST_SEEDS (204) guests that execute made-up bytes; Hymir must outlive them
.PHONY: fuzz-guest
GUEST_SEEDS := 204
fuzz-guest: iso $(GUESTS) | setup-run setup-test
	@tests/boot/run --guest-seeds $(GUEST_SEEDS)

## make bench               what exits, and Linux as a guest, cost in Bochs, beside KVM, Xen and no hypervisor
.PHONY: bench
bench: iso $(GUESTS) | setup-run setup-test
	@tests/boot/bench

# Some scenarios run the debug build, which ends in a panic at the first undefined behaviour.
.PHONY: debug-elf
debug-elf:
	@$(MAKE) --no-print-directory DEBUG=1 elf

## make test                unit tests, boot scenarios and checks; the last line counts them
.PHONY: test
test: iso netboot debug-elf $(GUESTS) $(BUILD)/registers $(UNIT_TESTS) $(REPLAYS) $(FIXTURES) | setup-run setup-test
	@tests/run unit check boot

## make count               lines of code in src, and the sizes of its functions and files
.PHONY: count
count:
	@tools/count

## make clean               removes build/
.PHONY: clean
clean:
	rm -rf $(BUILD)
