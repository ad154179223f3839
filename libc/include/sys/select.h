/* newlib's select.h with Linux's size of fd_set. */
#ifndef FD_SETSIZE
#define FD_SETSIZE 1024
#endif
#include_next <sys/select.h>
