#include "comm/mpi_alarm.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <thread>

#include "base/awake_clock.h"
#include "base/error.h"
#include "base/error_text.h"
#include "comm/liveness.h"
#include "comm/poll.h"
#include "comm/watchdog.h"

namespace mnist_dist {
namespace {

constexpr int tag = 1;

bool are_complete(std::span<MPI_Request> requests, const char* call) {
  int all = 0;
  check(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &all, MPI_STATUSES_IGNORE),
        call);
  return all != 0;
}

}  // namespace

Alarm::Alarm(MPI_Comm comm, std::vector<Peer> peers, double timeout_seconds)
    : comm_(comm),
      rank_(rank_in(comm)),
      peers_(std::move(peers)),
      timeout_(timeout_seconds),
      grace_(std::min(liveness::grace_seconds, timeout_seconds)) {}

Alarm::~Alarm() {
  for (Sent& sent : sent_) MPI_Wait(&sent.request, MPI_STATUS_IGNORE);
}

void Alarm::wait(std::span<MPI_Request> requests, const Call& call) {
  if (!poll_for(liveness::polling, [&] { return are_complete(requests, call.name); }))
    wait_long(requests, call);
}

void Alarm::wait_long(std::span<MPI_Request> requests, const Call& call) {
  const Place here = make_place(call.group, call.sequence, call.name, activity_);
  request_.reset();
  lowest_requester_ = std::numeric_limits<int>::max();
  AwakeClock clock;
  while (!are_complete(requests, call.name)) {
    std::this_thread::sleep_for(liveness::nap);
    const double waited = clock.seconds();
    const bool requested_here = read_messages(here);
    if (!request_ && (requested_here || waited > timeout_)) send_requests(call, here, waited);
    if (request_ && my_turn_to_report(here, waited)) {
      write_to_stderr(error_text(hang_report(peers_, call.members, request_->live, timeout_)));
      abort_all(static_cast<int>(ExitCode::device));
    }
  }
}

void Alarm::send_requests(const Call& call, const Place& here, double waited) {
  request_ = Request{.number = ++request_count_, .requested_at = waited, .live = {{rank_, here}}};
  for (const int member : call.members)
    if (member != rank_) send(member, {Message::request, request_count_, here});
}

/// Sends and receives replies. True after a request from a rank that waits in the same call: then
/// all ranks that wait in it send requests at the same time, so that they agree on the live ranks
/// and on the one that reports.
bool Alarm::read_messages(const Place& here) {
  bool requested_here = false;
  for (;;) {
    int waiting = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, tag, comm_, &waiting, &status), "MPI_Iprobe");
    if (!waiting) return requested_here;
    Message message;
    check(MPI_Recv(&message, sizeof message, MPI_BYTE, status.MPI_SOURCE, tag, comm_,
                   MPI_STATUS_IGNORE),
          "MPI_Recv");
    if (message.kind == Message::request) {
      send(status.MPI_SOURCE, {Message::reply, message.number, here});
      lowest_requester_ = std::min(lowest_requester_, status.MPI_SOURCE);
      requested_here |=
          message.place.group == here.group && message.place.sequence == here.sequence;
    } else if (request_ && message.number == request_->number) {
      request_->live[status.MPI_SOURCE] = message.place;
    }
  }
}

/// The lowest live rank reports after the grace period, of those that wait in this group or sent a
/// request from a different one. If it does not, the others report some seconds later.
bool Alarm::my_turn_to_report(const Place& here, double waited) const {
  int lowest = lowest_requester_;
  for (const auto& [rank, place] : request_->live)
    if (place.group == here.group) lowest = std::min(lowest, rank);
  const double patience = lowest < rank_ ? liveness::late_report_seconds(grace_) : grace_;
  return waited - request_->requested_at > patience;
}

void Alarm::send(int rank, const Message& message) {
  sent_.remove_if([](Sent& sent) {
    int done = 0;
    return MPI_Test(&sent.request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done;
  });
  sent_.push_back({message, MPI_REQUEST_NULL});  // Clang 14 has no parentheses for aggregates
  Sent& sent = sent_.back();
  check(MPI_Isend(&sent.message, sizeof sent.message, MPI_BYTE, rank, tag, comm_, &sent.request),
        "MPI_Isend");
}

void abort_all(int code) {
  std::fflush(nullptr);
  std::thread([code] {
    std::this_thread::sleep_for(liveness::abort);
    _exit(code);
  }).detach();
  MPI_Abort(MPI_COMM_WORLD, code);
  _exit(code);
}

}  // namespace mnist_dist
