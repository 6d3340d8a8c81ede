#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace mnist_dist {

/// Where a rank's process is.
struct Peer {
  std::string host;
  int pid = 0;
  int node = 0;  ///< lowest rank that shares this one's memory
};

/// The call in which a rank waits, sent to the other ranks. Fixed size, because it is sent as bytes
/// between copies of one executable.
struct Place {
  std::uint64_t group = 0;    ///< of the communicator, the same number on all its members
  std::int64_t sequence = 0;  ///< how many calls this rank has made there
  char call[32] = {};         ///< "all-reduce"
  char activity[96] = {};     ///< "epoch 3 step 120"
  bool same_call(const Place& other) const {
    return group == other.group && sequence == other.sequence && std::string(call) == other.call;
  }
};

/// A Place with these values. Texts that are too long are cut.
Place make_place(std::uint64_t group, std::int64_t sequence, const std::string& call,
                 const std::string& activity);

/// The Error (device) of a run that hangs: the silent ranks of `members` (world ranks) and the
/// calls in which the `live` ones wait, or their different calls if none is silent. `peers`: all
/// ranks of the world.
Error hang_report(std::span<const Peer> peers, std::span<const int> members,
                  const std::map<int, Place>& live, double timeout_seconds);

}  // namespace mnist_dist
