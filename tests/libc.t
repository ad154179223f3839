#!/bin/bash
# The C library on this machine's Linux, whose system calls it speaks, and in the guest.
. "$(dirname "$0")/lib.sh"

ktap 'libc on Linux' build/programs/tests/libc
guest 'libc' /tests/libc
finish
