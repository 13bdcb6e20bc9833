// SPDX-License-Identifier: Apache-2.0
#include "config/keys.hpp"

#include <array>

namespace gerbang::config {
namespace {

constexpr std::array kSections = {
    Section{.path = "", .doc = "Outside of any table"},
    Section{.path = "gateway", .doc = "Who and where this gateway is"},
    Section{.path = "store", .doc = "What is kept on the card"},
    Section{.path = "store.keep_aggregates",
            .open = true,
            .doc =
                "Window → how long its rows are kept. A window that is not named is kept as long "
                "as the longest named one that is not longer than it, else as readings are"},
    Section{.path = "http", .doc = "The page, the API, health and metrics"},
    Section{.path = "windows", .doc = "The lengths of time over which readings are summarised"},
    Section{.path = "time", .doc = "What is believed of the clock"},
    Section{.path = "forward", .doc = "What leaves the gateway besides aggregates"},
    Section{
        .path = "uplink", .repeated = true, .at_most = 32, .doc = "A broker that gets the data"},
    Section{.path = "driver",
            .repeated = true,
            .at_most = 64,
            .doc = "A line to devices: one driver in a process of its own"},
    Section{.path = "driver.options",
            .open = true,
            .doc = "As the driver declares: `gerbangctl drivers NAME`",
            .example = "transport = \"tcp\"\nhost = \"127.0.0.1\"\nport = 502"},
    Section{.path = "device",
            .repeated = true,
            .at_most = 2'000,
            .doc = "A box with a nameplate: its sensors come from a profile (`gerbangctl profiles "
                   "NAME`) and are called `DEVICE-CHANNEL`"},
    Section{.path = "device.address",
            .open = true,
            .doc = "What is the same for all its sensors, mostly its number on the line: "
                   "`gerbangctl profiles NAME`"},
    Section{.path = "device.label", .doc = "The name that people read, by language"},
    Section{.path = "device.override",
            .open = true,
            .doc =
                "By channel: any key of a `[[sensor]]` but `id` and `driver`; an address is laid "
                "over the profile's key by key",
            .each = "sensor",
            .without = "id|driver"},
    Section{.path = "sensor", .repeated = true, .at_most = 10'000, .doc = "One measured value"},
    Section{.path = "sensor.address",
            .open = true,
            .doc = "Where the driver finds it, as the driver declares: `gerbangctl drivers NAME`"},
    Section{.path = "sensor.label", .doc = "The name that people read, by language"},
    Section{.path = "sensor.span", .doc = "Two points instead of scale and offset"},
    Section{.path = "sensor.range", .doc = "What the sensor can plausibly say"},
};

constexpr std::array kKeys = {
    Key{.section = "",
        .name = "include",
        .type = Type::texts,
        .example = R"(["conf.d/*.toml"])",
        .doc =
            "More files, relative to this one, in byte order of their names, one level deep; any "
            "table may stand in any file, the same key twice is an error"},

    Key{.section = "gateway",
        .name = "id",
        .type = Type::id,
        .required = true,
        .example = R"("gerbang-1")",
        .doc = "Unique per broker; part of every topic, default client id and user name"},
    Key{.section = "gateway",
        .name = "region",
        .type = Type::id,
        .required = true,
        .example = R"("my-region")",
        .doc = "City or regency; part of every topic"},
    Key{.section = "gateway",
        .name = "site",
        .type = Type::id,
        .required = true,
        .example = R"("my-site")",
        .doc = "Plant or station; part of every topic"},
    Key{.section = "gateway",
        .name = "site_kind",
        .type = Type::choice,
        .fallback = R"("other")",
        .choices = "water-treatment-plant|wastewater-treatment-plant|landfill|waste-collection|"
                   "air-quality-station|river-station|reservoir|other",
        .doc = "What the site is"},
    Key{.section = "gateway",
        .name = "timezone",
        .type = Type::text,
        .required = true,
        .example = R"("Asia/Jakarta")",
        .doc = "Days are local days of this zone (tz database name); storage and wire are UTC"},
    Key{.section = "gateway",
        .name = "language",
        .type = Type::choice,
        .fallback = R"("ind")",
        .choices = "ind|eng",
        .doc = "Of texts for people; keys, topics and metrics stay English"},
    Key{.section = "gateway",
        .name = "latitude",
        .type = Type::number,
        .bounds = "-90..90",
        .example = "-5.0167",
        .doc = "Degrees north; together with longitude"},
    Key{.section = "gateway",
        .name = "longitude",
        .type = Type::number,
        .bounds = "-180..180",
        .example = "119.6361",
        .doc = "Degrees east; together with latitude"},

    Key{.section = "store",
        .name = "path",
        .type = Type::path,
        .fallback = R"("gerbang.db")",
        .doc =
            "The database; relative to the service's state directory (/var/lib/gerbang), without a "
            "service to this file"},
    Key{.section = "store",
        .name = "commit_interval",
        .type = Type::duration,
        .fallback = R"("1s")",
        .bounds = "100ms..1m",
        .doc = "The most that a pulled plug can cost; longer wears the card less"},
    Key{.section = "store",
        .name = "max_size",
        .type = Type::size,
        .fallback = R"("2GiB")",
        .bounds = "8MiB..16TiB",
        .doc = "Hard cap on disk, all files together"},
    Key{.section = "store",
        .name = "keep_readings",
        .type = Type::duration,
        .fallback = R"("30d")",
        .bounds = "1h..36500d",
        .doc = "How long readings are kept"},
    Key{.section = "store",
        .name = "keep_aggregates",
        .type = Type::table,
        .fallback = R"({ "1m" = "7d", "15m" = "90d", "1h" = "400d", "1d" = "3650d" })",
        .bounds = "2d..36500d",
        .doc = "How long aggregates are kept, by window"},
    Key{.section = "store",
        .name = "min_free",
        .type = Type::size,
        .fallback = R"("256MiB")",
        .bounds = "0B..16TiB",
        .doc = "Free space of the file system below which the store stops growing"},

    Key{.section = "http",
        .name = "listen",
        .type = Type::text,
        .fallback = R"("127.0.0.1:8080")",
        .doc = "Address and port; port 0 takes a free one. Beyond loopback it needs token_file, or "
               "anonymous = true said on purpose"},
    Key{.section = "http",
        .name = "token_file",
        .type = Type::secret,
        .example = R"("credential:http-token")",
        .doc = "What programs send as Authorization: Bearer; health routes need none"},
    Key{.section = "http",
        .name = "anonymous",
        .type = Type::boolean,
        .fallback = "false",
        .doc = "Anybody who reaches the port may read"},

    Key{.section = "windows",
        .name = "default",
        .type = Type::durations,
        .fallback = R"(["1m", "15m", "1h", "1d"])",
        .bounds = "1s..1d",
        .doc = "Ascending, each divides the next and all divide the day; 1d is the local day. A "
               "sensor "
               "takes part in those that are not shorter than its interval"},
    Key{.section = "windows",
        .name = "grace",
        .type = Type::duration,
        .fallback = R"("10s")",
        .bounds = "0s..1h",
        .doc = "How long an ended window waits for late readings; later ones revise it"},

    Key{.section = "time",
        .name = "hold",
        .type = Type::duration,
        .fallback = R"("120s")",
        .bounds = "0s..1d",
        .doc = "How long after the boot windows wait for the clock to be synchronised, before they "
               "close as UNTRUSTED"},
    Key{.section = "time",
        .name = "trust",
        .type = Type::choice,
        .fallback = R"("ntp")",
        .choices = "ntp|rtc",
        .doc = "rtc: this board has a battery clock that is believed without a network"},

    Key{.section = "forward",
        .name = "readings",
        .type = Type::boolean,
        .fallback = "false",
        .doc = "Send every reading too, not only aggregates"},

    Key{.section = "uplink",
        .name = "name",
        .type = Type::id,
        .required = true,
        .example = R"("regional")",
        .doc = "Names it in status, metrics and the ledger"},
    Key{.section = "uplink",
        .name = "url",
        .type = Type::text,
        .required = true,
        .example = R"("mqtt://127.0.0.1:1883")",
        .doc = "mqtt://HOST[:1883] or mqtts://HOST[:8883]; with mqtts the broker's certificate and "
               "name are always verified"},
    Key{.section = "uplink",
        .name = "format",
        .type = Type::choice,
        .fallback = R"("protobuf")",
        .choices = "protobuf|json",
        .doc = "How messages are written; the content is the same"},
    Key{.section = "uplink",
        .name = "root",
        .type = Type::text,
        .fallback = R"("gerbang/v1")",
        .doc = "First levels of every topic"},
    Key{.section = "uplink",
        .name = "topics",
        .type = Type::texts,
        .fallback = R"(["#"])",
        .example = R"(["description", "alarm/#", "indicator/#", "event/#", "aggregate/+/15m", )"
                   R"("aggregate/+/1h", "aggregate/+/1d"])",
        .doc = "Which of the gateway's topics this broker gets, as MQTT filters below the gateway; "
               "state and gap are always among them"},
    Key{.section = "uplink",
        .name = "in_flight",
        .type = Type::integer,
        .fallback = "20",
        .bounds = "1..65535",
        .doc =
            "Messages that wait for an acknowledgement at a time; never above the broker's Receive "
            "Maximum"},
    Key{.section = "uplink",
        .name = "backlog_rate",
        .type = Type::integer,
        .fallback = "200",
        .bounds = "0..100000",
        .doc = "Messages a second of old data while live data flows; 0 is no limit"},
    Key{.section = "uplink",
        .name = "mqtt_version",
        .type = Type::choice,
        .fallback = R"("5")",
        .choices = "5|3.1.1",
        .doc = "3.1.1 cannot say that a broker refused a message"},
    Key{.section = "uplink",
        .name = "client_id",
        .type = Type::text,
        .example = R"("gerbang-1-regional")",
        .doc = "Default: the gateway's id, a hyphen and the uplink's name"},
    Key{.section = "uplink",
        .name = "username",
        .type = Type::optional_text,
        .example = R"("gerbang-1")",
        .doc = "Default: the gateway's id; an empty text sends none"},
    Key{.section = "uplink",
        .name = "password_file",
        .type = Type::secret,
        .example = R"("credential:mqtt-password")",
        .doc = "A file with the password and nothing else, or a systemd credential"},
    Key{.section = "uplink",
        .name = "ca_file",
        .type = Type::path,
        .example = R"("/etc/gerbang/tls/ca.crt")",
        .doc = "Certificates of the authorities to believe; default: those of the system"},
    Key{.section = "uplink",
        .name = "certificate_file",
        .type = Type::path,
        .example = R"("/etc/gerbang/tls/gateway.crt")",
        .doc = "The gateway's own certificate; together with key_file"},
    Key{.section = "uplink",
        .name = "key_file",
        .type = Type::secret,
        .example = R"("/etc/gerbang/tls/gateway.key")",
        .doc = "Its private key, or a systemd credential"},

    Key{.section = "driver",
        .name = "name",
        .type = Type::id,
        .required = true,
        .example = R"("wtp-plc")",
        .doc = "What sensors name as their driver"},
    Key{.section = "driver",
        .name = "plugin",
        .type = Type::text,
        .required = true,
        .example = R"("modbus")",
        .doc = "Which driver: `gerbangctl drivers` lists what is installed"},
    Key{.section = "driver",
        .name = "interval",
        .type = Type::duration,
        .fallback = R"("1s")",
        .bounds = "10ms..1d",
        .doc = "How often its sensors are read, where they do not say their own"},
    Key{.section = "driver",
        .name = "options",
        .type = Type::table,
        .example = R"({ transport = "tcp", host = "127.0.0.1" })",
        .doc = "The line: what the driver declares"},

    Key{.section = "device",
        .name = "id",
        .type = Type::id,
        .required = true,
        .example = R"("reservoir")",
        .doc = "Unique in the gateway; with a hyphen it begins the ids of its sensors"},
    Key{.section = "device",
        .name = "driver",
        .type = Type::id,
        .required = true,
        .example = R"("rs485-a")",
        .doc = "The name of a [[driver]]: the line that it is on"},
    Key{.section = "device",
        .name = "profile",
        .type = Type::id,
        .required = true,
        .example = R"("supmea-sup-ph8")",
        .doc = "What it is: `gerbangctl profiles` lists what is known"},
    Key{.section = "device",
        .name = "address",
        .type = Type::table,
        .example = "{ unit = 3 }",
        .doc = "Laid over the profile's, for all its sensors"},
    Key{.section = "device",
        .name = "interval",
        .type = Type::duration,
        .bounds = "10ms..1d",
        .example = R"("30s")",
        .doc = "How often it is read; default: the profile's, else its driver's"},
    Key{.section = "device",
        .name = "only",
        .type = Type::texts,
        .example = R"(["ph"])",
        .doc = "The channels that are wanted; default: all that the profile does not call extra"},
    Key{.section = "device",
        .name = "label",
        .type = Type::label,
        .example = R"({ ind = "Reservoir", eng = "Reservoir" })",
        .doc = "The name that people read, before the names of its sensors"},
    Key{.section = "device",
        .name = "override",
        .type = Type::table,
        .example = "{ ph = { range = { low = 5.0, high = 9.0 } } }",
        .doc = "What is different here from the profile"},
    Key{.section = "device.label", .name = "ind", .type = Type::text, .doc = "In Indonesian"},
    Key{.section = "device.label", .name = "eng", .type = Type::text, .doc = "In English"},

    Key{.section = "sensor",
        .name = "id",
        .type = Type::id,
        .required = true,
        .example = R"("raw-turbidity")",
        .doc = "Unique in the gateway; its history goes with it"},
    Key{.section = "sensor",
        .name = "driver",
        .type = Type::id,
        .required = true,
        .example = R"("wtp-plc")",
        .doc = "The name of a [[driver]]"},
    Key{.section = "sensor",
        .name = "quantity",
        .type = Type::text,
        .required = true,
        .example = R"("turbidity")",
        .doc =
            "What is measured, from quantities.toml; decides domain, unit, decimals and how it is "
            "averaged"},
    Key{.section = "sensor",
        .name = "unit",
        .type = Type::optional_text,
        .example = R"("NTU")",
        .doc =
            "Of the number after scale and offset; converted to the quantity's unit, or refused. "
            "Default: the quantity's unit"},
    Key{.section = "sensor",
        .name = "label",
        .type = Type::label,
        .example = R"({ ind = "Kekeruhan air baku", eng = "Raw water turbidity" })",
        .doc = "The name that people read: one text, or one a language. Default: the quantity's"},
    Key{.section = "sensor",
        .name = "interval",
        .type = Type::duration,
        .bounds = "10ms..1d",
        .example = R"("5s")",
        .doc = "How often it is read; default: its driver's"},
    Key{.section = "sensor",
        .name = "address",
        .type = Type::table,
        .example = R"({ unit = 1, table = "holding", register = 0, type = "float32" })",
        .doc = "Where the driver finds it"},
    Key{.section = "sensor",
        .name = "scale",
        .type = Type::number,
        .fallback = "1.0",
        .doc = "Decoded number × scale + offset is the value in `unit`; not 0"},
    Key{.section = "sensor",
        .name = "offset",
        .type = Type::number,
        .fallback = "0.0",
        .doc = "See scale"},
    Key{.section = "sensor",
        .name = "span",
        .type = Type::table,
        .example = "{ raw = [4, 20], value = [0, 10] }",
        .doc = "Two points instead of scale and offset"},
    Key{.section = "sensor",
        .name = "range",
        .type = Type::table,
        .example = "{ low = 0.0, high = 1000.0 }",
        .doc = "Plausible values; a reading outside is flagged with the reason RANGE"},
    Key{.section = "sensor",
        .name = "wrap",
        .type = Type::integer,
        .bounds = "1..9223372036854775807",
        .example = "4294967296",
        .doc = "Totalisers: the decoded count at which the counter starts again at 0"},
    Key{.section = "sensor",
        .name = "formerly",
        .type = Type::id,
        .example = R"("turbidity-1")",
        .doc = "The id that it had before: a rename keeps its history"},

    Key{.section = "sensor.label", .name = "ind", .type = Type::text, .doc = "In Indonesian"},
    Key{.section = "sensor.label", .name = "eng", .type = Type::text, .doc = "In English"},
    Key{.section = "sensor.span",
        .name = "raw",
        .type = Type::pair,
        .required = true,
        .example = "[4, 20]",
        .doc = "Two decoded numbers"},
    Key{.section = "sensor.span",
        .name = "value",
        .type = Type::pair,
        .required = true,
        .example = "[0, 10]",
        .doc = "What they mean in `unit`"},
    Key{.section = "sensor.range",
        .name = "low",
        .type = Type::amount,
        .example = "0.0",
        .doc = "Lowest plausible value, in the quantity's unit, or with its own: \"0.2 mg/L\""},
    Key{.section = "sensor.range",
        .name = "high",
        .type = Type::amount,
        .example = "1000.0",
        .doc = "Highest plausible value"},
};

}  // namespace

std::span<const Section> sections() {
  return kSections;
}
std::span<const Key> keys() {
  return kKeys;
}

const Section* find_section(std::string_view path) {
  for (const Section& section : kSections)
    if (section.path == path) return &section;
  return nullptr;
}

const Key* find_key(std::string_view section, std::string_view key) {
  for (const Key& row : kKeys)
    if (row.section == section && row.name == key) return &row;
  return nullptr;
}

std::string_view name(Type type) {
  switch (type) {
    case Type::text:
    case Type::optional_text:
      return "text";
    case Type::id:
      return "id";
    case Type::choice:
      return "choice";
    case Type::integer:
      return "integer";
    case Type::number:
      return "number";
    case Type::boolean:
      return "boolean";
    case Type::duration:
      return "duration";
    case Type::size:
      return "size";
    case Type::path:
      return "file";
    case Type::secret:
      return "secret file";
    case Type::texts:
      return "list of texts";
    case Type::durations:
      return "list of durations";
    case Type::amount:
      return "number or text with unit";
    case Type::pair:
      return "list of two numbers";
    case Type::label:
      return "text or table";
    case Type::table:
      return "table";
  }
  return "";
}

}  // namespace gerbang::config
