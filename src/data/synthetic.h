#pragma once
#include <cstdint>

#include "data/images.h"

namespace mnist_dist {

/// The two sets share no draws: test digits are new ones.
enum class SyntheticSet : std::uint32_t { train = 0, test = 1 };

/// `count` drawn digits that look handwritten: the strokes of a digit, in one of several styles of
/// writing, moved and bent at random, drawn with a pen of random width. For tests. They do not
/// replace MNIST, and are hard enough that a linear model does not pass 99%. Image i is a pure
/// function of (seed, set, i): a longer set begins with the shorter one.
Images synthetic_digits(std::uint64_t seed, SyntheticSet set, int count);

}  // namespace mnist_dist
