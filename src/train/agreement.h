#pragma once
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"

namespace mnist_dist {

/// Values that must be the same on every rank, as {name, value}. The names and their order must be
/// the same on every rank.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Collective.
/// Throws: the same Error (device) on every rank when two ranks differ, with the first line in
/// which they do: ranks disagree on the SIMD target: rank 0 has "avx2", rank 2 has "sse4".
void check_agreement(
    Communicator& comm, const Facts& facts,
    const std::string& hint = "install the same mnist-dist and libraries on every host");

/// The first lines in which two texts differ. "" where one has ended.
std::pair<std::string, std::string> first_difference(const std::string& a, const std::string& b);

/// Throws on every rank the error of the lowest rank that has one, with its number unless all ranks
/// have the same. Nothing when no rank has one.
/// Collective.
void throw_first(Communicator& comm, const std::optional<Error>& mine);

/// Calls `check`, which is not collective, and throws its Errors as throw_first does.
/// Collective.
void check_on_all(Communicator& comm, const std::function<void()>& check);

/// Throws an error that all ranks of one group met, but not all ranks of the world: the group's
/// first rank prints it and ends the others.
[[noreturn]] void throw_from_group(const Communicator& world, const Communicator& group,
                                   const Error& error);

}  // namespace mnist_dist
