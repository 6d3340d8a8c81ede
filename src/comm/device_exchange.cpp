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

void DeviceExchange::exchange(const Move& move) {
  if (!messages_.empty()) move(messages_);
  messages_.clear();
}

void DeviceExchange::reduce(const ShardVectors& vectors, std::span<float> total, const Queue& queue,
                            const Move& move) {
  owned_.add(vectors, sums_.data(), queue);
  const TreeAddition* addition = additions_.data();
  for (const TreeRounds::Round& round : plan_.rounds()) {
    for (const auto& [peer, sent, buffer, elements] : round.transfers)
      messages_.push_back({peer, sent, {at(buffer) + elements.first, elements.size()}});
    exchange(move);
    for (const auto& [into, from, elements] : round.additions) {
      float* const sums = sums_.data() + elements.first;
      enqueue_tree_sum(queue, sums, elements.size(), plan_.size(), addition++, 1, sums);
    }
  }
  for (const TreeRounds::Piece& piece : plan_.held())  // without additions: a copy
    enqueue_tree_sum(queue, at(piece.buffer) + piece.elements.first, piece.elements.size(),
                     plan_.size(), nullptr, 0, total.data() + piece.elements.first);
  const std::span<const TreeRounds::Round> rounds = plan_.rounds();
  for (auto round = rounds.rbegin(); round != rounds.rend(); ++round) {
    for (const auto& [peer, sent, buffer, elements] : round->transfers)
      messages_.push_back({peer, !sent, total.subspan(elements.first, elements.size())});
    exchange(move);
  }
}

}  // namespace mnist_dist
