# The Makefile of Hymir. `make help` lists the targets.
#
# All generated files are in build/. tools/setup installs the packages listed in tools/packages; SETUP=no
# skips that.

# The version, in this place alone; CHANGELOG.md begins with its section.
VERSION := 0.2.0

MAKEFLAGS += --no-builtin-rules
# One job for each processor, unless -j says otherwise or another make started this one.
ifeq ($(MAKELEVEL)$(findstring -j,$(MAKEFLAGS)),0)
MAKEFLAGS += --jobs=$(shell nproc)
endif
.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# The time of the sources, for whatever contains one: that of the last commit, or of a source archive's files. So a build
# of the same sources with the same packages has the same bytes.
ifndef SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH := $(shell { [ -e .git ] && git log -1 --format=%ct; } 2>/dev/null || stat -c %Y CHANGELOG.md)
endif
export SOURCE_DATE_EPOCH

# DEBUG=1 builds Hymir with checks for undefined behaviour, which raises #UD and panics.
DEBUG :=

CC    := gcc

# Where another distribution than Debian has these: docs/INSTALL.md.
GRUB_FILE := grub-file
SPLEEN    := /usr/share/consolefonts/spleen-8x16.psfu.gz

BUILD := build$(if $(filter-out 0,$(DEBUG)),/debug)
SETUP := yes

# The user's own guest: two files, a command line, and a memory size such as 512M. The medium is then user.iso.
KERNEL  :=
INITRD  :=
CMDLINE :=
MEMORY  :=

# The key that signs a medium for Secure Boot, and its certificate: two files in PEM. SHIM=yes puts Debian's shim on the
# medium, which Microsoft has signed.
KEY  :=
CERT :=
SHIM :=

# Kept as typed: make does not expand dollar signs in them.
$(foreach name,KERNEL INITRD CMDLINE MEMORY KEY CERT,$(eval override $(name) := $$(value $(name))))
export KERNEL INITRD CMDLINE MEMORY KEY CERT

SIGNED     := $(BUILD)/signed.iso
SHIM_FILES := build/shim
ISO    := $(if $(filter secure-boot shim,$(FIRMWARE)),$(SIGNED),$(BUILD)/$(if $(KERNEL)$(INITRD)$(CMDLINE)$(MEMORY),user,hymir).iso)

# V=1 shows the commands instead of one line for each.
V :=
Q    := $(if $(V),,@)
note = $(if $(V),@true,@printf '%-8s %s\n' $(1) $(patsubst $(BUILD)/%,%,$@))

.PHONY: all help
all: iso

help:
	@sed -n 's/^## //p' Makefile

# ---- Set-up -----------------------------------------------------------------------------------------

# setup,GROUPS: a recipe line that installs missing packages of the groups.
ifeq ($(SETUP),no)
setup = @true
else
setup = @tools/setup $(1)
endif

.PHONY: setup-build setup-report setup-run setup-test setup-sign
setup-build:
	$(call setup,build)
setup-report:
	$(call setup,build report)
setup-run:
	$(call setup,build run)
setup-test:
	$(call setup,build report run test check sign)
setup-sign:
	$(call setup,build sign)

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
    -mno-red-zone -mgeneral-regs-only -mpreferred-stack-boundary=3 -fno-pic -mcmodel=kernel -fno-strict-aliasing \
    -fno-delete-null-pointer-checks -fno-omit-frame-pointer -fno-optimize-sibling-calls \
    -fno-tree-loop-distribute-patterns -fno-stack-protector -fcf-protection=none \
    -fno-asynchronous-unwind-tables -mindirect-branch=thunk-extern -mindirect-branch-register -mfunction-return=thunk-extern -fno-jump-tables -ffile-prefix-map="$(CURDIR)"=. \
    -DHYMIR_VERSION='"$(VERSION)"' $(WARNINGS) \
    $(if $(filter-out 0,$(DEBUG)),-DHYMIR_DEBUG -fsanitize=undefined -fsanitize-undefined-trap-on-error)

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

$(BUILD)/src/vmx/entry.asm.o $(BUILD)/src/svm/entry.asm.o: src/virt/measures.inc

