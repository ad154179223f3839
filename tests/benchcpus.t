#!/bin/bash
# A CPU that idles beside slows nothing down: forkbench's numbers on two CPUs are those on one, or nearly.
. "$(dirname "$0")/lib.sh"

measure()
{
	run --icount --cpus "$1" --mem 1G --timeout 200 forkbench --sizes 1M,64M --rounds 3
	is "forkbench runs with --cpus $1" "$run_status" 0
	grep -v '^forkbench on\|^a reading' <<<"$run_output" >"$scratch/$1"
}

# The two tables line by line: the worst ratio of each line's numbers, and its numbers on two CPUs.
compare()
{
	awk -v most="$1" '
		NR == FNR { one[FNR] = $0; next }
		{
			worst = 0
			count = split(one[FNR], before)
			for (i = 1; i <= count; i++)
				if (before[i] ~ /^[0-9]+$/ && before[i] > 0 && $i / before[i] > worst)
					worst = $i / before[i]
			if (worst > 0)
				printf "%.3f  %s\n", worst, $0
			over += worst > most || count != NF
		}
		END { exit over > 0 || FNR < 10 }' "$scratch/1" "$scratch/2"
}

measure 1
measure 2
ratios=$(compare 1.15)
is 'no number is more than 1.15 times as large with two CPUs' $? 0
note "$ratios"
finish
