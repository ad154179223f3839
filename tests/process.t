#!/bin/bash
# Processes, signals, exceptions, the FPU, time.
. "$(dirname "$0")/lib.sh"

guest process --mem 512M --timeout 150 /tests/process
finish
