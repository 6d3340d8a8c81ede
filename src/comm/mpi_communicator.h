#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "comm/mpi_handle.h"
#include "comm/mpi_session.h"
#include "comm/tree_exchange.h"

namespace mnist_dist {

/// A group of ranks over MPI. Collectives are non-blocking and waited for by the session's Alarm.
class MpiCommunicator final : public Communicator {
 public:
  /// Takes over `comm`. `world_ranks`: of its members, by rank. `group`: a number that all members,
  /// and no other group, have.
  MpiCommunicator(std::shared_ptr<MpiSession> session, MPI_Comm comm, std::vector<int> world_ranks,
                  std::uint64_t group);

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(world_ranks_.size()); }
  int local_rank() const override { return local_rank_; }
  int local_size() const override { return local_size_; }
  void broadcast(std::span<std::byte> bytes, int root) override;
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) override;
  void tree_all_reduce(const ShardVectors& vectors, int shards, std::span<float> total,
                       const Queue& queue) override;
  void barrier() override;
  std::unique_ptr<Communicator> split(int color) override;
  void set_activity(const std::string& activity) override {
    session_->alarm().set_activity(activity);
  }
  void abort(ExitCode code) override { abort_all(static_cast<int>(code)); }

 private:
  void wait(MPI_Request& request, const char* call);
  void wait_for_all(std::span<MPI_Request> requests, const char* call);
  void move(std::span<const TreeMessage> messages);
  /// One fixed-size value of each rank, by rank.
  template <class T>
  std::vector<T> gather_values(const T& mine, const char* call);

  std::shared_ptr<MpiSession> session_;  ///< declared first: outlives comm_
  MpiComm comm_;
  int rank_;
  std::vector<int> world_ranks_;
  std::uint64_t group_;
  std::int64_t calls_ = 0;
  int local_rank_ = 0, local_size_ = 0;
  std::optional<TreeExchange> exchange_;
  std::vector<MPI_Request> requests_;
};

}  // namespace mnist_dist