# Every VM exit executes these files, so they do without the frames that a backtrace follows: after a panic below
# them the backtrace ends with the caller's address.
EXIT_PATH := $(addprefix src/vmx/,on_exit.o exit.o control_registers.o vcpu.o vcpu_events.o) \
    $(addprefix src/guest/,exits.o ports.o devices.o vm_cpu.o vm_cpu_apic.o memory_devices.o \
        device_memory.o linear_access.o fetch.o translate.o) src/virt/operand.o \
    $(addprefix src/svm/,on_exit.o next_rip.o exit.o system_registers.o vcpu.o vcpu_events.o) \
    $(patsubst %.c,%.o,$(wildcard src/dev/*.c))
$(EXIT_PATH:%=$(BUILD)/%): CFLAGS += -fomit-frame-pointer -foptimize-sibling-calls

# A backtrace from a deliberate fault shows the caller, so the frame is made before the fault.
$(BUILD)/tests/faults/virtualization.o: CFLAGS += -fno-shrink-wrap

# Numbers that assembly shares with C: see boot/constants.c.
$(BUILD)/constants.inc: boot/constants.c Makefile | setup-build
	$(call note,GEN)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -O0 -fno-sanitize=all -MMD -MP -MT $@ -MF $(BUILD)/constants.d -S $< \
	    -o $(BUILD)/constants.s
	$(Q)sed -n 's/^[[:space:]]*constant \([A-Z0-9_]*\) \$$\(.*\)$$/%define HYMIR_\1 \2/p' \
	    $(BUILD)/constants.s > $@

# PSF version 1: 512 glyphs of 16 bytes and a Unicode table. See src/console/font.asm.
$(BUILD)/font.psf: | setup-build
	$(call note,GEN)
	@mkdir -p $(@D)
	$(Q)zcat -f "$(SPLEEN)" > $@
	@test "$$(od -An -tx1 -N4 $@ | tr -d ' ')" = 36040310

# The ACPI devices of guests. See src/guest/dsdt.asm.
DSDT := $(BUILD)/src/guest/dsdt.asm.o
$(DSDT): $(BUILD)/dsdt.aml

$(BUILD)/dsdt.aml: src/guest/dsdt.asl | setup-build
	$(call note,IASL)
	@mkdir -p $(@D)
	$(Q)iasl -we -p $(basename $@) $< > $(basename $@).log 2>&1 || { cat $(basename $@).log; exit 1; }

# The test image is the same objects, and the deliberate faults of tests/faults.
FAULT_OBJECTS := $(patsubst %,$(BUILD)/%.o,$(basename $(sort $(wildcard tests/faults/*.c))) $(wildcard tests/faults/*.asm))
IMAGES        := $(BUILD)/hymir.elf $(BUILD)/test/hymir.elf

## make test-elf            build/test/hymir.elf, which accepts selftest=: docs/TESTING.md
.PHONY: test-elf
test-elf: $(BUILD)/test/hymir.elf

$(BUILD)/test/hymir.debug.elf: $(FAULT_OBJECTS)
$(IMAGES:.elf=.debug.elf): $(OBJECTS) boot/hymir.ld
	$(call note,LD)
	@mkdir -p $(@D)
	$(Q)ld $(LDFLAGS) -T boot/hymir.ld -o $@ $(filter %.o,$^)

# Strips the debug sections, because GRUB loads every section of the file; keeps the symbols for
# backtraces.
$(IMAGES): %.elf: %.debug.elf
	$(call note,OBJCOPY)
	$(Q)objcopy --strip-debug $< $@
	$(Q)$(GRUB_FILE) --is-x86-multiboot2 $@

-include $(OBJECTS:.o=.d) $(FAULT_OBJECTS:.o=.d) $(BUILD)/constants.d $(BUILD)/tools/initramfs/hymir.d

# ---- The boot medium -----------------------------------------------------------------------------------

# The medium is built from three folders: Hymir and its menu (the tests add their own menu and guests), the
# guests of the menu, and the user's own guest.
ISO_HYMIR  := $(BUILD)/iso
ISO_GUESTS := $(BUILD)/iso-guests
ISO_USER   := $(BUILD)/iso-user

# mkrescue,FOLDERS: a recipe line that builds the medium. Whatever has a time or a serial number has that of the sources.
mkrescue = $(Q)TZ=UTC0 PATH="$(CURDIR)/tools/mkrescue:$$PATH" grub-mkrescue --locales= --themes= --fonts= -o $@ $(1) -- -volid HYMIR \
    -volume_date uuid "$$(date --utc --date=@$(SOURCE_DATE_EPOCH) +%Y%m%d%H%M%S00)" \
    -volume_date all_file_dates "=$(SOURCE_DATE_EPOCH)" 2> $@.log || { cat $@.log; exit 1; }

$(ISO_HYMIR)/boot/hymir.elf: $(BUILD)/hymir.elf grub.cfg boot/loopback.cfg $(wildcard iso/*)
	$(Q)rm -rf $(ISO_HYMIR)
	$(Q)mkdir -p $(ISO_HYMIR)/boot/grub $(ISO_HYMIR)/licenses
	$(Q)cp iso/* $(ISO_HYMIR)/
	$(Q)cp grub.cfg boot/loopback.cfg $(ISO_HYMIR)/boot/grub/
	$(Q)cp LICENSE $(ISO_HYMIR)/licenses/hymir.txt
	$(Q)cp /usr/share/doc/fonts-spleen/copyright $(ISO_HYMIR)/licenses/spleen.txt
	$(Q)cp /usr/share/doc/grub-common/copyright $(ISO_HYMIR)/licenses/grub.txt
	$(Q)cp $(BUILD)/hymir.elf $@

# Debian packages, unpacked in build/, so that no kernel is installed on this machine.
PACKAGES := build/packages

$(PACKAGES)/unpacked: tools/unpack tools/packages | setup-build
	$(call note,UNPACK)
	$(Q)tools/unpack guest $(PACKAGES)
	@touch $@

# The kernel of a scenario, which is not on the medium.
PLAIN := build/plain

$(PLAIN)/vmlinuz: tools/unpack tools/packages | setup-build
	$(call note,UNPACK)
	$(Q)tools/unpack plain $(PLAIN)
	$(Q)mv $(PLAIN)/boot/vmlinuz-* $@

# Kernels of other scenarios, by Multiboot and Multiboot2.
KERNELS := build/kernels

$(KERNELS)/gnumach: tools/unpack tools/packages | setup-build
	$(call note,UNPACK)
	$(Q)tools/unpack kernels $(KERNELS)
	$(Q)zcat $(KERNELS)/boot/xen-*-amd64.gz > $(KERNELS)/xen
	$(Q)zcat $(KERNELS)/boot/gnumach-*.gz > $@

# What a Linux needs to start Hymir, for scenarios: an initramfs that is used after the guest's.
KEXEC := build/kexec

$(KEXEC)/sbin/kexec: tools/unpack tools/packages | setup-build
	$(call note,UNPACK)
	$(Q)tools/unpack kexec $(KEXEC)
	@touch $@

$(KEXEC)/initrd.img: $(KEXEC)/sbin/kexec build/hymir.elf tools/hymir-check build/guests/hello.bin
	$(call note,PACK)
	$(Q)mkdir -p $(KEXEC)/boot
	$(Q)cp tools/hymir-check $(KEXEC)/sbin/
	$(Q)cp build/hymir.elf build/guests/hello.bin $(KEXEC)/boot/
	$(Q)cd $(KEXEC) && find . -name gconv -prune -o -type d -print -o -name '*.so*' -print -o -name kexec -print \
	    -o -name 'hymir*' -print -o -name hello.bin -print | LC_ALL=C sort -u | \
	    cpio --create --format=newc --owner=+0:+0 --quiet > $(@F)

# The program `hymir` of the Linux guest: uses Hymir's formatting and no C library.
$(BUILD)/hymir-command: $(patsubst %,$(BUILD)/%.o,tools/initramfs/hymir src/lib/format src/lib/string src/cpu/thunks.asm)
	$(call note,LD)
	$(Q)ld -s --build-id=none -z noexecstack -o $@ $^

$(ISO_GUESTS)/boot/linux/initrd.img: $(PACKAGES)/unpacked $(BUILD)/hymir-command $(addprefix tools/initramfs/,init pack power-button)
	$(call note,PACK)
	$(Q)rm -rf $(ISO_GUESTS)
	$(Q)mkdir -p $(ISO_GUESTS)/boot/linux $(ISO_GUESTS)/boot/memtest86+ $(ISO_GUESTS)/licenses
	$(Q)cp $(PACKAGES)/boot/vmlinuz-* $(ISO_GUESTS)/boot/linux/vmlinuz
	$(Q)cp $(PACKAGES)/boot/memtest86+x64.bin $(ISO_GUESTS)/boot/memtest86+/memtest.bin
	$(Q)cp $(PACKAGES)/usr/share/doc/linux-image-*/copyright $(ISO_GUESTS)/licenses/linux.txt
	$(Q)cp $(PACKAGES)/usr/share/doc/busybox-static/copyright $(ISO_GUESTS)/licenses/busybox.txt
	$(Q)cp $(PACKAGES)/usr/share/doc/memtest86+/copyright $(ISO_GUESTS)/licenses/memtest86+.txt
	$(Q)tools/initramfs/pack $(PACKAGES)/bin/busybox $(PACKAGES)/lib/modules $(BUILD)/hymir-command $@

$(BUILD)/hymir.iso: $(ISO_HYMIR)/boot/hymir.elf $(ISO_GUESTS)/boot/linux/initrd.img
	$(call note,ISO)
	$(call mkrescue,$(ISO_HYMIR) $(ISO_GUESTS))

# Always rebuilt: its files are given by variables, and their names may contain blanks.
.PHONY: $(BUILD)/user.iso
$(BUILD)/user.iso: $(BUILD)/hymir.iso
	$(Q)tools/user-guest $(ISO_USER)
	$(call note,ISO)
	$(call mkrescue,$(ISO_HYMIR) $(ISO_GUESTS) $(ISO_USER))

## make signed KEY= CERT=   build/signed.iso, a medium for UEFI with Secure Boot, signed with your own key; SHIM=yes: docs/SECURE-BOOT.md
.PHONY: signed
signed: $(SIGNED)

# Always rebuilt: the key and its certificate are given by variables.
.PHONY: $(SIGNED)
$(SIGNED): $(BUILD)/hymir.iso $(if $(SHIM),$(SHIM_FILES)/unpacked) | setup-sign
	$(call note,SIGN)
	$(Q)tools/sign "$$KEY" "$$CERT" "$(if $(SHIM),$(SHIM_FILES)/usr/lib/shim)" $@ $(ISO_HYMIR) $(ISO_GUESTS)

$(SHIM_FILES)/unpacked: tools/unpack tools/packages | setup-sign
	$(call note,UNPACK)
	$(Q)tools/unpack shim $(SHIM_FILES)
	@touch $@

# ---- Runs in emulators ----------------------------------------------------------------------------------------

# The emulated machine. An empty value means the emulator's default (tools/emulator.py); an empty MACHINE_MEMORY,
# in MiB, means as much as the guest needs (tools/run).
CPUS           := $(if $(filter seabios uefi,$(FIRMWARE)),1,2)
MACHINE_MEMORY :=
MODEL          :=
FIRMWARE       :=
MEDIUM         :=
DEVICE         :=
export CPUS MACHINE_MEMORY MODEL FIRMWARE MEDIUM DEVICE

## make run-iso             boots the medium: in QEMU if this host's KVM nests VT-x or AMD-V, otherwise with VT-x in Bochs
## make run-iso KERNEL=FILE boots your own guest; also INITRD= CMDLINE= MEMORY=256M, and with iso, usb and run-*
.PHONY: run-iso run-qemu run-bochs
run-iso: iso | setup-run
	@tools/run auto $(ISO)

## make run-bochs           boots it in Bochs; CPUS= MACHINE_MEMORY= MODEL= FIRMWARE=bochs|seabios|uefi
run-bochs: iso | setup-run
	@tools/run bochs $(ISO)

## make run-qemu            boots it in QEMU with AMD-V, without KVM; CPUS= MACHINE_MEMORY= MODEL= MEDIUM=cd|usb FIRMWARE=bios|uefi|uefi32|secure-boot|shim
run-qemu: iso | setup-run
	@tools/run qemu $(ISO)

## make usb DEVICE=/dev/sdX writes it to a USB stick, after showing the stick's contents and asking
.PHONY: usb
usb: iso
	@tools/usb $(ISO) "$$DEVICE"

## make netboot             build/netboot, a tree for a TFTP server: the check over the network, BIOS and UEFI
NETBOOT := $(BUILD)/netboot
.PHONY: netboot
netboot: $(NETBOOT)/boot/hymir.elf

# GRUB's modules for each kind of firmware, with the boot loader that each firmware fetches.
$(NETBOOT)/boot/hymir.elf: $(BUILD)/hymir.elf boot/netboot.cfg
	$(call note,NETBOOT)
	$(Q)rm -rf $(NETBOOT)
	$(Q)for platform in i386-pc i386-efi x86_64-efi; do \
	    grub-mknetdir --net-directory=$(NETBOOT) --subdir=/boot/grub --directory=/usr/lib/grub/$$platform \
	        --locales= --themes= --fonts= > $(BUILD)/netboot.log 2>&1 || { cat $(BUILD)/netboot.log; exit 1; }; \
	done
	$(Q)cp boot/netboot.cfg $(NETBOOT)/boot/grub/grub.cfg
	$(Q)cp $(BUILD)/hymir.elf $@

## make screenshots         the pictures in docs, from runs in Bochs and QEMU
.PHONY: screenshots
screenshots: iso | setup-run
	@tools/screenshot $(BUILD)/hymir.iso $(BUILD)/font.psf docs

# ---- Packages and releases -----------------------------------------------------------------------------------

PREFIX  := /usr/local
DESTDIR :=
PACKAGE := build/package
DIST    := build/dist
SOURCE  := hymir-$(VERSION)
DEB     := $(DIST)/hymir_$(VERSION)_amd64.deb

# What make builds of the files that are installed, in all cases and in the Debian package.
INSTALLED     := $(shell awk '$$1 ~ "^build/" && $$4 != "deb" { print $$1 }' tools/package/files)
INSTALLED_DEB := $(shell awk '$$1 ~ "^build/" { print $$1 }' tools/package/files)

## make install             installs Hymir in /boot, /etc/grub.d and PREFIX (/usr/local); uninstall removes it
.PHONY: package-files install install-deb uninstall
package-files: $(INSTALLED_DEB)
install: $(INSTALLED)
install-deb: package-files
install install-deb uninstall:
	@tools/package/install $@ "$(PREFIX)" "$(DESTDIR)"

# Manual pages, with the version and its date.
MANUALS := $(patsubst tools/package/%,$(PACKAGE)/%,$(wildcard tools/package/*.[1-8]))
$(MANUALS): $(PACKAGE)/%: tools/package/% Makefile
	@mkdir -p $(@D)
	$(Q)sed "s/@VERSION@/$(VERSION)/; s/@DATE@/$$(date --utc --date=@$(SOURCE_DATE_EPOCH) +%Y-%m-%d)/" $< > $@

# For the kernel of the machine that it is installed on, so without modules of another.
$(PACKAGE)/hymir-initrd.img: $(PACKAGES)/unpacked $(BUILD)/hymir-command $(addprefix tools/initramfs/,init pack power-button)
	$(call note,PACK)
	@mkdir -p $(@D)
	$(Q)tools/initramfs/pack $(PACKAGES)/bin/busybox "" $(BUILD)/hymir-command $@

## make deb                 build/dist/hymir_VERSION_amd64.deb, a Debian package with entries of GRUB's menu
.PHONY: deb
deb: $(DEB)

# Keeps its time if no source has changed.
.PHONY: FORCE
$(DIST)/$(SOURCE).tar.gz: FORCE
	$(Q)tools/package/source $(SOURCE) $@

$(DEB): $(DIST)/$(SOURCE).tar.gz $(PACKAGES)/unpacked
	$(call setup,build report package)
	$(call note,DEB)
	$(Q)tools/package/deb $(VERSION) $(abspath $< $(PACKAGES) build/deb)
	$(Q)cp build/deb/$(@F) $@

# Always built: it contains the time of the sources.
$(DIST)/$(SOURCE).iso: $(ISO_HYMIR)/boot/hymir.elf $(ISO_GUESTS)/boot/linux/initrd.img FORCE
	$(call note,ISO)
	@mkdir -p $(@D)
	$(call mkrescue,$(ISO_HYMIR) $(ISO_GUESTS))

## make dist                build/dist: source archive, ISO and Debian package of this version, and SHA256SUMS
.PHONY: dist
dist: $(DIST)/$(SOURCE).tar.gz $(DIST)/$(SOURCE).iso $(DEB)
	@[ ! -e .git ] || git diff --quiet HEAD || \
	    { echo "dist: there are changes that are not committed; commit them, so that the release can be built again" >&2; exit 1; }
	@cd $(DIST) && sha256sum $(^F) | tee SHA256SUMS

## make test-package        the package in a Debian in QEMU: installed, booted, removed; two builds of the release
.PHONY: test-package
test-package: deb
	$(call setup,run package-test)
	@tests/package/round-trip $(DEB)
	@tests/package/reproducible

# ---- Guests of the tests and the benchmark ------------------------------------------------------------------

GUESTS := $(patsubst tests/guests/%.asm,$(BUILD)/guests/%.bin,$(sort $(wildcard tests/guests/*.asm)))

$(BUILD)/guests/%.bin: tests/guests/%.asm $(wildcard tests/guests/*.inc) Makefile | setup-build
	$(call note,NASM)
	@mkdir -p $(@D)
	$(Q)nasm -f bin -w+all -Werror -Itests/guests/ $< -o $@

# A second initrd for Linux: an archive with the file /second; and an empty file.
$(BUILD)/guests/second.img: Makefile | setup-build
	$(call note,PACK)
	@mkdir -p $(@D)/second
	$(Q)echo "from the second initrd" > $(@D)/second/second
	$(Q): > $(@D)/empty.img
	$(Q)cd $(@D)/second && echo second | cpio --quiet -o -H newc > ../second.img

# ---- Unit tests: the pure sources, run natively under AddressSanitizer and UBSan ------------------

# Sources that need no hardware: docs/ARCHITECTURE.md, "Snapshot, verdict, apply".
PURE_SOURCES := $(filter-out src/lib/string.c,$(sort $(wildcard src/lib/*.c src/terminal/*.c src/firmware/*.c src/dev/*.c src/report/*.c))) \
    $(filter-out src/guest/vm.c,$(sort $(wildcard src/guest/*.c src/guest/load/*.c))) \
    src/mm/memory_map.c src/mm/frames.c src/mm/page_table.c src/cpu/cpuid.c src/cpu/machine_check_rules.c src/cpu/tsc_offset.c src/platform/scan_code.c src/platform/tsc_frequency.c \
    src/console/screen.c src/runner/placement.c $(sort $(wildcard src/virt/*.c)) \
    $(patsubst %,src/check/%.c,comparison isolation outer_hypervisor tsc_synchrony verdict) \
    $(patsubst %,src/vmx/%.c,capabilities checks entry_rules entry_values exit_description feature_control fixed_bits guest_policy \
    instructions vcpu_controls vmcs vmx) $(sort $(wildcard src/vmx/rules_*.c)) tests/unit/vt_x_hardware.c \
    $(patsubst %,src/svm/%.c,capabilities checks entry_values exit_description guest_policy next_rip rules_controls rules_state svm \
    system_registers vm_control vmcb) \
    tests/unit/amd_v_hardware.c

UNIT          := $(BUILD)/unit
UNIT_TESTS    := $(patsubst tests/unit/%.c,$(UNIT)/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_OBJECTS  := $(PURE_SOURCES:%.c=$(UNIT)/%.o) $(UNIT)/src/lib/string.o $(DSDT)
FIXTURES      := $(patsubst tests/fixtures/%.asl,$(UNIT)/fixtures/%.aml,$(wildcard tests/fixtures/*.asl))
UNIT_CFLAGS   := -std=gnu11 -O1 -g -Isrc -Itests/unit -Itests/faults -fno-pie -fno-omit-frame-pointer \
    -fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wextra -Wshadow -Werror \
    -DFIXTURES='"$(UNIT)/fixtures"' -DRECORDINGS='"tests/recordings"' -DDUMPS='"tests/dumps"' -DFONT='"$(BUILD)/font.psf"' -DHYMIR_VERSION='"$(VERSION)"'

$(UNIT)/src/lib/string.o: src/lib/string.c tests/unit/rename_string.h Makefile | setup-test
	$(call note,UNITCC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) -fno-builtin -include tests/unit/rename_string.h -MMD -MP -c $< -o $@

$(UNIT)/%.o: %.c Makefile | setup-test
	$(call note,UNITCC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

# An archive, so that each program is linked only with what it uses.
UNIT_ARCHIVE  := $(UNIT)/pure.a

$(UNIT_ARCHIVE): $(UNIT_OBJECTS)
	$(call note,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(UNIT)/test_%: $(UNIT)/tests/unit/test_%.o $(UNIT_ARCHIVE)
	$(call note,UNITLD)
	$(Q)$(CC) $(UNIT_CFLAGS) -no-pie -o $@ $(filter %.o,$^) $(UNIT_ARCHIVE) -lcmocka $(UNIT_LIBRARIES)

# Compared with Zydis, an independent decoder.
$(UNIT)/test_decoder_random: UNIT_LIBRARIES := -lZydis

# These tests receive the messages of the I/O APIC.
$(UNIT)/test_io_apic_model $(UNIT)/test_isa_lines: UNIT_LIBRARIES := -Wl,--wrap=apic_bus_send
# Its device stands in for those of the VM.
$(UNIT)/test_device_memory $(UNIT)/test_device_memory_faults: UNIT_LIBRARIES := -Wl,--wrap=vm_memory_read,--wrap=vm_memory_write

# What these test is not pure: it uses functions of the machine, which the tests replace.
$(UNIT)/test_ept $(UNIT)/test_entry_recordings: $(UNIT)/src/vmx/ept.o
$(UNIT)/test_framebuffer_text: $(UNIT)/src/console/framebuffer_text.o
$(UNIT)/test_guest_maker: $(UNIT)/src/runner/guest_maker.o $(UNIT)/src/runner/guest_allocation.o $(UNIT)/src/guest/vm.o
$(patsubst %,$(UNIT)/test_vm_%,cpu requests run sleep) $(UNIT)/replay_vm: $(UNIT)/src/guest/vm.o

# The violations of rules that the test image's self-test uses too.
$(UNIT)/test_entry_rules: $(UNIT)/tests/faults/perturbation.o $(UNIT)/tests/faults/perturbation_ways.o

# The option of the test image.
$(UNIT)/test_selftest $(UNIT)/replay_options: $(UNIT)/tests/faults/selftest.o

# zlib decompresses what Hymir compresses.
$(UNIT)/test_deflate: UNIT_LIBRARIES := -lz

# The program that shows stored reports.
REPORT_SOURCES   := $(filter-out tools/report/hymir_report.c,$(sort $(wildcard tools/report/*.c)))
REPORT_LIBRARIES := -ljansson -lz
$(UNIT)/test_stored $(UNIT)/replay_stored: $(REPORT_SOURCES:%.c=$(UNIT)/%.o)
$(UNIT)/test_stored $(UNIT)/replay_stored: UNIT_LIBRARIES := $(REPORT_LIBRARIES)

# The program that explains dumps.
EXPLAIN_SOURCES := $(filter-out tools/explain/explain.c,$(sort $(wildcard tools/explain/*.c)))
$(addprefix $(UNIT)/,test_dump test_explanation test_explanation_failures replay_dump): $(EXPLAIN_SOURCES:%.c=$(UNIT)/%.o)

$(UNIT)/fixtures/%.aml: tests/fixtures/%.asl | setup-test
	$(call note,IASL)
	@mkdir -p $(@D)
	$(Q)iasl -p $(basename $@) $< > $(basename $@).log 2>&1 || { cat $(basename $@).log; exit 1; }

.PRECIOUS: $(UNIT)/%.o

-include $(filter-out %.asm.d,$(UNIT_OBJECTS:.o=.d)) $(UNIT_TESTS:$(UNIT)/%=$(UNIT)/tests/unit/%.d) \
    $(wildcard $(UNIT)/tests/faults/*.d $(UNIT)/tools/*/*.d $(UNIT)/tests/fuzz/*.d $(UNIT)/src/vmx/*.d $(UNIT)/src/runner/*.d $(UNIT)/src/console/*.d $(UNIT)/src/guest/vm.d)

# ---- Programs for the host, of Hymir's own pure sources ---------------------------------------------------

HOST         := $(BUILD)/host
HOST_OBJECTS := $(PURE_SOURCES:%.c=$(HOST)/%.o) $(HOST)/src/lib/string.o $(DSDT)
HOST_CFLAGS  := -std=gnu11 -O1 -Wall -Wextra -Werror -Isrc -DHYMIR_VERSION='"$(VERSION)"' -fno-pie

$(HOST)/src/lib/string.o: HOST_CFLAGS += -fno-builtin -include tests/unit/rename_string.h

$(HOST)/%.o: %.c Makefile | setup-build
	$(call note,HOSTCC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

# For tools/decode: turns registers into Hymir's report.
$(BUILD)/registers: $(HOST)/tools/registers.o

## make explain             build/explain: names the rules that a failed VM entry violated, from a dump of Linux or Xen
.PHONY: explain
explain: $(BUILD)/explain

$(BUILD)/explain: $(HOST)/tools/explain/explain.o $(EXPLAIN_SOURCES:%.c=$(HOST)/%.o)

## make hymir-report        build/hymir-report: shows on Linux the report that Hymir stored there (report=efi, report=ram)
.PHONY: hymir-report
hymir-report: $(BUILD)/hymir-report

REPORT_OBJECTS := $(patsubst %.c,$(HOST)/%.o,$(REPORT_SOURCES) tools/report/hymir_report.c)

$(REPORT_OBJECTS): HOST_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Isrc -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
    -ffile-prefix-map="$(CURDIR)"=.
$(REPORT_OBJECTS): | setup-report

$(BUILD)/hymir-report: $(REPORT_OBJECTS)
	$(call note,HOSTLD)
	$(Q)$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^ $(REPORT_LIBRARIES)

# Without shared libraries, for Linux in a test, where tests/boot/stored-linux runs it.
$(BUILD)/hymir-report-static: $(REPORT_OBJECTS)
	$(call note,HOSTLD)
	$(Q)$(CC) -static-pie -o $@ $^ $(REPORT_LIBRARIES)

STORED := $(BUILD)/stored
$(STORED).cpio: $(BUILD)/hymir-report-static tests/boot/stored-linux $(PACKAGES)/unpacked
	$(call note,PACK)
	$(Q)rm -rf $(STORED)
	$(Q)mkdir -p $(STORED)/bin $(STORED)/lib/stored
	$(Q)cp $(BUILD)/hymir-report-static $(STORED)/bin/hymir-report
	$(Q)cp tests/boot/stored-linux $(STORED)/bin/stored
	$(Q)find $(PACKAGES)/lib/modules ! -name button.ko ! -name evdev.ko -name '*.ko' -exec cp {} $(STORED)/lib/stored/ ';'
	$(Q)cd $(STORED) && find . | LC_ALL=C sort | cpio --create --format=newc --owner=+0:+0 --quiet > ../$(@F)

## make entry-rules         writes docs/ENTRY-RULES.md from the rules of VM entry in src
.PHONY: entry-rules
entry-rules: $(BUILD)/entry-rules
	$(Q)$(BUILD)/entry-rules > docs/ENTRY-RULES.md

$(BUILD)/entry-rules: $(HOST)/tools/entry_rules.o

$(addprefix $(BUILD)/,registers explain entry-rules): $(HOST_OBJECTS)
	$(call note,HOSTLD)
	$(Q)$(CC) $(HOST_CFLAGS) -no-pie -o $@ $^

-include $(filter-out %.asm.d,$(HOST_OBJECTS:.o=.d)) $(wildcard $(HOST)/tools/*.d $(HOST)/tools/*/*.d)

FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
REPLAYS      := $(FUZZ_TARGETS:%=$(UNIT)/replay_%)

## make unit                unit tests only
.PHONY: unit
unit: $(UNIT_TESTS) $(REPLAYS) $(FIXTURES) $(BUILD)/font.psf
	@tests/run unit

# ---- Fuzzing: a target for each parser of untrusted input -------------------------------------------------

FUZZ         := $(BUILD)/fuzz
FUZZ_SECONDS := 20
FUZZ_CFLAGS  := -std=gnu11 -O1 -g -Isrc -Itests/fuzz -fno-sanitize-recover=all -Wall -Wextra \
    -DHYMIR_VERSION='"$(VERSION)"'

FUZZ_OBJECTS := $(PURE_SOURCES:%.c=$(FUZZ)/%.o) $(FUZZ)/src/lib/string.o $(DSDT)

$(FUZZ)/src/lib/string.o: FUZZ_CFLAGS += -fno-builtin -include tests/unit/rename_string.h

$(FUZZ)/%.o: %.c Makefile | setup-test
	$(call note,FUZZCC)
	@mkdir -p $(@D)
	$(Q)clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c $< -o $@

$(FUZZ)/fuzz_%: $(FUZZ)/tests/fuzz/fuzz_%.o $(FUZZ_OBJECTS)
	$(call note,FUZZLD)
	$(Q)clang -fsanitize=fuzzer,address,undefined -no-pie -o $@ $^ $(FUZZ_LIBRARIES)

.PRECIOUS: $(FUZZ)/%.o

$(FUZZ)/fuzz_options: $(FUZZ)/tests/faults/selftest.o
$(FUZZ)/fuzz_dump: $(EXPLAIN_SOURCES:%.c=$(FUZZ)/%.o)
$(FUZZ)/fuzz_stored: $(REPORT_SOURCES:%.c=$(FUZZ)/%.o)
$(FUZZ)/fuzz_stored: FUZZ_LIBRARIES := $(REPORT_LIBRARIES)
$(FUZZ)/fuzz_vm: $(FUZZ)/src/guest/vm.o

-include $(filter-out %.asm.d,$(FUZZ_OBJECTS:.o=.d)) $(wildcard $(FUZZ)/tests/fuzz/*.d)

# The same target without libFuzzer; replays the inputs in tests/fuzz/corpus, and random changes of them.
$(UNIT)/replay_%: $(UNIT)/tests/fuzz/fuzz_%.o $(UNIT)/tests/fuzz/replay.o $(UNIT_ARCHIVE)
	$(call note,UNITLD)
	$(Q)$(CC) $(UNIT_CFLAGS) -no-pie -o $@ $(filter %.o,$^) $(UNIT_ARCHIVE) $(UNIT_LIBRARIES)

$(UNIT)/tests/fuzz/%.o: UNIT_CFLAGS += -Itests/fuzz

## make fuzz                fuzzes each parser for FUZZ_SECONDS (20); inputs that crash are left in build/fuzz
.PHONY: fuzz
fuzz: $(FUZZ_TARGETS:%=$(FUZZ)/fuzz_%)
	@for target in $(FUZZ_TARGETS); do tests/fuzz/run $$target $(FUZZ_SECONDS); done

# ---- All tests -----------------------------------------------------------------------------------------

## make check               format, layers, headers, numbers, clang-tidy, cppcheck, shellcheck
.PHONY: check
check: elf debug-elf test-elf deb | setup-test
	@tests/run check

# What only the scenarios of tests/boot need.
SCENARIO_FILES = $(GUESTS) $(BUILD)/guests/second.img $(BUILD)/registers $(STORED).cpio $(PLAIN)/vmlinuz \
                 $(KERNELS)/gnumach $(SHIM_FILES)/unpacked $(KEXEC)/initrd.img

## make boot-test           boot scenarios in Bochs and QEMU
.PHONY: boot-test
boot-test: iso netboot debug-elf test-elf $(SCENARIO_FILES) | setup-run setup-test
	@tests/run boot

## make fuzz-guest          a guest executes the random bytes of GUEST_SEEDS (200) seeds; Hymir must survive it
.PHONY: fuzz-guest
GUEST_SEEDS := 200
fuzz-guest: iso $(GUESTS) | setup-run setup-test
	@tests/boot/run --guest-seeds $(GUEST_SEEDS)

## make bench               cost of exits, starts and Linux as a guest, in Bochs, compared with KVM, Xen and bare metal
.PHONY: bench
bench: iso $(GUESTS) | setup-run setup-test
	@tests/boot/bench

# Used by some scenarios; panics at the first undefined behaviour.
.PHONY: debug-elf
debug-elf:
	@$(MAKE) --no-print-directory DEBUG=1 elf

## make test                unit tests, checks and boot scenarios; the last line counts them
.PHONY: test
test: iso netboot debug-elf test-elf deb $(SCENARIO_FILES) $(UNIT_TESTS) $(REPLAYS) $(FIXTURES) | setup-run setup-test
	@tests/run unit check boot

## make count               lines of code in src, and the sizes of its functions and files
.PHONY: count
count:
	@tools/count

## make clean               removes build/
.PHONY: clean
clean:
	rm -rf $(BUILD)
