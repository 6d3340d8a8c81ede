#pragma once
#include <cmath>
#include <cstddef>
#include <vector>

#include "model/reduce_tree.h"

namespace mnist_dist {

/// Element i of shard k's vector: magnitudes from 2^-12 to 2^12 and both signs, so that float sums
/// in another order differ.
inline float shard_number(int shard, std::size_t i) {
  const unsigned hash =
      (static_cast<unsigned>(shard) * 2654435761u ^ static_cast<unsigned>(i) * 40503u) *
      2246822519u;
  return std::ldexp(static_cast<float>(hash >> 8) * 0x1p-24f - 0.5f,
                    static_cast<int>(hash % 25u) - 12);
}

/// Sum over shards [lo, hi) of element i, straight from the tree's definition: split below by the
/// largest power of two.
inline float tree_reference(int lo, int hi, std::size_t i) {
  if (hi - lo == 1) return shard_number(lo, i);
  int half = 1;
  while (half * 2 < hi - lo) half *= 2;
  return tree_reference(lo, lo + half, i) + tree_reference(lo + half, hi, i);
}

inline float left_to_right(int shards, std::size_t i) {
  float sum = 0;
  for (int k = 0; k < shards; ++k) sum += shard_number(k, i);
  return sum;
}

/// The vectors of the shards `owned`, `stride` floats apart. The floats between them are poison.
inline std::vector<float> shard_vectors(Range owned, std::size_t size, std::size_t stride) {
  std::vector<float> data(static_cast<std::size_t>(owned.size()) * stride, NAN);
  for (int k = owned.first; k < owned.last; ++k)
    for (std::size_t i = 0; i < size; ++i)
      data[static_cast<std::size_t>(k - owned.first) * stride + i] = shard_number(k, i);
  return data;
}

}  // namespace mnist_dist
