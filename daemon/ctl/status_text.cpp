// SPDX-License-Identifier: Apache-2.0
#include "ctl/status_text.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>

#include "core/spoken.hpp"
#include "ctl/json_fields.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;
using Lines = std::vector<std::string>;

// Single words of the gateway, as its documents have them.
struct Word {
  std::string_view code, ind, eng;
};
constexpr std::array kWords{
    Word{"pass", "baik", "pass"},
    Word{"warn", "perlu perhatian", "warn"},
    Word{"fail", "gangguan", "fail"},
    Word{"running", "berjalan", "running"},
    Word{"starting", "mulai", "starting"},
    Word{"trouble", "terganggu", "trouble"},
    Word{"backing_off", "menunggu", "backing_off"},
    Word{"quarantined", "ditahan", "quarantined"},
    Word{"config_error", "konfigurasi", "config_error"},
    Word{"stopped", "berhenti", "stopped"},
    Word{"TRUSTED", "tepercaya", "TRUSTED"},
    Word{"ESTIMATED", "diperkirakan", "ESTIMATED"},
    Word{"UNTRUSTED", "belum pasti", "UNTRUSTED"},
    Word{"INFO", "INFO", "INFO"},
    Word{"WARNING", "PERINGATAN", "WARNING"},
    Word{"HIGH", "TINGGI", "HIGH"},
    Word{"CRITICAL", "KRITIS", "CRITICAL"},
};

json::array rows_of(const json::object& o, std::string_view key) {
  json::array out;
  const json::value* list = o.if_contains(key);
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& row : list->as_array())
    if (row.is_object()) out.push_back(row);
  return out;
}

json::object part_of(const json::object& o, std::string_view key) {
  const json::value* part = o.if_contains(key);
  return part != nullptr && part->is_object() ? part->as_object() : json::object();
}

std::int64_t sum_of(const json::object& counts) {
  std::int64_t out = 0;
  for (const auto& entry : counts) out += integer_of(counts, entry.key());
  return out;
}

