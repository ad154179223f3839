# What tests/busybox.t runs, here and in the guest: three parts, each under a headline, of what is the same on both.
exec 2>&1
export TZ=UTC0
umask 022
here=${1:-/tmp/a}
rm -rf $here
mkdir $here
cd $here
echo "== shell"
fib() { if [ $1 -lt 2 ]; then echo $1; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi; }
fib 7
for x in one two three; do case $x in t*) echo "$x: t";; *) echo "$x";; esac; done
until [ "${n:-0}" -ge 3 ]; do n=$((${n:-0} + 1)); done
echo $n
cat <<HERE | sed 's/^/> /'
a here-document of $((6 * 7)) $(echo lines)
	and a tab
HERE
cat <<'HERE'
not $expanded
HERE
sh -c 'trap "echo got TERM" TERM; kill -TERM $$; echo on'
sh -c 'trap "echo usr1; exit 4" USR1; kill -USR1 $$; echo never'
echo status $?
sh -c 'trap "echo bye" EXIT; exit 6'
echo status $?
for i in 3 1 2; do (sleep 0.$((i * 2)); echo $i >>order) & done
wait
cat order
sleep 100 & pid=$!
kill $pid
wait $pid
echo killed $?
seq 1 100000 | head -n 3 | tail -n 1
yes | head -c 100000 | wc -c
false | true
echo $?
set -o pipefail
false | true
echo $?
set +o pipefail
IFS=: read a b c <<HERE
1:2:3:4
HERE
echo "$a $b $c"
x=abc.def.ghi
echo ${x%%.*} ${x##*.} ${#x} ${x/def/DEF} ${y:-default} ${x:4:3}
set -- a 'b c' d
for i; do echo "[$i]"; done
shift
echo $# "$*"
getopts ab: o -b value
echo $o $OPTARG
eval 'v=5'
echo $v
printf '%s %d %x %05.2f\n' text 10 255 3.14159
exec 3>three
echo to three >&3
exec 3>&-
cat three
echo $(<three)
[ 1 -lt 2 -a abc = abc ] && [ ! -e nothing ] && [ -s three ] && [ three -nt / -o -f three ] && echo tests
type cd
umask
umask 027
touch masked
stat -c %a masked
umask 022
ulimit -n | grep -c '[0-9]'
set -e
(exit 0)
set +e
command -v sh >/dev/null && echo found
hash -r
test "$(cd / && pwd)" = / && cd $here && cd - >/dev/null && cd $here
pwd
echo "== files"
mkdir -p d/e/f
seq 1 500 >d/numbers
echo hello >d/e/hello
ln -s ../numbers d/e/link
ln d/numbers d/e/f/hard
chmod 4751 d/e/hello
stat -c '%n %a %h %F' d d/numbers d/e/hello d/e/link d/e/f/hard
readlink d/e/link
readlink -f d/e/link
realpath d/e/../e
touch -d '2001-02-03 04:05:06' d/e/hello
stat -c '%n %Y %X' d/e/hello
date -u -r d/e/hello
touch -d @1000000000 d/numbers
date -u -d @86400 '+%F %T'
date -u -r d/numbers +%s
cp -a d copy
stat -c '%n %Y %a' copy/e/hello copy/numbers
readlink copy/e/link
diff -r d copy && echo same
find d | sort
find d -type f -name 'h*' | sort
find d -links 2 -type f | sort
find d -type f -size +1k -exec wc -l {} +
find d -newer d/numbers -type f | sort
find d -perm -4000
find d -type l -print0 | xargs -0 ls
mv copy/e/hello copy/moved && mv copy moved && ls -R moved
mv -n moved/moved moved/numbers
rm -r moved
ls
tar czf d.tar.gz d
tar tzf d.tar.gz | sort
mkdir x
tar xzf d.tar.gz -C x
diff -r d x/d && stat -c '%n %a %Y' x/d/e/hello x/d/numbers
stat -c '%h' x/d/numbers
gzip -k -9 d/numbers
zcat d/numbers.gz | md5sum
gunzip -c d/numbers.gz | cmp - d/numbers && echo cmp
rm d/numbers.gz
bzip2 -k d/numbers
bzcat d/numbers.bz2 | tail -n 1
xz -dc /dev/null
echo hello | gzip | od -An -c -N3
find d | cpio -o -H newc 2>/dev/null | cpio -t | sort
du -a d/e/hello | wc -l
du -s d | cut -f2
df /tmp | wc -l
df -i >/dev/null
echo $?
dd if=/dev/zero of=zeroes bs=4k count=5 seek=3 2>/dev/null
stat -c %s zeroes
dd if=d/numbers bs=1 skip=10 count=5 2>/dev/null
truncate -s 100k zeroes
stat -c %s zeroes
dd if=d/numbers of=zeroes conv=notrunc bs=100 count=1 2>/dev/null
head -n 2 zeroes
fallocate -l 200000 zeroes
stat -c %s zeroes
mktemp -d tXXXXXX | wc -c
rm -rf t??????
mkfifo fifo
stat -c '%F %a' fifo
(cat fifo; echo end) & echo through >fifo
wait
test -p fifo && echo a pipe
cp /dev/null empty
test -s empty || echo empty
sync
rmdir d
rmdir nothing
cat nothing
cd nothing
ls nothing
mkdir d
ln -s loop loop
cat loop
rm -f loop
cp d z
mv nothing x
> /
ls -la d/e | wc -l
ls -1F d/e
ls -i d >/dev/null && ls -ld d | cut -c1-10
test -e /dev/tty
for i in null zero full random urandom; do test -c /dev/$i || echo no $i; done
echo x >/dev/full
head -c 10 /dev/urandom | wc -c
ls /dev/shm
echo in shm >/dev/shm/f
cat /dev/shm/f
rm /dev/shm/f
patch -p0 <<HERE
--- three
+++ three
@@ -1 +1,2 @@
 to three
+to four
HERE
cat three
echo a >f1
echo b >f2
diff -u f1 f2 | tail -n 3
diff f1 f2 >/dev/null
echo $?
cmp f1 f2
sha1sum f1 >sums
sha1sum -c sums
sha256sum f1
sha512sum f2 | cut -c1-20
md5sum f1
crc32 f1 2>/dev/null
echo "== text"
seq 1 20 | sort -rn | head -n 3
printf 'b 2\na 10\nc 1\n' | sort -k2n
printf 'b\na\nb\n' | sort -u
sort -t: -k3n nothing
seq 1 30000 | sort -rn | md5sum
seq 1 10 | sed -n '/3/,/6/p;$='
echo abc | sed 's/\(a\)\(b\)/\2\1/;y/c/C/'
seq 3 | sed '2i\inserted'
sed -i 's/1/one/' f1
sed -e 1d -e '$d' d/numbers | wc -l
printf 'a\nb\n' | sed 'N;s/\n/+/'
awk 'BEGIN { for (i = 0; i < 5; i++) s = s sprintf("%d,", i * i); print s; print length(s), substr(s, 3, 4), toupper("abc"), index(s, "9"); "date -u -d @0 +%Y" | getline y; print y }'
seq 1 100 | awk '{ a[$1 % 7] += $1 } END { for (k in a) print k, a[k] | "sort"; close("sort"); print NR, int(7 / 2) }'
awk -F: -v OFS=- '{ $1 = $1; print; print NF }' <<HERE
x:y:z
HERE
awk 'BEGIN { while (("echo a; echo b" | getline line) > 0) print "got " line; system("exit 3"); printf "%s %5.1f|%-5s|\n", "x", 2.25, "ab"; if (match("foobar", /o+/)) print RSTART, RLENGTH; gsub(/o/, "0", s); n = split("a b c", p); print n, p[3] }'
grep -n 9 d/numbers | tail -n 2
grep -c . d/numbers
grep -rl hello d | sort
grep -E '^(1|2)0+$' d/numbers
grep -v 1 d/numbers | wc -l
echo aXb | grep -io x
grep -q nothing d/numbers
echo $?
egrep -w '7' d/numbers
fgrep -x 77 d/numbers
echo a b c | cut -d' ' -f2
echo abcdef | cut -c2-4
echo 'Hello' | tr a-z A-Z
echo aabb | tr -s a
echo a1b2 | tr -d 0-9
seq 5 | paste -sd+
seq 4 | paste - -
seq 3 | tac
echo abc | rev
seq 3 | nl
printf 'a\tb\n' | expand -t4
fold -w 3 <<HERE
abcdefgh
HERE
seq 1 5 | xargs -n 2 echo
seq 3 | xargs -I{} echo '<{}>'
echo a b | xargs -t true
seq 6 | xargs -P 3 -n 1 true
echo $?
seq 3 | tee t1 t2 | wc -l
cmp t1 t2
printf 'a\na\nb\n' | uniq -c
wc t1
head -c 4 t1
tail -c 2 t1
tail -n +2 t1
strings three | head -n 1
printf '\001\377A' | od -An -tx1
printf 'abc' | hexdump -C
printf 'abc' | xxd 2>/dev/null
echo aGk= | base64 -d
echo hi | base64
echo | uuencode -m x | tail -n 1
factor 360
expr 6 '*' 7
expr abc : 'a\(.\)'
seq -s, 1 3
seq 2 -0.5 1
echo 'scale=3; 1/3' | bc
echo 2 3 + p | dc
dirname /a/b/c
basename /a/b.c .c
env -i A=1 env
test 1 = 2
echo $?
echo -e 'a\tb\c'
echo
cal 2 2000 | head -n 3
usleep 1000
setsid true
time true 2>&1 | grep -c real
timeout 0.2 sleep 5
echo $?
which sh >/dev/null
( ulimit -c 0 )
tty
shuf -i 1-5 | sort | tr '\n' ' '
echo
start-stop-daemon --help >/dev/null 2>&1
pidof nosuchprogram
killall nosuchprogram
stty 2>/dev/null
watch 2>/dev/null
unlink three
link f1 f3
cat f3
sleep 0.1
w >/dev/null
arch
nproc >/dev/null
getopt -o a:b -- -a 1 -b rest
ipcalc -n 10.0.0.1/8
cd /
rm -rf $here
echo "== end"
