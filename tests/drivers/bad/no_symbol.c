/* SPDX-License-Identifier: Apache-2.0 */
__attribute__((visibility("default"))) int some_other_library(void);
int some_other_library(void) {
  return 0;
}
