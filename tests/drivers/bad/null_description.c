/* SPDX-License-Identifier: Apache-2.0 */
#include "bad.h"
static const gerbang_description* describe(void) {
  return 0;
}
BAD_DRIVER(.describe = describe)
