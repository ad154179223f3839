#!/bin/bash
# Limits of the address space, data, stack, descriptors and regions, at each share level.
. "$(dirname "$0")/lib.sh"

guest limits --mem 1G --timeout 300 /tests/limits
finish
