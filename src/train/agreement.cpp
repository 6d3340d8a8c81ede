#include "train/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/sha256.h"

namespace mnist_dist {

namespace {

std::vector<std::string> split(const std::string& text, char end) {
  std::istringstream rest(text);
  std::vector<std::string> parts;
  for (std::string part; std::getline(rest, part, end);) parts.push_back(part);
  return parts;
}

/// With a NUL behind each: a text may have several lines.
std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += text + '\0';
  return joined;
}

/// Whether all ranks have the same texts. A rank sends 32 bytes, whatever their length.
bool all_have(Communicator& comm, const std::vector<std::string>& mine) {
  const std::string joined = join(mine);
  const Sha256Digest digest = sha256(std::as_bytes(std::span(joined)));
  const auto all = comm.all_gather(std::as_bytes(std::span(digest)));
  return std::ranges::all_of(
      all, [&](const auto& bytes) { return std::ranges::equal(bytes, all.front()); });
}

/// Each rank's texts, by rank.
std::vector<std::vector<std::string>> gather_texts(Communicator& comm,
                                                   const std::vector<std::string>& mine) {
  const std::string sent = join(mine);
  std::vector<std::vector<std::string>> all;
  for (const auto& bytes : comm.all_gather(std::as_bytes(std::span(sent))))
    all.push_back(split({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, '\0'));
  return all;
}

}  // namespace

std::pair<std::string, std::string> first_difference(const std::string& a, const std::string& b) {
  const auto left = split(a, '\n'), right = split(b, '\n');
  const auto line = [](const auto& lines, std::size_t i) {
    return i < lines.size() ? lines[i] : "";
  };
  std::size_t i = 0;
  while (i < std::max(left.size(), right.size()) && line(left, i) == line(right, i)) ++i;
  return {line(left, i), line(right, i)};
}

void check_agreement(Communicator& comm, const Facts& facts, const std::string& hint) {
  std::vector<std::string> mine;
  for (const auto& [what, value] : facts) mine.push_back(value);
  if (all_have(comm, mine)) return;
  const auto all = gather_texts(comm, mine);
  const auto value_of = [&](int rank, std::size_t fact) {
    return all[static_cast<std::size_t>(rank)].at(fact);
  };
  for (std::size_t fact = 0; fact < facts.size(); ++fact)
    for (int rank = 1; rank < comm.size(); ++rank) {
      if (value_of(0, fact) == value_of(rank, fact)) continue;
      const auto [first, other] = first_difference(value_of(0, fact), value_of(rank, fact));
      throw on_all_ranks(
          device_error(fmt::format("ranks disagree on {}: rank 0 has \"{}\", rank {} has \"{}\"",
                                   facts[fact].first, first, rank, other),
                       hint));
    }
}

void throw_first(Communicator& comm, const std::optional<Error>& mine) {
  std::vector<std::string> sent;
  if (mine) sent = {std::to_string(static_cast<int>(mine->code())), mine->what(), mine->hint()};
  const auto all = gather_texts(comm, sent);
  const auto first = std::ranges::find_if(all, [](const auto& texts) { return !texts.empty(); });
  if (first == all.end()) return;
  const bool same = std::ranges::all_of(all, [&](const auto& texts) { return texts == *first; });
  const std::string rank = same ? "" : fmt::format("rank {}: ", first - all.begin());
  throw on_all_ranks(
      Error(static_cast<ExitCode>(std::stoi(first->at(0))), rank + first->at(1), first->at(2)));
}

void check_on_all(Communicator& comm, const std::function<void()>& check) {
  std::optional<Error> problem;
  try {
    check();
  } catch (const Error& error) {
    problem = error;
  }
  throw_first(comm, problem);
}

void throw_from_group(const Communicator& world, const Communicator& group, const Error& error) {
  if (group.size() < world.size() && group.rank() == 0)
    throw Error(error.code(), error.what(), error.hint());
  throw error;
}

}  // namespace mnist_dist
