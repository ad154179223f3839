# Coppice. `make help` lists the targets.
#
# Everything is built under build/: the kernel from boot/, kernel/ and mm/; newlib and the programs of user/ and
# tests/guest/ on it; of these an initramfs, and of all an ISO image that GRUB boots. Every program is one C file, or a
# directory of C files; no list here names them.

MAKEFLAGS += -j$(shell nproc) --no-builtin-rules
SHELL := /bin/bash
.DELETE_ON_ERROR:

B := build

.PHONY: all run test soak mutants coverage fuzz check gdb clean help setup kernel newlib initramfs iso checked \
	host-tests
all: kernel iso checked host-tests

help:
	@echo 'make run       boot Coppice in QEMU to its shell'
	@echo 'make test      run all tests, on this machine and in the guest'
	@echo 'make           build everything without running it'
	@echo 'make checked   a kernel that checks itself for undefined behaviour and the order of locks'
	@echo 'make soak      for hours: mm/ against its model, then processes that collide on 4 CPUs'
	@echo 'make fuzz      mm/ against its model: operations that libFuzzer makes up, for FUZZ_SECONDS=60'
	@echo 'make mutants   plant faults in mm/, one at a time: the tests must catch each'
	@echo 'make coverage  what of mm/ the host tests run'
	@echo 'make check     formatting and static analysis of all C files'
	@echo 'make gdb       QEMU stopped at the kernel'"'"'s entry, gdb attached'
	@echo 'make clean     remove build/ (newlib too: it takes a minute to build again)'
	@echo 'tools/run      run one program in the guest; tools/run --help'

# Installs what is missing, or says how; instant when nothing is.
setup:
	@tools/setup

# Kernel

KERNEL_FLAGS := -std=gnu17 -O2 -g -ffreestanding -fno-stack-protector -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -mcmodel=kernel -fno-omit-frame-pointer -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -Wall -Wextra -Werror -I.
NASM_FLAGS := -f elf64 -g -F dwarf

# A second kernel from the same source, which checks itself: UBSan, the order of locks (mm/lock_order.h), and faults to
# prove the checks with (kernel/checked/). It is all that is built twice.
CHECKED_FLAGS := -DCHECKED -fsanitize=undefined -fno-sanitize-recover=all

