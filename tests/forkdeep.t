#!/bin/bash
# Fork of fork, 1,000 deep.
. "$(dirname "$0")/lib.sh"

guest forkdeep --mem 512M --timeout 200 /tests/forkdeep
finish
