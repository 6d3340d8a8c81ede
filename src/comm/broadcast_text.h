#pragma once
#include <string>

#include "comm/communicator.h"

namespace mnist_dist {

/// Root's text to all.
/// Collective.
std::string broadcast_text(Communicator& comm, std::string text);

}  // namespace mnist_dist
