/* The CMOS clock (Motorola MC146818 data sheet). It keeps two digits of the year, so this code ends
 * with 2069. */
#include "kernel/cpu/cpu.h"
#include "kernel/dev/rtc.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

#define RTC_SECOND   0x00
#define RTC_MINUTE   0x02
#define RTC_HOUR     0x04
#define RTC_DAY      0x07
#define RTC_MONTH    0x08
#define RTC_YEAR     0x09
#define RTC_STATUS_A 0x0a
#define RTC_STATUS_B 0x0b

#define STATUS_A_UPDATING 0x80
#define STATUS_B_BINARY   0x04
#define STATUS_B_24_HOURS 0x02
#define HOUR_PM           0x80

struct date {
	u32 year, month, day, hour, minute, second;
};

static u8 cmos_read(u8 index)
{
	outb(CMOS_INDEX, index);
	return inb(CMOS_DATA);
}

static u32 from_bcd(u32 value)
{
	return (value >> 4) * 10 + (value & 15);
}

static struct date read_date(void)
{
	u8 status = cmos_read(RTC_STATUS_B);
	u8 raw_hour = cmos_read(RTC_HOUR);
	struct date date = {
		.year = cmos_read(RTC_YEAR),
		.month = cmos_read(RTC_MONTH),
		.day = cmos_read(RTC_DAY),
		.hour = raw_hour & ~HOUR_PM,
		.minute = cmos_read(RTC_MINUTE),
		.second = cmos_read(RTC_SECOND),
	};

	if (!(status & STATUS_B_BINARY))
		date = (struct date) {
			from_bcd(date.year), from_bcd(date.month),  from_bcd(date.day),
			from_bcd(date.hour), from_bcd(date.minute), from_bcd(date.second),
		};
	if (!(status & STATUS_B_24_HOURS))
		date.hour = date.hour % 12 + (raw_hour & HOUR_PM ? 12 : 0);
	date.year += date.year < 70 ? 2000 : 1900;
	return date;
}

/* Days from 1970-01-01 to the date. The year is taken to begin in March, so that a leap day ends
 * it. */
static u64 days_since_1970(const struct date *date)
{
	u32 year = date->month > 2 ? date->year : date->year - 1;
	u32 month = date->month > 2 ? date->month - 3 : date->month + 9;
	u64 day_of_year = (153 * month + 2) / 5 + date->day - 1;

	return 365ul * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

static u64 seconds_since_1970(const struct date *date)
{
	return ((days_since_1970(date) * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
}

/* An update between two reads would mix two moments, so a reading counts when it comes twice. */
u64 rtc_read(void)
{
	u64 seconds, last = 0;

	for (;;) {
		while (cmos_read(RTC_STATUS_A) & STATUS_A_UPDATING)
			;
		struct date date = read_date();

		seconds = seconds_since_1970(&date);
		if (seconds == last)
			return seconds;
		last = seconds;
	}
}
