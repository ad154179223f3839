#!/bin/bash
# Memory files, names of files that are deleted while they are mapped, and msync, at each share level.
. "$(dirname "$0")/lib.sh"

guest memfd --mem 1G --timeout 300 /tests/memfd
finish
