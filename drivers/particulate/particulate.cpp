// SPDX-License-Identifier: Apache-2.0
//
// What the host sees of the driver of particle counters: its keys, when it asks, what it says.
#include <algorithm>
#include <gerbang/driver.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec.hpp"
#include "keys.hpp"
#include "serial/dialogue.hpp"
#include "serial/options.hpp"
#include "serial/stream.hpp"

namespace gerbang::particulate {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;

// When the model is not known: so long with 9600 baud (a PMS sends every 2.3 s at the rarest), then
// so long with the 115200 baud of an SPS30.
constexpr auto kListenSlow = 2500ms;
constexpr auto kListenFast = 1s;
// A recognised device that says nothing for so long may have been replaced by another model.
constexpr auto kForget = 60s;
// An SPS30 answers within 20 ms, a PMS or SDS011 when it has measured; adapters add some.
constexpr auto kSpsAnswers = 500ms;
constexpr auto kOthersAnswer = 1000ms;
constexpr auto kLatest = 7s;  // an answer that is later is not reckoned with
constexpr auto kSearchAgain = 300ms;
constexpr auto kNoNewData = 200ms;  // an SPS30 measures every second
constexpr auto kSpsIdle = 1500ms;   // without any new data: it has to be started
constexpr auto kStartAgain = 10s;

constexpr const char* kChannels =
    "pm2_5|pm10|pm1|pm4|pm1_cf1|pm2_5_cf1|pm10_cf1|count_0_3|count_0_5|count_1|count_2_5|count_5|"
    "count_10|number_0_5|number_1|number_2_5|number_4|number_10|typical_size";

serial::Settings line_of(const Values& options) {
  serial::Settings usual;
  if (model_of(options) == Model::sps30) usual.baud = 115'200;
  usual.gather = 10ms;
  return serial::settings_of(options, std::move(usual));
}

class Particulate final : public serial::Stream {
 public:
  static constexpr const char* kName = "particulate";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kSummary =
      "Reads particle counters on a serial port: Plantower PMS, Nova SDS011, Sensirion SPS30.";
  static constexpr std::chrono::milliseconds kMaxBlock{1000};
  static constexpr gerbang_option_spec kOptions[] = {
      serial::device_key(),
      choice("model", "auto|pms5003|pms7003|pms3003|sds011|sps30",
             "What is connected; auto recognises it by its frames")
          .otherwise("auto"),
      choice(
          "mode", "active|passive",
          "Whether a PMS or SDS011 sends by itself, or was put into passive mode and is asked; an "
          "SPS30 is always asked")
          .otherwise("active"),
      serial::baud_key(),
      serial::parity_key("none"),
      serial::data_bits_key("8"),
      serial::stop_bits_key("1"),
      duration("timeout",
               "How long a turn waits for a new frame, but never longer than the interval")
          .range(100, 60'000)
          .otherwise("3s"),
      duration("warm_up",
               "How long values are suspect after the sensor was started, or was silent for 10 s")
          .range(0, 600'000)
          .otherwise("30s"),
  };
  static constexpr gerbang_option_spec kAddress[] = {
      choice("channel", kChannels, "What to read; README.md says which model has which")
          .required()
          .identity(),
  };

  Particulate(Host host, const Config& config)
      : Stream(host, line_of(config.options()), "particulate",
               {config.options().duration("timeout"), config.options().duration("warm_up")}),
        given_(model_of(config.options())),
        passive_(config.options().text("mode") == "passive"),
        search_(!config.options().has("baud")),
        model_(given_),
        codec_(given_),
        dialogue_(given_ && given_ != Model::sps30 ? kOthersAnswer : kSpsAnswers, kLatest) {
    for (std::size_t i = 0; i < config.sensor_count(); ++i) {
      const Sensor sensor = config.sensor(i);
      Wanted wanted{sensor.id, sensor.address.text("channel"), std::nullopt};
      if (given_) {
        wanted.at = find_channel(*given_, wanted.channel);
        if (!wanted.at)
          throw Failure(GERBANG_CONFIG, where(wanted) + no_channel(*given_, wanted.channel));
      }
      wanted_.push_back(std::move(wanted));
      add(sensor);
    }
  }

  static gerbang_status decode(Host host, const Config& config, std::span<const std::byte> data) {
    return decode_by_hand(host, config, data);
  }
  static gerbang_status scan(Host host, const Config& config, const Scan& scan) {
    return scan_by_hand(host, config, scan);
  }

 private:
  struct Wanted {
    std::string id, channel;
    std::optional<std::size_t> at;  // in the values of the model
  };

  static std::string where(const Wanted& wanted) { return "sensor " + wanted.id + ": address: "; }

  void feed(Bytes bytes) override {
    heard_ += bytes.size();
    if (heard_ > question_) dialogue_.garbled();  // more than an echo
    take(codec_.feed(bytes));
  }
  void silence() override { take(codec_.silence()); }
  void reset() override {
    codec_.reset();
    ask_at_ = Time{};
    if (dialogue_.waits()) dialogue_.doubt();
  }
  void answer(Emitter& out, std::uint32_t sensor, std::size_t position) override;
  Time act(Time now, bool waiting) override;

  void take(std::span<const Event> events);
  void take(const Event& event, Time now);
  bool asks() const { return model_ && (*model_ == Model::sps30 || passive_); }
  bool use(const Event& event, Time now);
  void recognise(Model model);
  Time search(Time now);
  Time ask(Time now);
  void send(Bytes question);

  const std::optional<Model> given_;
  const bool passive_, search_;  // search_: the baud rate is not given
  std::optional<Model> model_;
  Codec codec_;
  std::vector<Wanted> wanted_;

  Event newest_;
  std::uint64_t noise_ = 0;
  Time heard_at_{};  // a good frame
  std::string told_;

  Time listen_until_{};  // model not known
  serial::Dialogue dialogue_;
  std::size_t question_ = 0, heard_ = 0;  // bytes of the newest question, and since
  Time ask_at_{}, asked_at_{};            // not before; the newest question
  Time start_at_{};                       // not before
  Time nothing_since_ = Time::max();      // SPS30: only "no new data" since
};

void Particulate::take(std::span<const Event> events) {
  std::size_t broken_frames = 0;
  std::optional<Model> seen;
  const Time now = host().boottime();
  for (const Event& event : events) {
    switch (event.kind) {
      case Event::Kind::broken:
        ++broken_frames;
        break;
      case Event::Kind::refused:
        noise(1);
        if (asks()) dialogue_.answered(now);
        if (std::exchange(told_, event.text) != event.text) host().warning(event.text);
        break;
      default:
        heard_at_ = now;
        seen = event.model;
        if (use(event, now)) take(event, now);
    }
  }
  if (broken_frames > 0) broken(broken_frames);
  if (const auto more = codec_.noise() - noise_; more > 0) {
    noise(more);
    noise_ += more;
  }
  if (seen && !model_) recognise(*seen);
}

// Whether it counts: of a device that is asked, only the answer to the newest question.
bool Particulate::use(const Event& event, Time now) {
  const bool values = event.kind == Event::Kind::measurement || event.kind == Event::Kind::fault;
  // Heard in the search, where questions are not told apart.
  if (!model_) return !values || event.model != Model::sps30;
  if (!asks() || event.kind == Event::Kind::started) return true;
  if (values) nothing_since_ = Time::max();
  const auto answer = dialogue_.answered(now);
  if (answer != serial::Dialogue::Answer::late)
    return answer == serial::Dialogue::Answer::right || !values;
  std::string text =
      "an answer came when none was due: it may be a late one to an earlier "
      "question, so its values are not used";
  if (passive_) text += "; if the sensor sends by itself, leave mode = \"passive\" away";
  if (std::exchange(told_, text) != text) host().warning(text);
  return false;
}

void Particulate::take(const Event& event, Time now) {
  switch (event.kind) {
    case Event::Kind::measurement:
    case Event::Kind::fault: {
      newest_ = event;
      const bool was_asked = asked_at_ > Time{};
      measured(was_asked ? std::chrono::ceil<std::chrono::microseconds>(now - asked_at_) : 0us);
      asked_at_ = ask_at_ = Time{};
      nothing_since_ = Time::max();
      std::string text;
      if (event.kind == Event::Kind::fault)
        text = std::string(name_of(event.model)) + " says that it cannot measure, code " +
               std::to_string(event.code) + "; look at its fan and its supply";
      if (std::exchange(told_, text) != text)
        text.empty() ? host().info("the sensor measures again") : host().warning(text);
      break;
    }
    case Event::Kind::no_new_data:
      nothing_since_ = std::min(nothing_since_, now);
      ask_at_ = now + kNoNewData;
      if (now - nothing_since_ >= kSpsIdle && now >= start_at_) {
        start_at_ = now + kStartAgain;
        send(kSpsStart);
      }
      break;
    case Event::Kind::idle:
      ask_at_ = now + 1s;
      if (now < start_at_) break;
      start_at_ = now + kStartAgain;
      send(kSpsStart);
      break;
    case Event::Kind::started:
      started();
      break;
    default:
      break;
  }
}

void Particulate::recognise(Model model) {
  model_ = model;
  codec_ = Codec(model);
  noise_ = 0;
  dialogue_.doubt();
  std::string text =
      "recognised " + std::string(name_of(model)) + " at " + text_of(line().settings());
  if (model == Model::pms5003)
    text += " (a pms7003 sends the same frames; so does an HPMA115S0, but with other positions)";
  host().info(text);
  for (Wanted& wanted : wanted_) {
    wanted.at = find_channel(model, wanted.channel);
    if (!wanted.at) host().error(where(wanted) + no_channel(model, wanted.channel));
  }
}

void Particulate::answer(Emitter& out, std::uint32_t sensor, std::size_t position) {
  const Wanted& wanted = wanted_[position];
  if (newest_.kind == Event::Kind::fault) return out.missing(sensor, GERBANG_REASON_DEVICE_FAULT);
  if (!wanted.at) return out.missing(sensor, GERBANG_REASON_PROTOCOL);
  const double value = newest_.values[*wanted.at];
  const auto quality = warming_up() ? GERBANG_SUSPECT : GERBANG_NOT_EVALUATED;
  const auto reason = warming_up() ? GERBANG_REASON_WARM_UP : GERBANG_REASON_NONE;
  if (newest_.whole)
    out.integer(sensor, static_cast<std::int64_t>(value), quality, reason);
  else
    out.number(sensor, value, quality, reason);
}

serial::Stream::Time Particulate::act(Time now, bool waiting) {
  if (!given_ && model_ && now - heard_at_ >= kForget) {
    host().info("nothing was heard of the " + std::string(name_of(*model_)) +
                " for a minute; looking for other models too");
    model_.reset();
    codec_ = Codec(std::nullopt);
    noise_ = 0;
  }
  if (!model_) return search(now);
  const Time forget = given_ ? Time::max() : heard_at_ + kForget;
  if (!waiting || !asks()) return forget;
  return std::min(forget, ask(now));
}

// Listens with the one speed, then with the other.
serial::Stream::Time Particulate::search(Time now) {
  if (now >= listen_until_ && search_) {
    serial::Settings settings = line().settings();
    const bool first = listen_until_ == Time{};
    const int baud = first || settings.baud != 9600 ? 9600 : 115'200;
    listen_until_ = now + (baud == 9600 ? Time(kListenSlow) : Time(kListenFast));
    ask_at_ = now;
    if (std::exchange(settings.baud, baud) != baud) {
      line().change(settings);
      return now;  // and go on when what the other speed left behind is forgotten
    }
  }
  const bool fast = line().settings().baud == 115'200;
  if (fast && now >= ask_at_) {
    send(kSpsRead);
    ask_at_ = now + kSearchAgain;
  }
  const Time until = search_ ? listen_until_ : Time::max();
  return fast ? std::min(until, ask_at_) : until;
}

serial::Stream::Time Particulate::ask(Time now) {
  if (const Time at = std::max(ask_at_, dialogue_.next(now)); now < at) return at;
  if (*model_ == Model::sps30)
    send(kSpsRead);
  else
    *model_ == Model::sds011 ? send(kSdsRead) : send(kPmsRead);
  asked();
  dialogue_.asked(now);
  asked_at_ = now;
  return dialogue_.next(now);
}

void Particulate::send(Bytes question) {
  question_ = question.size();
  heard_ = 0;
  line().write(question, serial::Clock::now() + 100ms);
}

}  // namespace
}  // namespace gerbang::particulate

GERBANG_DRIVER(gerbang::particulate::Particulate)
