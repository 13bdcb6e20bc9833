// SPDX-License-Identifier: Apache-2.0
//
// Frames with a source. PMS5003 and SDS011: captures published by users of the sensors, their
// checksums computed again. SPS30: put together after Sensirion's datasheet, section SHDLC.
#pragma once

namespace gerbang::test::particulate {

inline constexpr const char* kPmsA =
    "42 4d 00 1c 00 1b 00 21 00 29 00 1a 00 21 00 29 2b fb 04 be 00 6b 00 10 00 04 00 04 67 00 04 "
    "46";
inline constexpr const char* kPmsB =
    "42 4d 00 1c 00 03 00 04 00 07 00 04 00 05 00 08 03 1b 00 f9 00 1b 00 06 00 03 00 03 9a 00 02 "
    "a2";
// Published with a checksum of 0x01AB; its bytes give 0x02F8.
inline constexpr const char* kPmsWrong =
    "42 4d 00 1c 00 0e 00 13 00 14 00 0e 00 13 00 14 01 5a 00 eb 00 5b 00 2e 00 0e 00 04 00 02 01 "
    "ab";
// The fields of kPmsB in the 24 bytes of a PMS3003 (Plantower's manual of it); sum computed.
inline constexpr const char* kPms3003 =
    "42 4d 00 14 00 03 00 04 00 07 00 04 00 05 00 08 00 00 00 00 00 00 00 c2";
inline constexpr const char* kSds = "AA C0 D4 04 3A 0A A1 60 1D AB";
inline constexpr const char* kSps =
    "7E 00 03 00 28 41480000 41A20000 41C00000 41D60000 42AA0000 42C50000 42CA0000 42CB0000 "
    "42CB3333 "
    "3F1EB852 6A 7E";
inline constexpr const char* kSpsNoNewData = "7E 00 03 00 00 FC 7E";
inline constexpr const char* kSpsIdle = "7E 00 03 43 00 B9 7E";
inline constexpr const char* kSpsStarted = "7E 00 00 00 00 FF 7E";

}  // namespace gerbang::test::particulate
