#!/bin/bash
# SQLite, static on glibc: three processes write one database, under its own locks and journals.
. "$(dirname "$0")/lib.sh"

wanted='rows 2000
delete: counter 60, rows 1940
wal: counter 60, rows 1880
temporary 1880'
for cpus in 1 2; do
	run --mem 256M --timeout 60 --cpus $cpus --add build/linux/sqlite:/bin/sqlite sqlite
	is "$cpus CPUs: its status" "$run_status" 0
	is "$cpus CPUs: what it read and counted" "$run_output" "$wanted"
done
finish
