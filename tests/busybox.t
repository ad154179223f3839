#!/bin/bash
# Debian's static busybox, unmodified: its shell and many of its tools; a short script at each fork level.
. "$(dirname "$0")/lib.sh"

box=/bin/busybox
busybox=(--mem 512M --timeout 100 --add "$box:$box")

# part NAME FILE: what the script printed below the headline NAME
part()
{
	sed -n "/^== $1/,/^==/{s#^[^ ]*\(script\|busybox.sh\): #script: #;s#$scratch/a#/tmp/a#;p}" "$2"
}

cat >"$scratch/script" <<'END'
exec 2>/dev/null
square() { echo $(($1 * $1)); }
for i in 1 2 3 4 5; do square $i; done | sort -rn | tr '\n' ' '
echo
cat <<HERE
here $((6 * 7))
HERE
mkdir -p /tmp/a/b && cd /tmp/a && seq 1 1000 > numbers
wc -l < numbers
grep -c 7 numbers
sed -n '10,12s/1/one/p' numbers
awk '{ s += $1 } END { print s }' numbers
tar cf - numbers | gzip | gunzip | tar xf - -C b && cmp numbers b/numbers && echo same
find /tmp/a -type f | sort
md5sum < numbers
(exit 3); echo $?
false || echo or
sleep 1 & wait $!; echo waited $?
sh -c 'kill -9 $$'; echo $?
echo $(echo nested $(echo deeper))
x=$(printf '%05d' 42); echo ${x#0}
ls -1 /nowhere 2>&1 | wc -l
dd if=/dev/zero bs=1024 count=300 2>/dev/null | wc -c
printf 'c\nb\na\n' | while read line; do echo "<$line>"; done
test -f numbers && [ -d b ] && echo tests
trap 'echo trapped' EXIT
i=0; while [ $i -lt 50 ]; do /bin/busybox true; i=$((i + 1)); done; echo $i
END
(cd /tmp && $box sh "$scratch/script") >"$scratch/wanted"
rm -rf /tmp/a

for level in 0 1 2 3 auto; do
	run "${busybox[@]}" --append "fork=$level" $box sh -c 'for i in 1 2 3; do echo $i; done | wc -l'
	is "level $level: a loop and wc" "$run_output $run_status" '3 0'
	run "${busybox[@]}" --append "fork=$level" --add "$scratch/script:/script" $box sh /script
	printf '%s\n' "$run_output" >"$scratch/got"
	check "level $level: a script gives what it gives on Linux" diff "$scratch/wanted" "$scratch/got"
done

# The tools, and the shell at length.
(setsid $box sh tests/programs/busybox.sh "$scratch/a" </dev/null) >"$scratch/wanted"
for cpus in 1 2; do
	tools/run "${busybox[@]}" --cpus $cpus --add tests/programs/busybox.sh:/script $box sh -c \
		'busybox --install -s /bin 2>/dev/null; exec busybox sh /script' </dev/null >"$scratch/got"
	for part in shell files text; do
		check "$cpus CPUs: $part as on Linux" diff <(part $part "$scratch/wanted") <(part $part "$scratch/got")
	done
	guest "$cpus CPUs" "${busybox[@]}" --cpus $cpus --add tests/programs/facts.sh:/facts \
		$box sh -c "CPUS=$cpus ONLINE=$([ $cpus = 1 ] || echo 0-)$((cpus - 1)) sh /facts"
done
run "${busybox[@]}" $box ls -l /
is 'ls -l /' "$run_status $(grep -Ec '^[dl-][rwxst-]{9} .* (bin|dev|etc|proc|tmp)$' <<<"$run_output")" '0 5'
finish
