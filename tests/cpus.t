#!/bin/bash
# Programs that get into each other's way, on 2 and 4 CPUs: processes that share tables and break them at the same
# moment, and the kernel's own tables under all of them. Each program's own checks, the audit and the frames tell.
. "$(dirname "$0")/lib.sh"

# What the kernel counts of its flushes on other CPUs, after a program that cannot do without.
run --cpus 1 cat /proc/vmstat
is 'one CPU asks no other to flush' "$(grep -w nr_tlb_remote_flush <<<"$run_output")" 'nr_tlb_remote_flush 0'

# on CPUS PROGRAM...
on()
{
	local cpus=$1 program
	shift
	run --cpus "$cpus" cat /proc/cpuinfo
	is "$cpus CPUs run" "$(grep -c ^processor <<<"$run_output")" "$cpus"
	for program; do
		guest "$program on $cpus" --cpus "$cpus" --mem 1G --timeout 150 "/tests/$program"
	done
}

on 2 sharing process pipes random
on 4 process files sums truncate
guest 'out of memory on 4' --cpus 4 --mem 128M --append ramdisk=0 --timeout 250 /tests/oom
guest 'system calls on 4' --cpus 4 --mem 1G --timeout 200 /tests/sysfuzz 7 20000

# A panic shows every CPU.
run --cpus 2 --log "$scratch/log" sh -c 'echo c >/proc/sysrq-trigger'
is 'a panic shows the other CPUs' "$run_status $(grep -c '^CPU [01]:' "$scratch/log")" '125 1'

# A CPU that takes no interrupts is found by its neighbour.
run --cpus 2 --timeout 100 --log "$scratch/log" sh -c 'echo h >/proc/sysrq-trigger'
is 'the watchdog bites' "$run_status $(grep -c 'has taken no interrupt for [0-9]* seconds' "$scratch/log")" '125 1'
finish
