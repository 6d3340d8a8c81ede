#include "comm/tree_rounds.h"

#include <algorithm>
#include <tuple>

namespace mnist_dist {
namespace {

/// The rank that owns `shard`: the inverse of even_share.
int owner(int shard, int ranks, int shards) {
  int rank = static_cast<int>(static_cast<long long>(shard) * ranks / shards);
  while (even_share(rank, ranks, shards).last <= shard) ++rank;
  return rank;
}

}  // namespace

TreeRounds::TreeRounds(int rank, int ranks, int shards, std::size_t size)
    : rank_(rank),
      ranks_(ranks),
      shards_(shards),
      size_(size),
      owned_(owned_nodes(even_share(rank, ranks, shards), shards)) {
  for (const Piece& piece : plan({0, shards}))
    if (piece.rank == rank_) held_.push_back(piece);
  std::erase_if(rounds_, [](const Round& round) {
    return round.transfers.empty() && round.additions.empty();
  });
}

/// Appends this rank's rounds for `node` and all nodes below. Returns the node's pieces, from the
/// first element to the last. All ranks see the nodes in the same order, so that they agree on the
/// order of their messages.
std::vector<TreeRounds::Piece> TreeRounds::plan(Range node) {
  const int first = owner(node.first, ranks_, shards_);
  if (first == owner(node.last - 1, ranks_, shards_)) return {{{0, size_}, first, node.first}};
  const int split = tree_split(node);
  const std::vector<Piece> left = plan({node.first, split}), right = plan({split, node.last});

  std::vector<Pair> pairs;
  for (auto l = left.begin(), r = right.begin(); l != left.end() && r != right.end();) {
    const Interval both{std::max(l->elements.first, r->elements.first),
                        std::min(l->elements.last, r->elements.last)};
    pairs.push_back({both, *l, *r});
    if (l->elements.last == both.last) ++l;
    if (r->elements.last == both.last) ++r;
  }
  // Up to twice as many pieces, each exchange stays between few ranks.
  if (right.size() > 2 * left.size()) return scatter(pairs, true);
  if (left.size() > 2 * right.size()) return scatter(pairs, false);
  return halve(pairs);
}

/// Each pair shares its elements: the left one keeps the first half, the right one the second.
std::vector<TreeRounds::Piece> TreeRounds::halve(std::span<const Pair> pairs) {
  std::vector<Piece> pieces;
  Round round;
  for (const auto& [elements, left, right] : pairs) {
    if (left.rank == right.rank) {
      if (left.rank == rank_) round.additions.push_back({left.buffer, right.buffer, elements});
      pieces.push_back({elements, left.rank, left.buffer});
      continue;
    }
    const std::size_t middle = elements.first + elements.size() / 2;
    for (const auto& [half, from, to] : {std::tuple{Interval{elements.first, middle}, right, left},
                                         {Interval{middle, elements.last}, left, right}}) {
      if (half.size() == 0) continue;
      transfer(round, from.rank, to.rank, from.buffer, half);
      if (to.rank == rank_) round.additions.push_back({to.buffer, scratch, half});
      pieces.push_back({half, to.rank, to.buffer});
    }
  }
  rounds_.push_back(std::move(round));
  return pieces;
}

/// Each piece of the side with few ranks travels to those ranks of the other side that hold its
/// elements.
std::vector<TreeRounds::Piece> TreeRounds::scatter(std::span<const Pair> pairs, bool from_left) {
  std::vector<Piece> pieces;
  for (std::size_t first = 0; first < pairs.size();) {
    const Piece& source = from_left ? pairs[first].left : pairs[first].right;
    std::size_t last = first;
    for (; last < pairs.size() && pairs[last].elements.last <= source.elements.last; ++last) {
      const Piece& target = from_left ? pairs[last].right : pairs[last].left;
      pieces.push_back({pairs[last].elements, target.rank, target.buffer});
    }
    scatter_part(pairs.subspan(first, last - first), from_left, source.rank, source.buffer);
    first = last;
  }
  return pieces;
}

/// `holder` has the elements of all `pairs` in `buffer`: the second half goes to the first rank
/// there, which passes it on.
void TreeRounds::scatter_part(std::span<const Pair> pairs, bool from_left, int holder,
                              Buffer buffer) {
  const std::span<const Pair> rest = pairs.subspan(pairs.size() / 2);
  const Piece& target = from_left ? rest.front().right : rest.front().left;
  Round round;
  if (target.rank != holder)
    transfer(round, holder, target.rank, buffer,
             {rest.front().elements.first, rest.back().elements.last});
  const int from = target.rank == holder ? buffer : scratch;
  const bool ends = pairs.size() == 1;
  if (ends && target.rank == rank_)
    round.additions.push_back({target.buffer, from, rest.front().elements});
  rounds_.push_back(std::move(round));
  if (ends) return;
  scatter_part(rest, from_left, target.rank, from);
  scatter_part(pairs.first(pairs.size() / 2), from_left, holder, buffer);
}

/// This rank's part of a transfer. Received data lie in scratch, at their own place.
void TreeRounds::transfer(Round& round, int from, int to, Buffer from_buffer, Interval elements) {
  if (from == rank_) round.transfers.push_back({to, true, from_buffer, elements});
  if (to == rank_) round.transfers.push_back({from, false, scratch, elements});
}

}  // namespace mnist_dist
