#!/bin/bash
# tools/run by itself: its options, its standard input, and its own statuses. tests/run.t has what programs see of it.
. "$(dirname "$0")/lib.sh"

run --timeout 60 /bin/absent
is 'no such program' "$run_status" 127
run --timeout 60 /etc/passwd
is 'a file that is no program' "$run_status" 126

printf 'no newline at the end, \001\r\n\ttab\n\nand \303\251' >"$scratch/bytes"
check 'a file goes in and comes out byte for byte' eval \
	'tools/run --timeout 60 --add "$scratch/bytes" cat /bytes </dev/null | cmp - "$scratch/bytes"'
run --timeout 60 --add "$scratch/bytes:/tmp/again" ls -l /
is 'a directory that was there keeps its mode' "$(grep -c '^drwxrwxrwt.* tmp$' <<<"$run_output")" 1

seq 1 20000 >"$scratch/numbers"
check 'stdin reaches the program' eval \
	'tools/run --timeout 60 cat <"$scratch/numbers" | cmp - "$scratch/numbers"'
is 'so does a last line without its end' "$(printf 'one\ntwo' | tools/run --timeout 60 cat)" $'one\ntwo'
is 'without a program, stdin is a script for the shell' \
	"$(echo 'echo $HOME' | tools/run --timeout 60 | grep -c /root)" 1

run --timeout 60 --append 'debug=syscalls fork=2' cat /proc/sys/vm/fork_level
is 'words for the kernel' "$run_output" 2

run --timeout 60 --icount --add build/musl/clock /clock
first=$run_output
run --timeout 60 --icount --add build/musl/clock /clock
check "--icount: two runs take the same time, $first ns" test "$first" -gt 100000 -a "$run_output" = "$first"

for wrong in --bogus '--mem 5X' '--mem' '--cpus 0' '--timeout soon' '--add /absent echo'; do
	run $wrong
	is "wrong usage: $wrong" "$run_status" 2
done

run --timeout 60 --log "$scratch/log" echo
check '--log keeps the log' grep -q '^run: exit 0' "$scratch/log"

run --timeout 60 sh -c 'echo c >/proc/sysrq-trigger'
is 'a fault in the kernel' "$run_status" 125
for part in '^panic: page fault' '^rip ffffffff8' '^cr2 0000000000000000' 'store_sysrq+0x' 'sys_write+0x'; do
	check "what the panic tells: $part" grep -q "$part" "$scratch/errors"
done
finish
