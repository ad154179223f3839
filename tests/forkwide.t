#!/bin/bash
# 2,000 children at once of a 256 MB parent.
. "$(dirname "$0")/lib.sh"

guest forkwide --mem 2G --timeout 350 /tests/forkwide
finish
