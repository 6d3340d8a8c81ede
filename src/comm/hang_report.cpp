#include "comm/hang_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/plural.h"

namespace mnist_dist {
namespace {

std::string describe(const Place& place, bool with_number) {
  std::string text = place.call;
  if (with_number) text += fmt::format(" number {}", place.sequence);
  if (place.activity[0]) text += fmt::format(" ({})", place.activity);
  return text;
}

/// "ranks 0, 1 in all-reduce (epoch 3 step 120), rank 3 in barrier (epoch 3)"
std::string describe(const std::map<int, Place>& live, bool with_number) {
  std::vector<std::pair<std::string, std::vector<int>>> groups;
  for (const auto& [rank, place] : live) {
    const std::string where = describe(place, with_number);
    const auto same = std::find_if(groups.begin(), groups.end(),
                                   [&](const auto& group) { return group.first == where; });
    if (same == groups.end())
      groups.push_back({where, {rank}});
    else
      same->second.push_back(rank);
  }
  std::vector<std::string> parts;
  for (const auto& [where, ranks] : groups)
    parts.push_back(
        fmt::format("rank{} {} in {}", plural(ranks.size()), fmt::join(ranks, ", "), where));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

Place make_place(std::uint64_t group, std::int64_t sequence, const std::string& call,
                 const std::string& activity) {
  Place place;
  place.group = group;
  place.sequence = sequence;
  call.copy(place.call, sizeof place.call - 1);  // the rest is zero already
  activity.copy(place.activity, sizeof place.activity - 1);
  return place;
}

Error hang_report(std::span<const Peer> peers, std::span<const int> members,
                  const std::map<int, Place>& live, double timeout_seconds) {
  std::vector<std::string> silent;
  for (const int rank : members) {
    const Peer& peer = peers[static_cast<std::size_t>(rank)];
    if (!live.contains(rank))
      silent.push_back(
          fmt::format("rank {} of {} (host {}, pid {})", rank, peers.size(), peer.host, peer.pid));
  }
  if (!silent.empty())
    return device_error(
        fmt::format("{} {} not responded for {:g} s. Waiting in a call: {}",
                    fmt::join(silent, ", "), silent.size() == 1 ? "has" : "have", timeout_seconds,
                    describe(live, false)),
        "check that process with ps (stopped, out of memory, unreachable), then continue with "
        "--resume, or raise comm.timeout");
  const bool together = std::all_of(live.begin(), live.end(), [&](const auto& entry) {
    return entry.second.same_call(live.begin()->second);
  });
  if (together)
    return device_error(
        fmt::format("all ranks respond, but no data arrived for {:g} s (lost message): {}",
                    timeout_seconds, describe(live, false)),
        "run with mpirun --mca btl tcp,self, and continue with --resume");
  return device_error(
      fmt::format("ranks have been waiting in different calls for {:g} s (deadlock): {}",
                  timeout_seconds, describe(live, true)),
      "report this defect with this message");
}

}  // namespace mnist_dist
