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
  for (const TreeRounds::Round& round : plan_.rounds()) {
    messages_.clear();
    for (const auto& [peer, sent, buffer, elements] : round.transfers)
      messages_.push_back({peer, sent, {at(buffer, vectors) + elements.first, elements.size()}});
    move(messages_);
    for (const auto& [into, from, elements] : round.additions) {
      float* sum = at(into, vectors);
      const float* other = at(from, vectors);
      for (std::size_t i = elements.first; i < elements.last; ++i) sum[i] += other[i];
    }
  }
  for (const TreeRounds::Piece& piece : plan_.held())
    std::copy_n(at(piece.buffer, vectors) + piece.elements.first, piece.elements.size(),
                total.begin() + static_cast<std::ptrdiff_t>(piece.elements.first));
  const std::span<const TreeRounds::Round> rounds = plan_.rounds();
  for (auto round = rounds.rbegin(); round != rounds.rend(); ++round) {
    messages_.clear();
    for (const auto& [peer, sent, buffer, elements] : round->transfers)
      messages_.push_back({peer, !sent, total.subspan(elements.first, elements.size())});
    move(messages_);
  }
}

}  // namespace mnist_dist
