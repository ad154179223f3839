#!/bin/bash
# Block devices and swap areas: the ramdisk, disks of QEMU's, their bytes as this machine sees them, and swap areas that
# Linux's mkswap has made.
. "$(dirname "$0")/lib.sh"

# No whole numbers of pages.
head -c $((6 * 1024 * 1024 + 1536)) /dev/urandom >"$scratch/disk"
head -c $((700 * 1024 + 512)) /dev/urandom >"$scratch/second"
cp "$scratch/second" "$scratch/wanted"

check 'a disk is read byte for byte' eval 'tools/run --mem 128M --timeout 60 --disk "$scratch/disk" --disk "$scratch/second" \
	cat /dev/vdc </dev/null | cmp - "$scratch/second"'
head -c 300001 /dev/urandom >"$scratch/bytes"
run --mem 128M --timeout 60 --disk "$scratch/disk" --disk "$scratch/second" --add "$scratch/bytes" cp /bytes /dev/vdc
dd if="$scratch/bytes" of="$scratch/wanted" conv=notrunc bs=1M status=none
check 'and written' cmp "$scratch/wanted" "$scratch/second"

guest block --mem 256M --timeout 150 --append noswap --disk "$scratch/disk" /tests/block
guest 'block on 4' --mem 256M --cpus 4 --timeout 150 --append noswap --disk "$scratch/disk" /tests/block
guest 'block, checked' --checked --mem 256M --cpus 2 --timeout 200 --append noswap --disk "$scratch/disk" /tests/block

# Memory that was used while booting, and that the ramdisk has got.
head -c 16000000 /dev/urandom >"$scratch/large"
run --mem 128M --timeout 60 --append noswap --add "$scratch/large" hexdump /dev/ram0
is 'what was never written is zero' "$run_output" $'0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n1c00000'

# What the ramdisk is by default, and by the words for it.
swaps()
{
	run --mem "$1" --timeout 60 --append "$2" cat /proc/swaps
	awk 'NR > 1 { print $1, $2, $3, $4, $5 }' <<<"$run_output"
}

ram_size()
{
	run --mem 128M --timeout 60 --append "noswap $1" sh -c 'wc /dev/ram0'
	awk '{ print $3 }' <<<"$run_output"
}

is '1 GB: a quarter of it is swapped to' "$(swaps 1G '')" '/dev/ram0 partition 258044 0 -2'
is 'ramdisk=8M' "$(swaps 1G ramdisk=8M)" '/dev/ram0 partition 8188 0 -2'
is 'ramdisk=0' "$(swaps 1G ramdisk=0)" ''
run --mem 128M --timeout 60 --append ramdisk=0 ls /dev/ram0
is 'ramdisk=0: there is none' "$run_status" 1
is 'noswap' "$(swaps 1G noswap)" ''
is 'a size that is no whole number of blocks' "$(ram_size ramdisk=5000K)" 5120000
is 'a size that is none' "$(ram_size ramdisk=7X)" 29360128
is 'a size that is too large' "$(ram_size ramdisk=4G | awk '{ print ($1 > 40e6 && $1 < 64e6) }')" 1

# Linux's swap areas.
if mkswap=$(PATH=$PATH:/sbin:/usr/sbin type -P mkswap); then
	uuid=01234567-89ab-cdef-8123-456789abcdef
	truncate -s 3M "$scratch/linux" "$scratch/ours"
	truncate -s 9M "$scratch/short"
	"$mkswap" -L wood -U $uuid "$scratch/linux" >/dev/null 2>&1
	"$mkswap" "$scratch/short" 5000 >/dev/null 2>&1
	run --mem 128M --timeout 60 --append noswap --disk "$scratch/linux" --disk "$scratch/ours" --disk "$scratch/short" \
		sh -c "mkswap -L wood -U $uuid /dev/vdc >/tmp/said && swapon /dev/vdb && swapon -p 5 /dev/vdc /dev/vdd && swapon &&
			swapoff -a && swapon"
	is 'swapon takes them' "$(awk '{ print $1, $3, $5 }' <<<"$run_output")" \
		$'Filename Size Priority\n/dev/vdb 3068 -2\n/dev/vdc 3068 5\n/dev/vdd 4996 5\nFilename Size Priority'
	is 'and none failed' "$run_status" 0
	check 'mkswap makes what Linux'"'"'s makes' cmp "$scratch/linux" "$scratch/ours"
else
	skip 'swapon takes them' 'there is no mkswap'
fi

run --mem 64M --timeout 60 --append noswap sh -c 'mkswap -U 0 /dev/ram0; mkswap /dev/ram0 100000000; mkswap /dev/ram0 36
	mkswap /dev/absent; swapon /dev/absent; swapoff /dev/ram0; swapon /etc/passwd'
is 'errors are told' "$run_output" "mkswap: '0' is not a UUID
usage: mkswap [-L LABEL] [-U UUID] DEVICE [KILOBYTES]
mkswap: /dev/ram0 has only 12288 kB
mkswap: a swap area needs at least 40 kB
mkswap: /dev/absent: No such file or directory
swapon: /dev/absent: No such file or directory
swapoff: /dev/ram0: Invalid argument
swapon: /etc/passwd: Invalid argument"
for wrong in --disk '--disk /absent echo' '--disk /tmp echo'; do
	run $wrong
	is "wrong usage: $wrong" "$run_status" 2
done
finish
