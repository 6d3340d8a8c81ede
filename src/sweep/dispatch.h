#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/awake_clock.h"
#include "comm/mailbox.h"
#include "sweep/outcome.h"

namespace mnist_dist {

// How seeds get to groups of ranks and outcomes back. Rank 0 of the world, which trains too, hands out one seed at a time from a poll between its own
// steps; the first rank of every group, its leader, asks. So no group waits for a slower one.

/// Why a sweep ends.
enum class SweepEnd : int {
  complete,    ///< every seed was trained
  hopeless,    ///< a seed missed the target, and that was to end it
  interrupted  ///< a signal asked for a clean stop
};

/// What rank 0 tells a leader.
struct Order {
  enum Kind : int { wait, train, stop, end } kind = wait;  ///< wait: nothing yet, but I live; stop: leave the seed you train
  SweepEnd why = SweepEnd::complete;                       ///< of end
  std::uint64_t seed = 0;                                  ///< of train
};

/// What a leader tells rank 0; behind `ended` comes the packed SeedOutcome.
struct Report {
  enum Kind : int {
    ready,       ///< give me a seed
    alive,       ///< `share` of my seed is done
    ended,       ///< the seed is trained, or diverged
    stopped,     ///< the seed was left after a checkpoint
    interrupted  ///< a signal came while I waited
  } kind = ready;
  int group = 0;
  double share = 0;  ///< 0..1
};

/// The two directions, each a mailbox of the world, so that rank 0 can be both sides.
struct SweepMail {
  Mailbox& reports;
  Mailbox& orders;
};

/// The view from rank 0.
struct SweepStatus {
  struct Running {
    int group;
    std::uint64_t seed;
    double share;
  };
  std::vector<Running> running;
  std::size_t pending = 0;
};

/// Rank 0's side: the queue.
class Dispatcher {
 public:
  struct Hooks {
    std::function<bool(const SeedOutcome&)> record;  ///< puts it on disk; false: the sweep is hopeless, stop
    std::function<void(const SweepStatus&)> tick;    ///< at each poll
  };
  /// `leaders`: world rank by group. A group that is silent for `timeout` seconds makes poll throw.
  Dispatcher(SweepMail mail, std::vector<int> leaders, std::vector<std::uint64_t> seeds, double timeout, Hooks hooks);
  /// Reads reports and answers them; never waits. Throws Error (device) naming a silent group, and what `record` throws.
  void poll();

 private:
  struct Group {
    int leader = 0;
    enum { busy, idle, over } state = busy;
    std::optional<std::uint64_t> seed;
    double share = 0, heard_at = 0;
  };
  void read(const Mailbox::Mail& mail);
  void stop(SweepEnd why);
  void hand_out();
  void show_life();
  void check_silence() const;
  void send(const Group& group, const Order& order);

  SweepMail mail_;
  std::vector<Group> groups_;
  std::deque<std::uint64_t> pending_;
  double timeout_;
  Hooks hooks_;
  std::optional<SweepEnd> stopping_;
  AwakeClock clock_;
  double now_ = 0, last_beat_ = 0;
};

/// A leader's side.
class Leader {
 public:
  /// `dispatcher`: on rank 0 of the world, which answers while it waits and between its steps; nullptr elsewhere.
  Leader(SweepMail mail, int group, Dispatcher* dispatcher, double timeout, std::function<bool()> stop_requested);
  /// The next order, or `wait` after half a second, so that the group's other ranks can be told that theirs lives. Throws Error (device) when rank 0
  /// is silent for the timeout.
  Order next_order();
  /// To call between steps; true: stop after the next one.
  bool between_steps(double share);
  void ended(const SeedOutcome& outcome);
  void stopped();

 private:
  void exchange(double share);
  void send(Report::Kind kind, double share = 0, std::span<const std::byte> payload = {});

  SweepMail mail_;
  int group_;
  Dispatcher* dispatcher_;
  double timeout_;
  std::function<bool()> stop_requested_;
  std::deque<Order> orders_;
  bool stop_ = false, told_interruption_ = false;
  AwakeClock clock_;
  double heard_at_ = 0, last_beat_ = 0;
};

}  // namespace mnist_dist
