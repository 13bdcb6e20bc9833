// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace gerbang::test {

// The uplink event of ChirpStack 4 that the domain note prints (6.13), with what differs between
// uplinks as a parameter. `data` C7gH0A== is 0B B8 07 D0: 3000 mm, 2000 mV.
struct ChirpStack {
  std::string id = "3ac7e3c4-4401-4b8d-9386-a5c902f9202d";
  std::string time = R"("time":"2026-02-01T02:00:00.123456Z",)";
  std::string dev_addr = "00189440";
  int f_cnt = 42, f_port = 2;
  std::string data = R"("data":"C7gH0A==",)";
  std::string object = R"("object":{"distance_mm":3000,"battery_mv":2000},)";

  std::string text() const {
    return R"({"deduplicationId":")" + id + R"(",)" + time +
           R"("deviceInfo":{"tenantId":"52f14cd4-c6f1-4fbd-8f87-4025e1d49242","tenantName":"Dinas LH",)"
           R"("applicationId":"17c82e96-be03-4f38-aef3-f83d48582d97","applicationName":"bak-sampah",)"
           R"("deviceProfileId":"14855bf7-d10d-4aee-b618-ebfcb64dc7ad","deviceProfileName":"bin",)"
           R"("deviceName":"TPS-012","devEui":"0101010101010101","tags":{"kelurahan":"Allepolea"}},)"
           R"("devAddr":")" +
           dev_addr + R"(","adr":true,"dr":2,"fCnt":)" + std::to_string(f_cnt) + R"(,"fPort":)" +
           std::to_string(f_port) + R"(,"confirmed":false,)" + data + object +
           R"("rxInfo":[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-98,"snr":6.5}],)"
           R"("txInfo":{"frequency":922000000,"modulation":{"lora":{"bandwidth":125000,)"
           R"("spreadingFactor":10,"codeRate":"CR_4_5"}}}})";
  }
};

inline constexpr const char* kUplinkTopic =
    "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/event/up";

}  // namespace gerbang::test
