#!/bin/bash
# mlock and its kin, at each share level.
. "$(dirname "$0")/lib.sh"

guest mlock --mem 1G --timeout 300 /tests/mlock
finish
