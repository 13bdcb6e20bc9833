// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gerbang::uplink_host::ack_tap {

// Paho 1.3 forgets the reason code of a successful PUBACK, and with it that nobody listens (0x10).
// So this program stands between the library and what it reads: it defines recv and SSL_read, which
// the library calls through the dynamic linker, looks for PUBACKs in what the real ones return, and
// changes nothing. Should that not take hold, only the count of unheard messages is lost.

// A connection begins; there is one at a time.
void reset();

// The code of the PUBACK with this packet identifier, once; 0 if there was none.
unsigned take(int packet_id);

}  // namespace gerbang::uplink_host::ack_tap
