#!/bin/bash
# Bad pointers, lengths and numbers for every system call.
. "$(dirname "$0")/lib.sh"

guest badptr --mem 512M --timeout 150 /tests/badptr
finish
