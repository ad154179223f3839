# What the system says of itself to busybox, where only a part of it is known before: a line of TAP for each.
number=0
fact()
{
	number=$((number + 1))
	if (eval "$2") >/tmp/fact 2>&1; then
		echo "ok $number - $1"
	else
		sed 's/^/# /' /tmp/fact
		echo "not ok $number - $1"
	fi
}

busybox --install -s /bin 2>/dev/null
echo 1..26
fact ps 'ps | grep " 1 root .* /*init" && ps -o pid,ppid,stat,args | grep "^ *1 *0 .*init"'
fact top 'top -bn1 >/tmp/top && grep "^CPU: .*idle" /tmp/top && grep "top -bn1" /tmp/top'
fact free 'free -m | grep "^Mem: *[1-9]"'
fact uptime 'uptime | grep "load average: [0-9]"'
fact mount 'mount | grep "proc on /proc type proc" && mount | grep "on /sys type sysfs"'
fact df 'df -h / | grep "% /$" && df -a | grep /proc'
fact stat 'stat -f / | grep "Type: tmpfs"'
fact who 'test "$(id -un) $(id -gn) $(whoami)" = "root root root" && grep "^root:" /etc/group'
fact chown 'touch /tmp/fact; chown 1:2 /tmp/fact && test "$(stat -c "%u %g" /tmp/fact)" = "1 2" && chgrp 0 /tmp/fact'
fact hostname 'test "$(hostname)" = "$(cat /etc/hostname)" && test "$(hostname)" = "$(cat /proc/sys/kernel/hostname)"'
fact ostype 'test "$(uname -s)" = "$(cat /proc/sys/kernel/ostype)"'
fact osrelease 'test "$(uname -r)" = "$(cat /proc/sys/kernel/osrelease)"'
fact pid_max 'test $(cat /proc/sys/kernel/pid_max) -gt $$'
fact cpus 'test $(grep -c ^processor /proc/cpuinfo)$(nproc)$(grep -c "^cpu[0-9]" /proc/stat) = $CPUS$CPUS$CPUS'
fact sysfs 'cd /sys/devices/system/cpu && test "$(cat online possible present | uniq -c | tr -s " ")" = " 3 $ONLINE"'
fact environ 'env -i PATH=/bin A=b "C=d e" cat /proc/self/environ | tr "\0" "\n" | grep "^C=d e$"'
fact cmdline '/bin/cat /proc/self/cmdline - </dev/null | tr "\0" " " | grep "^/bin/cat /proc/self/cmdline - $"'
fact status 'grep "^Uid:.0" /proc/1/status && grep "^PPid:.1$" /proc/2/status'
fact links 'test "$(readlink /proc/self/cwd)" = "$PWD" && readlink /proc/self/exe | grep /bin/busybox && ls -l /proc/self/fd/'
fact devices 'for d in null zero full random urandom tty console; do test -c /dev/$d || exit 1; done; test -d /dev/shm'
fact kill 'sleep 50 & kill $!; wait $!; test $? = 143'
fact killall 'sleep 50 & sleep 0.2; pidof sleep && killall sleep; wait $!; test $? = 143'
fact date 'test $(date +%s) -gt 1500000000 && date -u +%Y | grep ^20'
fact dmesg 'dmesg; test $? -le 1'
fact renice 'renice 0 $$'
fact filesystems 'grep tmpfs /proc/filesystems && grep ^pgfault /proc/vmstat && grep ^btime /proc/stat && cat /proc/loadavg'
