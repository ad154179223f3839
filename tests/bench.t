#!/bin/bash
# The budgets, in guest instructions.
. "$(dirname "$0")/lib.sh"

run --icount --mem 6G --append ramdisk=64M --timeout 350 forkbench --check --rounds 1
note "$run_output"
is 'forkbench keeps its budgets' "$run_status" 0
finish
