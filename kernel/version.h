/* Who we are. */
#pragma once

#define COPPICE_VERSION "0.1"

/* What uname(2) and /proc/sys/kernel say. The release is the Linux whose interface this is modelled on: C libraries
 * refuse old ones. */
#define SYSTEM_NAME    "Coppice"
#define SYSTEM_RELEASE "6.1.0-coppice-" COPPICE_VERSION
#define SYSTEM_VERSION "Coppice " COPPICE_VERSION
#define HOST_NAME      "coppice"
