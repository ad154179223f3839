#!/bin/bash
# The bundled shell: each case is a script, which must print what a POSIX shell prints, and end with its status.
. "$(dirname "$0")/lib.sh"
mkdir "$scratch/cases"
names=() wanted=()

# case NAME WANTED, with the script on stdin; what is wanted is its output, then its status.
case_of()
{
	cat >"$scratch/cases/${#names[@]}"
	names+=("$1")
	wanted+=("$2")
}

case_of 'words' $'a b c\n0' <<'END'
echo a   b	c
END
case_of 'quoting' $'a  b $X "x" it\'s\n$Y \\ x\ny|\n0' <<'END'
X=1
echo 'a  b $X' "\"x\"" it\'s
echo "\$Y \\ x
y"'|'
END
case_of 'variables' $'one one-two [] [one  two]\none two\n0' <<'END'
X=one
echo $X ${X}-two [$NONE] ["$X  two"]
Y="$X   two"
echo $Y
END
case_of 'variables of a command' $'in\nout\n0' <<'END'
X=out
X=in sh -c 'echo $X'
echo $X
END
case_of 'export and unset' $'[] [kept]\n[]\n0' <<'END'
A=not; B=kept
export B
sh -c 'echo [$A] [$B]'
unset B
sh -c 'echo [$B]'
END
case_of 'parameters' $'3 b [a] [b c] []\na b c \n0' <<'END'
sh -c 'echo $# $2 [$1] ["$2 $3"] [$4]' name a b c
sh -c 'echo "$@" ""' name a 'b c'
END
case_of 'statuses' $'0\n1\n7\n127\nKilled\n137\n7' <<'END'
true; echo $?
false; echo $?
sh -c 'exit 7'; echo $?
no_such_program 2>/dev/null; echo $?
sh -c 'kill -9 $$'; echo $?
exit 7
END
case_of 'and, or, not, semicolon' $'a\nb\nc\nd\ne\nf\n1' <<'END'
true && echo a || echo x
false && echo x || echo b
false || false || echo c; echo d
! true || echo e
! false && echo f
! true
END
case_of 'pipelines' $'3\nb\n1000\n5\n5' <<'END'
echo 1 2 3 | cat | wc -w
echo a | echo b
cat /cases/lines | cat | cat | wc -l
true | sh -c 'exit 5'; echo $?
sh -c 'exit 3' | sh -c 'exit 5'
END
case_of 'redirections' $'one\none\ntwo\nthree\n2\n0' <<'END'
echo one > /tmp/shell.f
cat /tmp/shell.f
echo two >> /tmp/shell.f; echo three >>/tmp/shell.f
cat < /tmp/shell.f
ls /no/where 2> /tmp/shell.e; sh -c 'echo e >&2; echo o' > /tmp/shell.e 2>&1; wc -l < /tmp/shell.e
rm /tmp/shell.f /tmp/shell.e
END
case_of 'redirections in order' $'o\ne\n0' <<'END'
sh -c 'echo e >&2; echo o' 2>/tmp/shell.o >&1 | cat
cat /tmp/shell.o; > /tmp/shell.o; cat /tmp/shell.o; rm /tmp/shell.o
END
case_of 'a redirection that fails' $'failed\nafter\n0' <<'END'
(echo x > /no/where/f) 2>/dev/null || echo failed
(cat < /no/where) 2>/dev/null || true; echo after
END
case_of 'background and wait' $'started\ndone\nwaited 4\n0' <<'END'
sh -c 'exit 4' & P=$!
echo started
sh -c 'echo done' & wait $!
wait $P; echo waited $?
END
case_of 'subshells' $'in /\nout /tmp\n3\n0' <<'END'
cd /tmp
X=out
(cd /; X=in; echo $X $PWD)
echo $X $PWD
(exit 3); echo $?
END
case_of 'cd and pwd' $'/bin\n/\n0' <<'END'
cd /bin; pwd; cd ..; pwd
END
case_of 'patterns' $'/cases/pa /cases/pb\n/cases/pa\n/cases/none*\n/cases/p*\n0' <<'END'
echo /cases/p[a-b]
echo /cases/?a
echo /cases/none*
echo '/cases/p*'
END
case_of 'comments and empty lines' $'a\nb#c\n0' <<'END'

# nothing
echo a # echo x

echo b#c
   
END
case_of 'lines that go on' $'a b\nc\nd\n0' <<'END'
echo a \
  b
true &&
  echo c
echo d |
  cat
END
case_of 'a script with #!' $'/tmp/shell.s one 2\n0' <<'END'
cp /cases/script /tmp/shell.s
/tmp/shell.s one two
rm /tmp/shell.s
END
case_of 'source' $'set\n0' <<'END'
echo 'SOURCED=set' > /tmp/shell.s
. /tmp/shell.s; echo $SOURCED; rm /tmp/shell.s
END
case_of 'errors stop at -e' $'a\n1' <<'END'
sh -e -c 'echo a; false; echo b'
END
case_of 'a syntax error' $'before\nafter 2\n0' <<'END'
echo before
sh -c 'echo (' 2>/dev/null; echo after $?
END
case_of 'many processes' $'0\n0' <<'END'
true | true | true | true | true | true | true | true | true | true | true | true | true | true | true
echo $?
END
case_of 'a long line' $'5000\n0' <<END
echo $(printf 'x%.0s' {1..4999}) | wc -c
END

seq 1 1000 >"$scratch/cases/lines"
: >"$scratch/cases/pa"
: >"$scratch/cases/pb"
printf '#!/bin/sh\necho $0 $1 $#\n' >"$scratch/cases/script"
chmod +x "$scratch/cases/script"
for i in "${!names[@]}"; do
	echo "echo '== $i'; sh /cases/$i; echo \$?"
done >"$scratch/cases/all"

run --mem 256M --timeout 100 --add "$scratch/cases" sh /cases/all
run_output=$(sed 's/^ *//' <<<"$run_output") # wc pads its numbers
is 'all cases run' "$run_status $(grep -c '^== ' <<<"$run_output")" "0 ${#names[@]}"
for i in "${!names[@]}"; do
	is "${names[i]}" "$(sed -n "/^== $i\$/,/^== /{/^== /!p}" <<<"$run_output")" "${wanted[i]}"
done
finish
