#include "comm/mpi_mailbox.h"

#include <chrono>

#include "comm/poll.h"

namespace mnist_dist {
namespace {

constexpr int tag = 1;
// Who reads its mail takes a message within a step; who does not is gone.
constexpr std::chrono::seconds patience{2};

}  // namespace

MpiMailbox::MpiMailbox(std::shared_ptr<MpiSession> session, MPI_Comm comm) : session_(std::move(session)), comm_(comm) {}

MpiMailbox::~MpiMailbox() {
  poll_for(patience, [&] {
    forget_delivered();
    return sent_.empty();
  });
}

void MpiMailbox::send(int to, std::span<const std::byte> bytes) {
  forget_delivered();
  Sent& sent = sent_.emplace_back();
  sent.bytes.assign(bytes.begin(), bytes.end());
  check(MPI_Isend(sent.bytes.data(), mpi_count(sent.bytes.size()), MPI_BYTE, to, tag, comm_, &sent.request), "MPI_Isend");
}

std::optional<Mailbox::Mail> MpiMailbox::receive() {
  forget_delivered();
  int waiting = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status;
  check(MPI_Improbe(MPI_ANY_SOURCE, tag, comm_, &waiting, &message, &status), "MPI_Improbe");
  if (!waiting) return std::nullopt;
  int size = 0;
  check(MPI_Get_count(&status, MPI_BYTE, &size), "MPI_Get_count");
  Mail mail{status.MPI_SOURCE, std::vector<std::byte>(static_cast<std::size_t>(size))};
  check(MPI_Mrecv(mail.bytes.data(), size, MPI_BYTE, &message, MPI_STATUS_IGNORE), "MPI_Mrecv");
  return mail;
}

void MpiMailbox::forget_delivered() {
  sent_.remove_if([](Sent& sent) {
    int done = 0;
    return MPI_Test(&sent.request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done;
  });
}

}  // namespace mnist_dist
