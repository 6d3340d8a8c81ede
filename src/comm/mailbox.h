#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace mnist_dist {

/// Messages from rank to rank, beside a communicator's collectives. Neither side ever waits, so groups that work apart can talk between two steps.
/// What one rank sends another arrives in that order. A message may need both ranks to call their mailbox now and then until it is delivered. One
/// thread calls it.
class Mailbox {
 public:
  struct Mail {
    int from = 0;
    std::vector<std::byte> bytes;
  };
  virtual ~Mailbox() = default;
  /// To any rank, also to oneself; the bytes are copied.
  virtual void send(int to, std::span<const std::byte> bytes) = 0;
  /// The next message that has arrived, if any.
  virtual std::optional<Mail> receive() = 0;
};

}  // namespace mnist_dist
