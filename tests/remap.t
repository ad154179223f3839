#!/bin/bash
# mremap: regions that grow, shrink and move, at each share level.
. "$(dirname "$0")/lib.sh"

guest remap --mem 1G --timeout 300 /tests/remap
finish
