#!/bin/bash
# The RAM file system and /proc.
. "$(dirname "$0")/lib.sh"

guest files --mem 512M --timeout 150 /tests/files
finish
