#!/bin/bash
# What one process writes after fork, no other sees: at every level, and with init itself forked at level 3.
. "$(dirname "$0")/lib.sh"

guest isolation --mem 512M --timeout 200 /tests/isolation
guest 'isolation, small machine' --mem 128M --timeout 100 --append fork=3 /tests/isolation turns
finish
