#!/bin/bash
# Memory and kernel objects exhausted, on a machine of 128 MB.
. "$(dirname "$0")/lib.sh"

guest oom --mem 128M --append ramdisk=0 --timeout 250 /tests/oom
finish
