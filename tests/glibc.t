#!/bin/bash
# What a static program on glibc asks of a kernel: here, and in the guest.
. "$(dirname "$0")/lib.sh"

program=build/linux/glibc
ktap 'on Linux' $program
for cpus in 1 2; do
	guest "$cpus CPUs" --mem 512M --timeout 60 --cpus $cpus --add $program:/bin/glibc glibc
done
finish
