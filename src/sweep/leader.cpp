#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "base/error.h"
#include "sweep/dispatch.h"

namespace mnist_dist {
namespace {

constexpr double beat_seconds = 1;
// How long the other ranks of a group hear nothing; as comm/heartbeat.
constexpr double longest_wait = 0.5;
// Costs a group that gets free nothing to speak of, and leaves the core to those who train.
constexpr std::chrono::milliseconds nap{1};

}  // namespace

Leader::Leader(SweepMail mail, int group, Dispatcher* dispatcher, double timeout, std::function<bool()> stop_requested)
    : mail_(mail), group_(group), dispatcher_(dispatcher), timeout_(timeout), stop_requested_(std::move(stop_requested)) {
  send(Report::ready);
}

Order Leader::next_order() {
  const double from = clock_.seconds();
  for (;;) {
    exchange(0);
    if (!orders_.empty()) {
      const Order order = orders_.front();
      orders_.pop_front();
      return order;
    }
    if (stop_requested_() && !std::exchange(told_interruption_, true)) send(Report::interrupted);
    const double now = clock_.seconds();
    if (now - heard_at_ > timeout_)
      throw device_error(fmt::format("rank 0, which hands out the seeds, has not answered for {:g} s", timeout_),
                         "its host or process stands still; the same command goes on with what is missing");
    if (now - from > longest_wait) return {};
    std::this_thread::sleep_for(nap);
  }
}

bool Leader::between_steps(double share) {
  exchange(share);
  return stop_ || stop_requested_();
}

void Leader::ended(const SeedOutcome& outcome) { send(Report::ended, 1, pack(outcome)); }
void Leader::stopped() { send(Report::stopped); }

void Leader::exchange(double share) {
  const double now = clock_.seconds();
  if (now - last_beat_ > beat_seconds) {
    last_beat_ = now;
    send(Report::alive, share);
  }
  if (dispatcher_) dispatcher_->poll();
  while (const auto mail = mail_.orders.receive()) {
    heard_at_ = now;
    Order order;
    std::memcpy(&order, mail->bytes.data(), sizeof order);
    if (order.kind == Order::stop) stop_ = true;
    if (order.kind == Order::train || order.kind == Order::end) orders_.push_back(order);
  }
}

void Leader::send(Report::Kind kind, double share, std::span<const std::byte> payload) {
  if (kind != Report::alive) heard_at_ = clock_.seconds();  // from here on an answer is due
  const Report report{kind, group_, share};
  const auto head = std::as_bytes(std::span(&report, 1));
  std::vector<std::byte> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  mail_.reports.send(0, bytes);
}

}  // namespace mnist_dist
