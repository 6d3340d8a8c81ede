#include "train/agreement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

namespace mnist_dist {

namespace {

std::vector<std::string> lines_of(std::span<const std::byte> bytes) {
  std::istringstream text(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// Each rank's lines, by rank.
std::vector<std::vector<std::string>> gather_lines(Communicator& comm, const std::vector<std::string>& mine) {
  const std::string text = fmt::format("{}\n", fmt::join(mine, "\n"));
  std::vector<std::vector<std::string>> all;
  for (const auto& bytes : comm.all_gather(std::as_bytes(std::span(text)))) all.push_back(lines_of(bytes));
  return all;
}

}  // namespace

std::string first_common(Communicator& comm, const std::string& what, const std::vector<std::string>& mine) {
  const auto all = gather_lines(comm, mine);
  for (const std::string& candidate : all[0])
    if (std::all_of(all.begin(), all.end(), [&](const auto& list) { return std::find(list.begin(), list.end(), candidate) != list.end(); }))
      return candidate;
  throw device_error(fmt::format("the ranks have no {} in common", what), "use hosts with like CPUs").mark_everywhere();
}

void check_agreement(Communicator& comm, const Facts& facts) {
  std::vector<std::string> mine;
  for (const auto& [what, value] : facts) mine.push_back(value);
  const auto all = gather_lines(comm, mine);
  const auto value_of = [&](int rank, std::size_t fact) { return all[static_cast<std::size_t>(rank)].at(fact); };
  for (std::size_t fact = 0; fact < facts.size(); ++fact)
    for (int rank = 1; rank < comm.size(); ++rank)
      if (value_of(0, fact) != value_of(rank, fact))
        throw device_error(fmt::format("ranks disagree on {}: rank 0 has \"{}\", rank {} has \"{}\"", facts[fact].first, value_of(0, fact), rank,
                                       value_of(rank, fact)),
                           "install the same mnist-dist, libraries, recipe and data on every host")
            .mark_everywhere();
}

std::string first_problem(Communicator& comm, const std::string& mine) {
  const auto all = gather_lines(comm, {mine});
  const auto found = std::ranges::find_if(all, [](const auto& lines) { return !lines[0].empty(); });
  if (found == all.end()) return "";
  return comm.size() == 1 ? found->front() : fmt::format("rank {}: {}", found - all.begin(), found->front());
}

std::string broadcast_text(Communicator& comm, const std::string& text) {
  std::uint64_t size = text.size();
  comm.broadcast(std::as_writable_bytes(std::span(&size, 1)), 0);
  std::string out = text;
  out.resize(size);
  comm.broadcast(std::as_writable_bytes(std::span(out)), 0);
  return out;
}

}  // namespace mnist_dist
