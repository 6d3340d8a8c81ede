#include "comm/broadcast_text.h"

#include <cstdint>
#include <span>

namespace mnist_dist {

std::string broadcast_text(Communicator& comm, std::string text) {
  std::uint64_t size = text.size();
  comm.broadcast(std::as_writable_bytes(std::span(&size, 1)), 0);
  text.resize(size);
  comm.broadcast(std::as_writable_bytes(std::span(text)), 0);
  return text;
}

}  // namespace mnist_dist
