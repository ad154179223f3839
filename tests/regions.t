#!/bin/bash
# Regions changed after fork, in part and whole, by the parent and by the child.
. "$(dirname "$0")/lib.sh"

guest regions --mem 512M --timeout 300 /tests/regions
finish
