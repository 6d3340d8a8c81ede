#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "sweep/dispatch.h"

namespace mnist_dist {
namespace {

// Well below any useful timeout, and no load.
constexpr double beat_seconds = 1;

}  // namespace

Dispatcher::Dispatcher(SweepMail mail, std::vector<int> leaders, std::vector<std::uint64_t> seeds, double timeout, Hooks hooks)
    : mail_(mail), pending_(seeds.begin(), seeds.end()), timeout_(timeout), hooks_(std::move(hooks)) {
  for (const int leader : leaders) groups_.emplace_back().leader = leader;
}

void Dispatcher::poll() {
  now_ = clock_.seconds();
  while (const auto mail = mail_.reports.receive()) read(*mail);
  hand_out();
  show_life();
  check_silence();
  SweepStatus status;
  for (std::size_t g = 0; g < groups_.size(); ++g)
    if (groups_[g].seed) status.running.push_back({static_cast<int>(g), *groups_[g].seed, groups_[g].share});
  status.pending = pending_.size();
  hooks_.tick(status);
}

void Dispatcher::read(const Mailbox::Mail& mail) {
  Report report;
  std::memcpy(&report, mail.bytes.data(), sizeof report);
  Group& group = groups_.at(static_cast<std::size_t>(report.group));
  group.heard_at = now_;
  switch (report.kind) {
    case Report::ready:
      group.state = Group::idle;
      break;
    case Report::alive:
      group.share = report.share;
      break;
    case Report::ended: {
      group.state = Group::idle;
      group.seed.reset();
      const bool go_on = hooks_.record(unpack_outcome(std::span(mail.bytes).subspan(sizeof report)));
      if (!go_on) stop(SweepEnd::hopeless);
      break;
    }
    case Report::stopped:
      group.state = Group::idle;
      if (group.seed) pending_.push_front(*group.seed);
      group.seed.reset();
      stop(SweepEnd::interrupted);
      break;
    case Report::interrupted:
      stop(SweepEnd::interrupted);
      break;
  }
}

void Dispatcher::stop(SweepEnd why) {
  if (stopping_) return;  // the first reason is the one
  stopping_ = why;
  for (const Group& group : groups_)
    if (group.seed) send(group, {.kind = Order::stop});
}

void Dispatcher::hand_out() {
  for (Group& group : groups_) {
    if (group.state != Group::idle || stopping_ || pending_.empty()) continue;
    group.seed = pending_.front();
    group.share = 0;
    group.state = Group::busy;
    pending_.pop_front();
    send(group, {.kind = Order::train, .seed = *group.seed});
  }
  // Nobody leaves before all can: who left would wait for the others in a collective that gives up after the timeout.
  const bool all_idle = std::all_of(groups_.begin(), groups_.end(), [](const Group& group) { return group.state == Group::idle; });
  if (!all_idle || !(stopping_ || pending_.empty())) return;
  for (Group& group : groups_) {
    send(group, {.kind = Order::end, .why = stopping_.value_or(SweepEnd::complete)});
    group.state = Group::over;
  }
}

void Dispatcher::show_life() {
  if (now_ - last_beat_ < beat_seconds) return;
  last_beat_ = now_;
  for (const Group& group : groups_)
    if (group.state == Group::idle) send(group, {.kind = Order::wait});
}

void Dispatcher::check_silence() const {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    if (group.state == Group::over || now_ - group.heard_at <= timeout_) continue;
    throw device_error(fmt::format("group {} (from rank {} on){} has not answered for {:g} s", g, group.leader,
                                   group.seed ? fmt::format(", which trains seed {},", *group.seed) : "", timeout_),
                       "its host or process stands still; the same command goes on with what is missing");
  }
}

void Dispatcher::send(const Group& group, const Order& order) { mail_.orders.send(group.leader, std::as_bytes(std::span(&order, 1))); }

}  // namespace mnist_dist
