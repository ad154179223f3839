#!/bin/bash
# A million random system calls.
. "$(dirname "$0")/lib.sh"

guest sysfuzz --mem 512M --timeout 250 /tests/sysfuzz
finish
