#!/bin/bash
# Which tables fork shares at each level, who copies what, and one fill for all.
. "$(dirname "$0")/lib.sh"

guest sharing --mem 2G --timeout 150 /tests/sharing
finish
