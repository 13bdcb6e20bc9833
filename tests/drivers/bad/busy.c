/* SPDX-License-Identifier: Apache-2.0 */
/* Returns at once, whether or not anything is due. */
#include "bad.h"
BAD_DRIVER(.reserved = 0)
