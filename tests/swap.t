#!/bin/bash
# Swap, on 1, 2 and 4 CPUs, at each share level; and once on the checked kernel.
. "$(dirname "$0")/lib.sh"

for cpus in 1 2 4; do
	guest "swap on $cpus" --cpus $cpus --mem 128M --append ramdisk=64M --timeout 250 /tests/swap
done
guest 'swap, checked' --checked --cpus 2 --mem 128M --append ramdisk=48M --timeout 250 /tests/swap '' 1
finish
