#!/bin/bash
# tools/run with a program from outside: every byte, argument and mode arrives, in and out, and each way to end is told
# apart, with a sentence on stderr.
. "$(dirname "$0")/lib.sh"
probe=build/musl/probe

for status in 0 1 125 255; do
	run --timeout 60 --add $probe /probe exit $status
	is "exit status $status" "$run_status" $status
done
for signal in 6 9 11 15; do
	run --timeout 60 --add $probe /probe signal $signal
	is "signal $signal" "$run_status" $((128 + signal))
done

$probe bytes 100000 >"$scratch/wanted"
tools/run --timeout 60 --add $probe /probe bytes 100000 </dev/null >"$scratch/got" 2>/dev/null
check '100,000 bytes of output' cmp "$scratch/wanted" "$scratch/got"

arguments=(one 'two words' '' ' ' '"quoted"' "it's" '$HOME' '*' '\' $'line\nline' $'tab\t' '--' '--mem' 'ü' "$(printf 'x%.0s' {1..5000})")
$probe arguments "${arguments[@]}" >"$scratch/wanted"
tools/run --timeout 60 --add $probe -- /probe arguments "${arguments[@]}" </dev/null >"$scratch/got"
check 'arguments of every kind' cmp "$scratch/wanted" "$scratch/got"
run --timeout 60 --add $probe /probe arguments
is 'no arguments' "$run_output" ''

for mode in 400 644 755 4711; do
	cp $probe "$scratch/file$mode"
	chmod $mode "$scratch/file$mode"
	adds+=(--add "$scratch/file$mode:/deep/er/file$mode")
done
mkdir "$scratch/directory"
echo inside >"$scratch/directory/file"
run --timeout 60 --add $probe "${adds[@]}" --add "$scratch/directory" \
	/probe modes /deep/er/file{400,644,755,4711} /directory/file /directory
is 'modes are kept' "$run_output" "100400 100644 100755 104711 100$(stat -c %a "$scratch/directory/file") 40$(stat -c %a "$scratch/directory")"
is 'a program under another name' "$(tools/run --timeout 60 --add "$probe:/bin/other" other exit 3 </dev/null; echo $?)" 3

run --timeout 4 --add $probe /probe spin
is 'a program that spins: time-out' "$run_status" 124
check 'and a sentence about it' grep -qi 'time' "$scratch/errors"
run --timeout 60 --append init=/absent echo
is 'a panic' "$run_status" 125
check 'and a sentence about it' grep -qi 'panic' "$scratch/errors"
run --timeout 60 --mem 64M --add $probe /probe exit 5
is 'on 64 MB' "$run_status" 5
run --timeout 60 --add $probe /probe orphans
is 'children left behind' "$run_output $run_status" 'left 0'
finish
