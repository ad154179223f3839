#!/bin/bash
# Lua, static on glibc: a script of closures, coroutines, strings, garbage, files and shells prints what it prints here.
. "$(dirname "$0")/lib.sh"

lua=build/linux/lua
wanted=$($lua tests/programs/script.lua)
for cpus in 1 2; do
	run --mem 256M --timeout 60 --cpus $cpus --add $lua:/bin/lua --add tests/programs/script.lua:/script.lua \
		lua /script.lua
	is "$cpus CPUs: its status" "$run_status" 0
	is "$cpus CPUs: what it prints" "$run_output" "$wanted"
done
finish
