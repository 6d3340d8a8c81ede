#include "train/agreement.h"

#include <fmt/format.h>

namespace mnist_dist {

void check_agreement(Communicator& comm, const Facts& facts) {
  std::string mine;
  for (const auto& [what, value] : facts) mine += value + '\n';
  const auto all = comm.all_gather(std::as_bytes(std::span(mine)));
  const auto value_of = [&](int rank, std::size_t fact) {
    std::string text(reinterpret_cast<const char*>(all[static_cast<std::size_t>(rank)].data()), all[static_cast<std::size_t>(rank)].size());
    for (std::size_t i = 0; i < fact; ++i) text.erase(0, text.find('\n') + 1);
    return text.substr(0, text.find('\n'));
  };
  for (std::size_t fact = 0; fact < facts.size(); ++fact)
    for (int rank = 1; rank < comm.size(); ++rank)
      if (value_of(0, fact) != value_of(rank, fact))
        throw device_error(fmt::format("ranks disagree on {}: rank 0 has \"{}\", rank {} has \"{}\"", facts[fact].first, value_of(0, fact), rank,
                                       value_of(rank, fact)),
                           "install the same mnist-dist, libraries, recipe and data on every host")
            .mark_everywhere();
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
