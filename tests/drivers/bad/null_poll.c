/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
BAD_DRIVER(.poll = 0)
