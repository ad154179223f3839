#!/bin/bash
# Pipes, poll and descriptors.
. "$(dirname "$0")/lib.sh"

guest pipes --mem 512M --timeout 150 /tests/pipes
finish
