#!/bin/bash
# Heap, stack and new regions after fork.
. "$(dirname "$0")/lib.sh"

guest growth --mem 512M --timeout 150 /tests/growth
finish
