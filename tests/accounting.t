#!/bin/bash
# Resident sizes, kinds of pages, pagemap and mincore of a process, at each share level.
. "$(dirname "$0")/lib.sh"

guest accounting --mem 1G --timeout 300 /tests/accounting
finish
