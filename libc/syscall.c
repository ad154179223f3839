/* System calls by number, and what their answers mean. */

#include "libc/syscall.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

long syscall_result(long answer)
{
	if (answer >= -SYSCALL_ERRORS && answer < 0) {
		errno = (int)-answer;
		return -1;
	}
	return answer;
}

long syscall(long number, ...)
{
	long arguments[6];
	va_list list;

	/* Reading more than were given yields whatever the registers held; the kernel ignores what
	 * a call does not use. */
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	return CALL(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
		    arguments[5]);
}
