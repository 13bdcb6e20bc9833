/* SPDX-License-Identifier: Apache-2.0 */
/* Ends before the optional functions, as a driver may that was built before they existed. */
#include "bad.h"
BAD_DRIVER(.size = offsetof(gerbang_driver_table, decode),
           .decode = (gerbang_status(*)(const gerbang_host*, const gerbang_config*, const void*,
                                        size_t))1)
