#!/bin/bash
# The host tests run enough of mm/.
. "$(dirname "$0")/lib.sh"

check 'mm/ is covered' tests/coverage
note "$(cat build/coverage/summary)"
finish
