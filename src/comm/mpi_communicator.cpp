#include "comm/mpi_communicator.h"

#include <numeric>

#include "comm/check_reduce.h"

namespace mnist_dist {

MpiCommunicator::MpiCommunicator(std::shared_ptr<MpiSession> session, MPI_Comm comm,
                                 std::vector<int> world_ranks, std::uint64_t group)
    : session_(std::move(session)),
      comm_(comm),
      rank_(rank_in(comm)),
      world_ranks_(std::move(world_ranks)),
      group_(group) {
  const auto node = [&](int member) {
    return session_
        ->peers()[static_cast<std::size_t>(world_ranks_[static_cast<std::size_t>(member)])]
        .node;
  };
  for (int member = 0; member < size(); ++member) {
    if (node(member) != node(rank_)) continue;
    if (member < rank_) ++local_rank_;
    ++local_size_;
  }
}

void MpiCommunicator::wait(MPI_Request& request, const char* call) {
  ++calls_;
  wait_for_all({&request, 1}, call);
}

void MpiCommunicator::wait_for_all(std::span<MPI_Request> requests, const char* call) {
  session_->alarm().wait(requests, {call, group_, calls_, world_ranks_});
}

void MpiCommunicator::broadcast(std::span<std::byte> bytes, int root) {
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Ibcast(bytes.data(), mpi_count(bytes.size()), MPI_BYTE, root, comm_, &request),
        "MPI_Ibcast");
  wait(request, "broadcast");
}

void MpiCommunicator::barrier() {
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Ibarrier(comm_, &request), "MPI_Ibarrier");
  wait(request, "barrier");
}

template <class T>
std::vector<T> MpiCommunicator::gather_values(const T& mine, const char* call) {
  std::vector<T> values(world_ranks_.size());
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Iallgather(&mine, sizeof mine, MPI_BYTE, values.data(), sizeof mine, MPI_BYTE, comm_,
                       &request),
        "MPI_Iallgather");
  wait(request, call);
  return values;
}

std::vector<std::vector<std::byte>> MpiCommunicator::all_gather(std::span<const std::byte> bytes) {
  const std::vector<int> sizes = gather_values(mpi_count(bytes.size()), "all-gather");
  std::vector<int> offsets;
  std::size_t end = 0;
  for (const int size : sizes) {
    offsets.push_back(mpi_count(end));
    end += static_cast<std::size_t>(size);
  }
  std::vector<std::byte> all(end);
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Iallgatherv(bytes.data(), sizes[static_cast<std::size_t>(rank_)], MPI_BYTE, all.data(),
                        sizes.data(), offsets.data(), MPI_BYTE, comm_, &request),
        "MPI_Iallgatherv");
  wait(request, "all-gather");
  std::vector<std::vector<std::byte>> parts;
  for (std::size_t r = 0; r < sizes.size(); ++r)
    parts.emplace_back(all.begin() + offsets[r], all.begin() + offsets[r] + sizes[r]);
  return parts;
}

void MpiCommunicator::tree_all_reduce(const ShardVectors& vectors, int shards,
                                      std::span<float> total, const Queue& queue) {
  check_reduce(vectors, even_share(rank_, size(), shards), total.size(), queue);
  if (!exchange_ || !exchange_->fits(shards, total.size()))
    exchange_.emplace(rank_, size(), shards, total.size());
  ++calls_;
  exchange_->reduce(vectors, total, [this](auto messages) { move(messages); });
}

void MpiCommunicator::move(std::span<const TreeMessage> messages) {
  constexpr int tag = 0;  // the only messages between two ranks of this communicator
  requests_.assign(messages.size(), MPI_REQUEST_NULL);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& [peer, sent, data] = messages[i];
    const int count = mpi_count(data.size());
    if (sent)
      check(MPI_Isend(data.data(), count, MPI_FLOAT, peer, tag, comm_, &requests_[i]), "MPI_Isend");
    else
      check(MPI_Irecv(data.data(), count, MPI_FLOAT, peer, tag, comm_, &requests_[i]), "MPI_Irecv");
  }
  wait_for_all(requests_, "all-reduce");
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color) {
  // Also checks that all ranks are here, because MPI_Comm_split cannot name a missing one.
  const std::vector<int> colors = gather_values(color, "split");
  std::vector<int> members;
  int first = -1;
  for (int r = 0; r < size(); ++r) {
    if (colors[static_cast<std::size_t>(r)] != color) continue;
    if (first < 0) first = r;
    members.push_back(world_ranks_[static_cast<std::size_t>(r)]);
  }
  const Watchdog watchdog = session_->guard("MPI_Comm_split");
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(comm_, first, rank_, &part), "MPI_Comm_split");
  // Mixes parent, moment and part (constants of splitmix64), so that members agree without a
  // message.
  const auto where = static_cast<std::uint64_t>(calls_) << 32 | static_cast<std::uint32_t>(first);
  return std::make_unique<MpiCommunicator>(
      session_, part, std::move(members),
      (group_ ^ where * 0xBF58476D1CE4E5B9u) * 0x94D049BB133111EBu);
}

std::unique_ptr<Communicator> make_world(const Launcher& launcher, double timeout_seconds) {
  if (!launcher.present) return make_single();
  auto session = std::make_shared<MpiSession>(launcher, timeout_seconds);
  std::vector<int> everybody(session->peers().size());
  std::iota(everybody.begin(), everybody.end(), 0);
  const Watchdog watchdog = session->guard("MPI_Comm_dup");
  return std::make_unique<MpiCommunicator>(session, duplicate(MPI_COMM_WORLD), std::move(everybody),
                                           1);
}

}  // namespace mnist_dist
