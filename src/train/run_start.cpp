#include "train/run_start.h"

#include <string>
#include <vector>

#include "comm/broadcast_text.h"
#include "comm/heartbeat.h"

namespace mnist_dist {

RunStart find_start(Communicator& comm, const std::function<RunStart()>& look) {
  RunStart start;
  std::vector<std::byte> packed;  // empty: a new run
  run_on_root(comm, [&] {
    start = look();
    if (start.checkpoint) packed = pack(*start.checkpoint);
  });
  start.folder = broadcast_text(comm, start.folder.string());
  const std::string bytes = broadcast_text(comm, {reinterpret_cast<const char*>(packed.data()), packed.size()});
  if (!bytes.empty()) start.checkpoint = unpack(std::as_bytes(std::span(bytes)));
  return start;
}

}  // namespace mnist_dist
