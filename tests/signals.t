#!/bin/bash
# Signals, waiting for children, timers and CPU time, on one CPU and on two.
. "$(dirname "$0")/lib.sh"

for cpus in 1 2; do
	guest "signals on $cpus" --cpus $cpus --mem 256M --timeout 100 /tests/signals
done
finish
