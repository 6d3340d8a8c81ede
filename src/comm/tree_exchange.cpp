#include "comm/tree_exchange.h"

#include <algorithm>

namespace mnist_dist {

float* TreeExchange::at(TreeRounds::Buffer buffer, const ShardVectors& vectors) {
  return buffer == TreeRounds::scratch ? scratch_.data()
                                       : vectors[buffer - vectors.first_shard].data();
}

void TreeExchange::reduce(const ShardVectors& vectors, std::span<float> total, const Move& move) {
  for (const Range& node : plan_.owned())
    sum_node(vectors, {node.first - vectors.first_shard, node.last - vectors.first_shard});
  const auto here = [&](TreeRounds::Buffer buffer) { return at(buffer, vectors); };
  const auto add = [&](const TreeRounds::Addition& addition) {
    float* sum = here(addition.into);
    const float* other = here(addition.from);
    for (std::size_t i = addition.elements.first; i < addition.elements.last; ++i)
      sum[i] += other[i];
  };
  const auto copy = [&](const TreeRounds::Piece& piece, float* into) {
    std::copy_n(here(piece.buffer) + piece.elements.first, piece.elements.size(), into);
  };
  follow(plan_, total, messages_, here, add, copy, move);
}

}  // namespace mnist_dist
