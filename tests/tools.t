#!/bin/bash
# tools/run: what it passes in and out, and the statuses it ends with.
. "$(dirname "$0")/lib.sh"

run --timeout 60 echo 'two  words' '' "it's"
is 'arguments arrive as they are' "$run_output" "two  words  it's"
is 'a program that ends well' "$run_status" 0

run --timeout 60 sh -c 'exit 42'
is 'an exit status' "$run_status" 42
run --timeout 60 sh -c 'kill -9 $$'
is 'a death by signal' "$run_status" 137
run --timeout 60 /bin/absent
is 'no such program' "$run_status" 127
run --timeout 60 /etc/passwd
is 'a file that is no program' "$run_status" 126

printf 'no newline at the end, \001\r\n\ttab\n\nand \303\251' >"$scratch/bytes"
chmod 640 "$scratch/bytes"
check 'a file goes in and comes out byte for byte' eval \
	'tools/run --timeout 60 --add "$scratch/bytes" cat /bytes </dev/null | cmp - "$scratch/bytes"'
run --timeout 60 --add "$scratch/bytes:/some/new/place" --add "$scratch/bytes:/tmp/again" ls -l /some/new /tmp
is 'modes are kept' "$(grep -c '^-rw-r-----' <<<"$run_output")" 2
run --timeout 60 --add "$scratch/bytes:/tmp/again" ls -l /
is 'a directory that was there stays as it was' "$(grep -c '^drwxrwxrwt.* tmp$' <<<"$run_output")" 1

is 'stdin reaches the program' "$(printf 'one\ntwo' | tools/run --timeout 60 cat)" $'one\ntwo'
is 'without a program, stdin is a script for the shell' \
	"$(echo 'echo $HOME' | tools/run --timeout 60 | grep -c /root)" 1

run --timeout 60 --append 'debug=syscalls fork=2' cat /proc/sys/vm/fork_level
is 'words for the kernel' "$run_output" 2
run --timeout 60 --mem 64M cat /proc/meminfo
is '--mem' "$(awk '/MemTotal/ { print ($2 > 60000 && $2 <= 65536) }' <<<"$run_output")" 1
run --timeout 60 --icount --add build/musl/clock /clock
first=$run_output
run --timeout 60 --icount --add build/musl/clock /clock
check "--icount: two runs take the same time, $first ns" test "$first" -gt 100000 -a "$run_output" = "$first"

run --timeout 5 --add /bin/busybox:/bin/sleep sleep 1000
is 'time runs out' "$run_status" 124
run --timeout 60 --append init=/absent echo
is 'a panic' "$run_status" 125
for wrong in --bogus '--mem 5X' '--mem' '--cpus 0' '--timeout soon' '--add /absent echo'; do
	run $wrong
	is "wrong usage: $wrong" "$run_status" 2
done

SECONDS=0
run --timeout 60 echo
is 'boots quickly' "$((SECONDS <= 5))" 1
finish
