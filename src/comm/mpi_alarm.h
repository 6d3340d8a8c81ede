#pragma once
#include <list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comm/hang_report.h"
#include "comm/mpi_handle.h"

namespace mnist_dist {

/// Waits for collectives, and finds the missing ranks when one does not complete. A rank that has
/// waited for the timeout requests the place of the other members of the group, over a communicator
/// of its own. Waiting ranks reply, others are silent. After a grace period, in which a slow rank
/// may still arrive and all continue, the lowest live rank prints one report and ends the program
/// with exit code 4. All groups of a program share one Alarm, so that a rank that waits in a
/// different group replies too.
class Alarm {
 public:
  /// `comm`: a duplicate of the world, for alarm messages only. `peers` has one entry per rank of
  /// it.
  Alarm(MPI_Comm comm, std::vector<Peer> peers, double timeout_seconds);
  ~Alarm();

  /// Activity of this rank, for the report.
  void set_activity(const std::string& activity) { activity_ = activity; }

  struct Call {
    const char* name;              ///< "all-reduce"
    std::uint64_t group;           ///< the same on all members, different for each communicator
    std::int64_t sequence;         ///< calls made there so far
    std::span<const int> members;  ///< world ranks
  };
  /// Returns when all requests are complete, or not at all.
  void wait(std::span<MPI_Request> requests, const Call& call);

 private:
  struct Message {
    enum Kind : int { request, reply } kind;
    std::int64_t number;  ///< of the request. Replies to older requests are ignored
    Place place;          ///< where the sender waits
  };
  struct Sent {
    Message message;
    MPI_Request request;
  };
  struct Request {
    std::int64_t number;
    double requested_at;  ///< seconds into the wait
    std::map<int, Place> live;
  };

  void wait_long(std::span<MPI_Request> requests, const Call& call);
  void send_requests(const Call& call, const Place& here, double waited);
  bool read_messages(const Place& here);
  bool my_turn_to_report(const Place& here, double waited) const;
  void send(int rank, const Message& message);

  MPI_Comm comm_;
  int rank_;
  std::vector<Peer> peers_;
  double timeout_, grace_;
  std::string activity_;
  std::int64_t request_count_ = 0;
  int lowest_requester_ = 0;        ///< of the ranks that sent a request during this wait
  std::optional<Request> request_;  ///< while this rank waits for replies
  std::list<Sent> sent_;  ///< not yet delivered. A list, because MPI holds their addresses
};

/// Ends all ranks: mpirun returns the code.
[[noreturn]] void abort_all(int code);

}  // namespace mnist_dist
