# For tests/*.t, which source it first: runs programs in the guest and turns what they say into one stream of TAP.
#
#   guest NAME [OPTIONS of tools/run] PROGRAM ARGS...   passes on the KTAP that the program prints: a line here for each
#                 test of its own, and one for its end, which fails unless it kept its plan and its status is 0
#   ktap NAME COMMAND ARGS...                           the same for a command on this machine
#   check NAME COMMAND ARGS...   a test that passes when the command's status is 0
#   is NAME GOT WANTED           a test that passes when the two texts are the same
#   skip NAME REASON
#   finish                       the last line of every test: the plan
#
# run_output, run_status: of the latest `run [OPTIONS] PROGRAM ARGS...`, which calls tools/run and judges nothing.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/coppice-test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
tests=0

note()
{
	sed 's/^/# /' <<<"$*"
}

# result ok|'not ok' NAME
result()
{
	tests=$((tests + 1))
	echo "$1 $tests - ${2//#/\\#}"
}

check()
{
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		result ok "$name"
	else
		result 'not ok' "$name"
		note "$* failed:"
		note "$output"
	fi
}

is()
{
	if [ "$2" = "$3" ]; then
		result ok "$1"
	else
		result 'not ok' "$1"
		note "got:    $2"
		note "wanted: $3"
	fi
}

skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

run()
{
	run_output=$(tools/run "$@" </dev/null 2>"$scratch/errors")
	run_status=$?
	[ ! -s "$scratch/errors" ] || note "$(<"$scratch/errors")"
}

guest()
{
	local name=$1
	shift
	ktap "$name" tools/run "$@"
}

ktap()
{
	local name=$1 line plan= seen=0 failed=0
	shift
	while IFS= read -r line; do
		case $line in
		KTAP* | TAP*) ;;
		1..*) plan=${line#1..} ;;
		'ok '* | 'not ok '*)
			seen=$((seen + 1)) tests=$((tests + 1))
			[[ $line = ok* ]] || failed=$((failed + 1))
			[[ $line =~ ^(ok|not\ ok)\ [0-9]+\ *-?\ *(.*)$ ]]
			echo "${BASH_REMATCH[1]} $tests - $name: ${BASH_REMATCH[2]}" ;;
		'#'*) echo "$line" ;;
		*) note "$line" ;;
		esac
	done < <("$@" </dev/null 2>"$scratch/errors"; echo $? >"$scratch/status")
	wait $!
	local status
	status=$(<"$scratch/status")
	[ ! -s "$scratch/errors" ] || note "$(<"$scratch/errors")"
	if [ -n "$plan" ] && [ "$plan" = "$seen" ] && { [ "$status" = 0 ] || [ $failed -gt 0 ]; }; then
		result ok "$name: ended as planned"
	else
		result 'not ok' "$name: ended as planned"
		note "status $status, ${seen} results of ${plan:-no plan}"
	fi
}

finish()
{
	echo "1..$tests"
}
