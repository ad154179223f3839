#!/bin/bash
# Random operations on memory by processes that fork from one another, each against a model of its own.
. "$(dirname "$0")/lib.sh"

guest random --mem 512M --timeout 150 /tests/random
finish
