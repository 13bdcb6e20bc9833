// SPDX-License-Identifier: Apache-2.0
//
// Checksums of database pages. SQLite trusts what it reads: without them a flipped bit in a row is
// sent as it is.
#pragma once

#include <string>

namespace gerbang::store::sql {

// Bytes that SQLite leaves free at the end of each page of a new file. A file that has them is
// checked; an older one is read as it is.
inline constexpr int kPageReserve = 8;

// The name of a VFS over `base` (empty: the system's) that writes the checksum of each page of a
// database file and compares it when the page is read: SQLITE_IOERR_DATA. The log has checksums of
// its own. It has no shared memory: a connection that locks exclusively needs none.
std::string checked_vfs(const std::string& base);

}  // namespace gerbang::store::sql
