#!/bin/bash
# A static program on musl, unmodified, at each fork level.
. "$(dirname "$0")/lib.sh"

for level in 0 1 2 3 auto; do
	run --mem 256M --timeout 60 --append "fork=$level" --add build/musl/hello /hello world
	is "level $level: what it prints" "$run_output" 'hello from musl, 1 argument: world, 3.14'
	is "level $level: its status" "$run_status" 7
done
finish
