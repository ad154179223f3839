#!/bin/bash
# Where mmap puts what it maps, and regions that grow down, at each share level.
. "$(dirname "$0")/lib.sh"

guest places --mem 1G --timeout 300 /tests/places
finish
