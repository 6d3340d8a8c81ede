#pragma once
#include <list>
#include <memory>

#include "comm/mailbox.h"
#include "comm/mpi_handle.h"
#include "comm/mpi_session.h"

namespace mnist_dist {

/// A Mailbox over MPI's two-sided messages. Not over one-sided ones: a fetch-and-op between hosts waits until its target enters MPI.
class MpiMailbox final : public Mailbox {
 public:
  /// Takes over `comm`, which carries nothing else.
  MpiMailbox(std::shared_ptr<MpiSession> session, MPI_Comm comm);
  /// Waits a moment for what is still on its way.
  ~MpiMailbox() override;
  void send(int to, std::span<const std::byte> bytes) override;
  std::optional<Mail> receive() override;

 private:
  struct Sent {
    std::vector<std::byte> bytes;
    MPI_Request request = MPI_REQUEST_NULL;
  };
  void forget_delivered();

  std::shared_ptr<MpiSession> session_;  ///< declared first: outlives comm_
  MpiComm comm_;
  std::list<Sent> sent_;  ///< not yet delivered; a list, because MPI holds their addresses
};

}  // namespace mnist_dist
