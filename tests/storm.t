#!/bin/bash
# Processes that collide on purpose: on 4 CPUs at every share level, and on 1 and 2; then with threads.
. "$(dirname "$0")/lib.sh"

guest 'storm on 4' --cpus 4 --mem 1G --timeout 250 /tests/storm
guest 'storm on 2' --cpus 2 --mem 1G --timeout 100 /tests/storm '' 1
guest 'storm on 1' --mem 1G --timeout 100 /tests/storm '' 3
add='build/musl/threadstorm:/tests/threadstorm'
guest 'threads on 4' --cpus 4 --mem 1G --timeout 200 --add $add /tests/threadstorm
guest 'threads on 2' --cpus 2 --mem 1G --timeout 100 --add $add /tests/threadstorm '' 1
guest 'threads on 1' --mem 1G --timeout 100 --add $add /tests/threadstorm '' 3
finish
