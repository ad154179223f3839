#!/bin/bash
# Regions that are split and become one again, and calls that fail in the midst of a range, at each share level.
. "$(dirname "$0")/lib.sh"

guest merging --mem 1G --timeout 300 /tests/merging
finish
