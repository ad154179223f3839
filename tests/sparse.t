#!/bin/bash
# A terabyte that is touched here and there: its page tables come and go, at each share level.
. "$(dirname "$0")/lib.sh"

guest sparse --mem 1G --timeout 300 /tests/sparse
finish
