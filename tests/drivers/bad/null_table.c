/* SPDX-License-Identifier: Apache-2.0 */
#include <gerbang/driver.h>
const gerbang_driver_table* gerbang_driver(void) {
  return 0;
}
