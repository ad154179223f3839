#!/bin/bash
# What processes may promise themselves: the modes of overcommit, and that the count is exact.
. "$(dirname "$0")/lib.sh"

guest overcommit --mem 512M --append ramdisk=0 --timeout 150 /tests/overcommit
guest 'overcommit on 4' --cpus 4 --mem 512M --append ramdisk=0 --timeout 150 /tests/overcommit '' 2
finish