kernel_asm := $(wildcard boot/*.asm)
checked_c := $(wildcard kernel/*.c kernel/*/*.c mm/*.c)
kernel_c := $(filter-out kernel/checked/%,$(checked_c))
kernel_objects := $(kernel_asm:%=$B/kernel/%.o) $(kernel_c:%=$B/kernel/%.o)
checked_objects := $(kernel_asm:%=$B/kernel/%.o) $(checked_c:%=$B/checked/kernel/%.o)

kernel: $B/coppice.elf

$B/kernel/%.c.o: %.c | setup
	@mkdir -p $(@D)
	@gcc $(KERNEL_FLAGS) -MMD -MP -c -o $@ $<

$B/checked/kernel/%.c.o: %.c | setup
	@mkdir -p $(@D)
	@gcc $(KERNEL_FLAGS) $(CHECKED_FLAGS) -MMD -MP -c -o $@ $<

$B/kernel/%.asm.o: %.asm | setup
	@mkdir -p $(@D)
	@nasm $(NASM_FLAGS) -MD $(@:.o=.d) -MP -MT $@ -o $@ $<

$B/coppice.elf: $(kernel_objects)
$B/checked/coppice.elf: $(checked_objects)
$B/coppice.elf $B/checked/coppice.elf: linker.ld
	@echo 'kernel: linking $@'
	@gcc -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
		-T linker.ld -o $@ $(filter %.o,$^)

# The image that boots: without debug information, with the symbols that backtraces print.
$B/iso/boot/coppice.elf: $B/coppice.elf
$B/checked/iso/boot/coppice.elf: $B/checked/coppice.elf
$B/iso/boot/coppice.elf $B/checked/iso/boot/coppice.elf:
	@mkdir -p $(@D)
	@objcopy --strip-debug $< $@

# newlib, and the system calls under it. What newlib is compiled against is listed: a change means building it again.

newlib_headers := $(addprefix libc/include/,machine/_types.h machine/time.h sys/errno.h sys/fcntl.h sys/features.h \
	sys/signal.h sys/stat.h)

newlib: $B/newlib/lib/libc.a

$B/newlib/lib/libc.a: tools/newlib $(newlib_headers) | setup
	@mkdir -p $B
	@+MAKEFLAGS= tools/newlib $B/newlib
	@touch $@

USER_FLAGS = -std=gnu17 -O2 -g -D_GNU_SOURCE -nostdinc -isystem libc/include -isystem $B/newlib/include \
	-isystem $(gcc_include) -I. -fno-stack-protector -fno-pic -fno-pie -ffunction-sections \
	-fdata-sections -fno-asynchronous-unwind-tables -Wall -Wextra -Werror
gcc_include = $(eval gcc_include := $$(shell gcc -print-file-name=include))$(gcc_include)

$B/user/%.c.o: %.c $B/newlib/lib/libc.a | setup
	@mkdir -p $(@D)
	@gcc $(USER_FLAGS) -MMD -MP -c -o $@ $<

$B/user/%.asm.o: %.asm | setup
	@mkdir -p $(@D)
	@nasm $(NASM_FLAGS) -o $@ $<

# Programs. user/NAME.c or user/NAME/*.c becomes /bin/NAME, with what it uses of user/lib/. tests/guest/NAME.c becomes
# /tests/NAME; a file there that has a header of its name is no test, but for the tests to use.

program_source = $(wildcard $1.c $1/*.c)
bin_names := $(sort $(patsubst user/%.c,%,$(wildcard user/*.c)) \
	$(filter-out lib,$(patsubst user/%/,%,$(sort $(dir $(wildcard user/*/*.c))))))
