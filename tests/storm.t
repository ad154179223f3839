#!/bin/bash
# Processes that collide on purpose: on 4 CPUs at every share level, and on 1 and 2.
. "$(dirname "$0")/lib.sh"

guest 'storm on 4' --cpus 4 --mem 1G --timeout 250 /tests/storm
guest 'storm on 2' --cpus 2 --mem 1G --timeout 100 /tests/storm '' 1
guest 'storm on 1' --mem 1G --timeout 100 /tests/storm '' 3
finish
