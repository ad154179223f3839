#!/bin/bash
# The fork level's selection: by the process, for the system, and on the kernel's command line.
. "$(dirname "$0")/lib.sh"

guest level --mem 512M --timeout 100 /tests/level
for word in 0 1 2 3 auto; do
	run --mem 256M --timeout 60 --append "fork=$word" sh -c 'cat /proc/sys/vm/fork_level && (cat /proc/sys/vm/fork_level)'
	is "fork=$word on the command line" "$run_output" "$word"$'\n'"$word"
done
finish
