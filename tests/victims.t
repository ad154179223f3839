#!/bin/bash
# Who dies when memory is out, on a machine of 128 MB; and the panic when nobody can.
. "$(dirname "$0")/lib.sh"

guest 'victims' --mem 128M --append ramdisk=0 --timeout 250 /tests/victims
guest 'victims on 2' --cpus 2 --mem 128M --append ramdisk=0 --timeout 250 /tests/victims '' 1
guest 'victims on 4' --cpus 4 --mem 128M --append ramdisk=0 --timeout 250 /tests/victims '' 3
guest 'victims, checked' --cpus 2 --checked --mem 128M --append ramdisk=0 --timeout 250 /tests/victims '' 4

# says NAME PATTERN COMMANDS...: the kernel panics with these words.
says()
{
	run --mem 128M --append ramdisk=0 --timeout 60 --log "$scratch/log" sh -c "$3"
	is "$1" "$run_status $(grep -c "^panic: $2" "$scratch/log")" '125 1'
}

says 'nobody is left to kill' 'out of memory, and no process is left to kill: process [0-9]* (victims)' \
	'/tests/victims --spare-all'
says 'panic_on_oom' 'out of memory, and panic_on_oom is set: process [0-9]* (victims)' \
	'echo 1 >/proc/sys/vm/panic_on_oom; /tests/victims --eat-all'

# Init and its shell outlive a program that takes all.
run --mem 128M --append ramdisk=0 --timeout 60 sh -c '/tests/victims --eat-all; echo status $?'
is 'the shell goes on' "$(tail -n 1 <<<"$run_output")" 'status 137'
finish
