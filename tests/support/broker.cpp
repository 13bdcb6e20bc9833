// SPDX-License-Identifier: Apache-2.0
#include "support/broker.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace gerbang::test {
namespace {

using namespace std::chrono_literals;

template <class Condition>
void wait_for(const std::string& what, Condition condition) {
  for (auto end = std::chrono::steady_clock::now() + 15s; !condition();) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("waited for " + what);
    std::this_thread::sleep_for(10ms);
  }
}

std::string unhex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

}  // namespace

Broker::Broker(const Setup& setup)
    : memory_(std::filesystem::is_directory("/dev/shm") ? "/dev/shm"
                                                        : std::filesystem::temp_directory_path()),
      port_(free_port()) {
  std::string text = "per_listener_settings false\nlistener " + std::to_string(port_) +
                     " 127.0.0.1\nallow_anonymous " + (setup.anonymous ? "true" : "false") +
                     "\npersistence true\npersistence_location " + memory_.path().string() +
                     "/\nmax_queued_messages " + (setup.queues_everything ? "0\n" : "100000\n");
  if (setup.saves_each_change)
    text += "autosave_interval 1\nautosave_on_changes true\nqueue_qos0_messages true\n";
  if (getuid() == 0) text += "user root\n";
  if (!setup.certificate.empty())
    text += "certfile " + setup.certificate + "\nkeyfile " + setup.key + "\n";
  if (!setup.client_ca.empty())
    text += "cafile " + setup.client_ca + "\nrequire_certificate true\n";
  configuration_ = folder_.write("mosquitto.conf", text + setup.extra);
  start();
}

void Broker::start() {
  process_ = std::make_unique<Process>(
      std::vector<std::string>{"mosquitto", "-c", configuration_.string()},
      folder_ / "mosquitto.log");
  wait_for("mosquitto: " + log(), [this] { return port_open(port_); });
}

void Broker::stop() {
  process_->stop(SIGTERM);
}

void Broker::kill() {
  process_->stop(SIGKILL);
}

Subscriber::Subscriber(const Broker& broker, const std::string& topic,
                       const std::vector<std::string>& arguments)
    : output_(folder_ / "received") {
  std::vector<std::string> words = {"mosquitto_sub",
                                    "-h",
                                    "127.0.0.1",
                                    "-p",
                                    std::to_string(broker.port()),
                                    "-V",
                                    "5",
                                    "-q",
                                    "1",
                                    "-i",
                                    "subscriber",
                                    "-c",
                                    "-x",
                                    "86400"};
  words.insert(words.end(), {"-t", topic, "-F", "%t\t%r\t%C\t%P\t%x\n", "-N"});
  // Its own probe tells when the subscription holds.
  words.insert(words.end(), {"-t", "subscriber/ready"});
  words.insert(words.end(), arguments.begin(), arguments.end());
  process_ = std::make_unique<Process>(words, output_);
  std::vector<std::string> probe = {
      "mosquitto_pub",    "-h", "127.0.0.1", "-p", std::to_string(broker.port()), "-t",
      "subscriber/ready", "-m", "1"};
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (arguments[i].rfind("--c", 0) == 0 || arguments[i] == "--key" || arguments[i] == "-u" ||
        arguments[i] == "-P")
      probe.insert(probe.end(), {arguments[i], arguments[i + 1]});
  wait_for("the subscriber: " + read_file(output_), [&] {
    run_program(probe, folder_.path());
    std::this_thread::sleep_for(50ms);
    return read_file(output_).find("subscriber/ready\t") != std::string::npos;
  });
}

const std::vector<Arrived>& Subscriber::arrived() {
  read_more();
  return arrived_;
}

void Subscriber::read_more() {
  std::ifstream in(output_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(read_));
  std::string line;
  while (std::getline(in, line)) {
    if (in.eof()) break;  // not whole yet
    read_ += line.size() + 1;
    std::vector<std::string> fields(1);
    for (char c : line)
      if (c == '\t')
        fields.emplace_back();
      else
        fields.back() += c;
    if (fields.size() != 5 || fields[0] == "subscriber/ready") continue;
    Arrived arrived;
    arrived.topic = fields[0];
    arrived.retained = fields[1] == "1";
    arrived.content_type = fields[2];
    arrived.historical = fields[3].find("historical:1") != std::string::npos;
    arrived.payload = unhex(fields[4]);
    arrived_.push_back(std::move(arrived));
  }
}

Certificates::Certificates() {
  folder_.write("ca.cnf", "[ca]\ndefault_ca = own\n[own]\ndatabase = " + path("index.txt") +
                              "\nnew_certs_dir = " + folder_.path().string() +
                              "\nserial = " + path("serial") +
                              "\ndefault_md = sha256\npolicy = any\nunique_subject = no\n"
                              "copy_extensions = copy\n[any]\ncommonName = supplied\n");
  folder_.write("index.txt", "");
  folder_.write("serial", "01\n");
  run_program(
      {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-days", "10", "-subj", "/CN=ca", "-keyout", path("ca.key"), "-out", path("ca.crt")},
      folder_.path());
  const std::string here = "IP:127.0.0.1,DNS:localhost", begin = "20240101000000Z",
                    end = "20490101000000Z";
  sign("good", here, begin, end);
  sign("elsewhere", "DNS:broker.elsewhere.example", begin, end);
  sign("expired", here, begin, "20240201000000Z");
  sign("client", "DNS:client", begin, end);
}

void Certificates::sign(const std::string& name, const std::string& alternative_name,
                        const std::string& from, const std::string& until) {
  run_program({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-subj", "/CN=" + name, "-addext", "subjectAltName=" + alternative_name, "-keyout",
               path(name + ".key"), "-out", path(name + ".csr")},
              folder_.path());
  run_program({"openssl", "ca", "-batch", "-config", path("ca.cnf"), "-cert", path("ca.crt"),
               "-keyfile", path("ca.key"), "-in", path(name + ".csr"), "-out", path(name + ".crt"),
               "-startdate", from, "-enddate", until, "-notext"},
              folder_.path());
}

}  // namespace gerbang::test
