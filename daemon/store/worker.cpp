// SPDX-License-Identifier: Apache-2.0
#include "store/worker.hpp"

#include <pthread.h>
#include <signal.h>

#include <functional>

namespace gerbang::store {
namespace {

// Signals are for the loop thread.
std::thread quiet_thread(std::function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), "store");
  return thread;
}

}  // namespace

Worker::Worker(std::unique_ptr<File> file, asio::any_io_executor loop)
    : loop_(std::move(loop)),
      open_(asio::make_work_guard(jobs_)),
      file_(std::move(file)),
      thread_(quiet_thread([this] { jobs_.run(); })) {}

Worker::~Worker() {
  jobs_.stop();
  thread_.join();
}

void Worker::answered() {
  answered_ = Steady::now();
  asked_.reset();
}

bool Worker::alive(std::chrono::nanoseconds within) {
  auto now = Steady::now();
  if (asked_) return now - *asked_ <= within;
  if (now - answered_ <= within / 2) return true;
  asked_ = now;
  auto work = [](File&) { return true; };
  auto back = [](bool) {};
  run(work, back);
  return true;
}

}  // namespace gerbang::store
