#!/bin/bash
# Proportional sizes and page tables summed over all processes, and the machine's figures, at each share level.
. "$(dirname "$0")/lib.sh"

guest sums --mem 1G --timeout 300 /tests/sums
finish
