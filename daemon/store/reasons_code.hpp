// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "store/bytes.hpp"
#include "store/types.hpp"

namespace gerbang::store {

// Counts by reason and series, two or three bytes each: reasons:varint {name, series:varint {delta
// of series, count}…}…
void write(ByteWriter& out, const Reasons& reasons);
// Adds what is there; false: it is not what write() wrote.
bool read(ByteReader& in, Reasons& reasons);

}  // namespace gerbang::store
