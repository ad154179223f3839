#!/bin/bash
# exec from every level: arguments, descriptors, scripts, errors.
. "$(dirname "$0")/lib.sh"

guest exec --mem 512M --timeout 150 /tests/exec
finish
