// SPDX-License-Identifier: Apache-2.0
#include "driver_host/session.hpp"

#include <utility>

#include "driver_host/text.hpp"

namespace gerbang::driver_host {

int Session::run() {
  host::v1::FromDriverHost frame;
  host::v1::Hello& hello = *frame.mutable_hello();
  hello.set_abi_major(plugin_.table.abi_major);
  hello.set_abi_minor(plugin_.table.abi_minor);
  hello.set_name(clean_text(plugin_.table.name, 64));
  hello.set_version(clean_text(plugin_.table.version, 64));
  link_.send(frame);

  for (;;) {
    auto asked = link_.receive(3600 * kSecond);
    if (!asked && link_.stopping()) break;  // not before what was asked in front of it
    if (!asked || answer(*asked)) continue;
    if (asked->has_scan()) {  // not while a line is polled: it would be two masters
      scan(asked->scan());
      continue;
    }
    if (!asked->has_configure()) {
      desk_.say(GERBANG_LOG_ERROR, "the host does not know what it was asked");
      continue;
    }
    Line line(*this, asked->configure());
    asked.reset();  // it is large
    if (auto code = line.run()) return *code;
  }
  return link_.broken() ? kExitSoftware : kExitOk;
}

bool Session::answer(const host::v1::ToDriverHost& frame) {
  if (frame.has_describe()) {
    host::v1::FromDriverHost description;
    *description.mutable_description() = plugin_.description;
    description.mutable_description()->set_can_decode(plugin_.table.decode != nullptr);
    description.mutable_description()->set_can_scan(plugin_.table.scan != nullptr);
    link_.send(description);
    return true;
  }
  if (frame.has_decode()) {
    decode(frame.decode());
    return true;
  }
  return false;
}

void Session::decode(const host::v1::Decode& frame) {
  if (plugin_.table.decode == nullptr) {
    done(GERBANG_CONFIG, "driver " + clean_text(plugin_.table.name, 64) + " cannot decode");
    return;
  }
  DriverConfig config(frame.options());
  desk_.start(Intake::for_decode(), false, 2 * Intake::kMaxDecoded);
  int status = desk_.during([&] {
    return plugin_.table.decode(desk_.host(), config.get(), frame.data().data(),
                                frame.data().size());
  });
  done(status, desk_.complaint());
}

void Session::scan(const host::v1::Scan& frame) {
  if (plugin_.table.scan == nullptr) {
    done(GERBANG_CONFIG, "driver " + clean_text(plugin_.table.name, 64) + " cannot scan");
    return;
  }
  DriverConfig config(frame.options());
  desk_.start(Intake::for_decode(), false, Intake::kMaxDecoded);
  int status = desk_.during([&] {
    return plugin_.table.scan(desk_.host(), config.get(), Desk::found, Desk::progress, &desk_);
  });
  done(status, desk_.complaint());
}

void Session::done(int status, const std::string& text) {
  host::v1::FromDriverHost frame;
  frame.mutable_done()->set_status(static_cast<std::uint32_t>(status));
  frame.mutable_done()->set_text(text);
  link_.send(frame);
}

}  // namespace gerbang::driver_host
