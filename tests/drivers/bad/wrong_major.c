/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
BAD_DRIVER(.abi_major = GERBANG_ABI_MAJOR + 1)
