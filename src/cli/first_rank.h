#pragma once

namespace mnist_dist {

/// For commands that ranks do not share: of several the first alone works and speaks, the others leave.
bool is_first_rank();

}  // namespace mnist_dist
