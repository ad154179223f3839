#!/bin/bash
# The protocols that several CPUs run at once, as models that spin explores in full: docs/models.md. Each must be right as it
# is, and wrong with each of its BUG_ switches, or it would prove nothing.
. "$(dirname "$0")/lib.sh"

for file in tests/models/*.pml; do
	model=$(basename "$file" .pml)
	check "$model: no state is wrong" tests/models/run "$model"
	note "$(grep -E 'states, stored|elapsed' "build/models/$model/pan.log")"
	for switch in $(grep -o 'BUG_[A-Z_]*' "$file" | sort -u); do
		tests/models/run "$model" "$switch" >"$scratch/log"
		is "$model: $switch is found" $? 1
	done
done
finish
