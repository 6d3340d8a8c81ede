#pragma once
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"

namespace mnist_dist {

/// What must be the same on every rank, as {what, value}.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Collective. Throws the same Error (device) on every rank when two ranks differ: "ranks disagree on simd: rank 0 has AVX2, rank 2 has AVX3".
void check_agreement(Communicator& comm, const Facts& facts);

/// The first of `mine` that every rank has, "" when a rank has none; the same on every rank. Collective. Throws Error (device), on every rank, when
/// the lists have nothing in common.
std::string first_common(Communicator& comm, const std::string& what, const std::vector<std::string>& mine);

/// What the lowest rank that has a problem says, with its number where there are several ranks; "" when `mine` is empty everywhere. The same on every
/// rank. Collective.
std::string first_problem(Communicator& comm, const std::string& mine);

/// Root's text to all. Collective.
std::string broadcast_text(Communicator& comm, const std::string& text);

}  // namespace mnist_dist
