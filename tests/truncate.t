#!/bin/bash
# Files that shrink, or get holes, while a family of processes maps them, at each share level.
. "$(dirname "$0")/lib.sh"

guest truncate --mem 1G --timeout 300 /tests/truncate
finish
