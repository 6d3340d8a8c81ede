#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "model/reduce_tree.h"

namespace mnist_dist {

/// The plan of one rank's part of a tree all-reduce by messages between pairs of ranks: recursive
/// halving along the nodes of the fixed tree, then the same messages backwards. With R = 2^k ranks
/// of one shard each, every rank sends 2k messages and 2 (1 - 1/R) vectors in total, and adds
/// (1 - 1/R) vectors. Addition commutes, so every element has the bits of the tree, on any rank.
/// Where one side of a node has far fewer ranks than the other, its vector reaches the other side
/// by a binomial scatter, which keeps the number of messages logarithmic. TreeExchange follows it
/// in the host's memory, DeviceExchange on GPUs.
class TreeRounds {
 public:
  /// Needs at least one shard per rank: 1 <= `ranks` <= `shards`. `size`: floats per vector.
  TreeRounds(int rank, int ranks, int shards, std::size_t size);
  bool fits(int shards, std::size_t size) const { return shards == shards_ && size == size_; }
  std::size_t size() const { return size_; }

  struct Interval {
    std::size_t first, last;  ///< of the elements of a vector
    std::size_t size() const { return last - first; }
  };
  /// A buffer of this rank: the vector of a shard, which is the first one of an owned node and
  /// holds the node's sum, or one more vector.
  using Buffer = int;
  static constexpr Buffer scratch = -1;
  struct Transfer {
    int peer;
    bool sent;
    Buffer buffer;
    Interval elements;
  };
  struct Addition {
    Buffer into, from;
    Interval elements;
  };
  /// Transfers at the same time, then additions.
  struct Round {
    std::vector<Transfer> transfers;
    std::vector<Addition> additions;
  };
  /// Elements of a tree node's sum, held by `rank` in its `buffer`.
  struct Piece {
    Interval elements;
    int rank;
    Buffer buffer;
  };

  /// Tree nodes whose sums this rank adds up before the first round.
  std::span<const Range> owned() const { return owned_; }
  /// First to last, and then last to first, where each message travels the other way between the
  /// same elements of the sum.
  std::span<const Round> rounds() const { return rounds_; }
  /// This rank's pieces of the whole sum, after the last round.
  std::span<const Piece> held() const { return held_; }

 private:
  /// Pieces of both children of a node that hold the same elements.
  struct Pair {
    Interval elements;
    Piece left, right;
  };

  std::vector<Piece> plan(Range node);
  std::vector<Piece> halve(std::span<const Pair> pairs);
  std::vector<Piece> scatter(std::span<const Pair> pairs, bool from_left);
  void scatter_part(std::span<const Pair> pairs, bool from_left, int holder, Buffer buffer);
  void transfer(Round& round, int from, int to, Buffer from_buffer, Interval elements);

  int rank_, ranks_, shards_;
  std::size_t size_;
  std::vector<Range> owned_;
  std::vector<Round> rounds_;
  std::vector<Piece> held_;
};

/// Part of a vector that travels between this rank and `peer`.
struct TreeMessage {
  int peer;
  bool sent;  ///< by this rank. False: received
  std::span<float> data;
};

/// Follows a plan to the sum in `total`, in any memory. at(buffer): the floats of a buffer.
/// add(addition) and copy(piece, into) work on them. move(messages) exchanges the messages of one
/// round, which are never none. `messages` keeps their memory for the next call.
template <class At, class Add, class Copy, class Move>
void follow(const TreeRounds& plan, std::span<float> total, std::vector<TreeMessage>& messages,
            const At& at, const Add& add, const Copy& copy, const Move& move) {
  const std::span<const TreeRounds::Round> rounds = plan.rounds();
  const auto exchange = [&] {
    if (!messages.empty()) move(messages);
    messages.clear();
  };
  messages.clear();  // of a call that failed
  for (const TreeRounds::Round& round : rounds) {
    for (const auto& [peer, sent, buffer, elements] : round.transfers)
      messages.push_back({peer, sent, {at(buffer) + elements.first, elements.size()}});
    exchange();
    for (const TreeRounds::Addition& addition : round.additions) add(addition);
  }
  for (const TreeRounds::Piece& piece : plan.held())
    copy(piece, total.data() + piece.elements.first);
  for (auto round = rounds.rbegin(); round != rounds.rend(); ++round) {
    for (const auto& [peer, sent, buffer, elements] : round->transfers)
      messages.push_back({peer, !sent, total.subspan(elements.first, elements.size())});
    exchange();
  }
}

}  // namespace mnist_dist