// Filled with spaces to a width; ASCII.
std::string column(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string fixed(double number, int decimals) {
  char text[400];  // the largest double has 309 digits
  std::snprintf(text, sizeof text, "%.*f", decimals, number);
  return text;
}

class Screen {
 public:
  Screen(const json::object& status, std::string_view language)
      : status_(status),
        language_(language),
        ind_(language == "ind"),
        now_(integer_of(status, "nowMs")) {}

  Lines lines() {
    head();
    drivers();
    uplinks();
    alarms();
    store();
    if (status_.contains("ledger")) ledger(part_of(status_, "ledger"));
    return std::move(lines_);
  }

 private:
  std::string say(std::string_view ind, std::string_view eng) const {
    return std::string(ind_ ? ind : eng);
  }
  std::string word(const std::string& code) const {
    const auto* known = std::find_if(kWords.begin(), kWords.end(),
                                     [&](const Word& word) { return word.code == code; });
    return known == kWords.end() ? code : say(known->ind, known->eng);
  }
  std::string of(const json::object& o, const std::string& key) const {
    return text_of(o, key + (ind_ ? "Ind" : "Eng"));
  }
  std::string span(std::int64_t ms) const {
    const std::int64_t s = ms / 1000;
    if (s < 120) return std::to_string(s) + say(" detik", " s");
    if (s < 7200) return std::to_string(s / 60) + say(" menit", " min");
    if (s < 172'800) return std::to_string(s / 3600) + say(" jam", " h");
    return std::to_string(s / 86'400) + say(" hari", " d");
  }
  std::string number(const json::object& o, std::string_view key) const {
    return std::to_string(integer_of(o, key));
  }
  void add(std::string line) { lines_.push_back(std::move(line)); }

  void head() {
    add(text_of(status_, "gateway") + "  " + text_of(status_, "region") + "/" +
        text_of(status_, "site") + say("  versi ", "  version ") + text_of(status_, "version") +
        say("  berjalan ", "  up ") + span(now_ - integer_of(status_, "startedAtMs")) +
        say("  jam ", "  clock ") + word(text_of(status_, "clock")));
    add(say("keadaan: ", "state: ") + word(text_of(status_, "status")));
    for (const json::value& value : rows_of(status_, "checks")) {
      const json::object& check = value.as_object();
      // A silent device stands with its driver.
      if (text_of(check, "status") == "pass" || text_of(check, "name").starts_with("device:"))
        continue;
      add("  " + word(text_of(check, "status")) + ": " + text_of(check, "name") + ": " +
          of(check, "text"));
    }
  }

  void drivers() {
    add(say("driver:", "drivers:"));
    for (const json::value& value : rows_of(status_, "drivers")) {
      const json::object& driver = value.as_object();
      const std::string error = spoken(text_of(driver, "lastError"), language_);
      add("  " + column(text_of(driver, "name"), 16) + " " + column(text_of(driver, "plugin"), 10) +
          " " + column(word(text_of(driver, "state")), 12) + " " + number(driver, "restarts") +
          say(" kali dimulai ulang", " restarts") + (error.empty() ? "" : "  " + error));
      for (const json::value& device : rows_of(driver, "devices")) silent(device.as_object());
    }
  }

  void silent(const json::object& device) {
    const std::int64_t since = integer_of(device, "silentSinceMs");
    if (since == 0) return;
    const std::string id = text_of(device, "id"), name = text_of(device, "name");
    const std::int64_t answer = integer_of(device, "lastAnswerMs");
    std::string why = text_of(device, "silentReason");
    for (unsigned i = 1; i < kReasonCount; ++i)
      if (gerbang::name(*reason_of(i)) == why) {
        why = spoken(*reason_of(i), language_);
        break;
      }
    add("    " + (id.empty() ? name : id + " (" + name + ")") +
        say(": TIDAK menjawab selama ", ": does NOT answer for ") + span(now_ - since) + ": " +
        why +
        (answer > 0 ? say("; jawaban terakhir ", "; last answer ") + span(now_ - answer) +
                          say(" lalu", " ago")
                    : say("; belum pernah menjawab", "; never answered")));
  }

  void uplinks() {
    add(say("pengiriman:", "uplinks:"));
    for (const json::value& value : rows_of(status_, "uplinks")) {
      const json::object& uplink = value.as_object();
      const std::string reason = spoken(text_of(uplink, "reason"), language_);
      add("  " + column(text_of(uplink, "name"), 16) + " " +
          (is_true(uplink, "connected") ? say("tersambung", "connected")
                                        : say("TIDAK tersambung", "NOT connected")) +
          say(" selama ", " for ") + span(now_ - integer_of(uplink, "sinceMs")) + ", " +
          number(uplink, "waiting") +
          say(" menunggu, diakui sampai #", " waiting, acknowledged to #") +
          number(uplink, "acknowledgedSequence") + (reason.empty() ? "" : "  " + reason));
      const std::string under = "  " + column("", 16) + " ";
      if (integer_of(uplink, "unheard") > 0)
        add(under + say("", "nobody listened to ") + number(uplink, "unheard") +
            say(" pesan tanpa pendengar", " messages"));
      if (integer_of(uplink, "refused") > 0)
        add(under + number(uplink, "refused") +
            say(" pesan ditolak broker", " messages refused by the broker"));
    }
  }

  void alarms() {
    if (!status_.contains("alarms")) return;
    const json::object all = part_of(status_, "alarms");
    if (integer_of(all, "active") == 0)
      add(say("peringatan: tidak ada yang aktif", "alarms: none is active"));
    for (const json::value& value : rows_of(all, "alarms")) {
      const json::object& alarm = value.as_object();
      if (text_of(alarm, "state") == "CLEARED") continue;
      add(say("peringatan: ", "alarm: ") + column(word(text_of(alarm, "severity")), 8) + " " +
          text_of(alarm, "id") + "  " + of(alarm, "text") + say("  selama ", "  for ") +
          span(now_ - integer_of(alarm, "sinceMs")));
    }
  }

  void store() {
    const json::object store = part_of(status_, "store");
    if (store.empty()) return;
    const json::value* commit = store.if_contains("lastCommitSeconds");
    const double seconds = commit && commit->is_number() ? commit->to_number<double>() : 0;
    const std::string trouble = spoken(text_of(store, "trouble"), language_);
    const double mib = 1048576.0;
    add(say("penyimpanan: ", "store: ") +
        fixed(static_cast<double>(integer_of(store, "bytes")) / mib, 1) + say(" dari ", " of ") +
        fixed(static_cast<double>(integer_of(store, "cap")) / mib, 0) + " MiB" +
        (is_true(store, "degraded") ? say("  TERGANGGU ", "  DEGRADED ") : "") + trouble +
        say("  commit terakhir ", "  last commit ") + fixed(seconds * 1000, 1) + " ms" +
        say("  selisih buku besar ", "  ledger difference ") + number(status_, "ledgerDifference"));
  }

  // The two equations, and the sensors that do not satisfy them: there should be none.
  void ledger(const json::object& ledger) {
    // A missing reading that says the same as the one before it is stored once a window: nothing
    // was refused.
    const auto add_one = [&](const std::string& title, const json::object& o) {
      const json::object rejected = part_of(o, "rejected");
      const std::int64_t repeated = integer_of(rejected, "repeated");
      add(title + say(": diambil ", ": taken ") + number(o, "taken") +
          say(" = tersimpan ", " = stored ") + number(o, "stored") +
          say(" + masih hilang ", " + still missing ") + std::to_string(repeated) +
          say(" + ditolak ", " + rejected ") + std::to_string(sum_of(rejected) - repeated) +
          say(" + menunggu commit ", " + waiting for commit ") + number(o, "waitingForCommit"));
      add(column("", title.size()) + say("  tersimpan ", "  stored ") + number(o, "stored") +
          say(" = terlipat ", " = folded ") + number(o, "folded") +
          say(" + akan dilipat ", " + to fold ") + number(o, "waitingToBeFolded") +
          say(" + tidak dilipat ", " + not folded ") +
          std::to_string(sum_of(part_of(o, "notFolded"))));
    };
    if (ledger.contains("readings"))
      add_one(say("buku besar", "ledger"), part_of(ledger, "readings"));
    for (const json::value& value : rows_of(ledger, "sensors")) {
      const json::object& sensor = value.as_object();
      if (integer_of(sensor, "difference") != 0 || integer_of(sensor, "foldingDifference") != 0)
        add_one(say("  TIDAK SEIMBANG ", "  DOES NOT BALANCE ") + text_of(sensor, "sensor"),
                sensor);
    }
    if (!ledger.contains("journal")) return;
    const json::object journal = part_of(ledger, "journal");
    const std::string trouble = spoken(text_of(journal, "trouble"), language_);
    if (!is_true(journal, "on") || !trouble.empty())
      add(say("jurnal: gerbang yang mati mendadak kehilangan apa yang menunggu commit",
              "journal: a killed gateway loses what waits for a commit") +
          (trouble.empty() ? "" : ": ") + trouble);
  }

  const json::object& status_;
  const std::string_view language_;
  const bool ind_;
  const std::int64_t now_;
  Lines lines_;
};

}  // namespace

std::vector<std::string> status_lines(const json::object& status, std::string_view language) {
  return Screen(status, language).lines();
}

}  // namespace gerbang::ctl