test_helpers := $(patsubst %.h,%.c,$(wildcard tests/guest/*.h))
test_names := $(patsubst tests/guest/%.c,%,$(filter-out $(test_helpers),$(wildcard tests/guest/*.c)))
programs := $(bin_names:%=$B/programs/bin/%) $(test_names:%=$B/programs/tests/%)

$B/user/libuser.a: $(patsubst %,$B/user/%.o,$(wildcard user/lib/*.c))
$B/user/libtests.a: $(patsubst %,$B/user/%.o,$(wildcard $(test_helpers)))
$B/user/libcoppice.a: $(patsubst %,$B/user/%.o,$(wildcard libc/*.c))
$B/user/lib%.a:
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^

USER_LINK = gcc -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--gc-sections -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096
c_libraries := -Wl,--start-group $B/user/libcoppice.a $B/newlib/lib/libc.a $B/newlib/lib/libm.a \
	-Wl,--end-group -lgcc

.SECONDEXPANSION:
$B/programs/bin/%: $$(patsubst $$(percent),$B/user/$$(percent).o,$$(call program_source,user/$$*)) \
		$B/user/libc/crt0.asm.o $B/user/libuser.a $B/user/libcoppice.a
	@mkdir -p $(@D)
	@$(USER_LINK) -o $@ $(filter %.o,$^) $B/user/libuser.a $(c_libraries)
$B/programs/tests/%: $B/user/tests/guest/%.c.o $B/user/libc/crt0.asm.o $B/user/libtests.a $B/user/libcoppice.a
	@mkdir -p $(@D)
	@$(USER_LINK) -o $@ $(filter %.o,$^) $B/user/libtests.a $(c_libraries)
percent := %

# Programs of Linux that the tests run unmodified: tests/musl/NAME.c, static on musl.

musl_programs := $(patsubst tests/musl/%.c,$B/musl/%,$(wildcard tests/musl/*.c))
storm_helpers := tests/guest/lib.c tests/guest/ktap.c
$B/musl/threadstorm: helpers := $(storm_helpers)
$B/musl/threadstorm: $(storm_helpers) tests/guest/lib.h tests/guest/ktap.h
$B/musl/%: tests/musl/%.c | setup
	@mkdir -p $(@D)
	@musl-gcc -std=gnu17 -O2 -D_GNU_SOURCE -static -Wall -Wextra -Werror -o $@ $< $(helpers)

# And tests/programs/NAME.c, static on glibc. The linker warns of functions that look for shared libraries, as dlopen();
# none of these programs needs them to be found.

linux_programs := $(patsubst tests/programs/%.c,$B/linux/%,$(wildcard tests/programs/*.c))
$B/linux/lua: libraries := -llua5.4
$B/linux/sqlite: libraries := -lsqlite3
$B/linux/%: tests/programs/%.c | setup
	@mkdir -p $(@D)
	@gcc -std=gnu17 -O2 -static -Wall -Wextra -Werror -o $@ $< $(libraries) -lm \
		2> >(grep -v ': in function .*:$$\|: warning: Using .* in statically linked' >&2)

# The tests of threads are one program of many files, for both.

threads_source := $(wildcard tests/programs/threads/*.[ch])
musl_programs += $B/musl/threads
linux_programs += $B/linux/threads
$B/musl/threads: compiler := musl-gcc
$B/linux/threads: compiler := gcc
$B/musl/threads $B/linux/threads: $(threads_source) | setup
	@mkdir -p $(@D)
	@$(compiler) -std=gnu17 -O2 -static -Wall -Wextra -Werror -o $@ $(filter %.c,$^)

# Initramfs and ISO

initramfs: $B/iso/boot/initramfs.cpio

$B/iso/boot/initramfs.cpio: tools/initramfs $(programs)
	@mkdir -p $(@D)
	@tools/initramfs $B/initramfs $@ $(programs)

iso: $B/coppice.iso

checked: $B/checked/coppice.iso

$B/iso/boot/grub/grub.cfg $B/checked/iso/boot/grub/grub.cfg: boot/grub.cfg
	@mkdir -p $(@D)
	@cp $< $@

$B/checked/iso/boot/initramfs.cpio: $B/iso/boot/initramfs.cpio
	@mkdir -p $(@D)
	@ln -f $< $@

$B/coppice.iso: $(addprefix $B/iso/boot/,coppice.elf initramfs.cpio grub/grub.cfg)
$B/checked/coppice.iso: $(addprefix $B/checked/iso/boot/,coppice.elf initramfs.cpio grub/grub.cfg)
$B/coppice.iso $B/checked/coppice.iso: tools/iso | setup
	@echo 'iso: $@'
	@tools/iso $(@D)/iso $@

# Tests on this machine: parts of the kernel as ordinary programs, watched by ASan and UBSan. tests/host/NAME_test.c is a
# program with all of mm/; tests/host/fs/ is one with kernel/fs/, the file system calls and block devices as files, in a
# world of its own.

HOST_FLAGS := -std=gnu17 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	-fno-strict-aliasing -DCHECKED -Wall -Wextra -Werror
mm_test_parts := $(wildcard mm/*.c) $(filter-out %_test.c %/fuzz.c,$(wildcard tests/host/*.c))
model_parts := $(wildcard tests/host/model/*.c) # mm/'s model, and operations on both
fs_test_parts := $(wildcard tests/host/fs/*.c kernel/fs/*.c) $(patsubst %,kernel/sys_%.c,file path dir stat poll fd lock swap) \
	kernel/random.c $(patsubst %,kernel/block/%.c,block file swap) $(filter-out mm/heap.c,$(mm_test_parts))
host_tests := $(patsubst tests/host/%.c,$B/tests/host/%,$(wildcard tests/host/*_test.c)) $B/tests/host/fs_test

host-tests: $(host_tests)

$B/host/%.c.o: %.c | setup
	@mkdir -p $(@D)
	@gcc $(HOST_FLAGS) -I. -MMD -MP -c -o $@ $<

# What tries millions of states has no sanitizer: it is ten times faster without.
FAST_FLAGS := -std=gnu17 -O2 -g -fno-strict-aliasing -Wall -Wextra -Werror

$B/fast/%.c.o: %.c | setup
	@mkdir -p $(@D)
	@gcc $(FAST_FLAGS) -I. -MMD -MP -c -o $@ $<

$B/tests/host/exhaustive_test: $(patsubst %,$B/fast/%.o,tests/host/exhaustive_test.c $(mm_test_parts) $(model_parts))
	@mkdir -p $(@D)
	@gcc $(FAST_FLAGS) -o $@ $^

$B/host-fs/%.c.o: %.c | setup
	@mkdir -p $(@D)
	@gcc $(HOST_FLAGS) -Itests/host/fs -I. -MMD -MP -c -o $@ $<

$B/tests/host/fs_test: $(fs_test_parts:%=$B/host-fs/%.o)
	@mkdir -p $(@D)
	@gcc $(HOST_FLAGS) -o $@ $^

# The model wants a driver around it: from the archive it comes only into tests that have one.
$B/host/model.a: $(model_parts:%=$B/host/%.o)
	@rm -f $@
	@ar rcs $@ $^

$B/tests/host/%: $B/host/tests/host/%.c.o $(mm_test_parts:%=$B/host/%.o) $B/host/model.a
	@mkdir -p $(@D)
	@gcc $(HOST_FLAGS) -o $@ $^

# Doing things

run: iso
	@tools/run

test: all $(musl_programs) $(linux_programs)
	@tests/run

# What is too long for every day: half an hour, and an hour of threads with seeds of their own.
SOAK_SECONDS ?= 3600
soak: $B/tests/host/random_test $B/tests/host/exhaustive_test $B/musl/threadstorm iso
	@$B/tests/host/random_test $$(date +%s) 10000
	@$B/tests/host/exhaustive_test 3 0x40000000
	@$B/tests/host/exhaustive_test 3 0x8000000000
	@$B/tests/host/exhaustive_test 4
	@tools/run --cpus 4 --mem 2G --timeout 7200 sh -c "STORM_ROUNDS=1000 STORM_SEED=$$(date +%s) /tests/storm"
	@tests/soak $(SOAK_SECONDS)

# libFuzzer on the model's operations; inputs that reach something new stay in $B/fuzz/corpus for the next time.
FUZZ_SECONDS ?= 60
fuzz: $B/fuzz/fuzz
	@mkdir -p $B/fuzz/corpus
	@$< -max_total_time=$(FUZZ_SECONDS) -timeout=30 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix=$B/fuzz/ $B/fuzz/corpus

$B/fuzz/fuzz: tests/host/fuzz.c $(mm_test_parts) $(model_parts) $(wildcard mm/*.h tests/host/*.h tests/host/model/*.h)
	@tools/setup fuzz
	@mkdir -p $(@D)
	@clang -std=gnu17 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-strict-aliasing \
		-DCHECKED -Wall -Wextra -I. -o $@ $(filter %.c,$^)

# What of mm/ the host tests run.
coverage: | setup
	@tests/coverage

# Plants faults in mm/, one at a time, and shows that the host tests catch each.
mutants: | setup
	@tests/mutants/run

gdb: iso
	@tools/setup gdb
	@tools/gdb

# .clang-format and .clang-tidy say what is looked for.
check: newlib
	@tools/setup check
	@tools/check

clean:
	rm -rf $B

.SECONDARY:
-include $(kernel_objects:.o=.d) $(checked_objects:.o=.d) $(shell find $B/user $B/host $B/host-fs $B/fast -name '*.d' 2>/dev/null)
