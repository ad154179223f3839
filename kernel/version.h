/* Who we are. */
#pragma once

#define COPPICE_VERSION "0.1"
