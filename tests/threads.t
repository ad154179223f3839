#!/bin/bash
# Threads of static programs, on glibc and on musl, on 1, 2 and 4 CPUs; and SQLite, which several write at once.
. "$(dirname "$0")/lib.sh"

wanted='rows 2000
a connection each: counter 80, rows 1920
one connection: counter 80, rows 1840'
for cpus in 1 2 4; do
	guest "glibc, $cpus CPUs" --mem 1G --timeout 120 --cpus $cpus --add build/linux/threads:/bin/threads threads
	guest "musl, $cpus CPUs" --mem 1G --timeout 120 --cpus $cpus --add build/musl/threads:/bin/threads threads
	run --mem 256M --timeout 60 --cpus $cpus --add build/linux/sqlite:/bin/sqlite sqlite threads
	is "SQLite, $cpus CPUs: its status" "$run_status" 0
	is "SQLite, $cpus CPUs: what it read and counted" "$run_output" "$wanted"
done
finish
