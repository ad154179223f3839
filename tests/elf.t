#!/bin/bash
# exec of damaged ELF files.
. "$(dirname "$0")/lib.sh"

guest elf --mem 512M --timeout 200 /tests/elf
finish
