#!/bin/bash
# Who may read, write and run a page, when sharers of its table differ.
. "$(dirname "$0")/lib.sh"

guest rights --mem 512M --timeout 150 /tests/rights
finish
