#!/bin/bash
# Boots with 64 MB to 16 GB, and uses all of it: what is missing from MemTotal is the 0.8 % that describes the rest
# (struct page), the kernel with its initramfs, and 3 % at most besides.
. "$(dirname "$0")/lib.sh"

for size in 64M 100M 128M 1G 3G 4G 6G 16G; do
	megabytes=$(numfmt --from=iec "$size" --to-unit=Mi)
	run --mem "$size" --timeout 100 cat /proc/meminfo
	total=$(awk '/^MemTotal:/ { print $2 }' <<<"$run_output")
	least=$((megabytes * 1024 * 962 / 1000))
	check "$size: MemTotal is ${total:-?} kB, at least $least" \
		test "${total:-0}" -ge $least -a "${total:-0}" -le $((megabytes * 1024))
	is "$size: ends well" "$run_status" 0
done

# The whole of it can be had: half by a program that fills it, here at 6 GB, beyond the hole below 4 GB.
run --mem 6G --timeout 100 forkbench --sizes 4G --levels 3 --rounds 1
is 'a program fills 4 GB of 6' "$run_status" 0

run --mem 256M --timeout 60 cat /proc/cmdline
[[ $run_output = *log=debugcon* ]] && command_line=shown
is 'the command line' "${command_line:-$run_output}" shown

if tools/run --help | grep -q -- '--cpu '; then
	for cpu in qemu64 Nehalem Skylake-Server EPYC; do
		run --cpu $cpu --mem 256M --timeout 60 echo up
		is "a CPU of the kind $cpu" "$run_output" up
		guest "processes on $cpu" --cpu $cpu --mem 256M --timeout 100 /tests/process CPU
	done
else
	skip 'other CPUs' 'tools/run cannot choose one'
fi
finish
