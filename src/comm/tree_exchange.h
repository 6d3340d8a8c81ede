#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "comm/reduce_cost.h"
#include "model/flat_view.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

/// One rank's part of a tree all-reduce by messages between pairs of ranks: recursive halving along
/// the nodes of the fixed tree, then the same messages backwards. With R = 2^k ranks of one shard
/// each, every rank sends 2k messages and 2 (1 - 1/R) vectors in total, and adds (1 - 1/R) vectors.
/// Addition commutes, so every element has the bits of the tree, on any rank. Where one side of a
/// node has far fewer ranks than the other, its vector reaches the other side by a binomial
/// scatter, which keeps the number of messages logarithmic. Used for many ranks. For few,
/// TreeGather has fewer rounds.
class TreeExchange {
 public:
  /// Needs at least one shard per rank: 1 <= `ranks` <= `shards`. `size`: floats per vector.
  TreeExchange(int rank, int ranks, int shards, std::size_t size);
  bool fits(int shards, std::size_t size) const { return shards == shards_ && size == size_; }

  /// Part of a vector that travels between this rank and `peer`.
  struct Message {
    int peer;
    bool sent;  ///< by this rank. False: received
    std::span<float> data;
  };
  /// Exchanges one round of messages. Returns when all have arrived. Between two ranks, messages
  /// arrive in the order in which they were sent.
  using Move = std::function<void(std::span<const Message>)>;

  /// total = the sum of all ranks' shard vectors in the tree's order. The vectors are scratch
  /// afterwards. Allocates nothing after the first call.
  void reduce(const ShardVectors& vectors, std::span<float> total, const Move& move);

  ReduceCost cost() const;

 private:
  struct Interval {
    std::size_t first, last;  ///< of the elements of a vector
    std::size_t size() const { return last - first; }
  };
  static constexpr int scratch = -1;
  /// Elements of a tree node's sum, held by `rank` in the vector of its shard `buffer`.
  struct Piece {
    Interval elements;
    int rank;
    int buffer;
  };
  struct Transfer {
    int peer;
    bool sent;
    int buffer;  ///< this rank's: a shard, or scratch
    Interval elements;
  };
  struct Addition {
    int into, from;  ///< shards, or scratch
    Interval elements;
  };
  /// Transfers at the same time, then additions.
  struct Round {
    std::vector<Transfer> transfers;
    std::vector<Addition> additions;
  };
  /// Pieces of both children of a node that hold the same elements.
  struct Pair {
    Interval elements;
    Piece left, right;
  };

  std::vector<Piece> plan(Range node);
  std::vector<Piece> halve(std::span<const Pair> pairs);
  std::vector<Piece> scatter(std::span<const Pair> pairs, bool from_left);
  void scatter_part(std::span<const Pair> pairs, bool from_left, int holder, int buffer);
  void transfer(Round& round, int from, int to, int from_buffer, Interval elements);
  float* at(int buffer, const ShardVectors& vectors);

  int rank_, ranks_, shards_;
  std::size_t size_;
  std::vector<Range> owned_;
  std::vector<Round> rounds_;
  std::vector<Piece> held_;  ///< this rank's pieces of the whole sum, after the last round
  std::vector<float> scratch_;
  std::vector<Message> messages_;
};

}  // namespace mnist_dist
