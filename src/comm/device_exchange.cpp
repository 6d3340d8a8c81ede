#include "comm/device_exchange.h"

#include <algorithm>

#include "comm/device_sum.h"

namespace mnist_dist {

DeviceExchange::DeviceExchange(int rank, int ranks, int shards, std::size_t size,
                               const Queue& queue)
    : plan_(rank, ranks, shards, size),
      owned_(rank, ranks, shards, queue),
      sums_(queue, (owned_.count() + 1) * size) {
  std::vector<TreeAddition> additions;
  for (const TreeRounds::Round& round : plan_.rounds())
    for (const auto& [into, from, elements] : round.additions)
      additions.push_back({static_cast<int>(slot(into)), static_cast<int>(slot(from))});
  additions_ = DeviceArray<TreeAddition>(queue, additions);
}

std::size_t DeviceExchange::slot(TreeRounds::Buffer buffer) const {
  const auto nodes = plan_.owned();
  const auto node = std::ranges::find(nodes, buffer, &Range::first);  // none begins at scratch
  return static_cast<std::size_t>(node - nodes.begin());
}

void DeviceExchange::reduce(const ShardVectors& vectors, std::span<float> total, const Queue& queue,
                            const Move& move) {
  owned_.add(vectors, sums_.data(), queue);
  const auto here = [&](TreeRounds::Buffer buffer) { return at(buffer); };
  const TreeAddition* next = additions_.data();
  const auto add = [&](const TreeRounds::Addition& addition) {
    float* const sums = sums_.data() + addition.elements.first;
    enqueue_tree_sum(queue, sums, addition.elements.size(), plan_.size(), next++, 1, sums);
  };
  const auto copy = [&](const TreeRounds::Piece& piece, float* into) {  // without additions
    enqueue_tree_sum(queue, at(piece.buffer) + piece.elements.first, piece.elements.size(),
                     plan_.size(), nullptr, 0, into);
  };
  follow(plan_, total, messages_, here, add, copy, move);
}

}  // namespace mnist_dist
