#!/bin/bash
# The checked kernel (make checked): it finds nothing while the guest's tests run, and it finds each fault that
# kernel/checked/faults.c makes on request.
. "$(dirname "$0")/lib.sh"

guest sharing --checked --mem 2G --timeout 150 /tests/sharing
for test in process pipes files exec rights badptr; do
	guest "$test" --checked --mem 512M --timeout 150 "/tests/$test"
done
guest 'regions at level 2' --checked --timeout 150 /tests/regions '' 2
guest 'oom at level 3' --checked --mem 128M --append ramdisk=0 --timeout 150 /tests/oom '' 3

is 'input comes through interrupts' "$(echo 'echo typed' | tools/run --checked --timeout 60)" typed

# fault NAME PATTERN: what the kernel says when it panics. AT stands for a line of faults.c.
fault()
{
	local said pattern=${2//AT/'kernel/checked/faults\.c:[0-9]+'}

	run --checked --mem 256M --timeout 60 sh -c "echo $1 >/proc/sysrq-trigger"
	said=$(sed -n 's/^panic: //p' "$scratch/errors" 2>/dev/null)
	[[ $run_status = 125 && $said =~ ^$pattern$ ]] && said=found
	is "$1" "$said" found
}

# Both places and both locks are named.
fault spinlocks-swapped 'lock order: AT takes &heap \(heap\) with &frames_lock \(frames\) held, taken at AT'
fault rwlocks-swapped 'lock order: AT takes &contents \(contents\) with &names \(names\) held, taken at AT'
fault tables-upwards 'lock order: AT takes &upper \(table of level 2\) with &lower \(table of level 1\) held, taken at AT'
fault tables-of-one-level 'lock order: AT takes &other \(table of level 1\) with &one \(.* 1\) held, taken at AT'
fault taken-twice 'lock order: AT takes &heap \(heap\) with &heap \(heap\) held, taken at AT'
fault never-taken 'lock order: AT lets go of &heap, which is not held here'
fault no-rank 'lock order: AT takes &unranked, which has rank 0'
fault interrupts-left-on 'lock order: AT takes &log \(log\) with interrupts on'
fault heap-in-interrupt 'lock order: AT takes &heap \(heap\) with interrupts \(.*\) held, taken at kernel/lock\.c:[0-9]+'
fault sleep-with-spinlock 'lock order: AT may sleep for a wake-up .* with &heap \(heap\) held, taken at AT'
fault sleep-with-table 'lock order: AT may sleep for &contents .* with &table \(table of level 1\) held, taken at AT'
fault user-memory-with-mm 'lock order: AT takes user memory \(mm\) with &.*mm->lock \(mm\) held, taken at AT'
fault kept-lock 'lock order: kernel/trap\.c:[0-9]+ leaves the kernel .* with &names \(names\) held, taken at AT'

fault signed-overflow "undefined behaviour: AT:[0-9]+: 2147483647 \+ 1 does not fit into 'int'"
fault shift "undefined behaviour: AT:[0-9]+: 1 of type 'int' is shifted by 32"
fault division "undefined behaviour: AT:[0-9]+: 2147483647 / 0 does not fit into 'int'"
fault index "undefined behaviour: AT:[0-9]+: index 4 is outside 'int \[4\]'"
fault misaligned "undefined behaviour: AT:[0-9]+: store at 0x[0-9a-f]+, which is not aligned for 'volatile u64'"
fault null-pointer "undefined behaviour: AT:[0-9]+: store at a null pointer to 'volatile u64'"
fault bad-bool "undefined behaviour: AT:[0-9]+: 4 is no value of '_Bool'"

# Its neighbour waits for the lock, with interrupts off.
printf 'cat /proc/1/stat >/dev/null\nexec sh /again\n' >"$scratch/again"
run --checked --cpus 2 --timeout 60 --add "$scratch/again" sh -c 'sh /again & echo stuck-with-lock >/proc/sysrq-trigger'
is 'stuck with a lock' "$run_status $(grep -c 'has taken no interrupt for [0-9]* seconds' "$scratch/errors")" '125 1'

run --mem 256M --timeout 60 sh -c 'echo kept-lock >/proc/sysrq-trigger'
is 'the normal kernel knows no faults' "$run_status" 1
finish
