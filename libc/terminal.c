/* Terminals: the POSIX names of the terminal's ioctls. */

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int tcgetattr(int fd, struct termios *attributes)
{
	return ioctl(fd, TCGETS, attributes);
}

int tcsetattr(int fd, int when, const struct termios *attributes)
{
	if (when < TCSANOW || when > TCSAFLUSH) {
		errno = EINVAL;
		return -1;
	}
	return ioctl(fd, TCSETS + (unsigned long)when, attributes);
}

int tcflush(int fd, int queue)
{
	return ioctl(fd, TCFLSH, queue);
}

void cfmakeraw(struct termios *attributes)
{
	attributes->c_iflag &=
		~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	attributes->c_oflag &= ~(tcflag_t)OPOST;
	attributes->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	attributes->c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	attributes->c_cflag |= CS8;
}

int isatty(int fd)
{
	struct termios attributes;

	return tcgetattr(fd, &attributes) == 0;
}

pid_t tcgetpgrp(int fd)
{
	pid_t group;

	return ioctl(fd, TIOCGPGRP, &group) < 0 ? -1 : group;
}

int tcsetpgrp(int fd, pid_t group)
{
	return ioctl(fd, TIOCSPGRP, &group);
}
